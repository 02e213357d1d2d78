"""The same facts in any order, repeated, in any company, give the same orders: through the real hub, on both engines."""

from __future__ import annotations

import itertools
import random
from typing import Any

import msgspec
from hypothesis import given, settings, strategies as st

from hub.contract.fact import Fact
from hub.contract.flow import Page
from hub.directory import Connection
from hub.inbound.hear import hear
from hub.inbound.record import Input
from hub.inbound.report import Call
from hub.orders import book, registers
from hub.orders.registers import Said
from hub.store.engine import Unit
from hub.world import World
from tests.orders.sayings import sayings
from tests.path.test_parcels import scan
from tests.path.town import ORDER, SHOP, Town, changed

RECORDED = (
    "orders-create.plain", "order_transactions-create.sale", "fulfillments-create.plain",
    "orders-partially_fulfilled.plain", "fulfillment_events-create.in_transit", "fulfillment_events-create.delivered",
    "fulfillments-update.two_parcels_delivered", "refunds-create.with_lines", "orders-updated.twin",
    "poll-orders.twin", "tracking_update.in_transit", "tracking_update.delivered", "hold", "release", "note",
)  # fmt: skip
_SAID = msgspec.json.Decoder(Said)
_tenants = (f"t{n}" for n in itertools.count())


async def _told(
    town: Town, shop: Connection, tracker: Connection, desk: Connection, what: str, copy: int
) -> None:
    """One thing of the recorded stream, however it reaches the hub."""
    town.hub.world.move(0.001)
    if what in ("hold", "release", "note"):
        day = {"hold": 21, "release": 22, "note": 23}[what]
        doc = {"kind": what, "ref": f"dec_{what}", "at": f"2026-03-{day}T10:00:00.000Z", "text": "called"}
        fact = Fact(
            subject="decision",
            ref=doc["ref"],
            order=ORDER,
            account=f"shopify:{SHOP}",
            doc=doc,
            full=frozenset({"*"}),
        )
        await town.hub.reporter.tell(
            Call(connection=desk, topic="decisions", body=b"", facts=[fact], actor="user")
        )
    elif what.startswith("poll-"):
        page = town.fixture("shopify", what)
        await town.hub.sweeper.page(
            shop, Page(topic=page.topic, body=page.body, headers=page.headers, dedupe=f"{copy}")
        )
    elif what.startswith("tracking_"):
        await town.push(tracker, scan(town, what, id=f"{what}-{copy}"))
    else:
        message = town.fixture("shopify", what)
        await town.push(shop, changed(message, key=f"{what}-{copy}") if copy else message)


async def _universe(town: Town, stream: list[str], pauses: set[int]) -> bytes:
    """The order that a stream makes in a tenant of its own; the hub gets its turn after some of the messages."""
    tenant = next(_tenants)
    shop = await town.connect("shopify", name="shop", tenant=tenant)
    tracker = await town.connect("aftership", name="tracker", tenant=tenant, account="one")
    desk = await town.connect("api", name="desk", settings={}, tenant=tenant)
    for place, what in enumerate(stream):
        await _told(town, shop, tracker, desk, what, stream[:place].count(what))
        if place in pauses:
            await town.hub.settle()
    await town.hub.settle()
    order = await town.order(tenant)
    assert order["state"] != "stub"
    return msgspec.json.encode(book.content(order), order="sorted")


async def test_a_recorded_stream_gives_the_same_order_however_it_arrives(town: Town) -> None:
    straight = await _universe(town, list(RECORDED), set(range(len(RECORDED))))
    told = msgspec.json.decode(straight)
    assert told["fulfillment_status"] == "fulfilled"
    assert len(told["shipments"]) == 2
    chance = random.Random(20)
    for _ in range(20):
        stream = list(RECORDED) + chance.sample(RECORDED, 4)
        chance.shuffle(stream)
        pauses = set(chance.sample(range(len(stream)), 5))

        assert await _universe(town, stream, pauses) == straight, (stream, pauses)


async def test_a_recorded_stream_told_backwards_or_all_at_once_gives_the_same_order(town: Town) -> None:
    straight = await _universe(town, list(RECORDED), set(range(len(RECORDED))))

    assert await _universe(town, list(RECORDED), set()) == straight
    assert await _universe(town, list(RECORDED[::-1]), set(range(len(RECORDED)))) == straight
    assert await _universe(town, list(RECORDED[::-1]), set()) == straight


@st.composite
def _facts(draw: st.DrawFn) -> list[tuple[Said, str]]:
    """Facts about two orders whose parcels may share numbers; a parcel's may leave its order to its number."""
    said = draw(st.lists(sayings(), min_size=2, max_size=9))
    orders = draw(st.lists(st.sampled_from(["o1", "o2"]), min_size=len(said), max_size=len(said)))
    unnamed = draw(st.lists(st.booleans(), min_size=len(said), max_size=len(said)))
    return [
        (one, "" if alone and one.subject == "tracking" else order)
        for one, order, alone in zip(said, orders, unnamed, strict=True)
    ]


@st.composite
def _tellings(draw: st.DrawFn) -> tuple[list[tuple[Said, str]], list[list[tuple[Said, str]]]]:
    facts = draw(_facts())
    told = draw(st.permutations(facts + draw(st.lists(st.sampled_from(facts), max_size=3))))
    cuts = sorted(draw(st.lists(st.integers(0, len(told)), max_size=3)))
    return facts, [list(told[a:b]) for a, b in zip([0, *cuts], [*cuts, len(told)], strict=True) if a < b]


async def _record(
    town: Town, tenant: str, sources: dict[str, Connection], batch: list[tuple[Said, str]]
) -> None:
    hub = town.hub
    now = hub.world.now()
    hub.world.move(0.001)
    inputs = []
    for said, order in batch:
        connection = sources[said.source]
        ref = order if said.subject == "order" else said.ref
        fact = Fact(subject=said.subject, ref=ref, order=order or None, account="shopify:lamps", doc=said.doc,
                    revision=said.rev[0], full=frozenset(said.full))  # type: ignore[arg-type]  # fmt: skip
        heard = hear(fact, hub.directory.channel(connection), connection, lambda _name: None, arrived=now,
                     rank=said.rev[1], mapping="")  # fmt: skip
        inputs.append(
            Input(message=hub.world.new_id("msg"), tenant=tenant, connection=connection.id, heard=[heard])
        )

    async def work(unit: Unit) -> None:
        await hub.recorder.record(unit, inputs)

    async with hub.normalise.turn:
        await hub.engine.transact(work)


async def _orders(town: Town, batches: list[list[tuple[Said, str]]]) -> tuple[str, dict[str, bytes]]:
    """The orders that these batches make in a tenant of their own, by ref."""
    tenant = next(_tenants)
    sources = {}
    for n, name in enumerate(("shopify:lamps", "wms:leipzig", "aftership:one")):
        account = name.partition(":")[2]
        sources[name] = await town.connect("shopify", name=f"s{n}", tenant=tenant, account=account)
    for batch in batches:
        await _record(town, tenant, sources, batch)
    found = {}
    for order in await town.orders(tenant):
        names = await town.hub.engine.fetch("identities_of_order", order_id=order["id"])
        ref = next(name for source, type_, name in names if type_ == "order")
        found[ref] = msgspec.json.encode(book.content(order), order="sorted")
    return tenant, found


@settings(max_examples=25)
@given(_tellings())
async def test_whatever_is_said_of_orders_that_share_a_box_they_come_out_the_same(
    town: Town, tellings: tuple[list[tuple[Said, str]], list[list[tuple[Said, str]]]]
) -> None:
    facts, batches = tellings
    _, straight = await _orders(town, [[one] for one in facts])
    tenant, shuffled = await _orders(town, batches)

    assert shuffled == straight
    for order in await town.orders(tenant):
        await _refolds(town, tenant, order)


async def _refolds(town: Town, tenant: str, order: dict[str, Any]) -> None:
    """What is stored of an order makes it again."""
    kept = await town.hub.engine.fetch("facts_of_order", tenant=tenant, order_id=order["id"])
    page = book.Page(id=order["id"], state=registers.empty())
    turned = book.refold(page, [_SAID.decode(bytes(one[8])) for one in kept], World.still().new_id)
    assert turned.page.doc is not None
    assert book.content(turned.page.doc) == book.content(order)


async def test_a_part_and_the_whole_with_the_same_words_are_both_kept(town: Town) -> None:
    doc: dict[str, Any] = {"ref": "o1", "number": "LL-1"}
    whole = Said(
        source="shopify:lamps", subject="order", ref="o1", rev=[1, 0, ""], full=["lines", "order"], doc=doc
    )
    part = msgspec.structs.replace(whole, full=[])
    line = Said(source="shopify:lamps", subject="order", ref="o1", rev=[0, 0, ""], full=["lines"],
                doc={"ref": "o1", "lines": [{"ref": "l1", "quantity": {"ordered": "1"}}]})  # fmt: skip
    tenant, _ = await _orders(town, [[(line, "o1")], [(part, "o1")], [(whole, "o1")]])

    await _refolds(town, tenant, await town.order(tenant))
