"""The post: letters of every door are settled alike, machines are filed, what is poisonous stops nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from hub.config import Config
from hub.contract.message import Headers, Message
from hub.inbound.mail import post
from hub.inbound.mail.cell import Blown
from hub.inbound.mail.outcome import Decision
from hub.inbound.mail.thread import remember
from hub.replies import LOOP_HEADER, Marks
from hub.run import Hub
from hub.store.engine import Unavailable
from tests.mail.village import BOX, Village, mail, publish, signed, village as opened

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def test_a_letter_of_a_provider_s_webhook_is_kept_as_it_was_posted_and_judged_as_any_other(
    config: Config,
):
    async with opened(config, provider="postmark", webhook_secret="hook:secret") as village:
        await village.partner()
        told = {"RawEmail": signed(mail()).decode(), "MessageID": "pm-1", "OriginalRecipient": BOX}
        message = Message(
            body=json.dumps(told).encode(), headers=Headers({"content-type": "application/json"})
        )

        answers = [await village.town.push(village.box, message) for _ in range(2)]
        await village.hub.post.step()

        (row,) = await village.town.messages()
        assert [answer.status for answer in answers] == [202, 200]
        assert (row[4], (await village.verdict(row[1]))["trusted"]) == ("email", True)
        kept = await village.hub.engine.fetch("messages_get", tenant="main", id=row[1])
        assert bytes(kept[0][7]) == message.body


@on_sqlite
async def test_a_mail_that_lies_in_s3_fails_with_what_to_configure(config: Config):
    async with opened(config, provider="ses", topic_arn="arn:x", webhook_secret=None) as village:
        kept = await village.arrive(b"{}")
        message = {"receipt": {"action": {"type": "S3", "bucketName": "mails"}}, "mail": {}}
        body = json.dumps({"Type": "Notification", "Message": json.dumps(message)}).encode()
        rows = await village.hub.engine.fetch("mails_open", now=village.hub.world.now(), most=5)
        assert rows[0][1] == kept.id
        village.hub.post.inbox.take(5)
        one = post.arrival((*rows[0][:7], body, rows[0][8]))
        village.hub.post.inbox.put([])
        await village.hub.post._one(one)

        status, reason = await village.became(kept.id)
        assert (status, "S3 bucket mails" in reason) == ("failed", True)


async def test_a_letter_that_could_not_be_settled_while_the_store_was_away_waits_for_no_lease(
    village: Village, monkeypatch: pytest.MonkeyPatch
):
    await village.partner()
    kept = await village.arrive(signed(mail()))
    write = village.hub.post.ledger.engine.transact

    async def away(work: Any) -> Any:
        if village.hub.post.inbox._held:
            raise Unavailable("the server is away")
        return await write(work)

    with monkeypatch.context() as patch:
        patch.setattr(village.hub.engine, "transact", away)
        with pytest.raises(Unavailable):
            await village.hub.post.step()
    await village.hub.post.step()

    assert (await village.became(kept.id))[0] == "processed"


async def test_bounces_and_what_machines_write_are_filed_without_a_word(village: Village):
    await village.partner()
    mark = Marks(village.hub.vault.keys).loop_mark("ntc_1")
    letters = [
        (mail(number="1", auto_submitted="auto-replied"), "ada@lamps.example"),
        (mail(number="2"), ""),
        (mail(number="3", **{LOOP_HEADER.lower().replace("-", "_"): mark}), "ada@lamps.example"),
        (mail(number="4", **{LOOP_HEADER.lower().replace("-", "_"): "ntc_1;00"}), "ada@lamps.example"),
    ]

    found = [await village.post(raw, mail_from=sender) for raw, sender in letters]

    assert [status for status, _ in found[:3]] == ["ignored"] * 3
    assert ["made automatically" in found[0][1], "bounce" in found[1][1], "our own" in found[2][1]] == [
        True
    ] * 3
    assert "our own" not in found[3][1]
    assert await village.town.exceptions() == []


async def test_a_bounce_names_the_mail_of_ours_that_it_is_about(village: Village):
    hub: Hub = village.hub

    async def work(unit) -> None:
        remember(unit, "main", "<ntc_1@hub.example>", "ntc_1", "ord_1", hub.world.now())

    await hub.engine.transact(work)
    kept = await village.arrive(mail(in_reply_to="<ntc_1@hub.example>"), mail_from="")
    await hub.post.step()

    rows = await hub.engine.fetch("mails_get", tenant="main", message=kept.id)
    assert (rows[0][0], rows[0][1], msgspec.json.decode(rows[0][2])["sent"]) == ("filed", "ord_1", "ntc_1")


@on_sqlite
async def test_one_poisonous_letter_among_many_stops_nothing(
    village: Village, monkeypatch: pytest.MonkeyPatch
):
    await village.partner()
    run = village.hub.post.cell.run

    async def poisoned(work, *args):
        if b"poison" in args[0]:
            raise Blown("reading it went past its limits")
        return await run(work, *args)

    letters = [signed(mail(number=str(n), subject=f"Order {n}", text=f"{n}\r\n")) for n in range(9)]
    letters[4] = mail(number="4", text="poison\r\n")
    ids = [(await village.arrive(raw)).id for raw in letters]
    cell = village.hub.post.cell
    monkeypatch.setattr(type(cell), "run", lambda self, work, *args: poisoned(work, *args))
    while await village.hub.post.step():
        pass

    statuses = [(await village.became(id_))[0] for id_ in ids]
    assert statuses[4] == "quarantined"
    assert set(statuses[:4] + statuses[5:]) <= {"processed", "ignored"}


@on_sqlite
async def test_a_fault_of_our_own_fails_its_letter_and_no_other(
    village: Village, monkeypatch: pytest.MonkeyPatch
):
    await village.partner()
    decide = post.decide

    def stumbling(reading, verdict, *rest):
        if verdict.from_address.startswith("eve"):
            raise KeyError("a bug")
        return decide(reading, verdict, *rest)

    monkeypatch.setattr(post, "decide", stumbling)
    one = await village.arrive(signed(mail("Eve <eve@lamps.example>", number="1")))
    other = await village.arrive(signed(mail(number="2")))
    while await village.hub.post.step():
        pass

    assert (await village.became(one.id))[0] == "failed"
    assert (await village.became(other.id))[0] in ("processed", "ignored")


async def test_what_a_process_left_is_found_by_the_next(village: Village):
    kept = await village.arrive(mail("Neo <neo@new.example>"))
    village.hub.post.inbox.done(village.hub.post.inbox.take(10))
    village.hub.world.move(61)  # its lease is over

    assert await village.hub.normalise.step() == 0
    assert await village.hub.post.step() == 1
    assert (await village.became(kept.id))[0] == "quarantined"


@on_sqlite
async def test_strangers_are_quarantined_where_the_mailbox_says_so(config: Config):
    async with opened(config, strangers="quarantine") as village:
        publish(village.zone, "new.example")

        status, _ = await village.post(
            signed(mail("Neo <neo@new.example>"), "new.example"), mail_from="neo@new.example"
        )

        assert status == "quarantined"


async def test_after_five_drafts_within_an_hour_a_sender_is_quarantined(
    village: Village, monkeypatch: pytest.MonkeyPatch
):
    publish(village.zone, "new.example")

    def draft(*given) -> Decision:
        return Decision(kind="draft")

    monkeypatch.setattr(post, "decide", draft)
    found = []
    for n in range(7):
        village.hub.world.move(60)
        raw = signed(
            mail("Neo <neo@new.example>", number=str(n), subject=f"{n}", text=f"{n}\r\n"), "new.example"
        )
        found.append((await village.post(raw, mail_from="neo@new.example"))[0])
    village.hub.world.move(3600)
    late = signed(mail("Neo <neo@new.example>", number="late", text="late\r\n"), "new.example")

    assert found == ["processed"] * 5 + ["quarantined"] * 2
    assert (await village.post(late, mail_from="neo@new.example"))[0] == "processed"


async def test_a_letter_that_two_processes_had_in_hand_is_settled_once(village: Village):
    await village.partner()
    kept = await village.arrive(mail())
    hub: Hub = village.hub
    [one] = hub.post.inbox.take(5)
    settled = await hub.post._settled(one)
    late = await hub.post._settled(one)

    await hub.post.ledger.write(one, settled)
    before = await hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=99
    )
    await hub.post.ledger.write(one, late)

    assert (
        await hub.engine.fetch(
            "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=99
        )
        == before
    )
    assert (await village.became(kept.id))[0] == "processed"
