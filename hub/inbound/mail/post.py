"""The post: the stage that judges letters, has them read, and records what became of them.

    limits → marks → verdict → machines → known already? → thread → reading, in a cell → outcome → one transaction

Each letter goes by itself, a few at once, so that a slow DNS or a poisonous attachment delays no other. What dies
on the way is found again by its status: until it is settled nothing is written, and what is written is written
whole. A letter that says what another has said is that letter again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import msgspec
import structlog

from hub.contract.clock import text
from hub.contract.errors import HubError, Postponed, Rejected
from hub.contract.letter import Letter, letter_of
from hub.directory import Connection, Directory, Partner
from hub.inbound.hear import speaker
from hub.inbound.inbox import Inbox
from hub.inbound.mail import again, budget, loops
from hub.inbound.mail.cell import Blown, Cell
from hub.inbound.mail.judge import Judge
from hub.inbound.mail.ledger import Ledger, Settled
from hub.inbound.mail.mailbox import Mailbox, mailbox, mailboxes
from hub.inbound.mail.marks import marks
from hub.inbound.mail.outcome import decide, gather
from hub.inbound.mail.reading import read, rules_of
from hub.inbound.mail.resolver import Silent
from hub.inbound.mail.thread import thread
from hub.inbound.mail.verdict import Verdict
from hub.inbound.normalise import Normalise
from hub.replies import LOOP_HEADER, Marks as Replies
from hub.store.engine import Engine, Row, Unavailable, Unit
from hub.store.rows import Arrival, arrival
from hub.vault import Vault
from hub.world import World

log = structlog.get_logger("orderhub.post")
RELEASED, VOUCHED = "released", "vouched"
"""What a head says of a letter that a person let out of quarantine, and of one whose sender they vouch for."""
_AT_ONCE = 4
_LEASE = 60_000_000
_LATER = 60_000_000
_PATIENCE = 3600 * 1_000_000


@dataclass(slots=True)
class Post:
    """The stage; `inbox` has the letters that have just come in."""

    engine: Engine
    directory: Directory
    normalise: Normalise
    ledger: Ledger
    judge: Judge
    cell: Cell
    vault: Vault
    world: World
    inbox: Inbox
    _later: dict[int, tuple[int, Arrival]] = field(default_factory=dict)

    async def step(self) -> int:
        """Settle what waits, some at once; returns how many letters, 0 when there are none."""
        arrivals = self._due() or self.inbox.take(_AT_ONCE)
        if not arrivals:
            self.inbox.put(await self._left())
            arrivals = self.inbox.take(_AT_ONCE)
        if not arrivals:
            return 0
        if self.engine.shared:
            await self.directory.refresh()
        done = await asyncio.gather(*(self._one(one) for one in arrivals))
        return sum(done)

    async def renew(self) -> None:
        """Keep the letters that are read or wait here: there may be many, and slow ones. Those that were put off are
        anyone's when their lease is over: elsewhere the DNS may answer."""
        held = [(position,) for position in sorted(self.inbox.held() - self._later.keys())]
        now = self.world.now()
        if not self.engine.shared or not held:
            return

        async def work(unit: Unit) -> None:
            unit.add("mails_renew", held, now=now, until=now + _LEASE)

        await self.engine.transact(work)

    def _due(self) -> list[Arrival]:
        """Letters that were put off, and whose time has come."""
        now = self.world.now()
        found = [at for at, (when, _) in self._later.items() if when <= now][:_AT_ONCE]
        return [self._later.pop(at)[1] for at in found]

    async def _left(self) -> list[Arrival]:
        """What the store has and memory has not."""
        now = self.world.now()
        if not self.engine.shared:
            return [arrival(row) for row in await self.engine.fetch("mails_open", now=now, most=_AT_ONCE * 4)]

        async def work(unit: Unit) -> list[Row]:
            return await unit.fetch("mails_open", now=now, until=now + _LEASE, most=_AT_ONCE)

        return [arrival(row) for row in sorted(await self.engine.transact(work))]

    async def _one(self, one: Arrival) -> int:
        """One letter, whatever happens: 1 where it is settled, 0 where it waits."""
        try:
            settled = await self._settled(one)
            await self.ledger.write(one, settled)
        except (Silent, Postponed) as error:
            self._later[one.position] = (self.world.now() + _LATER, one)
            log.warning("a letter waits", message=one.id, reason=str(error))
            return 0
        except Unavailable:
            # The next again: it waits for no lease of ours.
            self._later[one.position] = (self.world.now(), one)
            raise
        except Exception as error:
            log.exception("a letter made our own code stumble", message=one.id)
            kind = type(error).__name__
            await self.ledger.write(
                one,
                Settled(status="failed", outcome="failed", reasons=(f"the hub stumbled over it ({kind})",)),
            )
        self.inbox.done([one])
        return 1

    async def _settled(self, one: Arrival) -> Settled:
        connection = self.directory.get(Connection, one.connection)
        box = mailbox(self.directory, connection) if connection else None
        if connection is None or box is None:
            return Settled(
                status="failed", outcome="failed", reasons=("its mailbox is gone, or cannot be read",)
            )
        try:
            letter = letter_of(self.normalise.opened(one, connection))
        except HubError as error:
            return Settled(status="failed", outcome="failed", reasons=(str(error),))
        try:
            return await self._judged(one, letter, box)
        except Blown as error:
            return _quarantined(f"it could not be read safely: {error}")
        except Rejected as error:
            return _quarantined(str(error))

    async def _judged(self, one: Arrival, letter: Letter, box: Mailbox) -> Settled:
        found = marks(letter.raw)
        keys = tuple(again.keys(found, letter.raw))
        tenant = one.tenant
        marked = bool(Replies(self.vault.keys).own_mail(found.get(LOOP_HEADER.lower())))
        ours = [each for each in mailboxes(self.directory) if each.connection.tenant == tenant]
        if machine := loops.machine(found, letter.envelope.mail_from, ours, marked=marked):
            # It takes no keys: nobody vouches for it, and it must not keep the true letter out.
            told = await thread(self.engine, tenant, found, None)
            return Settled(
                status="ignored",
                outcome="filed",
                reasons=(machine,),
                order=told.order,
                sent=told.sent,
            )
        try:
            verdict, told_to = await self.judge.judge(letter, found, box)
        except Silent:
            if self.world.now() - one.received_at < _PATIENCE:
                raise
            return _quarantined("the DNS did not answer for an hour, so that nothing vouches for it", keys)
        verdict = _released(verdict, one.head.verified)
        sender = verdict.partner or self.vault.person(tenant, "email", verdict.from_address)
        base = Settled(
            status="quarantined",
            outcome="quarantined",
            reasons=verdict.reasons,
            keys=keys,
            verdict=verdict,
            sender=sender,
        )
        earlier = await self.ledger.before(one, keys)
        if verdict.quarantined or earlier.same:
            return base
        told = await thread(
            self.engine, tenant, found, told_to, connection=box.connection.id if verdict.trusted else ""
        )
        partner = self.directory.get(Partner, verdict.partner, tenant=tenant) if verdict.partner else None
        reading = await self.cell.run(
            read, letter.raw, rules_of(box.connection, partner, self.directory.registry)
        )
        known = await gather(
            self.engine, tenant, reading, verdict, told, sources=tuple(speaker(each.connection) for each in ours),
            message=one.id, at=text(one.received_at), namesake=earlier.namesake,
        )  # fmt: skip
        decision = decide(reading, verdict, partner, told, known)
        if decision.kind == "draft" and not one.head.verified and await self._spent(one, sender):
            reason = f"more than {budget.DRAFTS} drafts of this sender within an hour"
            return msgspec.structs.replace(base, reasons=(reason,))
        return msgspec.structs.replace(
            base, status="ignored" if decision.kind == "filed" else "processed", outcome=decision.kind,
            reasons=(*verdict.reasons, *decision.reasons), decision=decision, order=decision.order or told.order, sent=told.sent,
            namesake=earlier.namesake,
        )  # fmt: skip

    async def _spent(self, one: Arrival, sender: str) -> bool:
        now = self.world.now()
        rows = await self.engine.fetch(
            "mails_times",
            tenant=one.tenant,
            sender=sender,
            since=now - budget.HOUR,
            outcome="draft",
            most=budget.DRAFTS,
        )
        return budget.spent([row[0] for row in rows], now, budget.DRAFTS)


def _released(verdict: Verdict, said: str) -> Verdict:
    """A verdict as a person changed it: released, a letter is read; vouched for, it is trusted."""
    if said not in (RELEASED, VOUCHED):
        return verdict
    reasons = (*verdict.reasons, "a person released it")
    return msgspec.structs.replace(
        verdict, quarantined=False, trusted=verdict.trusted or said == VOUCHED, reasons=reasons
    )


def _quarantined(reason: str, keys: tuple[str, ...] = ()) -> Settled:
    return Settled(status="quarantined", outcome="quarantined", reasons=(reason,), keys=keys)
