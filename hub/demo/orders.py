"""The first half of the story: orders arrive, early, twice, forged, unreadable, and by telephone."""

from __future__ import annotations

import secrets
from typing import Any

from hub.contract.given import read_settings
from hub.contract.message import Message
from hub.demo.scene import PARTNER, SHOP, Doc, Scene
from hub.demo.senders import Answered, sample
from hub.demo.shop import Shop

ORDER, EARLY, TIMELY, COMMA, PHONE = "KK-1001", "KK-1002", "KK-1003", "KK-1004", "PH-2001"

MAPPING = """map: kite.order
target: order/1
extends: shopify.order          # everything as it is, but for one line

fields:
  lines:
    map:
      unit_price: price | replace(',', '.') | money(@cur)

tests:
  - name: a price with a comma
    input: {"id": 1, "currency": "EUR", "line_items": [{"id": 2, "quantity": 1, "price": "64,00"}]}
    expect: {"lines[0].unit_price.amount": "64.00"}
"""


def shop_order(shop: Shop, number: str, topic: str = "orders/create", **changes: Any) -> Message:
    """An order as the shop tells it; the same number is the same order."""
    id_ = 5910000000000 + int(number.partition("-")[2])
    message = sample(
        "order",
        {"X-Shopify-Topic": topic, "X-Shopify-Webhook-Id": secrets.token_hex(16)},
        id=id_, name=number, order_number=int(number.partition("-")[2]),
        admin_graphql_api_id=f"gid://shopify/Order/{id_}", **changes,
    )  # fmt: skip
    shop.orders[str(id_)] = {str(line["id"]): line["quantity"] for line in message.json()["line_items"]}
    return message


def edited(note: str, minute: int = 5) -> Doc:
    """What an edit changes: three kites for two, a note, and the time of it."""
    lines = sample("order").json()["line_items"]
    lines[1] = {**lines[1], "quantity": 3, "current_quantity": 3, "price": "14.50"}
    money = {
        "subtotal_price": "107.50",
        "current_subtotal_price": "107.50",
        "total_line_items_price": "107.50",
    }
    money |= {
        "total_price": "113.40",
        "current_total_price": "113.40",
        "total_tax": "21.20",
        "current_total_tax": "21.20",
    }
    return {**money, "note": note, "updated_at": f"2026-10-12T10:{minute:02}:00+00:00", "line_items": lines}


def answered(answer: Answered) -> str:
    """An answer in a few words."""
    return f"answered {answer.status} in {answer.took:.0f} ms"


def amount(order: Doc) -> str:
    """What an order comes to."""
    total = order["totals"]["total"]
    return f"{total['amount']} {total['currency']}"


async def signed_order(scene: Scene) -> Message:
    """A signed order goes the whole way."""
    message = shop_order(scene.shop, ORDER)
    answer = await scene.store.send(message)
    scene.voice.check(
        answer.status == 202, "shop → hub", f"orders/create {ORDER}, signed by the shop: {answered(answer)}"
    )
    order = await scene.order(ORDER)
    pieces = sum(int(line["quantity"]["ordered"]) for line in order["lines"])
    scene.voice.check(
        order["state"] == "confirmed" and order["payment_status"] == "paid" and order["ready"],
        "hub", f"{order['id']}: {pieces} pieces, {amount(order)}, {order['state']}, {order['payment_status']}, ready to ship",
    )  # fmt: skip
    webhook = await scene.heard("order.created", ORDER)
    scene.voice.check(
        webhook.verified, "hub → partner",
        f"order.created, number {webhook.sequence} of this order; the partner verified its signature, "
        f"{scene.voice.elapsed:.1f} s after the start",
    )  # fmt: skip
    scene.voice.see(f"orderhub orders show {ORDER}    orderhub why {ORDER} totals.total")
    return message


async def early_edit(scene: Scene) -> None:
    """An edit overtakes its order; the order is the same as where nothing was overtaken."""
    first = await scene.store.send(
        shop_order(scene.shop, EARLY, "orders/updated", **edited("Leave it at the bakery."))
    )
    scene.voice.check(
        first.status == 202, "shop → hub", f"the edit of {EARLY} comes first: {answered(first)}"
    )
    await scene.order(EARLY)
    late = await scene.store.send(shop_order(scene.shop, EARLY))
    scene.voice.check(
        late.status == 202, "shop → hub", f"the order {EARLY} itself comes after it: {answered(late)}"
    )
    await scene.store.send(shop_order(scene.shop, TIMELY))
    await scene.order(TIMELY)
    await scene.store.send(
        shop_order(scene.shop, TIMELY, "orders/updated", **edited("Leave it at the bakery."))
    )
    timely = await scene.order(TIMELY, lambda one: one["customer_note"] == "Leave it at the bakery.")
    overtaken = await scene.order(EARLY)
    parts = (
        "customer_note",
        "totals",
        "computed_totals",
        "buyer",
        "ship_to",
        "shipping",
        "state",
        "payment_status",
    )
    same = all(overtaken.get(part) == timely.get(part) for part in parts) and _pieces(overtaken) == _pieces(
        timely
    )
    scene.voice.check(
        same, "hub", f"{EARLY} is what {TIMELY} is, which came in order: {amount(overtaken)}, “{overtaken['customer_note']}”",
        otherwise=f"{EARLY} and {TIMELY} differ",
    )  # fmt: skip
    await scene.heard("order.edited", TIMELY)
    told = [one.type for one in scene.partner.heard if one.number == EARLY and one.type == "order.edited"]
    scene.voice.check(
        not told,
        "hub → partner",
        f"order.created of {EARLY}, edited already: the late order is no news to anyone",
    )
    scene.voice.see(f"orderhub orders show {EARLY}    orderhub events list --order {EARLY}")


def _pieces(order: Doc) -> dict[str, str]:
    return {line["sku"]: line["quantity"]["ordered"] for line in order["lines"]}


async def duplicate(scene: Scene, message: Message) -> None:
    """The shop sends the first order again: the same delivery, byte for byte."""
    before = await scene.rows("/v1/events", order=(await scene.order(ORDER))["id"])
    answer = await scene.store.send(message)
    scene.voice.check(
        answer.status == 200 and answer.said.get("status") == "duplicate",
        "shop → hub", f"{ORDER} once more: {answered(answer)}, as a duplicate, so that the shop is content",
    )  # fmt: skip
    after = await scene.rows("/v1/events", order=(await scene.order(ORDER))["id"])
    created = [one for one in scene.partner.accepted if one.number == ORDER and one.type == "order.created"]
    scene.voice.check(
        len(before) == len(after) and len(created) == 1,
        "hub → partner",
        f"nothing: {ORDER} was created once and told once",
    )
    scene.voice.see(f"orderhub messages list --connection {SHOP}")


async def forged(scene: Scene) -> None:
    """Somebody who does not know the secret sends an order."""
    before = await scene.rows("/v1/messages")
    message = shop_order(scene.shop, "KK-6666", total_price="0.01")
    other = read_settings(scene.store.channel.settings, {"webhook_secret": "guessed"})
    answer = await scene.store.send(message, secret=other)
    scene.voice.check(
        answer.status == 401,
        "stranger → hub",
        f"an order for 0.01 EUR with a guessed secret: {answered(answer)}",
    )
    after = await scene.rows("/v1/messages")
    orders = await scene.rows("/v1/orders", number="KK-6666")
    scene.voice.check(
        len(before) == len(after) and not orders,
        "hub",
        "nothing is stored but a counter: no message, no order, no webhook",
    )
    scene.voice.see("curl -s $ORDERHUB_URL/metrics | grep forged")


async def unreadable(scene: Scene) -> None:
    """A body that cannot be read is kept, named to the field, and read again after the mapping is mended."""
    lines = sample("order").json()["line_items"]
    lines[0] = {**lines[0], "price": "64,00"}
    answer = await scene.store.send(shop_order(scene.shop, COMMA, line_items=lines))
    scene.voice.check(
        answer.status == 202, "shop → hub", f"{COMMA} has a price with a comma: {answered(answer)} and kept"
    )
    fault = await scene.until("an exception", lambda: _open_exception(scene))
    place = fault["place"]
    scene.voice.check(
        bool(place.get("line")) and place.get("value") == "64,00", "hub",
        f"exception: {place['file']}:{place['line']}: {place['field']} is {place['value']!r}, which is no decimal number",
    )  # fmt: skip
    await scene.post("/v1/mappings/activate", {"text": MAPPING})
    await scene.patch(f"/v1/connections/{SHOP}", {"mappings": {"*": "kite.order"}})
    scene.voice.check(
        True, "operator → hub", "a mapping that extends shopify.order by one line is tested and activated"
    )
    await scene.post(f"/v1/messages/{answer.said['message']}/replay")
    order = await scene.order(COMMA)
    scene.voice.check(
        order["state"] == "confirmed", "hub", f"the kept message is read again: {COMMA}, {amount(order)}"
    )
    await scene.until("the exception to close", lambda: _closed(scene, fault["id"]))
    scene.voice.check(True, "hub", "the exception has closed itself")
    webhook = await scene.heard("order.created", COMMA)
    scene.voice.check(webhook.verified, "hub → partner", f"order.created of {COMMA}, late but not lost")
    scene.voice.see("orderhub exceptions list --all    orderhub map show kite.order")


async def _open_exception(scene: Scene) -> Doc | None:
    return next((one for one in await scene.rows("/v1/exceptions", state="open") if one.get("place")), None)


async def _closed(scene: Scene, id_: str) -> Doc | None:
    found: Doc = await scene.get(f"/v1/exceptions/{id_}")
    return found if found["state"] == "closed" else None


async def phone_order(scene: Scene) -> None:
    """A person at a telephone enters an order over the API and confirms it after reading it back."""
    made = await scene.post("/v1/orders", {
        "ref": PHONE, "number": PHONE, "channel": "phone", "currency": "EUR",
        "buyer": {"name": "Tomé Vasques", "phone": "+351 222 555 077"},
        "ship_to": {"name": "Tomé Vasques", "line1": "Largo do Moinho 4", "city": "Aveiro", "postal_code": "3800-001",
                    "country": "PT"},
        "lines": [{"ref": "1", "sku": "KITE-RED", "name": "Kite, red", "quantity": 2, "unit_price": "14.50"}],
        "totals": {"total": "29.00"},
    })  # fmt: skip
    order = await scene.order(PHONE)
    scene.voice.check(
        order["state"] == "open",
        "telephone → hub",
        f"POST /v1/orders {PHONE}: {order['state']}, to be confirmed",
    )
    await scene.post(f"/v1/orders/{order['id']}/confirm")
    order = await scene.order(PHONE, lambda one: one["state"] == "confirmed")
    scene.voice.check(bool(made), "telephone → hub", f"POST /v1/orders/…/confirm: {order['state']}")
    webhook = await scene.heard("order.confirmed", PHONE)
    scene.voice.check(
        webhook.verified, "hub → partner", f"order.created and order.confirmed of {PHONE}, in this order"
    )
    scene.voice.see(f"orderhub orders show {PHONE}    orderhub endpoints show {PARTNER}")
