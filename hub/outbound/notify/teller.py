"""Telling customers: a due notice is put into words, sent by its notifier, and what came of it becomes a fact.

It runs on the deliverer's lanes: at least once, by schedule, in order per order. A notice that the order already
knows as sent (the process died between the sending and the settling) is not sent again, unless by hand.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from hub.contract.clock import text
from hub.contract.errors import Misconfigured, Unmapped
from hub.contract.mapping import compile_expression
from hub.directory import Connection, Directory, Doc
from hub.outbound.notify.accounts import Notifiers, medium
from hub.outbound.notify.mail import SmtpSettings
from hub.outbound.notify.notice import Notice, Receipt
from hub.outbound.notify.sms import TwilioSettings
from hub.outbound.notify.words import Said, Words, context, language
from hub.outbound.sender import Answer
from hub.replies import notice_id
from hub.store.engine import Engine, Unit
from hub.store.rows import PLAIN, Due
from hub.things import NoticeRule, Notifier, address_of
from hub.vault import Locked
from hub.world import World

Tell = Callable[[Connection, str, Doc], Awaitable[None]]
"""Records what a notification of an order came to: (the order's connection, the order, the notification)."""

SCHEDULE = (0, 5, 30, 300, 1800, 7200, 18_000, 36_000)
_MAIL_ID = re.compile(rb"^message-id:\s*(<[^<>\s]{3,250}>)", re.IGNORECASE | re.MULTILINE)
_HEAD = 65_536
_SAYING = "sms"
log = structlog.get_logger("orderhub.notify")


@dataclass(frozen=True, slots=True)
class Teller:
    """Runs due notices; `tell` records what came of each, `public_url` is where receipts come back to."""

    engine: Engine
    directory: Directory
    notifiers: Notifiers
    words: Words
    world: World
    tell: Tell
    public_url: str = ""

    async def send(self, due: Due) -> tuple[Answer, bytes]:
        """One try: what a receiver would have answered, and the log of it."""
        rule = self.directory.get(NoticeRule, due.shape)
        account = self.directory.get(Notifier, due.target.partition("/")[0])
        if rule is None or account is None:
            return _done("skipped", "the rule or its notifier is gone")
        order = await self._order(due)
        if order is None or order.get("redacted_at"):
            return _done("skipped", "the order's people are forgotten")
        id_ = notice_id(due.event, rule.id)
        known: Doc = next((one for one in order.get("notifications", ()) if one["id"] == id_), {})
        if known.get("status") in ("sent", "delivered") and due.trigger == "first":
            return _done("sent", "it was sent before", known.get("number", ""))
        receipt, to = await self._once(due, rule, account, order, id_)
        if receipt is None:
            return _done("skipped", "there is no address of the person")
        if receipt.stop:
            await self._stop(due.tenant, account.kind, to, receipt.reason)
        if receipt.status in ("sent", "failed", "unknown") or due.attempts + 1 >= len(SCHEDULE):
            kept = await self._record(due, rule, account, order, id_, receipt)
            if kept and receipt.status == "sent":
                await self._drop_mark(id_)
        return answer(receipt)

    async def _once(
        self, due: Due, rule: NoticeRule, account: Notifier, order: Doc, id_: str
    ) -> tuple[Receipt | None, str]:
        """Say it; a short message, of which no far side knows a second try for one, only where no process died while
        it said it before. By hand it may be said again."""
        if medium(account.kind) != "sms":
            return await self._say(due, rule, account, order, id_)
        begun = await self.engine.fetch("memories_get", owner=_SAYING, name=id_, now=self.world.now())
        if begun and due.trigger == "first":
            reason = "it may have gone out: the hub ended while it was being sent"
            return Receipt(status="unknown", reason=reason), ""

        async def say(unit: Unit) -> None:
            unit.add("memories_put", [(_SAYING, id_, b"", 0)])

        await self.engine.transact(say)
        receipt, to = await self._say(due, rule, account, order, id_)
        if receipt is None or receipt.status in ("failed", "later", "unreachable"):
            await self._drop_mark(id_)
        return receipt, to

    async def _drop_mark(self, id_: str) -> None:
        """What became of a message is known."""

        async def work(unit: Unit) -> None:
            unit.add("memories_drop", owner=_SAYING, name=id_)

        await self.engine.transact(work)

    async def _say(
        self, due: Due, rule: NoticeRule, account: Notifier, order: Doc, id_: str
    ) -> tuple[Receipt | None, str]:
        """What came of saying it, and to whom."""
        to = address_of(account.kind, rule.to, order)
        if to is None:
            return None, ""
        if to and await self.stopped(due.tenant, account.kind, to):
            return Receipt(status="failed", reason="this person wants to hear no more"), to
        try:
            notice = await self.notice(due, rule, account, order, id_, to)
            return await self.notifiers.notifier(account).send(notice), to
        except (Misconfigured, Unmapped) as error:
            # Waiting mends no template and no expression: it is a dead letter, to be sent again when somebody has mended it.
            return Receipt(status="failed", reason=f"misconfigured: {error}"), to
        except Locked as error:
            return Receipt(status="later", reason=str(error)), to

    async def notice(
        self, due: Due, rule: NoticeRule, account: Notifier, order: Doc, id_: str, to: str
    ) -> Notice:
        """The notice in words, on its thread."""
        settings = self.notifiers.settings(account)
        mailbox = settings.reply_to if isinstance(settings, SmtpSettings) else ""
        event = msgspec.json.decode(due.body())
        said, params = self.fill(rule, order, event, answers=bool(mailbox))
        by = medium(account.kind)
        return Notice(
            id=id_, to=(to,) if to else (), title=said.subject, text=said.sms if by == "sms" else said.text,
            html=said.html if by == "mail" else "", code=rule.code, params=params, sender=rule.brand,
            answer_to=self.notifiers.marks.reply_address(mailbox, due.order) if mailbox else "",
            follows=await self._thread(due, order, account) if by == "mail" else (),
            back=id_, callback=self._callback(settings), data={"event": event} if by == "webhook" else {},
        )  # fmt: skip

    def fill(
        self, rule: NoticeRule, order: Doc, event: Doc, *, answers: bool = False
    ) -> tuple[Said, dict[str, str]]:
        """A rule's words for an event of an order; raises Misconfigured where they cannot be made."""
        words = language(rule.locale, order) or rule.fallback
        doc = context(order, event["subject"], words, rule.brand, answers=answers)
        said = self.words.fill(rule.template, words, rule.fallback, doc)
        given = {"type": event["type"], "data": order, "subject": doc["subject"],
                 "words": {name: doc[name] for name in ("number", "name", "eta", "total", "status", "parcels")}}  # fmt: skip
        return said, {name: _text(value, name, given) for name, value in rule.params.items()}

    def _callback(self, settings: Any) -> str:
        """Where Twilio reports to: the address of the connection that takes its receipts."""
        if not isinstance(settings, TwilioSettings) or not settings.connection or not self.public_url:
            return ""
        found = self.directory.get(Connection, settings.connection)
        return f"{self.public_url}/in/{found.key}" if found else ""

    async def _order(self, due: Due) -> Doc | None:
        """The order as it stands now: what was forgotten meanwhile is not said."""
        rows = await self.engine.fetch("orders_get", tenant=due.tenant, id=due.order)
        if not rows:
            return None
        now: Doc = msgspec.json.decode(rows[0][10])
        then: Doc = msgspec.json.decode(due.doc) if due.doc else now
        return {**then, **{name: now[name] for name in ("notifications", "redacted_at") if now.get(name)}}

    async def _thread(self, due: Due, order: Doc, account: Notifier) -> tuple[str, ...]:
        """The mails that this one follows: the one that the order came by, else a name of the whole thread; then
        ours, oldest first."""
        root = await self._first_mail(due) if order.get("channel") == "email" else ""
        settings = self.notifiers.settings(account)
        domain = settings.sender.rpartition("@")[2].strip("> ") if isinstance(settings, SmtpSettings) else ""
        ours = [
            str(one["number"])
            for one in order.get("notifications", ())
            if one.get("medium") == "mail" and one.get("number")
        ]
        return (root or f"<{due.order.lower()}@{domain}>", *ours)

    async def _first_mail(self, due: Due) -> str:
        """The Message-ID of the mail that an order came by, "" where it is not held any more."""
        facts = await self.engine.fetch("facts_of_order", tenant=due.tenant, order_id=due.order)
        ids = [(id_,) for id_ in dict.fromkeys(row[1] for row in facts[:20])]
        for row in sorted(await self.engine.fetch("messages_of", ids, tenant=due.tenant)):
            if found := _MAIL_ID.search(
                bytes(row[7][:_HEAD]).replace(b"\r\n\r\n", b"\n\0", 1).partition(b"\0")[0]
            ):
                return found[1].decode("ascii", "ignore")
        return ""

    async def stopped(self, tenant: str, kind: str, to: str) -> bool:
        """Whether this person wants to hear no more."""
        hashed = self.directory.vault.person(tenant, *person(kind, to))
        return bool(await self.engine.fetch("optouts_find", tenant=tenant, hash=hashed))

    async def _stop(self, tenant: str, kind: str, to: str, reason: str) -> None:
        hashed = self.directory.vault.person(tenant, *person(kind, to))
        now = self.world.now()

        async def work(unit: Unit) -> None:
            unit.add("optouts_add", [(tenant, hashed, now, reason[:200])])

        await self.engine.transact(work)

    async def _record(
        self, due: Due, rule: NoticeRule, account: Notifier, order: Doc, id_: str, receipt: Receipt
    ) -> bool:
        """What came of it stands in the order; False where the store could not be told of what is out."""
        home = self.directory.get(Connection, str(order.get("connection", "")), tenant=due.tenant)
        if home is None:
            log.warning("a notice was sent, and the connection of its order is gone", notice=id_)
            return True
        by = medium(account.kind)
        number = receipt.ref if by == "mail" else f"sms:{account.kind}:{receipt.ref}" if by == "sms" else ""
        doc = {
            "ref": id_, "number": number if receipt.ref else "", "medium": by, "rule": rule.name, "event": due.type,
            "template": rule.template, "status": "sent" if receipt.status == "sent" else "failed",
            "reason": receipt.reason[:500], "at": text(self.world.now()),
        }  # fmt: skip
        try:
            await self.tell(home, due.order, {name: value for name, value in doc.items() if value})
        except Exception:
            if receipt.status != "sent":
                raise
            # It is out: saying it twice is worse than not knowing that it was said.
            log.exception("a notice was sent, and the store could not be told", notice=id_)
            return False
        return True


def person(kind: str, to: str) -> tuple[str, str]:
    """A person's name in the index."""
    if kind == "smtp":
        return "email", to
    return "phone", "".join(one for one in to if one.isdigit() or one == "+")


def _text(source: str, name: str, given: Doc) -> str:
    value = compile_expression(source, file=f"params.{name}").value(given)
    return "" if value is None else str(value)


def answer(receipt: Receipt) -> tuple[Answer, bytes]:
    """A receipt as the deliverer judges answers: a notifier that wants patience is not one that is down."""
    entry = PLAIN.encode({"status": receipt.status, "ref": receipt.ref, "reason": receipt.reason})
    if receipt.status == "sent":
        return Answer(status=200, body=entry), entry
    if receipt.status == "unknown":
        return Answer(error="unknown", reason=receipt.reason), entry
    if receipt.status == "failed":
        return Answer(error="refused", reason=receipt.reason), entry
    if receipt.status == "unreachable":
        return Answer(error="connect", reason=receipt.reason), entry
    status = 503 if receipt.after is None else 429
    return Answer(status=status, retry_after=receipt.after, reason=receipt.reason), entry


def _done(status: str, reason: str, ref: str = "") -> tuple[Answer, bytes]:
    entry = PLAIN.encode({"status": status, "ref": ref, "reason": reason})
    return Answer(status=200, body=entry), entry
