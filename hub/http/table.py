"""The table's rows: an operation as data, from which its route and its page in OpenAPI are both made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from hub.http.ask import Ask
from hub.http.auth import Scope

Handle = Callable[[Ask], Awaitable[Any]]
Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]


class Param(msgspec.Struct, frozen=True):
    """A parameter of the query: `words` are all that it may be, where they are known; `several` may stand there by
    comma."""

    name: str
    description: str
    type: type = str
    words: tuple[str, ...] = ()
    several: bool = False


class Op(msgspec.Struct, frozen=True, kw_only=True):
    """One operation: where it is, what it does, who may, what goes in and what comes out.

    `partner` opens it to partners' tokens, which see their own. `guarded` operations take If-Match.
    `exact` ones keep their Idempotency-Key themselves, in the transaction of what they record. `also` are
    other statuses of success, `media` is the type of an answer that is no JSON; `stream` leaves the body to the
    operation, which takes any bytes."""

    method: Method
    path: str
    summary: str
    handle: Handle
    scope: Scope | None = "read"
    takes: Any = None
    gives: Any = None
    status: int = 200
    also: tuple[int, ...] = ()
    query: tuple[Param, ...] = ()
    partner: bool = False
    guarded: bool = False
    exact: bool = False
    media: str = "application/json"
    stream: bool = False

    @property
    def tag(self) -> str:
        """The noun it belongs to."""
        parts = self.path.strip("/").split("/")
        return parts[1] if parts[0] == "v1" else "health"

    @property
    def name(self) -> str:
        """Its operationId: the handler's own name."""
        return str(getattr(self.handle, "__name__", ""))


EMITS = ("none", "changes")
"""Whether anybody is told of what is imported."""

PAGING = (
    Param("after", "The cursor that an earlier page gave as `next`."),
    Param("limit", "How many, 100 unless said, 500 at most.", int),
)
"""The parameters of every list."""

BOTH_WAYS = (*PAGING, Param("newest", "1: the newest first, and `next` goes back in time.", bool))
"""The parameters of lists that can be read from either end."""
