"""Balances: a day's orders at the source, here, and acknowledged by each partner, with every gap named."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec

from hub.directory import Connection
from hub.http.ask import Ask
from hub.http.keep import find
from hub.http.problems import invalid
from hub.http.table import Op, Param
from hub.repair.survey.balance import Balance, balance, day_of


class BalanceOut(msgspec.Struct, kw_only=True):
    """A day of every connection that has orders of its own; `balanced` where nothing is missing anywhere."""

    day: str
    balanced: bool
    connections: list[Balance]


async def get_balance(ask: Ask) -> BalanceOut:
    """Asks each source that can be read, then counts; a day is one of the connection's own time zone, today by default."""
    day = _day(ask.text("day")) or datetime.fromtimestamp(ask.hub.world.now() / 1_000_000, UTC).date()
    hub = ask.hub
    if ask.text("connection"):
        wanted = [find(ask, Connection, ask.text("connection"))]
    else:
        kinds = {
            name for name, one in hub.registry.channels.items() if one.kind not in ("carrier", "tracker")
        }
        wanted = [one for one in hub.directory.all(Connection, ask.tenant) if one.channel in kinds]
    found = [await balance(hub, one, day_of(one, day)) for one in wanted]
    return BalanceOut(day=day.isoformat(), balanced=all(one.balanced for one in found), connections=found)


def _day(given: str) -> date | None:
    try:
        day = date.fromisoformat(given) if given else None
    except ValueError:
        day = date.min
    if day and not 1970 <= day.year < date.max.year:
        raise invalid(f"{given[:100]!r} is no day like 2027-01-10", "day")
    return day


OPS = (
    Op(method="GET", path="/v1/balance", summary="Balance a day", handle=get_balance, gives=BalanceOut,
       query=(Param("day", "Such as 2027-01-10; today if none."),
              Param("connection", "Only of this connection, by id or name."))),
)  # fmt: skip
