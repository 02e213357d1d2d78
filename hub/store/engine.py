"""The seam under the store: what both engines do, and the unit of work that a step hands over as a whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from hub.contract.errors import HubError
from hub.store.bell import Bell

Row = tuple[Any, ...]
Line = Literal["", "messages"]
"""Whose positions are given one after another: those of messages, and those of all the rest."""
T = TypeVar("T")


class Unavailable(HubError):
    """The store cannot be written or read now: answer 503, try again."""


class Poisoned(HubError):
    """The data itself cannot be stored; a group that holds it is split until it stands alone."""


@dataclass(slots=True)
class Write:
    """One statement to run: `rows` fill its table of parameters, `params` its plain ones."""

    name: str
    rows: Sequence[Row] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


class Unit(Protocol):
    """One transaction as data. Reads see what others committed; writes are gathered by `add` and run at
    the end, all or none. `claim` runs at once where several processes may race (PostgreSQL)."""

    counts: dict[str, int]
    ends: list[Callable[[bool], None]]
    """Called when it is over: True where it is durable, False where nothing of it is; not where its caller was cut
    off, for then nobody knows."""

    async def fetch(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> list[Row]:
        """What a query returns."""

    async def claim(self, name: str, rows: Sequence[Row]) -> None:
        """A write that must win or lose a race before the unit goes on."""

    async def positions(self, count: int, of: Line = "") -> int:
        """The first of `count` successive positions; on PostgreSQL no one else gets any until the end. Those `of`
        messages are given beside all others, so that what comes in never waits for what is being understood; who
        needs both takes those of messages last."""

    def add(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> None:
        """A write to run at the end; none for no rows."""


class Engine(Protocol):
    """SQLite or PostgreSQL."""

    dialect: str
    shared: bool
    bell: Bell

    async def open(self) -> None:
        """Connect and bring the schema up to date; raises Misconfigured."""

    async def close(self) -> None:
        """Let go of everything."""

    async def listen(self) -> None:
        """Hear the bells of other processes, until the connection for it breaks."""

    async def moment(self) -> int:
        """What the store's clock says, in unix microseconds."""

    async def transact(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Run `work` and what it added as one transaction; again on a deadlock. Raises Unavailable or Poisoned."""

    async def fetch(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> list[Row]:
        """A short read of its own."""


def tell(ends: Sequence[Callable[[bool], None]], *, durable: bool) -> None:
    """Tell whoever waits for the end of a unit how it ended."""
    for told in ends:
        told(durable)


def columns(rows: Sequence[Row]) -> list[list[Any]]:
    """Rows as columns, for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]
