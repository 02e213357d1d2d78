"""A sender that nobody else knows: its settings shape the door, the connection's own mapping its words."""

from __future__ import annotations

import json

import msgspec

from hub.contract.message import Headers, Message
from hub.store.engine import Unit
from tests.path.town import ORDER, Town, knock

TOKEN = {"proof": "token", "webhook_secret": "s3cret", "topic": "body:type", "dedupe": "body:delivery"}
MINE = """
map: till.parcel
target: shipment/1
full: none
account: null | concat('connection:', shop)
fields: {ref: parcel | str | required, order: sale | str | required, tracking_number: parcel | str, status: "'shipped'"}
"""


def said(**body: object) -> Message:
    return Message(body=json.dumps(body).encode(), headers=Headers({"content-type": "application/json"}))


async def activate(town: Town, name: str, text: str) -> None:
    """As `orderhub map activate` leaves it."""
    town.hub.registry = town.hub.registry.with_mappings({name: text})
    town.hub.directory.registry = town.hub.registry
    await town.hub.directory.refresh()


async def test_a_topic_is_read_by_the_connection_s_own_mapping_whatever_it_aims_at(town: Town):
    await activate(town, "till.parcel", MINE.replace("'shipped'", "status | default('x') | lookup('s')").replace(
        "fields:", 'tables: {s: {"*": shipped}}\nfields:'))  # fmt: skip
    shop = await town.connect("shopify")
    partner = await town.partner(events=["shipment.*"])
    await town.say(shop, "orders-create.plain")
    till = await town.connect(
        "generic", settings=TOKEN, mappings={"parcel.sent": "till.parcel", "sale": "generic.order"}
    )
    await town.say(till, said(type="parcel.sent", delivery="1", parcel="JD01", sale=ORDER,
                              shop=shop.name))  # fmt: skip

    order = await town.order()
    assert [one["tracking_number"] for one in order["shipments"]] == ["JD01"]
    assert "shipment.shipped" in partner.told()


async def test_a_topic_without_a_mapping_is_kept_and_ignored_until_it_has_one(town: Town):
    till = await town.connect("generic", settings=TOKEN)
    answer = await town.push(till, said(type="sale", delivery="1", id="7", number="7", currency="EUR"))
    await town.hub.settle()

    assert answer.status == 202
    assert await town.statuses() == ["ignored"]
    assert await town.exceptions() == []
    till.mappings = {"*": "generic.order"}
    await town.put(till)

    async def again(unit: Unit) -> None:
        unit.add("messages_reopen", [("main", (await town.messages())[0][1])], until=0)

    await town.hub.engine.transact(again)
    town.hub.inbox.spilled = True
    await town.hub.settle()
    assert (await town.order())["number"] == "7"


async def test_the_delivery_id_makes_a_push_the_same_and_without_one_none_is_lost(town: Town):
    till = await town.connect("generic", settings=TOKEN, mappings={"*": "generic.order"})
    for paid in ("1.00", "1.00"):
        await town.push(till, said(type="sale", delivery="1", id="7", number="7", currency="EUR", total=paid))
    assert len(await town.statuses()) == 1

    plain = await town.connect(
        "generic", name="plain", settings={**TOKEN, "dedupe": "", "topic": "fixed:orders"}
    )
    for paid in ("1.00", "2.00", "1.00"):
        await town.say(plain, said(id="8", number="8", currency="EUR", total=paid))
    totals = {one["number"]: one["totals"]["total"]["amount"] for one in await town.orders()}
    assert totals == {"7": "1.00", "8": "1.00"}, "the third is no duplicate of the first"


async def test_a_reply_is_given_as_told_and_a_forged_push_gets_none_of_it(town: Town):
    till = await town.connect(
        "generic", settings={**TOKEN, "reply": "success"}, mappings={"*": "generic.order"}
    )
    message = said(type="sale", delivery="1", id="7", number="7", currency="EUR")

    assert (await town.push(till, message)).body == b"success"
    assert (await town.push(till, message)).body == b"success"
    forged = msgspec.structs.replace(
        town.signed(till, message), headers=Headers({"authorization": "Bearer no"})
    )
    refused = await knock(town.hub.intake, forged, f"/in/{till.key}")
    assert (refused.status, refused.body == b"success") == (401, False)
