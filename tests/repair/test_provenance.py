"""Each value of an order can say which message it came from, by which line of which mapping, and what it overrode."""

from __future__ import annotations

import msgspec

from hub.contract.fact import Redaction
from hub.repair.provenance import provenance
from hub.repair.redact import redact
from hub.repair.remap import remap
from hub.store.rows import PLAIN
from tests.repair.shop import ORDER, connect, order, parcel, scans


async def leaves(shop, field=None):
    held = await shop.order()
    found = await provenance(shop.hub, "main", held["id"], field)
    return {leaf.path: leaf for leaf in found.leaves}


async def test_every_leaf_of_the_document_is_explained(shop):
    await shop.tell("orders", order())
    await shop.tell("parcels", parcel())
    await shop.tell("scans", scans("in_transit", "delivered"))
    held = await shop.order()

    found = await leaves(shop)

    def paths(value, path=""):
        if isinstance(value, dict):
            return [
                one
                for name, inner in value.items()
                for one in paths(inner, f"{path}.{name}" if path else name)
            ]
        if isinstance(value, list):
            return [one for n, inner in enumerate(value) for one in paths(inner, f"{path}[{n}]")]
        return [path]

    ours = {"id", "hub_number", "tenant", "connection", "version", "sequence", "created_at", "updated_at"}
    assert found.keys() == {path for path in paths(held) if path not in ours}


async def test_a_value_names_its_fact_message_mapping_line_and_source(shop):
    message = await shop.tell("orders", order())

    leaf = (await leaves(shop, "lines[1].sku"))["lines[1].sku"]

    line = ORDER.splitlines().index("      sku: sku") + 1
    assert leaf.value == "CUP-9"
    assert (leaf.given.message, leaf.given.connection, leaf.given.account) == (
        message,
        shop.corner.id,
        "corner:corner.example",
    )
    assert (leaf.given.mapping, leaf.given.field) == ("corner.order", "lines[1].sku")
    assert leaf.given.hash == shop.hub.registry.mapping("corner.order").hash
    assert (leaf.given.source.file, leaf.given.source.line) == ("corner.order.yaml", line)
    assert [(one.path, one.value) for one in leaf.given.source.reads] == [("items[1].sku", "CUP-9")]
    assert leaf.overrode == []


async def test_money_and_translated_words_say_what_stood_there(shop):
    await shop.tell("orders", order())

    found = await leaves(shop)

    (total,) = found["totals.total.amount"].given.source.reads
    paid = found["payment_status"]
    assert (total.path, total.value) == ("total", "24.00")
    assert (paid.value, paid.given.field) == ("paid", "source_payment_status")
    assert [(one.path, one.value) for one in paid.given.source.reads] == [("paid", "yes")]


async def test_what_was_overridden_is_told_newest_first(shop):
    first = await shop.tell("orders", order(at=0, name="one"))
    third = await shop.tell("orders", order(at=9, name="three"))
    second = await shop.tell("orders", order(at=5, name="two"))

    leaf = (await leaves(shop, "number"))["number"]

    assert (leaf.value, leaf.given.message) == ("three", third)
    assert [(one.value, one.given.message) for one in leaf.overrode] == [("two", second), ("one", first)]


async def test_digits_and_flags_are_told_by_their_place(shop):
    message = await shop.tell("orders", order())

    found = await leaves(shop)

    assert found["lines[0].quantity.ordered"].value == "2"
    assert found["lines[0].quantity.ordered"].given.message == message
    assert found["lines[0].quantity.ordered"].given.source.reads[0].path == "items[0].qty"


async def test_what_the_hub_concludes_is_nobody_s(shop):
    await shop.tell("orders", order())

    found = await leaves(shop)

    for path in ("state", "lines[0].id", "fulfillment_status", "lines[0].quantity.open", "ready"):
        assert found[path].given is None, path


async def test_scans_and_parcels_lead_to_their_own_messages(shop):
    await shop.tell("orders", order())
    told = await shop.tell("parcels", parcel())
    seen = await shop.tell("scans", scans("in_transit"))

    found = await leaves(shop, "shipments")

    assert found["shipments[0].tracking_number"].given.message == told
    status = found["shipments[0].packages[0].tracking.scans[0].text"]
    assert (status.given.message, status.given.connection) == (seen, shop.beacon.id)
    assert status.given.source.reads[0].path == "scans[0].said"


async def test_a_field_is_named_by_place_or_by_name_and_reaches_what_is_below(shop):
    await shop.tell("orders", order())

    assert set(await leaves(shop, "lines[b].sku")) == {"lines[1].sku"}
    assert set(await leaves(shop, "totals")) == {"totals.total.amount", "totals.total.currency"}
    assert await leaves(shop, "total") == {}


async def test_a_mapping_that_is_no_longer_in_force_still_has_its_lines(shop):
    await shop.tell("orders", order())
    other = ORDER.replace("  number: name\n", "\n\n  number: name | lower\n")
    await remap(shop.hub, "main", {"corner.order": other}, apply=True)

    leaf = (await leaves(shop, "number"))["number"]

    assert leaf.given.hash != shop.hub.registry.mapping("corner.order").hash
    assert leaf.given.mapping == "corner.order"
    assert leaf.given.source.line == other.splitlines().index("  number: name | lower") + 1


async def test_without_the_message_its_fact_is_still_named(shop):
    message = await shop.tell("orders", order())
    await shop.write("messages_purge", [(1 << 62,)])
    position = (await shop.hub.engine.fetch("messages_get", tenant="main", id=message))[0][0]
    await shop.write("messages_purge", [(position,)])

    leaf = (await leaves(shop, "number"))["number"]

    assert (leaf.given.message, leaf.given.source) == (message, None)


async def test_a_redacted_order_is_explained_as_far_as_it_is_known(shop):
    await shop.tell("orders", order())
    await redact(shop.hub, "main", Redaction(orders=("7000001",)), apply=True)

    found = await leaves(shop)

    assert found["number"].given is not None
    assert b"Ilka" not in PLAIN.encode(list(found.values()))


async def test_another_tenant_s_order_has_no_provenance_for_us(shop):
    theirs = await connect(shop.hub, "corner", "corner", tenant="theirs")
    await shop.tell("orders", order(), theirs)
    (held,) = await shop.orders("theirs")

    assert await provenance(shop.hub, "main", held["id"]) is None


async def test_it_is_shown_as_json(shop):
    await shop.tell("orders", order())

    found = await provenance(shop.hub, "main", (await shop.order())["id"], "number")

    (leaf,) = msgspec.json.decode(PLAIN.encode(found))["leaves"]
    assert leaf["path"] == "number"
    assert leaf["given"]["source"]["reads"] == [{"path": "name", "value": "C-1"}]
