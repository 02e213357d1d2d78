"""Somebody is told when something is wrong: gathered, bounded, once, at the right hour, and louder when nobody answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from hub import serve
from hub.alerts.message import Item, quiet_until, write
from hub.config import Config
from hub.directory import Endpoint
from hub.outbound.notify.notice import Receipt
from hub.run import Hub, open_hub
from hub.store.engine import Unavailable
from hub.things import Alert
from hub.troubles import Trouble, cause
from hub.world import World
from tests.engines import ADMIN, KEY
from tests.notify.counter import Counter, counter
from tests.notify.receivers import Far, far_side, postbox
from tests.outbound.desk import on_one_engine, put

MINUTE, HOUR = 60, 3600


async def alert(hub: Hub, notifier, name: str = "ops", **more) -> Alert:
    given = {"id": hub.world.new_id("alt"), "name": name, "notifier": notifier.id, "gather": 10.0}
    one = Alert(**{**given, **more})
    await put(hub, one)
    return one


async def trouble(hub: Hub, *subjects: str, kind: str = "x", **more) -> None:
    given = {
        "tenant": "main",
        "cause": cause(kind),
        "title": f"{kind} cannot be read",
        "hint": "Mend the mapping.",
    }
    troubles = [Trouble(**{**given, "subject": subject, **more}) for subject in subjects]
    await hub.engine.transact(lambda unit: hub.troubles.open(unit, troubles))


async def mended(hub: Hub, *subjects: str) -> None:
    await hub.engine.transact(lambda unit: hub.troubles.clear(unit, subjects))


async def turn(hub: Hub, seconds: float = 0) -> int:
    """Time passes, then both stages have their turn."""
    hub.world.move(seconds)
    while await hub.watch.step():
        continue
    return await hub.voice.step()


async def team(hub: Hub, far: Far, **more) -> tuple[Counter, Alert]:
    """A counter with a chat that is told."""
    c = await counter(hub)
    bot = await c.notifier("feishu", url=f"{far.url}/hook/t", secret="s3cret")
    return c, await alert(hub, bot, **more)


def fine(_):
    return 200, {"code": 0}


def texts(far: Far) -> list[str]:
    return [one.json()["card"]["elements"][0]["content"] for one in far.asked]


def titles(far: Far) -> list[str]:
    return [one.json()["card"]["header"]["title"]["content"] for one in far.asked]


async def test_exceptions_that_open_and_close_are_events_told_once(hub):
    await put(
        hub, Endpoint(id="end_1", name="ops", url="https://ops.example", events=["exception.*"], secrets=[])
    )
    await trouble(hub, "msg_1", "msg_2", orders=["ord_1"])
    assert await hub.watch.step() == 1
    assert await hub.watch.step() == 0
    await trouble(hub, "msg_3")
    assert await hub.watch.step() == 0
    await mended(hub, "msg_1", "msg_2", "msg_3")
    assert await hub.watch.step() == 1

    rows = await hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=10
    )
    told = [msgspec.json.decode(row[6]) for row in rows]
    assert [one["type"] for one in told] == ["exception.opened", "exception.closed"]
    assert [one["data"]["state"] for one in told] == ["open", "closed"]
    assert told[0]["data"]["count"] == 2
    assert told[0]["data"]["hint"] == "Mend the mapping."
    deliveries = await hub.engine.fetch(
        "deliveries_list", tenant="main", after=0, most=10, target="end_1", status="", event="", order_id=""
    )
    assert len(deliveries) == 2


async def test_one_cause_is_one_message_however_many_it_hits(hub):
    async with far_side(fine) as far:
        await team(hub, far)
        await trouble(hub, *(f"msg_{n}" for n in range(40)), orders=["ord_1"])
        assert await turn(hub) == 0
        assert await turn(hub, 11) == 1
        assert await turn(hub, 60) == 0

    (text,) = texts(far)
    assert titles(far) == ["x cannot be read"]
    assert "40 times" in text
    assert "Mend the mapping." in text
    assert "Orders: ord_1" in text
    assert far.asked[0].json()["sign"]


async def test_many_causes_are_one_digest(hub):
    async with far_side(fine) as far:
        await team(hub, far)
        for n in range(42):
            await trouble(hub, f"msg_{n}", kind=f"k{n}", severity="critical" if n == 30 else "error")
        assert await turn(hub, 1) == 0
        assert await turn(hub, 11) == 1

    assert titles(far) == ["42 troubles"]
    assert texts(far)[0].startswith("**k30 cannot be read**")
    assert texts(far)[0].endswith("and 37 more")


async def test_no_more_than_so_many_messages_go_out_in_a_minute(hub):
    async with far_side(fine) as far:
        await team(hub, far, per_minute=2)
        for n in range(10):
            await trouble(hub, f"msg_{n}", kind=f"k{n}")
            await turn(hub, 11)
        for _ in range(3):
            await turn(hub, 20)

    assert 2 < len(far.asked) <= 6
    assert "troubles" in "".join(titles(far))


async def test_the_end_of_a_trouble_is_told_to_whom_heard_of_it(hub):
    async with far_side(fine) as far:
        await team(hub, far)
        await trouble(hub, "msg_1")
        await turn(hub)
        await turn(hub, 11)
        await mended(hub, "msg_1")
        await turn(hub)
        await turn(hub, 60)

    assert titles(far) == ["x cannot be read", "Over: x cannot be read"]
    assert "/act/" not in texts(far)[1]


async def test_what_mends_itself_while_it_is_gathered_wakes_nobody(hub):
    async with far_side(fine) as far:
        await team(hub, far)
        await trouble(hub, "msg_1")
        await turn(hub)
        await mended(hub, "msg_1")
        await turn(hub, 11)
        await turn(hub, 60)

    assert far.asked == []


async def test_milder_troubles_and_those_of_others_are_not_told(hub):
    async with far_side(fine) as far:
        await team(hub, far, severity="error", connections=["con_mine"], causes=["read"])
        await trouble(hub, "a", kind="mild", severity="warning", connection="con_mine")
        await trouble(hub, "b", kind="others", connection="con_theirs")
        await trouble(hub, "c", kind="other words", title="slow", connection="con_mine")
        await trouble(hub, "d", kind="told", connection="con_mine")
        await trouble(hub, "e", kind="abroad", connection="con_mine", tenant="second")
        await turn(hub)
        await turn(hub, 11)

    assert titles(far) == ["told cannot be read"]


async def test_a_chat_that_is_down_is_tried_again_and_told_once(hub):
    down = [True]
    async with far_side(lambda _: (503, {}) if down[0] else (200, {"code": 0})) as far:
        await team(hub, far)
        await trouble(hub, "msg_1")
        await turn(hub)
        for _ in range(6):
            assert await turn(hub, 61) == 0
        rows = await hub.engine.fetch("exceptions_list", tenant="main", after=0, state="open", most=10)
        assert "alert ops cannot be sent" in "".join(row[8].decode() for row in rows)
        tried = len(far.asked)
        down[0] = False
        await turn(hub, HOUR)
        await turn(hub, HOUR)

    assert tried < 7
    assert titles(far)[tried:] == ["x cannot be read"]


async def test_nothing_is_lost_or_said_again_by_a_restart(config):
    world = World.still()
    async with far_side(fine) as far:
        async with open_hub(config, world) as hub:
            await team(hub, far)
            await trouble(hub, "msg_1", kind="first")
            await turn(hub)
            await turn(hub, 11)
            await trouble(hub, "msg_2", kind="second")
            await turn(hub)
        async with open_hub(config, world) as hub:
            await turn(hub, 200)
            await turn(hub, 200)

    assert titles(far) == ["first cannot be read", "second cannot be read"]


async def test_a_message_that_could_not_be_remembered_is_said_again_under_its_name(hub, monkeypatch):
    async with postbox() as box:
        c = await counter(hub)
        await alert(hub, await c.mail(box.port), to=["ops@lantern.example"])
        await trouble(hub, "msg_1")
        await turn(hub)
        hub.world.move(11)
        transact = hub.engine.transact

        async def away(work):
            if box.mails:
                raise Unavailable("the store is away")
            return await transact(work)

        monkeypatch.setattr(hub.engine, "transact", away)
        with pytest.raises(Unavailable):
            await hub.voice.step()
        monkeypatch.setattr(hub.engine, "transact", transact)
        await turn(hub, 200)
        await turn(hub, 200)

    assert len(box.mails) == 2
    assert len({mail["Message-ID"] for mail in box.mails}) == 1
    assert "Mend the mapping." in box.mails[0].get_body(("plain",)).get_content()
    assert "Acknowledge: http" in box.mails[0].get_body(("plain",)).get_content()


async def test_at_night_only_what_is_loud_is_told_and_the_rest_in_the_morning(hub):
    # The still world begins at midnight UTC.
    async with far_side(fine) as far:
        await team(hub, far, quiet="22:00-07:00", time_zone="UTC")
        await trouble(hub, "msg_1", kind="quiet")
        await trouble(hub, "msg_2", kind="loud", severity="critical")
        await turn(hub)
        await turn(hub, 11)
        assert titles(far) == ["loud cannot be read"]
        await turn(hub, 6 * HOUR)
        assert len(far.asked) == 1
        await turn(hub, HOUR)

    assert titles(far) == ["loud cannot be read", "quiet cannot be read"]


async def test_what_nobody_acknowledges_is_told_to_somebody_else(hub):
    async with far_side(fine) as far, far_side(fine) as boss:
        c, _ = await team(hub, far, escalate_after=1800, escalate_to="boss")
        bot = await c.notifier("feishu", "boss-bot", url=f"{boss.url}/hook/b")
        await alert(hub, bot, "boss", escalations=True)
        await trouble(hub, "msg_1", kind="left")
        await trouble(hub, "msg_2", kind="taken")
        await turn(hub)
        await turn(hub, 11)
        rows = await hub.engine.fetch("exceptions_list", tenant="main", after=0, state="open", most=10)
        taken = next(row for row in rows if b"taken" in row[8])

        async def ack(unit):
            position = await unit.positions(1)
            unit.add("exceptions_state", tenant="main", id=taken[0], state="acked", position=position)

        await hub.engine.transact(ack)
        await turn(hub, 1801)
        await turn(hub, 1801)

    assert len(far.asked) == 2
    assert titles(boss) == ["Nobody has acknowledged this: left cannot be read"]


@on_one_engine
async def test_when_the_store_is_away_it_is_told_from_memory_once_an_hour(hub):
    async with far_side(fine) as far:
        await team(hub, far)
        for _ in range(30):
            await hub.voice.storeless(Unavailable("the disk is full"))
            hub.world.move(10)
        hub.world.move(HOUR)
        await hub.voice.storeless(Unavailable("the disk is full"))

    assert titles(far) == ["the hub's store is away: the disk is full"] * 2


@on_one_engine
async def test_an_alert_that_was_removed_leaves_nothing_behind(hub):
    async with far_side(fine) as far:
        _, one = await team(hub, far)
        await trouble(hub, "msg_1")
        await turn(hub)

        async def drop(unit):
            unit.add("things_drop", kind="alert", id=one.id, tenant="main")

        await hub.engine.transact(drop)
        await hub.directory.refresh()
        await turn(hub, 11)
        assert await hub.engine.fetch("alarms_alerts", now=hub.world.now() * 2) == []

    assert far.asked == []


@on_one_engine
async def test_what_an_alert_could_not_say_is_closed_with_the_alert(hub):
    async with far_side(lambda _: (503, {})) as far:
        _, one = await team(hub, far)
        await trouble(hub, "msg_1")
        for _ in range(7):
            await turn(hub, 61)
        assert "alert ops cannot be sent" in await opened(hub)

        async def drop(unit):
            unit.add("things_drop", kind="alert", id=one.id, tenant="main")

        await hub.engine.transact(drop)
        await hub.directory.refresh()
        await turn(hub, 600)

    assert "cannot be sent" not in await opened(hub)


async def opened(hub) -> str:
    rows = await hub.engine.fetch("exceptions_list", tenant="main", after=0, state="open", most=10)
    return "".join(row[8].decode() for row in rows)


def test_what_a_far_side_wrote_puts_no_links_before_people():
    item = Item(
        exception="e", status="pending", severity="error", count=1, first_at=0, last_at=0,
        title="[pay here](https://evil.example) <at id=all></at> **x**", links={"ack": "https://hub.example/act/t"},
    )  # fmt: skip
    said = write([item], "en", "UTC")

    assert "](https://evil" not in said.markdown
    assert "<at" not in said.markdown
    assert "[Acknowledge](https://hub.example/act/t)" in said.markdown
    assert "<at" not in said.html


def test_an_alert_speaks_chinese_where_it_is_told_to():
    item = Item(exception="e", status="pending", severity="error", count=3, first_at=0, last_at=0, title="订单无法读取",
                hint="请修改映射", orders=("1001",), hidden=7)  # fmt: skip

    text = write([item], "zh-CN", "Asia/Shanghai").text

    assert "共 3 次，首次 1970-01-01 08:00 CST" in text
    assert "涉及订单：1001, 另有 7 项" in text
    assert "处理建议：请修改映射" in text


@pytest.mark.parametrize(
    ("quiet", "hour", "minute", "expected"),
    [
        ("", 3, 0, 0),
        ("22:00-07:00", 23, 30, 7.5),
        ("22:00-07:00", 6, 59, 1 / 60),
        ("22:00-07:00", 7, 0, 0),
        ("22:00-07:00", 12, 0, 0),
        ("12:00-13:30", 12, 0, 1.5),
        ("12:00-13:30", 13, 30, 0),
        ("00:00-00:00", 5, 0, 0),
    ],
)
def test_quiet_hours_end_when_they_say(quiet, hour, minute, expected):
    now = int(datetime(2026, 3, 5, hour, minute, tzinfo=UTC).timestamp() * 1_000_000)
    over = quiet_until(Alert(id="a", name="a", notifier="n", quiet=quiet), now)

    assert (over - now) / 3_600_000_000 == pytest.approx(expected) if expected else over == 0


async def test_two_processes_say_it_once(postgres_url):
    config = Config(database=postgres_url, keys=(KEY,), admin_token=ADMIN, allow_private=("127.0.0.1/32",))
    async with far_side(fine) as far, open_hub(config) as one, open_hub(config) as other:
        await team(one, far, gather=0)
        await other.directory.refresh()
        for n in range(5):
            await trouble(one, f"msg_{n}", kind=f"k{n}")
            told = await asyncio.gather(one.watch.step(), other.watch.step())
            said = await asyncio.gather(one.voice.step(), other.voice.step())
            assert (sum(told), sum(said)) == (1, 1)

        rows = await one.engine.fetch(
            "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=100
        )

    assert [row[3] for row in rows] == ["exception.opened"] * 5
    assert sorted(titles(far)) == [f"k{n} cannot be read" for n in range(5)]


class Slow:
    """Notifiers whose chat answers each message when it is told to."""

    def __init__(self, marks) -> None:
        self.marks, self.said, self.answers = marks, [], asyncio.Semaphore(0)

    def notifier(self, account):
        return self

    async def send(self, notice):
        self.said.append(notice.title)
        await self.answers.acquire()
        return Receipt(status="sent")

    async def asked(self, times: int) -> None:
        async with asyncio.timeout(20):
            while len(self.said) < times:
                await asyncio.sleep(0.005)


async def three_to_say(one: Hub, other: Hub, far: Far) -> tuple[Slow, Slow]:
    """Three troubles of one alert are due; each process has a slow chat of its own."""
    await team(one, far, gather=0)
    await other.directory.refresh()
    for n in range(3):
        await trouble(one, f"msg_{n}", kind=f"k{n}")
    await one.watch.step()
    one.voice.notifiers, other.voice.notifiers = Slow(one.marks), Slow(other.marks)
    return one.voice.notifiers, other.voice.notifiers


async def test_an_alert_that_takes_longer_than_a_lease_is_said_by_one_process(postgres_url, monkeypatch):
    monkeypatch.setattr(serve, "_BACKSTOP", 0.01)
    config, world = Config(database=postgres_url, keys=(KEY,), admin_token=ADMIN), World.still()
    async with far_side(fine) as far, open_hub(config, world) as one, open_hub(config, world) as other:
        here, there = await three_to_say(one, other, far)
        there.answers.release()
        leases = asyncio.create_task(serve.loop("leases", one, serve.leases_turn))
        saying = asyncio.create_task(one.voice.step())
        for n in range(1, 4):
            await here.asked(n)
            for _ in range(10):
                world.move(15)
                await kept(one, world.now() + 120_000_000)
                assert await other.voice.step() == 0
            here.answers.release()

        assert await saying == 3
        leases.cancel()
        assert (await other.voice.step(), there.said) == (0, [])


async def kept(hub: Hub, until: int) -> None:
    """Until the turn is ours for a whole lease again."""
    async with asyncio.timeout(20):
        while await hub.engine._pool.fetchval("SELECT claimed_until FROM alarm_turns") != until:
            await asyncio.sleep(0.005)


async def test_who_lost_its_turn_says_no_more_and_leaves_the_turn_to_the_other(postgres_url):
    config, world = Config(database=postgres_url, keys=(KEY,), admin_token=ADMIN), World.still()
    async with far_side(fine) as far, open_hub(config, world) as one, open_hub(config, world) as other:
        here, there = await three_to_say(one, other, far)
        frozen = asyncio.create_task(one.voice.step())
        await here.asked(1)
        world.move(121)
        saying = asyncio.create_task(other.voice.step())
        await there.asked(1)
        await one.voice.renew()
        for _ in range(3):
            here.answers.release()

        assert await frozen == 1
        rows = await one.engine.fetch("alarm_turns_get", alert=one.directory.all(Alert)[0].id)
        assert (rows[0][0], rows[0][1]) == (other.voice.claim, world.now() + 120_000_000)
        for _ in range(3):
            there.answers.release()
        assert await saying == 3
        assert len(here.said) == 1
