"""How AfterShip's API is spoken to: addresses, the key, its limits, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from adapters.aftership.settings import AfterShipSettings
from hub.contract import Context, Misconfigured, Refused, Request, Response, Token, Unreadable

Tracker = Context[AfterShipSettings]

EXISTS = 4003
"""AfterShip docs: "Tracking already exists.", with the tracking it speaks of."""

MISSING = (4004, 404)
"""AfterShip docs: "Tracking does not exist."; 404 where the address knows none."""


def address(settings: AfterShipSettings, path: str, query: Mapping[str, str] | None = None) -> str:
    """The address of a resource in the pinned version."""
    asked = f"?{urlencode(query)}" if query else ""
    return f"{settings.base_url}/tracking/{settings.api_version}{quote(path)}{asked}"


def sign(request: Request, ctx: Tracker, _token: Token | None) -> Request:
    """The key in its header, on requests to the API and to nobody else."""
    if not ctx.settings.api_key:
        raise Misconfigured("api_key is not set: sweeps, re-reads and registrations need it")
    if not request.url.startswith(f"{ctx.settings.base_url}/"):
        return request
    return msgspec.structs.replace(request, headers={**request.headers, "as-api-key": ctx.settings.api_key})


def throttle(answer: Response) -> float:
    """Seconds until the bucket fills again, when its last request was taken.

    AfterShip docs: `X-RateLimit-Remaining`, and `X-RateLimit-Reset` as a unix time; limits are per second
    and endpoint (GET /trackings 6, GET /trackings/:id 5, POST /trackings 20).
    """
    if answer.headers.get("x-ratelimit-remaining", "").strip() != "0":
        return 0.0
    try:
        reset = float(answer.headers["x-ratelimit-reset"])
        here = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return 1.0
    return min(max(reset - here, 1.0), 60.0)


def answered(answer: Response | None) -> Response:
    """The answer that every request gets."""
    if answer is None:
        raise Refused("AfterShip gave no answer")
    return answer


def code(answer: Response) -> int:
    """AfterShip's own code for an answer, the HTTP status where the body has none."""
    found = _part(_said(answer), "meta").get("code")
    return found if isinstance(found, int) and not isinstance(found, bool) else answer.status


def data(answer: Response) -> dict[str, Any]:
    """What an answer carries: 2023-10 and older wrapped a single tracking once more."""
    found = _part(_said(answer), "data")
    return _part(found, "tracking") or found


def reason(answer: Response) -> str:
    """Why AfterShip said no, in its own words."""
    said = _part(_said(answer), "meta").get("message")
    return f"{code(answer)} {said}" if said else f"AfterShip answered {answer.status}"


def refused(answer: Response) -> Refused:
    """The refusal that an answer is."""
    number = code(answer)
    if answer.status in (401, 403):
        return Refused(f"AfterShip does not accept the api_key: {reason(answer)}", code="unauthorized")
    return Refused(reason(answer), code="not_found" if number in MISSING else str(number))


def _said(answer: Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except Unreadable:
        return {}
    return found if isinstance(found, dict) else {}


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}
