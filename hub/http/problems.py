"""Problems: every refusal of the API as RFC 9457, `application/problem+json`, with a `code` to switch on.

{"type": "urn:orderhub:problem:invalid_transition", "code": "invalid_transition", "title": "…",
"status": 409, "detail": "…", "field"?: "…", "allowed"?: […], "faults"?: […]}
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.contract.errors import HubError, Misconfigured, Postponed, Refused, Rejected, Unreadable
from hub.inbound.report import Mismatch
from hub.store.engine import Poisoned, Unavailable
from hub.troubles import place
from hub.vault import Locked

log = structlog.get_logger("orderhub.http")

MEDIA = "application/problem+json"

TITLES = {
    "bad_request": "The request cannot be read",
    "unauthorized": "A valid token is needed",
    "forbidden": "The token may not do this",
    "not_found": "There is no such thing",
    "method_not_allowed": "This path does not take this method",
    "conflict": "It stands against what is",
    "invalid_transition": "The order's state does not allow this",
    "stale_version": "The order has changed since it was read",
    "in_progress": "The same request is under way",
    "gone": "The cursor is older than what is kept",
    "too_large": "Too much at once",
    "invalid": "Something in the request is not valid",
    "idempotency_mismatch": "The Idempotency-Key was used for another request",
    "misconfigured": "The configuration has faults",
    "upstream": "The far side did not agree",
    "unavailable": "Try again",
    "internal": "A fault of the hub",
}
"""Code → title: the vocabulary of `code`."""

_CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
          409: "conflict", 410: "gone", 412: "stale_version", 413: "too_large", 422: "invalid", 503: "unavailable"}  # fmt: skip


class Document(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A problem as it is sent."""

    type: str
    code: str
    title: str
    status: int
    detail: str = ""
    field: str = ""
    allowed: list[str] = []
    faults: list[str] = []
    place: dict[str, Any] = {}
    oldest: str = ""
    instance: str = ""


class Problem(HubError):
    """A refusal with everything there is to say of it."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.document = Document(
            type=f"urn:orderhub:problem:{code}",
            code=code,
            title=TITLES[code],
            status=status,
            detail=detail,
            **more,
        )


def missing(what: str, name: str) -> Problem:
    """404: there is no such thing in this tenant."""
    return Problem(404, "not_found", f"there is no {what} {name!r}")


def invalid(detail: str, field: str = "", **more: Any) -> Problem:
    """422: a value that cannot be."""
    return Problem(422, "invalid", detail, field=field, **more)


def problem(error: Exception, new_id: Callable[[str], str]) -> Problem:
    """What an error means to the caller; what is no one's fault but ours is logged under an id."""
    if isinstance(error, Problem):
        return error
    for kind, tell in _TOLD:
        if isinstance(error, kind):
            return tell(error)
    name = new_id("err")
    log.error(
        "a request failed",
        instance=name,
        trace="".join(traceback.format_tb(error.__traceback__)),
        error=repr(error)[:500],
    )
    return Problem(500, "internal", f"the log says more under {name}", instance=name)


def _rejected(error: Rejected) -> Problem:
    status = 422 if error.status == 400 and error.field else error.status
    where = place(error) if isinstance(error, Unreadable) else {}
    return Problem(status, _CODES.get(status, "bad_request"), error.reason, field=error.field, place=where)


def _http(error: HTTPException) -> Problem:
    code = _CODES.get(error.status_code, "bad_request")
    return Problem(error.status_code, code, str(error.detail), headers=error.headers)


def _misconfigured(error: Misconfigured) -> Problem:
    return Problem(
        422, "misconfigured", "; ".join(error.faults), faults=error.faults, field=_field(error.faults)
    )


def _later(error: Exception) -> Problem:
    return Problem(503, "unavailable", str(error), headers={"retry-after": "5"})


_TOLD: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Problem]], ...] = (
    (HTTPException, _http),
    (Rejected, _rejected),
    (Mismatch, lambda error: Problem(422, "idempotency_mismatch", str(error))),
    (Misconfigured, _misconfigured),
    ((Unavailable, Locked), _later),
    ((Postponed, Refused), lambda error: Problem(502, "upstream", str(error))),
    (Poisoned, lambda error: Problem(422, "invalid", f"cannot be stored: {error}")),
)


def _field(faults: list[str]) -> str:
    """The field of the first fault, where it names one."""
    name, colon, _ = faults[0].partition(":") if faults else ("", "", "")
    return name if colon and name.isidentifier() else ""


def respond(found: Problem) -> Response:
    """A problem as a response."""
    return Response(
        msgspec.json.encode(found.document), found.status, headers=found.headers, media_type=MEDIA
    )


async def handle(request: Request, error: Exception) -> Response:
    """Answer what the router itself raises: no such path, no such method."""
    if isinstance(error, HTTPException) and error.status_code == 404:
        error = Problem(404, "not_found", f"there is no {request.url.path}")
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        error = Problem(
            405, "method_not_allowed", f"{request.url.path} takes {allowed}", headers=error.headers
        )
    return respond(problem(error, request.app.state.hub.world.new_id))


HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {HTTPException: handle}
"""For Starlette: what is raised outside an operation."""
