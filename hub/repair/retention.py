"""Retention: what is no longer needed goes, in small batches, so that nobody waits for a deletion.

Bodies of messages go after 180 days (their rows and dedupe keys stay), attempts after 30, events with their
deliveries, renderings and the snapshots that no other event shows after 400, reports of reconciliations too, and
what became of letters with the keys that know them again and the Message-IDs of mails of ours, by which replies find
their order; so does the turn of an order at an endpoint of which it was told nothing since and is owed nothing; jobs
that ended after 90, answers to idempotency keys after three. Facts, orders and the audit stay. What to drop is read on a reader and
dropped by key: a scan on the writer would hold up every order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.repair.leftovers import Leftovers
from hub.repair.parts import Parts
from hub.store.engine import Row, Unit

DAY = 86_400_000_000
_BATCH = 500
_OWNER = "retention"


@dataclass(frozen=True, slots=True)
class Days:
    """How long each is kept."""

    messages: int = 180
    attempts: int = 30
    events: int = 400
    calls: int = 3
    letters: int = 400
    jobs: int = 90


@dataclass(slots=True)
class Retention:
    """The stage that makes room. `step` drops a batch of each; 0 means that all there is, is to be kept."""

    hub: Parts
    days: Days = field(default_factory=Days)
    _attempts: int = 0
    _left: Leftovers = field(init=False)

    def __post_init__(self) -> None:
        self._left = Leftovers(self.hub)

    async def step(self) -> int:
        """One batch of each table."""
        return (
            await self._messages()
            + await self._old_attempts()
            + await self._calls()
            + await self._events()
            + await self._runs()
            + await self._letters()
            + await self._left.step(self._before(self.days.events), self._before(self.days.jobs))
        )

    def _before(self, days: int) -> int:
        return self.hub.world.now() - days * DAY

    async def _messages(self) -> int:
        """Positions grow with time, so the place where it stopped is where it goes on."""
        found = await self.hub.engine.fetch("memories_get", owner=_OWNER, name="messages", now=0)
        after = int(found[0][0]) if found else 0
        before = self._before(self.days.messages)
        rows = await self.hub.engine.fetch("messages_next", after=after, most=_BATCH)
        old = _prefix(rows, 1, before)
        if not old:
            return 0

        async def work(unit: Unit) -> None:
            unit.add("messages_purge", [(row[0],) for row in old if row[2] != "received"])
            unit.add("memories_put", [(_OWNER, "messages", str(old[-1][0]).encode(), 0)])

        await self.hub.engine.transact(work)
        return len(old)

    async def _old_attempts(self) -> int:
        """Deliveries are tried again by hand, so old and young lie mixed: a pass over all but the young end."""
        before = self._before(self.days.attempts)
        rows = await self.hub.engine.fetch("attempts_next", after=self._attempts, most=_BATCH)
        old = [(row[0], row[1]) for row in rows if row[2] < before]
        self._attempts = rows[-1][0] - 1 if old and len(rows) == _BATCH else 0
        await self._drop(("attempts_purge", old))
        return len(old)

    async def _calls(self) -> int:
        rows = await self.hub.engine.fetch("calls_next", before=self._before(self.days.calls), most=_BATCH)
        await self._drop(("calls_purge", rows))
        return len(rows)

    async def _runs(self) -> int:
        """Reports of reconciliations, and what they found: as long as events."""
        before = self._before(self.days.events)
        drifts = [row for row in await self.hub.engine.fetch("drifts_next", most=_BATCH) if row[1] < before]
        runs = [
            row for row in await self.hub.engine.fetch("reconciliations_next", most=_BATCH) if row[1] < before
        ]
        await self._drop(
            ("drifts_purge", [(row[0],) for row in drifts]),
            ("reconciliations_purge", [(row[0],) for row in runs]),
        )
        return len(drifts) + len(runs)

    async def _events(self) -> int:
        rows = await self.hub.engine.fetch("events_next", most=_BATCH)
        old = _prefix(rows, 4, self._before(self.days.events))
        ids = [(row[1],) for row in old]
        versions = sorted({(row[2], row[3]) for row in old if row[2]})
        floors = {row[5]: row[0] for row in old}  # a cursor below its tenant's is answered 410
        await self._drop(
            ("events_purge", [(row[0],) for row in old]), ("deliveries_purge", ids), ("renderings_purge", ids),
            ("snapshots_purge", versions),
            ("memories_put", [(_OWNER, f"events:{tenant}", str(at).encode(), 0) for tenant, at in sorted(floors.items())]),
        )  # fmt: skip
        return len(old)

    async def _letters(self) -> int:
        """What became of letters, in the order of their ids, which is that of time; their keys; mails of ours."""
        before = self._before(self.days.letters)
        told = _prefix(await self.hub.engine.fetch("mails_next", most=_BATCH), 1, before)
        keys = await self.hub.engine.fetch("mail_keys_next", before=before, most=_BATCH)
        sent = await self.hub.engine.fetch("mails_sent_next", before=before, most=_BATCH)
        await self._drop(
            ("mails_purge", [(row[0],) for row in told]),
            ("mail_keys_purge", keys),
            ("mails_sent_purge", sent),
        )
        return len(told) + len(keys) + len(sent)

    async def _drop(self, *drops: tuple[str, list[Row]]) -> None:
        async def work(unit: Unit) -> None:
            for name, rows in drops:
                unit.add(name, rows)

        if any(rows for _, rows in drops):
            await self.hub.engine.transact(work)


def _prefix(rows: list[Row], place: int, before: int) -> list[Row]:
    """The rows up to the first that is young enough to stay."""
    young = next((n for n, row in enumerate(rows) if row[place] >= before), len(rows))
    return rows[:young]
