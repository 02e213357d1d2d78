"""Speaking to a hub: requests with a token, pages followed to their end, problems told as they are."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from hub.cli.address import Address, find_address
from hub.cli.failures import UNREACHABLE, Failure

Doc = dict[str, Any]
_BARRED = re.compile(r"(\S+) is not allowed: (?:private|loopback)")
"""What the hub says of an address that its operator could allow."""
_HERE = ("127.0.0.1", "::1", "localhost")
"""Hosts that no proxy stands before."""


@contextlib.contextmanager
def hub(timeout: float = 60.0) -> Iterator[Client]:
    """The hub that the environment names."""
    address = find_address()
    headers = {"authorization": f"Bearer {address.token}"} if address.token else {}
    far = httpx.URL(address.url).host not in _HERE
    with httpx.Client(base_url=address.url, headers=headers, timeout=timeout, trust_env=far) as http:
        yield Client(address, http)


class Client:
    """A line to one hub."""

    def __init__(self, address: Address, http: httpx.Client) -> None:
        self.address = address
        self._http = http

    def get(self, path: str, **params: Any) -> Any:
        """What stands there; parameters that are empty are left out."""
        return _decoded(self.ask("GET", path, params=_told(params)))

    def raw(self, path: str) -> bytes:
        """The bytes that stand there."""
        return self.ask("GET", path).content

    def pages(self, path: str, *, most: int = 0, **params: Any) -> Iterator[Doc]:
        """Every row of a list, page by page, `most` of them at the most (0: all)."""
        after: Any = params.pop("after", None)
        count = 0
        while True:
            size = min(most - count, 500) if most else 500
            page = self.get(path, after=after, limit=size, **params)
            yield from page["data"]
            count += len(page["data"])
            after = page.get("next")
            if not after or (most and count >= most):
                return

    def post(self, path: str, body: Any = None, *, key: str = "", **headers: str) -> Any:
        """Do it; the same `key` again is the same deed."""
        extra = {
            "idempotency-key": key or uuid.uuid4().hex,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return _decoded(self.ask("POST", path, json=body, headers=extra))

    def patch(self, path: str, body: Doc) -> Any:
        """Change it."""
        return _decoded(self.ask("PATCH", path, json=body))

    def delete(self, path: str) -> Any:
        """Take it away."""
        return _decoded(self.ask("DELETE", path))

    def push(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> httpx.Response:
        """A message to an intake address, as a far side sends it: without our token, any answer is an answer."""
        try:
            return httpx.request(method, url, headers=headers, content=body, timeout=30, trust_env=False)
        except httpx.HTTPError as error:
            raise _unreachable(self.address, error) from error

    def ask(self, method: str, path: str, *, json: Any = None, **rest: Any) -> httpx.Response:
        """One request; raises Failure where the hub is away or says no."""
        if json is not None:
            rest["content"] = msgspec.json.encode(json)
            rest["headers"] = {"content-type": "application/json", **(rest.get("headers") or {})}
        try:
            answer = self._http.request(method, path, **rest)
        except httpx.HTTPError as error:
            raise _unreachable(self.address, error) from error
        if answer.is_success:
            return answer
        raise _problem(self.address, answer)


def _told(params: Doc) -> Doc:
    return {
        name: 1 if value is True else value
        for name, value in params.items()
        if value not in (None, "", False)
    }


def _decoded(answer: httpx.Response) -> Any:
    return msgspec.json.decode(answer.content) if answer.content else None


def _unreachable(address: Address, error: httpx.HTTPError) -> Failure:
    return Failure(
        f"no hub answers at {address.url} (from {address.source}): {error or type(error).__name__}",
        hint="Start it with `orderhub serve`, or set ORDERHUB_URL to where it is.",
        code=UNREACHABLE,
    )


def _problem(address: Address, answer: httpx.Response) -> Failure:
    try:
        said = msgspec.json.decode(answer.content, type=dict)
    except msgspec.DecodeError:
        said = {"title": answer.text.strip()[:200] or answer.reason_phrase}
    return Failure(
        "\n".join(_sentences(said, answer.status_code)), hint=_next(said, address, answer.status_code)
    )


def _sentences(said: Doc, status: int) -> Iterator[str]:
    faults = [str(fault) for fault in said.get("faults") or ()]
    title, detail = str(said.get("title") or f"the hub answered {status}"), str(said.get("detail") or "")
    if not faults:
        field = f"{said['field']}: " if said.get("field") and str(said["field"]) not in detail else ""
        yield f"{field}{detail or title}"
    yield from faults


def _next(said: Doc, address: Address, status: int) -> str:
    if said.get("allowed"):
        return f"Allowed now: {', '.join(map(str, said['allowed']))}."
    if status == 401:
        where = (
            "Set ORDERHUB_TOKEN"
            if address.source == "ORDERHUB_URL"
            else f"{address.source} has no valid token: set ORDERHUB_TOKEN"
        )
        return f"{where} to a token of this hub, or fix one at start with ORDERHUB_ADMIN_TOKEN."
    if status == 403:
        return "This token has not the scope for it: `orderhub tokens add NAME --scope …` with an admin token makes one."
    barred = _BARRED.search(str(said.get("detail")))
    if barred:
        network = (
            f"{barred[1]}/{128 if ':' in barred[1] else 32}" if barred[1] != "localhost" else "127.0.0.1/32"
        )
        return f"A network of your own may be reached where the hub allows it: `orderhub serve --allow-private {network}`."
    return ""
