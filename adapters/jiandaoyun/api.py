"""How 简道云's API v5 is spoken to: POST and JSON throughout, errors as HTTP 400 with a code, sometimes as 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.jiandaoyun.settings import JiandaoyunSettings
from hub.contract import (
    Context,
    Misconfigured,
    Postponed,
    Refused,
    Request,
    Response,
    Token,
    Unreadable,
    json_body,
)

Form = Context[JiandaoyunSettings]

TOO_OFTEN = 8303
"""简道云 docs: more requests than allowed (per interface 10 to 30 a second, 50 in all)."""

ENTRY = "/v5/app/entry"


def sign(request: Request, ctx: Form, _token: Token | None) -> Request:
    """The key as a bearer, on requests to the API and to nobody else."""
    if not ctx.settings.api_key:
        raise Misconfigured("api_key is not set: sweeps, re-reads and writes need it")
    if not request.url.startswith(f"{ctx.settings.base_url}/"):
        return request
    headers = {**request.headers, "authorization": f"Bearer {ctx.settings.api_key}"}
    return msgspec.structs.replace(request, headers=headers)


def ask(ctx: Form, path: str, **said: Any) -> Request:
    """A request about the connection's form."""
    settings = ctx.settings
    if not (settings.app_id and settings.entry_id):
        raise Misconfigured("app_id and entry_id are not set: the API has to be told the form")
    return Request(
        method="POST",
        url=f"{settings.base_url}{ENTRY}{path}",
        headers={"content-type": "application/json"},
        body=json_body({"app_id": settings.app_id, "entry_id": settings.entry_id, **said}),
    )


def judge(answer: Response) -> None:
    """Too many requests come as HTTP 400 with a code: they are asked again, everything else is an answer."""
    if answer.status == 400 or (answer.status == 200 and b'"code"' in answer.body[:200]):
        number, reason = refusal(answer)
        if number == TOO_OFTEN:
            raise Postponed(f"简道云 asks for patience: {reason}", after=1.0)


def told(answer: Response | None) -> dict[str, Any]:
    """What an answer says; a refusal is raised with 简道云's own words, whatever its HTTP status."""
    if answer is None:
        raise Refused("简道云 gave no answer")
    number, reason = refusal(answer)
    if number == TOO_OFTEN:
        raise Postponed(f"简道云 asks for patience: {reason}", after=1.0)
    if answer.status in (401, 403):
        raise Refused(
            f"简道云 does not accept the api_key: {answer.status} {reason}".strip(), code="unauthorized"
        )
    if answer.status >= 400 or number:
        raise Refused(reason or f"简道云 answered {answer.status}", code=str(number or answer.status))
    found = _body(answer)
    if not isinstance(found, dict):
        raise Unreadable(f"简道云 answered {answer.status} and no object")
    return found


def refusal(answer: Response) -> tuple[int, str]:
    """The code and words of a refusal; 0 where the answer is none. A row may have a field `code` of its own, but an
    answer with a row has it under `data`."""
    try:
        found = _body(answer)
    except Unreadable:
        return 0, ""
    if not isinstance(found, Mapping) or "data" in found or "widgets" in found:
        return 0, ""
    number, words = found.get("code"), found.get("msg")
    if not isinstance(number, int) or isinstance(number, bool):
        return 0, ""
    return number, f"{number} {words}" if isinstance(words, str) and words else str(number)


def _body(answer: Response) -> Any:
    return answer.json()
