"""How the REST API is asked: a request, its answer as a tree, and what answers that are none mean."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from adapters.woocommerce.settings import WooCommerceSettings, api_url
from hub.contract import (
    Context,
    Conversation,
    Message,
    Postponed,
    Refused,
    Request,
    Response,
    Unreadable,
    json_body,
)

Shop = Context[WooCommerceSettings]

FIREWALL = 120.0
"""Seconds to stay away after a firewall's page: asking at once again is what it is there to stop."""

SLOW = 90.0
"""Seconds that an answer may take: a hundred orders are much for a small host."""

_BOM = b"\xef\xbb\xbf"
_PAGE = re.compile(rb"\s*<(?:!doctype|html|head|body|br|b>|div|p>|script|\?xml)", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]*>\s*(.{1,200}?)\s*</title", re.IGNORECASE | re.DOTALL)
_LACKING = ("write permissions", "cannot_create", "cannot_edit", "cannot_batch", "cannot_delete")


def ask(
    ctx: Shop, route: str, *, method: str = "GET", body: Any = None, **query: str | int
) -> Conversation[Response]:
    """Asks a route; returns the answer, which may be a 404 where nothing was to be written, and raises for any other
    that is none."""
    answer = yield Request(
        method=method,
        url=api_url(ctx.settings, route, **query),
        headers={"accept": "application/json"}
        | ({"content-type": "application/json"} if body is not None else {}),
        body=b"" if body is None else json_body(body),
        timeout=SLOW,
    )
    found = answered(answer)
    if found.status == 404 and method in ("POST", "PUT"):
        raise Refused(f"WooCommerce has nothing to write to at {route}: {said(found)}", code="not_found")
    return found


def answered(answer: Response | None) -> Response:
    """The answer, where it is one: raises Postponed or Refused for what is not."""
    if answer is None:
        raise Postponed("WooCommerce gave no answer")
    judge(answer)
    status, code, reason = _fault(answer)
    if status == 429 or status >= 500:
        raise Postponed(f"WooCommerce answered {status}: {reason}")
    if status in (401, 403):
        hint = (
            "; the REST key needs Read/Write" if any(word in f"{code} {reason}" for word in _LACKING) else ""
        )
        raise Refused(f"WooCommerce does not accept the REST key: {reason}{hint}", code="unauthorized")
    if status >= 400 and status != 404:
        raise Refused(f"WooCommerce answered {status}: {reason}", code=code or str(status))
    if 300 <= status < 400:
        to = answer.headers.get("location", "another address")
        raise Refused(
            f"WooCommerce sends us on to {to}: set base_url to the shop's own address", code="moved"
        )
    return answer


def plain(answer: Response) -> bytes:
    """The body without the byte order mark and blank lines that plugins have been seen to put around it."""
    return answer.body.strip().removeprefix(_BOM).strip()


def tree(answer: Response) -> Any:
    """The body as a tree."""
    return Message(body=plain(answer)).json()


def rows(answer: Response) -> list[msgspec.Raw]:
    """The members of a list, each byte for byte as it came."""
    try:
        return _ROWS.decode(plain(answer))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"WooCommerce's list is none: {error}") from error


def more(answer: Response, page: int, found: int, size: int) -> bool:
    """Whether a list goes on: by X-WP-TotalPages, by Link, and where a host strips both by the page being full."""
    total = answer.headers.get("x-wp-totalpages", "")
    if total.isascii() and total.isdigit():
        return page < int(total)
    links = answer.headers.get("link")
    return 'rel="next"' in links if links else found >= size


def judge(answer: Response) -> None:
    """Raises for a web page where JSON was asked for: a firewall, a login, maintenance or a PHP error.

    They come with 200 and 403 as well as with 5xx, so the status does not tell them.
    """
    if not _PAGE.match(answer.body.removeprefix(_BOM)):
        return
    title = _TITLE.search(answer.body)
    said = title[1].decode("utf-8", "replace") if title else "no title"
    if answer.status == 404:
        raise Refused(
            f"there is no REST API at this address ({said}): set permalinks to anything but `Plain`, check base_url",
            code="no_api",
        )
    if answer.status == 401:
        raise Refused(f"the shop's web server asks for a password of its own ({said})", code="unauthorized")
    raise Postponed(
        f"the shop answered {answer.status} with a web page ({said}) instead of JSON: a firewall, maintenance or a "
        "PHP error; if it lasts, let the hub's address pass there",
        after=FIREWALL,
    )


def said(answer: Response) -> str:
    """Why WooCommerce said no, in its own words."""
    return _fault(answer)[2]


def _fault(answer: Response) -> tuple[int, str, str]:
    """Status, code and reason: `{"code", "message", "data": {"status"}}`, under whichever HTTP status it came."""
    status = answer.status
    body: Any = {}
    if status >= 400 or b'"code"' in answer.body[:200]:
        try:
            body = tree(answer)
        except Unreadable:
            body = {}
    if not isinstance(body, dict) or "message" not in body:
        return status, "", answer.body[:200].decode("utf-8", "replace")
    data = body.get("data")
    own = data.get("status") if isinstance(data, dict) else None
    if isinstance(own, int) and status < 400 <= own < 600:
        status = own
    return status, str(body.get("code") or ""), str(body.get("message") or body.get("code") or "")[:500]


_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
