"""The voice: alarms that are due become messages, gathered and bounded, and are remembered as said.

One process speaks for an alert at a time, until it has said all of its turn. What was sent and could not be remembered (the process died between) is
said once more, under the same id. While nobody answers it tries again, ever more slowly, for as long as the trouble
lasts. When the store itself is away, what is known in memory suffices to say so.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from hub.alerts.message import RANK, Item, orders, quiet_until, write
from hub.contract.clock import text
from hub.contract.errors import Misconfigured
from hub.directory import Directory
from hub.outbound.notify.accounts import Notifiers, medium
from hub.outbound.notify.notice import Notice, Receipt
from hub.replies import Act, Action
from hub.store.engine import Engine, Row, Unit
from hub.things import Alert, Notifier
from hub.troubles import Trouble, Troubles, cause
from hub.vault import Locked
from hub.world import World

_MOST = 500
_SINGLE = 3
_LEASE = 120
_MINUTE = 60
_BACKOFF = (5, 15, 60, 300, 900, 3600)
_DEAF = 3
_LINKS_LAST = 7 * 86_400
_STORE_AWAY, _STORE_AGAIN = 60, 3600
SECOND = 1_000_000
log = structlog.get_logger("orderhub.alerts")


class Turn(msgspec.Struct):
    """An alert's turn: what it said in the last minute, how often it failed since it last succeeded."""

    recent: list[int] = []
    attempts: int = 0


@dataclass(slots=True)
class Voice:
    """The stage; `public_url` is where the links lead, `claim` this process's mark ("" where it is alone)."""

    engine: Engine
    directory: Directory
    notifiers: Notifiers
    troubles: Troubles
    world: World
    public_url: str
    claim: str = ""
    _away_since: int = 0
    _away_told: int = 0
    _speaking: set[str] = field(default_factory=set)

    async def step(self) -> int:
        """Say what is due, once round; returns how many messages went out."""
        now = self.world.now()
        await self._escalate(now)
        count = 0
        for (id_,) in await self.engine.fetch("alarms_alerts", now=now):
            alert = self.directory.get(Alert, id_)
            if alert is None:
                await self._forget(id_)
            elif alert.status == "active":
                count += await self._speak(alert, now)
        return count

    async def renew(self) -> None:
        """Keep the turns that are being spoken: a notifier may take longer to answer than a lease."""
        held = [(alert, self.claim) for alert in sorted(self._speaking)]
        if not self.engine.shared or not held:
            return

        async def work(unit: Unit) -> None:
            unit.add("alarm_turns_renew", held, until=self.world.now() + _LEASE * SECOND)

        await self.engine.transact(work)

    async def _forget(self, alert: str) -> None:
        """Nobody is there any more to be told."""

        async def work(unit: Unit) -> None:
            unit.add("alarms_forget", alert=alert)
            await self.troubles.clear(unit, [f"alert:{alert}"])

        await self.engine.transact(work)

    async def _speak(self, alert: Alert, now: int) -> int:
        turn = await self.engine.transact(lambda unit: self._turn(unit, alert, now))
        if turn is None:
            return 0
        self._speaking.add(alert.id)
        try:
            return await self._spoken(alert, turn, now)
        finally:
            self._speaking.discard(alert.id)

    async def _spoken(self, alert: Alert, turn: Turn, now: int) -> int:
        """Say what is due within our turn: no more, once that is another's."""
        rows = await self.engine.fetch("alarms_due", alert=alert.id, now=now, most=_MOST)
        wanted = await self._sorted(alert, rows, now)
        left = max(0, alert.per_minute - len(turn.recent))
        single = len(wanted) <= min(left, _SINGLE)
        groups = [[one] for one in wanted] if single else [wanted] if left else []
        said = 0
        for n, group in enumerate(groups, 1):
            receipt = await self.say(alert, [await self._item(alert, row) for row in group])
            ours = await self._settle(alert, group, turn, receipt, last=n == len(groups))
            said += receipt.status == "sent"
            if receipt.status != "sent" or not ours:
                break
        if not groups:
            await self.engine.transact(lambda unit: self._keep(unit, alert, turn, 0))
        return said

    async def _turn(self, unit: Unit, alert: Alert, now: int) -> Turn | None:
        """Take the alert's turn, where it is free and not waiting for a better moment."""
        if self.engine.shared:
            await unit.claim("alarm_turns_first", [(alert.id,)])
        rows = await unit.fetch("alarm_turns_get", alert=alert.id)
        claim, until, recent, attempts, retry_at = rows[0] if rows else ("", 0, "", 0, 0)
        if retry_at > now or (self.engine.shared and until > now and claim != self.claim):
            return None
        stamps = [int(one) for one in recent.split()]
        turn = Turn([one for one in stamps if one > now - _MINUTE * SECOND], attempts)
        unit.add("alarm_turns_put", [self._row(alert, turn, now + _LEASE * SECOND, 0)])
        return turn

    def _row(self, alert: Alert, turn: Turn, until: int, retry_at: int) -> Row:
        return (alert.id, self.claim, until, " ".join(map(str, turn.recent)), turn.attempts, retry_at)

    async def _keep(self, unit: Unit, alert: Alert, turn: Turn, retry_at: int, until: int = 0) -> Unit:
        """Write our turn back, where it still is ours; `until` 0 gives it back too."""
        unit.add("alarm_turns_keep", [self._row(alert, turn, until, retry_at)])
        return unit

    async def _sorted(self, alert: Alert, rows: list[Row], now: int) -> list[Row]:
        """The alarms to be said now; those that nobody needs any more are dropped, those of the night wait."""
        over = quiet_until(alert, now)
        drop = [row for row in rows if _needless(alert, row)]
        left = [row for row in rows if not _needless(alert, row)]
        later = [row for row in left if over and RANK.get(row[5], 2) < RANK.get(alert.loud, 3)]
        if drop or later:

            async def work(unit: Unit) -> None:
                unit.add("alarms_drop", [(alert.id, row[0]) for row in drop])
                unit.add("alarms_later", [(alert.id, row[0], over) for row in later])

            await self.engine.transact(work)
        return [row for row in left if row not in later]

    async def _item(self, alert: Alert, row: Row) -> Item:
        doc = msgspec.json.decode(row[9])
        names, hidden = orders(doc)
        return Item(
            exception=row[0], status=row[1], severity=row[5], count=row[6], first_at=row[7], last_at=row[8],
            title=str(doc.get("title", "")), hint=str(doc.get("hint", "")),
            orders=tuple([await self._number(row[10], one) for one in names]), hidden=hidden,
            links={} if row[1] == "ending" else self._links(alert, row[0], row[10]),
        )  # fmt: skip

    async def _number(self, tenant: str, order: str) -> str:
        rows = await self.engine.fetch("orders_get", tenant=tenant, id=order)
        return str(msgspec.json.decode(rows[0][10]).get("number") or order) if rows else order

    def _links(self, alert: Alert, exception: str, tenant: str) -> dict[str, str]:
        until = self.world.now() // SECOND + _LINKS_LAST
        actions: tuple[Action, ...] = ("ack", "snooze", "retry")
        marks = self.notifiers.marks
        return {
            one: f"{self.public_url}/act/"
            + marks.link(Act(action=one, subject=exception, tenant=tenant, until=until, by=alert.name))
            for one in actions
        }

    async def say(self, alert: Alert, items: list[Item]) -> Receipt:
        """One message of these, over the alert's notifier."""
        account = self.directory.get(Notifier, alert.notifier)
        if account is None or account.status != "active":
            return Receipt(status="later", reason="its notifier is gone or paused")
        words = write(items, alert.locale, alert.time_zone)
        by = medium(account.kind)
        body = words.markdown if by == "chat" else words.title if by == "sms" else words.text
        data = {"items": [_row(one) for one in items]} if by == "webhook" else {}
        notice = Notice(id=_id(alert, items), to=tuple(alert.to), title=words.title, text=body, data=data,
                        html=words.html if by == "mail" else "", code=alert.code,
                        params={"title": words.title[:35]} if by == "sms" else {})  # fmt: skip
        try:
            return await self.notifiers.notifier(account).send(notice)
        except (Locked, Misconfigured) as error:
            return Receipt(status="later", reason=str(error))

    async def _settle(
        self, alert: Alert, group: list[Row], turn: Turn, receipt: Receipt, *, last: bool
    ) -> bool:
        """What became of a message; whether the turn was still ours."""
        now = self.world.now()
        subject = f"alert:{alert.id}"

        async def said(unit: Unit) -> Unit:
            until = (
                now + int(alert.escalate_after * SECOND) if alert.escalate_after and alert.escalate_to else 0
            )
            unit.add("alarms_said", [(alert.id, row[0], until) for row in group if row[1] != "ending"])
            unit.add("alarms_drop", [(alert.id, row[0]) for row in group if row[1] == "ending"])
            await self.troubles.clear(unit, [subject])
            more = receipt.status == "sent" and not last
            return await self._keep(unit, alert, turn, 0, now + _LEASE * SECOND if more else 0)

        async def failed(unit: Unit) -> Unit:
            pause = _BACKOFF[min(turn.attempts, len(_BACKOFF)) - 1]
            await self._keep(unit, alert, turn, now + int(max(pause, receipt.after or 0) * SECOND))
            if turn.attempts == _DEAF:
                await self.troubles.open(unit, [_deaf(alert, receipt.reason)])
            return unit

        if receipt.status in (
            "sent",
            "unknown",
        ):  # an exception stays open: what is in doubt is not said twice
            turn.recent.append(now)
            turn.attempts = 0
            return bool((await self.engine.transact(said)).counts["alarm_turns_keep"])
        turn.attempts += 1
        log.error("an alert could not be sent; it is tried again", alert=alert.name, reason=receipt.reason,
                  exceptions=[row[0] for row in group][:10])  # fmt: skip
        return bool((await self.engine.transact(failed)).counts["alarm_turns_keep"])

    async def _escalate(self, now: int) -> None:
        rows = await self.engine.fetch("alarms_overdue", now=now, most=_MOST)
        if not rows:
            return
        out = []
        for id_, exception, tenant, state in rows:
            alert = self.directory.get(Alert, id_)
            other = self.directory.get(Alert, alert.escalate_to, tenant) if alert else None
            if state == "open" and other is not None:
                out.append((other.id, exception, tenant, "escalated", now, now))

        async def work(unit: Unit) -> None:
            unit.add("alarms_calm", [row[:2] for row in rows])
            unit.add("alarms_add", out)

        await self.engine.transact(work)

    async def storeless(self, error: Exception) -> None:
        """The store is away: after a minute each alert is told from memory, then each hour."""
        now = self.world.now()
        self._away_since = self._away_since or now
        if now - self._away_since < _STORE_AWAY * SECOND or now - self._away_told < _STORE_AGAIN * SECOND:
            return
        self._away_told = now
        item = Item(exception="store", status="pending", severity="critical", count=1, first_at=self._away_since,
                    last_at=now, title=f"the hub's store is away: {error}"[:300],
                    hint="See that the database answers; `orderhub doctor` says more. Senders are answered 503 meanwhile.")  # fmt: skip
        for alert in self.directory.all(Alert):
            if alert.status == "active" and not alert.escalations:
                receipt = await self.say(alert, [item])
                log.error("the store is away", alert=alert.name, told=receipt.status, reason=receipt.reason)

    def well(self) -> None:
        """The store answers."""
        self._away_since = self._away_told = 0


def _needless(alert: Alert, row: Row) -> bool:
    """Whether nobody has to be told: somebody looks after it already, it is over, or its end is not asked for."""
    if row[3] is None:
        return True
    return not alert.closed if row[1] == "ending" else row[4] != "open"


def _row(item: Item) -> dict[str, Any]:
    """A trouble for programs, its times as everywhere in the API."""
    doc: dict[str, Any] = msgspec.to_builtins(item)
    return doc | {"first_at": text(item.first_at), "last_at": text(item.last_at)}


def _id(alert: Alert, items: list[Item]) -> str:
    """The name of a message: the same when the same is said again."""
    said = sorted(f"{one.exception}:{one.status}:{one.first_at}" for one in items)
    return f"alm_{hashlib.blake2b(' '.join([alert.id, *said]).encode(), digest_size=13).hexdigest()}"


def _deaf(alert: Alert, reason: str) -> Trouble:
    return Trouble(
        tenant=alert.tenant, cause=cause("deaf", alert.id), subject=f"alert:{alert.id}", severity="error",
        title=f"alert {alert.name} cannot be sent: {reason}"[:500],
        hint="Mend its notifier, then `orderhub alerts test` it; it is tried again by itself.",
    )  # fmt: skip
