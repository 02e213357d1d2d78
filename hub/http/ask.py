"""One request as an operation sees it: who asks, of which hub, with what; and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request

from hub.contract.clock import micros
from hub.directory import Thing
from hub.http.auth import Who
from hub.http.misfit import misfit
from hub.http.problems import Problem, invalid
from hub.run import Hub

T = TypeVar("T")
K = TypeVar("K", bound=Thing)
Rows = list[tuple[Any, ...]]

BODY_CAP = 16 << 20
PAGE = 100
PAGE_MOST = 500
KEY_MOST = 200
_QUOTED = 100
EVER = 2**62
"""Later than any time, beyond any position."""


class Page(msgspec.Struct, Generic[T]):
    """Some of a list, oldest first unless it was asked for newest first. `next` is the cursor of the rest, null at the
    end; `cursor` is where to go on later, when there may be more."""

    data: list[T]
    next: str | None
    cursor: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation answers, where it is not simply a value with the usual status."""

    value: Any = None
    status: int = 200
    headers: dict[str, str] = {}
    media: str = "application/json"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request whose caller is known and permitted."""

    hub: Hub
    request: Request
    who: Who
    body: bytes = b""

    @property
    def tenant(self) -> str:
        """The caller's tenant: nothing of another is ever seen."""
        return self.who.tenant

    @property
    def key(self) -> str:
        """Its `Idempotency-Key`, "" where it has none; a partner's is its own, whatever others chose. Problem 422
        where it is too long to be kept."""
        given = self.request.headers.get("idempotency-key", "")
        if len(given) > KEY_MOST:
            raise invalid(f"an Idempotency-Key has at most {KEY_MOST} characters", "Idempotency-Key")
        return f"{self.who.partner}:{given}" if given and self.who.partner else given

    def path(self, name: str = "id") -> str:
        """A part of its path."""
        return str(self.request.path_params[name])

    def text(self, name: str) -> str:
        """A parameter of its query, "" where it has none."""
        return self.request.query_params.get(name, "").replace("\0", "")

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number of its query, from 0 to `most`."""
        given = self.text(name)
        if not given:
            return default
        if (found := whole(given, most)) is None:
            raise invalid(f"{given[:_QUOTED]!r} is not a whole number from 0 to {most}", name)
        return found

    def moment(self, name: str) -> int:
        """A time of its query in unix microseconds, 0 where it has none."""
        return moment(self.text(name).replace(" ", "+"), name)

    @property
    def after(self) -> int:
        """The cursor it goes on from."""
        return self.number("after", 0, 2**63 - 1)

    @property
    def newest(self) -> bool:
        """Whether it wants the newest first."""
        return self.text("newest") == "1"

    async def listed(self, name: str, rows: Rows | None = None, place: int = 0, **params: Any) -> Rows:
        """A page of a list that is read both ways, from its cursor on, with one more row than is shown: `place` is the
        position's column."""
        after = (self.after or EVER) if self.newest else self.after
        told = {"tenant": self.tenant, "after": after, "most": self.limit + 1} | params
        name = f"{name}_newest" if self.newest else name
        if rows is None:
            return await self.hub.engine.fetch(name, **told)
        found = {row[place]: row for row in await self.hub.engine.fetch(name, rows, **told)}
        places = sorted(found, reverse=self.newest)  # many rows are asked for in parts, each in its own order
        return [found[one] for one in places[: self.limit + 1]]

    @property
    def limit(self) -> int:
        """How many it wants on a page."""
        return max(1, self.number("limit", PAGE, PAGE_MOST))

    def decode(self, type_: type[T]) -> T:
        """Its body in this shape; Problem 400 where it is not JSON, 422 with the field where it does not fit."""
        try:
            return msgspec.json.decode(self.body or b"{}", type=type_)
        except msgspec.ValidationError as error:
            raise misfit(str(error), type_, self.body) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, "bad_request", f"the body is not JSON: {error}") from error

    def page(self, rows: Rows, show: Callable[[Any], Any], place: int = 0) -> Page[Any]:
        """A page of rows, of which one more was fetched than is shown: `place` is the position's column."""
        shown = rows[: self.limit]
        cursor = str(shown[-1][place]) if shown else str(self.after)
        return Page([show(row) for row in shown], cursor if len(rows) > self.limit else None, cursor)

    def things(
        self, type_: type[K], show: Callable[[K], Any], wanted: Callable[[K], bool] = lambda _: True
    ) -> Page[Any]:
        """A page of what operators made, in the order in which it was made: ids sort by time."""
        after = self.text("after")
        found = sorted(
            (one for one in self.hub.directory.all(type_, self.tenant) if wanted(one)), key=lambda one: one.id
        )
        left = [one for one in found if one.id > after]
        shown = left[: self.limit]
        cursor = shown[-1].id if shown else after
        return Page([show(one) for one in shown], cursor if len(left) > len(shown) else None, cursor)


def whole(text: str, most: int) -> int | None:
    """The whole number from 0 to `most` that a caller wrote, None where it is none: of digits of ASCII alone, and of no
    more of them than such a number has, for very long ones cannot be read at all."""
    if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > len(str(most)):
        return None
    found = int(text.lstrip("0") or "0")
    return found if found <= most else None


def moment(text: str, field: str) -> int:
    """A time with its offset in unix microseconds, 0 for ""; Problem 422 where it is none."""
    try:
        return micros(text) if text else 0
    except (ValueError, OverflowError) as error:
        raise invalid(f"{text!r} is no time like 2027-01-10T16:00:00Z", field) from error


async def body(request: Request) -> bytes:
    """The body, up to the cap."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_CAP:
            raise Problem(413, "too_large", f"a request may have {BODY_CAP} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
