"""How the Admin API is asked: a GraphQL question, its answer or the reason there is none, and the cost bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from adapters.shopify.settings import ShopifySettings, api_url
from hub.contract import Context, Conversation, Postponed, Refused, Request, Response, Unreadable, json_body

Shop = Context[ShopifySettings]

RETRIED = frozenset({"THROTTLED", "INTERNAL_SERVER_ERROR", "TIMEOUT"})
"""Error codes of a 200 answer that a later try may cure; Shopify docs: GraphQL Admin API, status and error codes."""

RESERVE = 100.0
"""Points kept in the bucket, so that a write finds room beside a sweep."""


def gid(kind: str, ref: str) -> str:
    """A global id from the number that REST, webhooks and we use."""
    return ref if ref.startswith("gid://") else f"gid://shopify/{kind}/{ref}"


def number(global_id: str) -> str:
    """The number within a global id; parameters that follow it are dropped."""
    return global_id.rpartition("/")[2].partition("?")[0]


def question(ctx: Shop, document: str, variables: Mapping[str, Any]) -> Request:
    """A GraphQL question as the request that carries it."""
    return Request(
        method="POST",
        url=api_url(ctx.settings),
        headers={"content-type": "application/json", "accept": "application/json"},
        body=json_body({"query": document, "variables": variables}),
    )


def ask(ctx: Shop, document: str, **variables: Any) -> Conversation[dict[str, Any]]:
    """Asks and returns `data`; raises Postponed or Refused where the answer is none."""
    answer = yield question(ctx, document, variables)
    return answered(answer)


def answered(answer: Response | None) -> dict[str, Any]:
    """The `data` of an answer."""
    if answer is None:
        raise Postponed("Shopify gave no answer")
    if answer.status != 200:
        _denied(answer)
    judge(answer)
    body = answer.json()
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise Unreadable("Shopify's answer has no data")
    return data


def judge(answer: Response) -> None:
    """Raises for a 200 whose body is an error; fields withheld deep inside an answer are no error.

    Apps without protected customer data approval get null and ACCESS_DENIED for those fields alone.
    """
    faults = _faults(answer)
    if not faults or (_usable(answer) and not faults.keys() & RETRIED):
        return
    code = next((one for one in faults if one in RETRIED), next(iter(faults)))
    reason = faults[code]
    if code in RETRIED:
        raise Postponed(f"Shopify: {reason}", after=throttle(answer) or 1.0)
    raise Refused(f"Shopify: {reason}", code=code)


def throttle(answer: Response) -> float:
    """Seconds until the bucket holds what this question cost and the reserve; 0 while it does."""
    cost = _extensions(answer).get("cost")
    status = cost.get("throttleStatus") if isinstance(cost, dict) else None
    if not isinstance(cost, dict) or not isinstance(status, dict):
        return 0.0
    wanted = float(cost.get("requestedQueryCost") or 0) + RESERVE
    room = min(wanted, float(status.get("maximumAvailable") or wanted))
    missing = room - float(status.get("currentlyAvailable") or 0)
    return max(0.0, missing / (float(status.get("restoreRate") or 0) or 50.0))


def complaints(payload: Mapping[str, Any] | None, field: str = "userErrors") -> str:
    """The user errors of a mutation's payload as one sentence, "" where there are none."""
    found = (payload or {}).get(field) or []
    return "; ".join(f"{'.'.join(one.get('field') or [])}: {one['message']}".lstrip(": ") for one in found)


def _denied(answer: Response) -> NoReturn:
    reason = f"Shopify answered {answer.status}"
    if answer.status in (423, 429, 430) or answer.status >= 500:
        raise Postponed(reason, after=_seconds(answer.headers.get("retry-after", "")))
    raise Refused(f"{reason}: {answer.body[:200].decode('utf-8', 'replace')}", code=str(answer.status))


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _faults(answer: Response) -> dict[str, str]:
    """Code → message of the answer's errors, in order; errors without a code count as INVALID."""
    errors = _body(answer).get("errors")
    if isinstance(errors, str):
        return {"INVALID": errors}
    found: dict[str, str] = {}
    for one in errors if isinstance(errors, list) else []:
        code = (one.get("extensions") or {}).get("code") or "INVALID"
        found.setdefault(str(code), str(one.get("message", "")))
    return found


def _usable(answer: Response) -> bool:
    data = _body(answer).get("data")
    return isinstance(data, dict) and bool(data) and all(value is not None for value in data.values())


def _extensions(answer: Response) -> dict[str, Any]:
    found = _body(answer).get("extensions")
    return found if isinstance(found, dict) else {}


def _body(answer: Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}
