"""What is old makes room in small batches; facts, orders, dedupe keys and what is still needed stay."""

from __future__ import annotations

import msgspec

from hub.repair.leftovers import Leftovers
from hub.repair.provenance import provenance
from hub.repair.retention import DAY, Days, Retention
from tests.repair.shop import order, parcel


async def body(shop, message):
    return (await shop.hub.engine.fetch("messages_get", tenant="main", id=message))[0][7]


async def exhaust(stage):
    count = 0
    while step := await stage.step():
        count += step
    return count


def move(shop, days):
    shop.hub.world.move(days * DAY / 1_000_000)


async def test_bodies_go_after_their_time_and_their_keys_stay(shop):
    old = await shop.tell("orders", order(1))
    move(shop, 181)
    young = await shop.tell("orders", order(2))

    await exhaust(shop.hub.retention)

    assert await body(shop, old) is None
    assert await body(shop, young) is not None
    shop.count = 0
    again = await shop.say("orders", order(1))
    assert await shop.hub.engine.fetch("messages_get", tenant="main", id=again) == []


async def test_a_message_that_nobody_understood_yet_keeps_its_body(shop):
    waiting = await shop.say("orders", order(1))
    move(shop, 181)

    await exhaust(shop.hub.retention)
    await shop.hub.settle()

    assert await shop.status(waiting) == "processed"


async def test_it_goes_on_where_it_stopped_and_ends(shop):
    ids = [await shop.say("orders", order(n)) for n in range(1, 8)]
    await shop.hub.settle()
    move(shop, 181)

    assert await shop.hub.retention.step() == 7
    assert await shop.hub.retention.step() == 0
    assert [await body(shop, one) for one in ids] == [None] * 7
    assert await Retention(shop.hub).step() == 0


async def test_old_events_go_with_deliveries_and_snapshots_but_the_order_stays_as_it_is(shop):
    await shop.endpoint("http://127.0.0.1:9/none")
    await shop.tell("orders", order(at=0))
    await shop.tell("orders", order(at=5, total="30.00"))
    move(shop, 401)
    await shop.tell("orders", order(at=9, total="31.00"))
    held = await shop.order()

    await exhaust(shop.hub.retention)

    assert [one["sequence"] for one in await shop.events()] == [held["sequence"]]
    assert await shop.order() == held
    versions = [row[0] for row in await shop.hub.engine.fetch("snapshots_of_order", order_id=held["id"])]
    assert versions == [3]
    rows = await shop.hub.engine.fetch(
        "deliveries_list", tenant="main", after=0, target="", status="", event="", order_id="", most=10
    )
    assert len(rows) == 1
    facts = await shop.hub.engine.fetch("facts_of_order", tenant="main", order_id=held["id"])
    assert len(facts) == 3


async def test_the_version_an_order_is_at_stays_though_all_its_events_went(shop):
    await shop.tell("orders", order())
    held = await shop.order()
    move(shop, 401)

    await exhaust(shop.hub.retention)

    assert await shop.events() == []
    assert await shop.order() == held
    assert (await provenance(shop.hub, "main", held["id"])).version == 1


async def test_a_snapshot_that_a_young_event_shows_stays(shop):
    await shop.tell("orders", order(at=0))
    move(shop, 390)
    await shop.tell("orders", order(at=5, total="30.00"))
    move(shop, 20)
    await shop.tell("parcels", parcel())

    await exhaust(shop.hub.retention)

    assert [
        row[0]
        for row in await shop.hub.engine.fetch("snapshots_of_order", order_id=(await shop.order())["id"])
    ] == [2, 3]
    assert all(one["data"] for one in await shop.events())


async def test_attempts_go_whichever_delivery_they_are_of(shop):
    now = shop.hub.world.now()
    rows = [
        (delivery, number, "end", now - 31 * DAY if number < 3 else now, "ok", b"{}")
        for delivery in (1, 2, 3)
        for number in (1, 2, 3)
    ]
    await shop.write("attempts_add", rows)

    dropped = await exhaust(Retention(shop.hub, Days(attempts=30)))

    assert dropped == 6
    left = [await shop.hub.engine.fetch("attempts_of", delivery=delivery) for delivery in (1, 2, 3)]
    assert [[row[0] for row in one] for one in left] == [[3], [3], [3]]


async def test_answers_kept_for_idempotency_go_after_three_days(shop):
    now = shop.hub.world.now()
    for key, at in (("old", now - 4 * DAY), ("young", now)):
        await shop.write(
            "calls_add", tenant="main", key=key, digest="d", at=at, status=200, answer=msgspec.json.encode({})
        )

    await exhaust(shop.hub.retention)

    known = [
        bool(await shop.hub.engine.fetch("calls_get", tenant="main", key=key, since=0))
        for key in ("old", "young")
    ]
    assert known == [False, True]


async def test_what_is_known_of_letters_goes_with_its_keys_after_400_days(shop):
    now = shop.hub.world.now()
    for n, days in enumerate((401, 399)):
        at = now - days * DAY
        await shop.write("mails_put", [(f"msg_{n}", "main", "con_1", "par_1", "order", "", at, b"{}")])
        await shop.write(
            "mail_keys_add", [("main", "con_1", f"{kind}:{n}", f"msg_{n}", at) for kind in ("id", "content")]
        )
        await shop.write("mails_sent_add", [("main", f"<{n}@hub.example>", f"ntc_{n}", "ord_1", at)])

    dropped = await exhaust(Retention(shop.hub))

    fetch = shop.hub.engine.fetch
    keys = [("main", "con_1", f"{kind}:{n}") for n in range(2) for kind in ("id", "content")]
    assert dropped == 4
    assert [bool(await fetch("mails_get", tenant="main", message=f"msg_{n}")) for n in range(2)] == [
        False,
        True,
    ]
    assert {row[0] for row in await fetch("mail_keys_find", keys)} == {"id:1", "content:1"}
    sent = await fetch("mails_sent_find", [("main", f"<{n}@hub.example>") for n in range(2)])
    assert [row[0] for row in sent] == ["<1@hub.example>"]


async def turns(shop):
    """The orders' turns that are kept."""
    rows = await shop.hub.engine.fetch("heads_page", target="", order_id="", most=500)
    return [row[2] for row in rows]


async def test_the_turn_of_an_order_that_was_told_nothing_for_long_goes_and_is_made_anew(shop):
    await shop.endpoint("http://127.0.0.1:9/none", ordering="none")
    await shop.tell("orders", order(1))
    move(shop, 401)
    await shop.tell("orders", order(2))
    assert len(await turns(shop)) == 2

    await exhaust(shop.hub.retention)
    assert len(await turns(shop)) == 1
    assert (await turns(shop)) == [(await shop.events())[-1]["id"]]

    await shop.tell("orders", order(1, at=9, total="31.00"))
    assert len(await turns(shop)) == 2


async def test_an_order_that_is_still_owed_something_keeps_its_turn(shop):
    await shop.endpoint("http://127.0.0.1:9/none")
    await shop.tell("orders", order(1))
    move(shop, 401)

    await Leftovers(shop.hub).step(shop.hub.world.now(), 0)
    assert len(await turns(shop)) == 1


async def test_jobs_that_ended_go_after_90_days_and_those_that_run_stay(shop):
    now = shop.hub.world.now()
    for n, state in enumerate(("done", "running", "cancelled", "done")):
        at = now - (91 if n < 3 else 89) * DAY
        await shop.write("jobs_add", position=9_000_000 + n, id=f"job_{n}", tenant="main", kind="none", subject="",
                         params=b"{}", actor="a", now=at)  # fmt: skip
        if state != "running":
            await shop.write("jobs_end", id=f"job_{n}", tenant="main", state=state, now=at)

    await exhaust(shop.hub.retention)

    known = [bool(await shop.hub.engine.fetch("jobs_get", tenant="main", id=f"job_{n}")) for n in range(4)]
    assert known == [False, True, False, True]


async def test_flows_of_what_was_removed_and_shares_of_the_dead_go(shop):
    one = await shop.endpoint("http://127.0.0.1:9/none")
    now = shop.hub.world.now()
    names = [(one.id,), ("end_gone",), ("con_gone/order",), ("ntf_gone/notice",)]
    await shop.write("flows_begin", names)
    await shop.write("shares_put", [(one.id, "prc_dead", 1, now - 2 * DAY), (one.id, "prc_live", 1, now)])

    await exhaust(shop.hub.retention)

    fetch = shop.hub.engine.fetch
    assert [row[0] for row in await fetch("flows_page", after="", most=9)] == [one.id]
    assert [row[1] for row in await fetch("shares_page", target="", claim="", most=9)] == ["prc_live"]


async def test_a_pass_over_many_turns_goes_page_by_page_and_begins_anew_a_day_later(shop):
    rows = [(f"end_{n:04}", "ord_1", "") for n in range(1201)]
    await shop.write("heads_told", rows)
    stage = Retention(shop.hub)

    assert [await stage.step() for _ in range(4)] == [500, 500, 201, 0]
    assert await turns(shop) == []
    await shop.write("heads_told", rows[:3])
    assert await stage.step() == 0
    move(shop, 1)
    assert await stage.step() == 3
