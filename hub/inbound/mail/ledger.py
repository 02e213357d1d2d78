"""The ledger: what became of a letter, written in one transaction with its facts, keys, events and exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from hub.announce import Announcer, Cause
from hub.contract.errors import Postponed
from hub.directory import Connection, Directory
from hub.inbound.hear import hear
from hub.inbound.leaf import Input
from hub.inbound.mail.again import Before, before
from hub.inbound.mail.judge import shown
from hub.inbound.mail.outcome import Decision
from hub.inbound.mail.verdict import Verdict
from hub.inbound.normalise import Normalise, blank
from hub.inbound.record import Again, Recorded, Recorder
from hub.store.engine import Engine, Unit
from hub.store.rows import PLAIN, Arrival, Due
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

_TITLES = {
    "quarantined": "a letter is quarantined",
    "failed": "a letter cannot be read",
}
_HINTS = {
    "quarantined": "`orderhub messages show` tells more; `orderhub messages release` lets it through.",
    "failed": "Mend the mailbox's settings, then `orderhub exceptions retry` this one.",
}


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a letter: the status of its message, in a word and in sentences; what is to be recorded."""

    status: str
    outcome: str
    reasons: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    verdict: Verdict = Verdict()
    sender: str = ""
    decision: Decision | None = None
    order: str = ""
    sent: str = ""
    namesake: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Writes what became of letters, under the same turn as the normalise stage."""

    engine: Engine
    directory: Directory
    recorder: Recorder
    announcer: Announcer
    troubles: Troubles
    normalise: Normalise
    world: World

    async def before(self, one: Arrival, keys: Sequence[str]) -> Before:
        """The letters that have these keys already: asked early to spare the work, and again when it is written, when
        it counts."""
        return await self._before(self.engine, one, keys)

    async def write(self, one: Arrival, settled: Settled) -> Settled:
        """All of it, or nothing; what it turned out to be when it was written. What another process has settled, since
        it took longer here than its lease, is settled."""

        async def work(unit: Unit) -> tuple[Settled, Recorded] | None:
            if not await unit.fetch("mails_hold", position=one.position):
                return None
            now = await self._claimed(unit, one, settled)
            recorded = await self._record(unit, one, now)
            await self._beside(unit, one, now, recorded)
            return now, recorded

        async with self.normalise.turn:
            written = await self.engine.transact(work)
        if written is None:
            return settled
        await self.normalise.hand_over(written[1])
        return written[0]

    async def _claimed(self, unit: Unit, one: Arrival, settled: Settled) -> Settled:
        """Take its keys; a letter that another was before is that one again. A quarantined letter takes none: whoever
        forges one must not keep the true one out."""
        known = await self._before(unit, one, settled.keys)
        if settled.status in ("failed", "quarantined") and not known.same:
            return settled
        rows = [(one.tenant, one.connection, key, one.id, self.world.now()) for key in settled.keys]
        if self.engine.shared and rows:
            await unit.claim("mail_keys_add", rows)
            known = await self._before(unit, one, settled.keys)
        if known.same:
            reason = f"it is {known.same} again"
            return Settled(
                status="duplicate",
                outcome="duplicate",
                reasons=(reason,),
                verdict=settled.verdict,
                sender=settled.sender,
            )
        if known.namesake != settled.namesake:
            raise Postponed(f"another letter was faster: {known.namesake} has its Message-ID")
        if not self.engine.shared:
            unit.add("mail_keys_add", rows)
        return settled

    async def _before(self, store: Unit | Engine, one: Arrival, keys: Sequence[str]) -> Before:
        rows = [(one.tenant, one.connection, key) for key in keys]
        held = await store.fetch("mail_keys_find", rows) if rows else []
        return before((row[0], row[1]) for row in held if row[1] != one.id)

    async def _record(self, unit: Unit, one: Arrival, settled: Settled) -> Recorded:
        connection = self.directory.get(Connection, one.connection)
        facts = settled.decision.facts if settled.decision else ()
        heard = []
        if connection is not None:
            find = partial(self.directory.get, Connection, tenant=one.tenant)
            channel = self.directory.channel(connection)
            heard = [
                hear(fact, channel, connection, find, arrived=one.received_at, rank=0, mapping="")
                for fact in facts
            ]
        input_ = Input(
            message=one.id, tenant=one.tenant, connection=one.connection, heard=heard, quiet=one.head.quiet,
            version=settled.decision.version if settled.decision else None,
        )  # fmt: skip
        recorded = await self.recorder.record(unit, [input_], await self._again(unit, one))
        if recorded.refused:
            raise Postponed(f"another letter was faster: {recorded.refused[0]}")
        return recorded

    async def _again(self, unit: Unit, one: Arrival) -> Again | None:
        """A letter that is judged once more takes back what it said before."""
        rows = await unit.fetch("facts_of_messages", [(one.id,)], tenant=one.tenant)
        pairs = sorted({(row[1], one.id) for row in rows})
        if not pairs:
            return None
        unit.add("facts_drop", pairs)
        told = Cause(message=one.id, connection=one.connection, actor="rebuild", occurred_at=self.world.now())
        orders = frozenset(order for order, _ in pairs if order.startswith("ord_"))
        return Again(tenant=one.tenant, orders=orders, cause=told, without=frozenset(pairs))

    async def _beside(self, unit: Unit, one: Arrival, settled: Settled, recorded: Recorded) -> None:
        orders = recorded.orders[0] if recorded.orders else []
        reason = "; ".join(settled.reasons)
        fault = (
            PLAIN.encode({"error": reason})
            if settled.status in ("failed", "quarantined", "duplicate")
            else None
        )
        unit.add("messages_settle", [(one.position, settled.status, fault)])
        unit.add("messages_blank", recorded.blank, head=blank(self.world.now()))
        order = next(iter(orders), settled.order)
        doc = {
            "outcome": settled.outcome,
            "reasons": settled.reasons,
            "verdict": shown(settled.verdict),
            "sent": settled.sent,
        }
        row = (
            one.id,
            one.tenant,
            one.connection,
            settled.sender,
            settled.outcome,
            order,
            one.received_at,
            PLAIN.encode(doc),
        )
        unit.add("mails_put", [row])
        for name, each in settled.decision.writes if settled.decision else ():
            unit.add(name, [each])
        await self.troubles.clear(unit, [one.id])
        if settled.status in _TITLES:
            await self.troubles.open(unit, [self._trouble(one, settled)])
        for type_, data in self._events(one, settled, orders):
            recorded.due += await self._tell(unit, one, type_, data)

    def _events(
        self, one: Arrival, settled: Settled, orders: Sequence[str]
    ) -> list[tuple[str, dict[str, Any]]]:
        if settled.status in ("duplicate", "failed") or one.head.quiet:
            return []
        verdict = settled.verdict
        data = {"message": one.id, "connection": one.connection, "outcome": settled.outcome, "reasons": [*settled.reasons],
                "trusted": verdict.trusted, "partner": verdict.partner, "from_domain": verdict.from_domain,
                "orders": [*orders] or [one for one in [settled.order] if one]}  # fmt: skip
        if settled.status == "quarantined":
            return [("email.quarantined", data)]
        drafted = [("email.draft_created", data)] if settled.outcome == "draft" else []
        return [("email.received", data), *drafted, *(settled.decision.events if settled.decision else ())]

    async def _tell(self, unit: Unit, one: Arrival, type_: str, data: dict[str, Any]) -> list[Due]:
        draft = self.announcer.plain(one.tenant, type_, ("message", one.id), data)
        return draft.write(unit, await unit.positions(draft.size), {})

    def _trouble(self, one: Arrival, settled: Settled) -> Trouble:
        reason = settled.reasons[0] if settled.reasons else settled.outcome
        return Trouble(
            tenant=one.tenant, cause=cause("mail", settled.outcome, one.connection, reason), subject=one.id,
            severity="warning" if settled.status == "quarantined" else "error", connection=one.connection,
            title=f"{_TITLES[settled.status]}: {reason}", hint=_HINTS[settled.status],
        )  # fmt: skip
