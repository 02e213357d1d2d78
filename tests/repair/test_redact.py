"""A person who asked to be forgotten is found nowhere afterwards, and no later word brings them back."""

from __future__ import annotations

import asyncio
import json
import random

import msgspec
import pytest
from hypothesis import given, strategies as st

from hub.contract.errors import Rejected
from hub.contract.fact import Redaction
from hub.orders import forget
from hub.orders.book import Page, content, refold, turn
from hub.orders.registers import Said, empty
from hub.repair.rebuild import rebuild
from hub.repair.redact import redact
from hub.repair.replay import replay
from hub.run import open_hub
from hub.world import World
from tests.repair.shop import PERSON, Shop, connect, order, parcel, registry, scans

TABLES = {
    "facts_of_order": (8,), "snapshots_of_order": (1,), "envelopes_of_order": (1,), "attempts_of_order": (2,),
}  # fmt: skip


async def told(shop):
    """An order with all that may name its person: edits, a parcel, scans, a note to the shop."""
    await shop.tell("orders", order(1))
    await shop.tell(
        "orders", order(1, at=4, address={"name": "Ilka Brandt", "street": "Lindenweg 4", "city": "Bonn"})
    )
    await shop.tell("parcels", parcel(1))
    await shop.tell("scans", scans("in_transit", "delivered", signed="I. Brandt"))
    return await shop.order()


async def remains(shop, order_id):
    """Everything that is kept of an order, as one text."""
    engine = shop.hub.engine
    parts = [await engine.fetch("facts_of_order", tenant="main", order_id=order_id)]
    parts += [await engine.fetch(name, order_id=order_id) for name in TABLES if name != "facts_of_order"]
    parts += [await engine.fetch("registers_get", tenant="main", id=order_id)]
    for message in shop.said:
        parts += [await engine.fetch("messages_get", tenant="main", id=message)]
    parts += [await engine.fetch("audit_list", tenant="main", after=0, subject="", most=100)]
    parts += [await engine.fetch("memories_all", owner="errands", now=0)]
    return "\n".join(bytes(cell).decode() if isinstance(cell, bytes | memoryview) else str(cell)
                     for rows in parts for row in rows for cell in row)  # fmt: skip


def traces(text):
    return [word for word in PERSON if word in text]


async def test_nothing_of_the_person_is_left_anywhere(shop):
    held = await told(shop)
    assert traces(await remains(shop, held["id"])) == list(PERSON)

    done = await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True, actor="ops")

    assert done.orders == [held["id"]]
    assert traces(await remains(shop, held["id"])) == []
    assert traces(json.dumps(await shop.events())) == []


async def test_what_is_no_person_stays(shop):
    held = await told(shop)

    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)

    after = await shop.order()
    kept = (
        "id",
        "number",
        "ref",
        "hub_number",
        "currency",
        "totals",
        "lines",
        "state",
        "fulfillment_status",
        "placed_at",
    )
    assert {name: after[name] for name in kept} == {name: held[name] for name in kept}
    assert after["buyer"] == {"masked": True}
    assert after["ship_to"] == {"masked": True}
    assert after["version"] == held["version"] + 1
    assert after["shipments"][0]["packages"][0]["tracking"]["status"] == "delivered"
    assert after["shipments"][0]["packages"][0]["tracking"]["scans"][0]["place"] == {"country": "DE"}
    assert after["redacted_at"] == "2026-01-01T00:00:00.000Z"


async def test_the_country_of_an_address_stays(shop):
    await shop.tell("orders", order(1))

    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)

    assert (await shop.order())["ship_to"] == {"country": "DE", "masked": True}


async def test_it_is_told_once_in_sequence_without_a_word_of_what_was_forgotten(shop):
    held = await told(shop)
    count = len(await shop.events())

    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)

    events = await shop.events()
    assert len(events) == count + 1
    assert (events[-1]["type"], events[-1]["changes"]) == ("order.redacted", [])
    assert events[-1]["sequence"] == held["sequence"] + 1
    assert [one["sequence"] for one in events] == list(range(1, count + 2))
    moved = next(one for one in events if one["type"] == "order.address_changed")
    assert {"path": "ship_to.postal_code", "masked": True} in moved["changes"]


@pytest.mark.parametrize(
    "wish",
    [
        Redaction(email="ILKA@brandt.example"), Redaction(phone="+49 151 12345678"), Redaction(buyer="cust-551"),
        Redaction(orders=("7000001",)),
    ],
    ids=["mail", "phone", "buyer", "order"],
)  # fmt: skip
async def test_orders_are_found_by_whatever_the_request_carries(shop, wish):
    await shop.tell("orders", order(1))
    await shop.tell("orders", order(2, customer={"id": "cust-9", "email": "else@else.example"}, address={}))
    first, second = await shop.orders()

    done = await redact(shop.hub, "main", wish, apply=True)

    assert done.orders == [first["id"]]
    assert (await shop.orders())[1] == second


async def test_a_dry_run_names_the_orders_and_forgets_nothing(shop):
    held = await told(shop)

    done = await redact(shop.hub, "main", Redaction(email="ilka@brandt.example"))

    assert (done.applied, done.orders) == (False, [held["id"]])
    assert await shop.order() == held


async def test_a_wish_that_came_through_a_connection_stays_within_its_account(shop):
    other = await connect(shop.hub, "second", "corner")
    await shop.tell("orders", order(1))
    await shop.tell("orders", order(1), other)

    done = await redact(
        shop.hub, "main", Redaction(email="ilka@brandt.example"), connection=other, apply=True
    )

    assert [doc["account"] for doc in await shop.orders() if doc["id"] in done.orders] == ["second.example"]


async def test_tenants_never_meet(shop):
    theirs = await connect(shop.hub, "corner", "corner", tenant="theirs")
    await shop.tell("orders", order(1), theirs)
    (held,) = await shop.orders("theirs")

    done = await redact(
        shop.hub, "main", Redaction(email="ilka@brandt.example", orders=("7000001", held["id"])), apply=True
    )

    assert (done.orders, done.messages) == ([], [])
    assert await shop.orders("theirs") == [held]


async def test_a_whole_account_is_forgotten_with_what_made_no_order(shop):
    other = await connect(shop.hub, "second", "corner")
    for number in range(1, 6):
        await shop.say("orders", order(number))
    odd = await shop.say("unheard-of", {"customer": "Ilka"})
    await shop.tell("orders", order(1), other)

    done = await redact(shop.hub, "main", Redaction(whole_account=True), connection=shop.corner, apply=True)

    assert len(done.orders) == 5
    assert done.messages == [odd]
    assert sum("redacted_at" in doc for doc in await shop.orders()) == 5


async def test_a_wish_that_names_nobody_is_refused(shop):
    with pytest.raises(Rejected):
        await redact(shop.hub, "main", Redaction(reason="no reason"))
    with pytest.raises(Rejected):
        await redact(shop.hub, "main", Redaction(whole_account=True))


LATER = [
    ("orders", order(1, at=50, note="it is me, Ilka Brandt, again")),
    ("orders", order(1, at=1)),
    ("orders", {"orders": [order(1, at=59)]}),
    ("parcels", parcel(1, tracking="CP555", note="for Ilka")),
    ("scans", scans("in_transit", "out_for_delivery", "delivered", signed="Ilka Brandt")),
]


@pytest.mark.parametrize(("topic", "body"), LATER, ids=["newer", "older", "page", "parcel", "scans"])
async def test_a_later_fact_does_not_bring_the_person_back(shop, topic, body):
    held = await told(shop)
    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)

    await shop.tell(topic, body)

    assert traces(await remains(shop, held["id"])) == []
    assert traces(json.dumps(await shop.events())) == []
    assert (await rebuild(shop.hub, "main")).data[0].same


async def test_neither_does_a_message_that_is_replayed(shop):
    held = await told(shop)
    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)

    done = await replay(shop.hub, "main", shop.said)
    await shop.hub.settle()

    assert sorted(done.gone) == sorted(shop.said)
    assert traces(await remains(shop, held["id"])) == []


async def test_a_repeat_of_a_forgotten_fact_is_known_as_a_repeat(shop):
    await told(shop)
    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)
    before = await shop.order()

    await shop.tell("orders", order(1))

    assert await shop.order() == before


@pytest.mark.parametrize("seed", range(4))
async def test_whenever_a_redaction_comes_the_order_ends_the_same(config, seed, tmp_path):
    chance = random.Random(seed)
    stream = [*LATER, ("orders", order(1)), ("parcels", parcel(1)), ("scans", scans("in_transit"))]
    ends = []
    for turn_ in range(2):
        chance.shuffle(stream)
        told_ = msgspec.structs.replace(config, database=f"sqlite:{tmp_path}/{turn_}.db")
        async with open_hub(told_, World.still(), registry()) as hub:
            shop = Shop(hub, await connect(hub, "corner", "corner"), await connect(hub, "beacon", "beacon"))
            await shop.tell("orders", order(1, at=2))
            at = chance.randrange(len(stream))
            for n, (topic, body) in enumerate(stream):
                if n == at:
                    await redact(hub, "main", Redaction(orders=("7000001",)), apply=True)
                await shop.tell(topic, body)
            ends.append(content(await shop.order()))

    assert ends[0] == ends[1]


async def test_to_redact_again_is_to_do_nothing(shop):
    held = await told(shop)
    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)
    count = len(await shop.events())

    again = await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)

    assert (again.orders, again.already) == ([], [held["id"]])
    assert len(await shop.events()) == count


async def test_messages_that_gave_no_fact_are_blanked_where_they_name_the_person(shop):
    await told(shop)
    failed = await shop.tell("orders", order(1, at=9, total="a lot"))
    ignored = await shop.tell("customers", {"email": "ilka@brandt.example"})
    longer = await shop.tell("customers", {"id": 87000001})
    assert len(await shop.exceptions()) == 1

    done = await redact(
        shop.hub, "main", Redaction(orders=("7000001",), email="ilka@brandt.example"), apply=True
    )

    assert done.messages == [failed, ignored]
    bodies = await shop.hub.engine.fetch("messages_get", tenant="main", id=failed)
    assert (bodies[0][7], bodies[0][11]) == (None, None)
    assert (await shop.hub.engine.fetch("messages_get", tenant="main", id=longer))[0][7] is not None
    assert await shop.exceptions() == []


async def test_exceptions_quote_nothing_of_a_message_that_was_blanked(shop):
    await shop.tell("orders", order(1, at=9, total="Ilka Brandt"))
    assert traces(json.dumps(await shop.exceptions())) != []

    await redact(shop.hub, "main", Redaction(email="ilka@brandt.example"), apply=True)

    (closed,) = await shop.exceptions("closed")
    assert traces(json.dumps(closed)) == []
    assert closed["place"]["field"] == "totals.total"


async def test_a_blanked_message_is_still_known_as_a_duplicate(shop):
    await told(shop)
    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)
    shop.count = 0

    again = await shop.say("orders", order(1))

    assert await shop.hub.engine.fetch("messages_get", tenant="main", id=again) == []


@pytest.fixture
async def receiver():
    """An endpoint that refuses until told otherwise, and keeps what it was sent."""
    got, answer = [], [b"503 Service Unavailable"]

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(
            next(
                line.split(b":")[1]
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
        )
        got.append(await reader.readexactly(length))
        said = got[-1][:2000]
        writer.write(
            b"HTTP/1.1 "
            + answer[0]
            + b"\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(said)
            + said
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", got, answer
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("more", [{}, {"fields": ["ship_to", "number"]}], ids=["full", "fields"])
async def test_pending_deliveries_are_rendered_anew(shop, receiver, more):
    url, got, answer = receiver
    await shop.endpoint(url, **more)
    held = await told(shop)
    assert traces(b"".join(got).decode())
    got.clear()

    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)
    answer[0] = b"200 OK"
    for _ in range(12):
        shop.hub.world.move(4000)
        await shop.hub.settle()

    sent = [json.loads(body) for body in got]
    assert {one["id"] for one in sent} == {one["id"] for one in await shop.events()}
    assert traces(b"".join(got).decode()) == []
    assert traces(await remains(shop, held["id"])) == []


# ── the errand ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_privacy_request_is_carried_out_and_forgotten_itself(shop):
    held = await told(shop)

    asked = await shop.tell("forget", {"email": "ilka@brandt.example", "reason": "she asked"})

    assert "redacted_at" in await shop.order()
    assert traces(await remains(shop, held["id"])) == []
    last = (await shop.events())[-1]
    assert last["cause"] == {"actor": "redaction", "connection": shop.corner.id, "message": asked}
    rows = await shop.hub.engine.fetch("audit_list", tenant="main", after=0, subject=asked, most=10)
    assert [(row[3], msgspec.json.decode(row[5])["orders"]) for row in rows] == [("person.redacted", 1)]
    assert await shop.hub.engine.fetch("memories_all", owner="errands", now=0) == []


async def test_a_process_that_dies_before_the_redaction_ran_does_it_when_it_is_back(config):
    async with open_hub(config, World.still(), registry()) as hub:
        shop = Shop(hub, await connect(hub, "corner", "corner"), await connect(hub, "beacon", "beacon"))
        await shop.tell("orders", order(1))
        await shop.say("forget", {"orders": ["7000001"]})
        await hub.normalise.step()
        assert "redacted_at" not in await shop.order()

    async with open_hub(config, World.still(), registry()) as hub:
        await hub.errands.step()

        assert "redacted_at" in await Shop(hub, shop.corner, shop.beacon).order()


async def test_a_redaction_that_cannot_be_done_waits_in_the_exceptions_and_holds_no_other_up(shop):
    await told(shop)
    await shop.tell("forget", {"reason": "names nobody"})
    await shop.tell("forget", {"orders": ["7000001"]})

    (one,) = await shop.exceptions()
    assert "names neither orders nor a person" in one["title"]
    assert "redacted_at" in await shop.order()
    assert len(await shop.hub.engine.fetch("memories_all", owner="errands", now=0)) == 1


async def test_a_redaction_for_orders_we_never_had_ends_quietly(shop):
    await shop.tell("forget", {"orders": ["123456"]})

    assert await shop.exceptions() == []
    assert await shop.hub.engine.fetch("memories_all", owner="errands", now=0) == []


# ── the pure part ────────────────────────────────────────────────────────────────────────────────────

TEXT = st.text("abc", min_size=1, max_size=3)
PEOPLE = st.fixed_dictionaries(
    {}, optional={"name": TEXT, "email": TEXT, "country": st.just("DE"), "masked": st.booleans()}
)
DOC = st.fixed_dictionaries(
    {"ref": st.just("1")},
    optional={
        "number": TEXT, "customer_note": TEXT, "buyer": PEOPLE, "ship_to": PEOPLE, "parties": st.lists(PEOPLE, max_size=2),
        "attributes": st.dictionaries(TEXT, TEXT), "refunds": st.lists(st.fixed_dictionaries({"ref": TEXT, "reason": TEXT}), max_size=1),
        "lines": st.lists(st.fixed_dictionaries({"ref": TEXT, "ship_to": PEOPLE}), max_size=2, unique_by=lambda one: one["ref"]),
    },
)  # fmt: skip
FACTS = st.lists(
    st.builds(
        lambda at, doc, full: Said(source="s:1", subject="order", ref="1", rev=[at, 0, json.dumps(doc, sort_keys=True)], doc=doc, full=full),
        st.integers(1, 4), DOC, st.sampled_from([[], ["order", "buyer", "ship_to", "lines", "parties"]]),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(DOC)
def test_to_forget_twice_is_to_forget_once(doc):
    once = forget.snapshot(doc)

    assert forget.snapshot(once) == once


@given(FACTS, st.integers(0, 4), st.randoms())
def test_facts_fold_alike_before_and_after_a_redaction(facts, at, chance):
    def folded(said):
        page = Page(id="ord_1", state=empty())
        for n, one in enumerate([*said, None]):
            if n == min(at, len(said)):
                refold(page, said[:n], lambda prefix: prefix, redacted_at="now")
            if one is not None:
                turn(page, [one], lambda prefix: prefix)
        return content(page.doc)

    shuffled = facts * 2
    chance.shuffle(shuffled)

    assert folded(facts) == folded(shuffled)
