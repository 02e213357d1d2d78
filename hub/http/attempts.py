"""Attempts: the log of everything that was sent to an endpoint, and of what came back."""

from __future__ import annotations

import re

from hub.contract.clock import text
from hub.http.ask import EVER, Ask, Page
from hub.http.deliveries import CHOSEN, PREFIX, AttemptOut, chosen, logged
from hub.http.endpoints import mine
from hub.http.problems import invalid
from hub.http.table import BOTH_WAYS, Op, Param
from hub.outbound.sender import KINDS
from hub.outbound.verdict import DECLINED
from hub.store.engine import Row

_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})").fullmatch
_STATUS = re.compile(r"[1-5][0-9]{2}").fullmatch


class AttemptWhole(AttemptOut, kw_only=True):
    """An attempt with whose it was. Its `detail`: `number`, `trigger` (first, schedule, manual, replay), the `request`
    with secrets masked, the remote `address`, `phases` in milliseconds, `status` or the kind of `error` with its
    `reason`, the answer's `headers`, and its `body` to 16 kB (`truncated`)."""

    delivery: str
    event: str
    type: str
    order: str | None


async def list_endpoint_attempts(ask: Ask) -> Page[AttemptWhole]:
    """Everything that was sent to an endpoint, oldest first or newest first."""
    one = mine(ask, ask.path())
    at, delivery = _cursor(ask)
    rows = await ask.hub.engine.fetch(
        "attempts_of_target_newest" if ask.newest else "attempts_of_target", target=one.id, at=at, delivery=delivery, outcome=_outcome(ask), most=ask.limit + 1,
        **await chosen(ask),
    )  # fmt: skip
    shown = rows[: ask.limit]
    cursor = f"{shown[-1][1]}.{shown[-1][0]}" if shown else ask.text("after") or "0.0"
    return Page([_shown(row) for row in shown], cursor if len(rows) > len(shown) else None, cursor)


def _cursor(ask: Ask) -> tuple[int, int]:
    given = ask.text("after")
    found = _CURSOR(given) if given else None
    if given and found is None:
        raise invalid(f"{given!r} is no cursor of this list", "after")
    begin = EVER if ask.newest else 0
    return (int(found[1]), int(found[2])) if found else (begin, begin)


def _outcome(ask: Ask) -> str:
    given = ask.text("outcome")
    if given and given not in (*KINDS, DECLINED) and not _STATUS(given):
        known = [*KINDS, DECLINED]
        raise invalid(
            f"{given!r} is neither a status nor one of {', '.join(known)}", "outcome", allowed=known
        )
    return given


def _shown(row: Row) -> AttemptWhole:
    return AttemptWhole(
        delivery=f"{PREFIX}{row[0]}", at=text(row[1]), outcome=row[2], detail=logged(row[3]), event=row[4],
        order=row[5] or None, type=row[6],
    )  # fmt: skip


OPS = (
    Op(method="GET", path="/v1/endpoints/{id}/attempts", summary="An endpoint's attempts",
       handle=list_endpoint_attempts, gives=Page[AttemptWhole], partner=True,
       query=(*BOTH_WAYS, Param("outcome", "A status such as 500, or an error's kind such as timeout."), *CHOSEN)),
)  # fmt: skip
