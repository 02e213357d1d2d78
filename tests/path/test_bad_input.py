"""What is wrong with what comes: kept, told with its place, closed by itself once it is mended; never dropped."""

from __future__ import annotations

import contextlib
import json

import asyncpg
import msgspec
import pytest

from hub.contract.message import Headers
from hub.run import Hub
from hub.store.engine import Unavailable, Unit
from hub.vault import Vault
from tests.path.town import Town, changed, knock

PLAIN = "orders-create.plain"


async def replay(hub: Hub, tenant: str = "main") -> None:
    """Read every message that failed once more."""
    rows = await hub.engine.fetch(
        "messages_list", tenant=tenant, after=0, connection="", status="failed", most=100
    )

    async def work(unit: Unit) -> None:
        unit.add("messages_reopen", [(tenant, row[1]) for row in rows], until=0)

    await hub.engine.transact(work)
    hub.inbox.spilled = True
    await hub.settle()


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("orders-create.money_with_a_comma", "lines[0].unit_price", "34,50"),
        ("orders-create.date_without_a_zone", "placed_at", "2026-03-14 10:29:57"),
        ("orders-create.no_currency", "@cur", ""),
        ("orders-create.no_id", "ref", ""),
        ("orders-create.not_json", "body", ""),
    ],
)
async def test_what_cannot_be_read_is_kept_and_told_with_its_place(
    town: Town, name: str, field: str, value: str
) -> None:
    shop, partner = await town.connect("shopify"), await town.partner()
    answer = await town.push(shop, name)
    await town.hub.settle()

    assert answer.status == 202
    assert await town.statuses() == ["failed"]
    assert await town.orders() == []
    assert partner.got == []
    (trouble,) = await town.exceptions()
    place = trouble["place"]
    assert place["field"] == field
    assert place.get("value", "").startswith(value)
    if field != "body":
        assert place["file"] == "mappings/shopify.order.yaml"
        assert place["line"] > 1
    assert trouble["subject"] == (await town.messages())[0][1]
    rows = await town.hub.engine.fetch("messages_get", tenant="main", id=trouble["subject"])
    assert bytes(rows[0][7]) == town.fixture("shopify", name).body, "byte for byte"


async def test_messages_that_stumble_over_one_thing_are_one_exception(town: Town) -> None:
    shop = await town.connect("shopify")
    broken = town.fixture("shopify", "orders-create.money_with_a_comma")
    await town.say(shop, broken, changed(broken, key="b"), changed(broken, key="c"))
    await town.say(shop, "orders-create.date_without_a_zone")

    assert sorted(one["count"] for one in await town.exceptions()) == [1, 3]


async def test_an_exception_closes_itself_when_a_mended_mapping_reads_the_message(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner(events=["order.created"])
    await town.say(shop, "orders-create.money_with_a_comma")
    assert len(await town.exceptions()) == 1

    await replay(town.hub)
    assert len(await town.exceptions()) == 1, "nothing is mended yet"

    text = town.hub.registry.texts["shopify.order"].text
    lenient = text.replace("unit_price: price | money", "unit_price: price | replace(',', '.') | money")
    assert lenient != text
    town.hub.directory.registry = town.hub.registry.with_mappings({"shopify.order": lenient})
    await replay(town.hub)

    assert await town.statuses() == ["processed"]
    assert await town.exceptions() == []
    (closed,) = await town.exceptions("closed")
    assert closed["place"]["value"] == "34,50"
    assert partner.told() == ["order.created"]


async def test_one_unreadable_message_holds_up_no_other(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner(events=["order.created"])
    await town.push(shop, "orders-create.not_json")
    await town.push(shop, PLAIN)
    await town.push(shop, "orders-create.no_id")
    await town.push(shop, "orders-create.point_of_sale")
    await town.hub.settle()

    assert await town.statuses() == ["failed", "processed", "failed", "processed"]
    assert partner.told() == ["order.created", "order.created"]


async def test_nul_and_surrogates_in_a_body_reach_nobody(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner(events=["order.created"])
    await town.say(shop, "orders-create.nul_and_surrogates")

    (hook,) = partner.take()
    text = hook.body.decode()
    assert "\\u0000" not in text
    assert "\\ud8" not in text.lower()
    assert (await town.order())["number"] == "LL-2009"


async def test_nul_and_odd_bytes_in_headers_topic_query_and_path_are_stored_and_do_no_harm(
    town: Town,
) -> None:
    shop = await town.connect("shopify")
    honest = town.signed(shop, town.fixture("shopify", PLAIN))
    odd = [
        ("x-odd", "a\0b\xff\xed\xa0\x80"),
        ("x-shopify-webhook-id", "id\0with\xed\xa0\x80odds"),
        ("cookie", "secret=1"),
    ]
    pairs = [two for two in honest.headers.pairs if two[0] != "x-shopify-webhook-id"]
    message = msgspec.structs.replace(honest, headers=Headers([*pairs, *odd]), query="a=%00&b=\xff")
    answer = await knock(town.hub.intake, message, f"/in/{shop.key}/sub\0path")
    await town.hub.settle()

    assert answer.status == 202
    assert await town.statuses() == ["processed"]
    head = json.loads(bytes((await town.messages())[0][6]))
    stored = dict(head["headers"])
    assert "\0" not in stored["x-odd"]
    assert "cookie" not in stored, "what would let others speak as the sender is not kept"
    again = await knock(town.hub.intake, message, f"/in/{shop.key}")
    assert again.json() == {"status": "duplicate"}


async def test_a_topic_with_nul_in_it_is_a_topic_nobody_reads(town: Town) -> None:
    shop = await town.connect("shopify")
    honest = town.signed(shop, changed(town.fixture("shopify", PLAIN), topic="orders/\0\xff"))

    assert (await knock(town.hub.intake, honest, f"/in/{shop.key}")).status == 202
    assert await town.statuses() == ["ignored"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orders-create.ids_beyond_2_53", {"ref": "820982911946154508"}),
        ("orders-create.empty_objects_for_lists", {"number": "LL-2006"}),
        ("orders-create.null_addresses", {"number": "LL-2004"}),
        ("orders-create.deleted_customer", {"number": "LL-2003"}),
        ("orders-create.unknown_words", {"payment_status": "unknown"}),
        ("orders-create.odd_properties", {"number": "LL-2007"}),
        ("orders-create.protected_data_withheld", {"number": "LL-2002"}),
    ],
)
async def test_odd_but_honest_orders_become_orders(town: Town, name: str, expected: dict[str, str]) -> None:
    shop, partner = await town.connect("shopify"), await town.partner(events=["order.created"])
    await town.say(shop, name)

    order = await town.order()
    assert {key: order[key] for key in expected} == expected
    assert await town.statuses() == ["processed"]
    assert partner.told() == ["order.created"]


async def test_ids_beyond_what_a_float_can_hold_stay_what_they_are(town: Town) -> None:
    shop = await town.connect("shopify")
    await town.say(shop, "orders-create.ids_beyond_2_53")

    order = await town.order()
    assert order["ref"] == "820982911946154508"
    assert [line["ref"] for line in order["lines"]] == ["9007199254740995"]


async def test_a_float_with_binary_noise_is_the_amount_that_was_meant(town: Town) -> None:
    shop = await town.connect("shopify")
    await town.say(shop, "orders-create.binary_noise")

    order = await town.order()
    expected = json.loads(
        (town.hub.registry.samples("shopify").fixture("orders-create.binary_noise")).golden.read_text()
    )
    assert order["totals"]["total"] == expected[0]["doc"]["totals"]["total"]
    assert all(len(line["unit_price"]["amount"].partition(".")[2]) <= 6 for line in order["lines"])
    assert "anomalies" not in order


async def test_a_word_that_no_table_knows_fails_no_order_and_is_told_once(town: Town) -> None:
    shop = await town.connect("shopify")
    odd = town.fixture("shopify", "orders-create.unknown_words")
    await town.say(shop, odd, changed(odd, key="again", updated_at="2026-03-15T10:30:02+01:00"))

    assert await town.statuses() == ["processed", "processed"]
    (trouble,) = await town.exceptions()
    assert "in_escrow" in trouble["title"]


async def test_a_test_order_goes_only_to_those_who_asked_for_tests(town: Town) -> None:
    shop = await town.connect("shopify")
    plain, lab = await town.partner(), await town.partner(include_test=True)
    await town.say(shop, "orders-create.test_order")

    assert plain.got == []
    events = [hook.event for hook in lab.take()]
    assert {event["test"] for event in events} == {True}
    assert "order.ready" not in [event["type"] for event in events]


async def test_a_store_that_cannot_be_written_is_answered_503_and_asks_to_come_again(town: Town) -> None:
    shop = await town.connect("shopify")
    await town.hub.engine.close()
    answer = await town.push(shop, PLAIN)

    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    await town.hub.engine.open()
    assert (await town.push(shop, PLAIN)).status == 202
    assert len(await town.messages()) == 1


async def test_connections_that_are_cut_cost_no_message(town: Town, database: str) -> None:
    if not database.startswith("postgres"):
        pytest.skip("a file is not cut off")
    shop, partner = await town.connect("shopify"), await town.partner(events=["order.created"])
    other = await asyncpg.connect(database)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    await other.execute(cut)
    statuses = [(await town.push(shop, PLAIN)).status for _ in range(12)]
    await other.execute(cut)
    await other.close()
    for _ in range(4):
        # A stage that stumbled goes on at its next turn; what memory lost is in the store, when its claim has run out.
        for _ in range(10):
            town.hub.inbox.spilled = True
            with contextlib.suppress(Unavailable):
                await town.hub.settle()
        town.hub.world.move(61)

    assert set(statuses) <= {200, 202, 503}
    assert 202 in statuses
    assert await town.statuses() == ["processed"]
    assert partner.told() == ["order.created"]


async def test_a_secret_that_cannot_be_opened_is_503_and_not_401(town: Town) -> None:
    shop = await town.connect("shopify")
    signed = town.signed(shop, town.fixture("shopify", PLAIN))
    town.hub.directory.vault = Vault((b"\1" * 32,))
    town.hub.directory._settings.clear()

    assert (await knock(town.hub.intake, signed, f"/in/{shop.key}")).status == 503


async def test_a_message_of_a_connection_that_is_gone_is_kept_and_told(town: Town) -> None:
    shop = await town.connect("shopify")
    await town.push(shop, PLAIN)

    async def work(unit: Unit) -> None:
        unit.add("things_drop", kind="connection", id=shop.id, tenant="main")

    await town.hub.engine.transact(work)
    await town.hub.directory.refresh()
    await town.hub.settle()

    assert await town.statuses() == ["failed"]
    (trouble,) = await town.exceptions()
    assert "is gone" in trouble["title"]
