"""Unjudged: a filter that cannot judge an event keeps it from whom it guards, and a person is told, once for each.

What was met is gathered in memory, since who is told is decided wherever something is announced; a process that dies
within seconds of it leaves the line in its log.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.audience import Audience, Unjudged
from hub.directory import Endpoint, Route
from hub.store.engine import Engine
from hub.troubles import Trouble, Troubles, cause, place


@dataclass(frozen=True, slots=True)
class Doubts:
    """Opens an exception for each endpoint, route and notice rule whose filter stumbled."""

    engine: Engine
    audience: Audience
    troubles: Troubles

    async def step(self) -> int:
        """Tell of what was met since; returns how much that was."""
        found = self.audience.unjudged()
        if not found:
            return 0
        try:
            await self.engine.transact(lambda unit: self.troubles.open(unit, map(_trouble, found)))
        except BaseException:
            self.audience.not_told(found)
            raise
        return len(found)


def _trouble(one: Unjudged) -> Trouble:
    what, hint = _words(one)
    return Trouble(
        tenant=one.whom.tenant,
        cause=cause("unjudged", one.whom.id),
        subject=f"unjudged:{one.whom.id}",
        severity="warning",
        title=f"{what} could not judge {one.event}, which was not sent: {one.fault}",
        hint=f"{hint} Then close this: `orderhub exceptions close`.",
        orders=[one.order] if one.order.startswith("ord_") else [],
        place=place(one.fault),
    )


def _words(one: Unjudged) -> tuple[str, str]:
    name = one.whom.name
    if isinstance(one.whom, Endpoint):
        return f"The filter of {name}", (
            f"Mend its `filter`, then send what it kept back: `orderhub endpoints replay {name} --since 7d --missing`."
        )
    if isinstance(one.whom, Route):
        return f"The predicate of the route {name}", (
            f"Mend it: `orderhub routes set {name} --set predicate=…`. "
            "What it kept back is not written by itself: `orderhub reconcile` finds the orders."
        )
    return f"The notice rule {name}", (
        "Mend its `predicate` and `consent`. People who were not told are not told late."
    )
