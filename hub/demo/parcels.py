"""The second half of the story: a parcel is shipped, found and delivered; the partner is away and comes back."""

from __future__ import annotations

import secrets

from hub.contract.message import Message
from hub.demo.orders import ORDER, answered, edited, shop_order
from hub.demo.scene import PARCELS, PARTNER, SHOP, Doc, Scene
from hub.demo.senders import sample

NUMBER = "DA104729319PT"
AWAY = "KK-1005"
_REFUSED = 2


async def scans(scene: Scene) -> None:
    """The warehouse ships; the parcel service tells the delivery before the journey."""
    order = await scene.order(ORDER)
    await scene.post("/v1/shipments", {
        "ref": "WH-1", "order": order["id"], "status": "shipped",
        "packages": [{"carrier": "ctt", "tracking_number": NUMBER}],
    })  # fmt: skip
    order = await scene.order(ORDER, lambda one: bool(one.get("shipments")))
    scene.voice.check(
        order["fulfillment_status"] == "fulfilled", "warehouse → hub",
        f"POST /v1/shipments: {ORDER} left as {NUMBER} by CTT: {order['fulfillment_status']}",
    )  # fmt: skip
    first = await scene.parcels.send(_scan("delivered"))
    order = await scene.order(ORDER, lambda one: one["shipments"][0]["status"] == "delivered")
    scene.voice.check(
        first.status == 202,
        "AfterShip → hub",
        f"“delivered” comes first and names the number alone: it is {ORDER}'s parcel",
    )
    late = await scene.parcels.send(_scan("transit"))
    processed = await scene.until("the late scan", lambda: _processed(scene, late.said["message"]))
    order = await scene.order(ORDER)
    shipment = order["shipments"][0]
    scene.voice.check(
        shipment["status"] == "delivered" and processed["status"] == "processed", "AfterShip → hub",
        f"“in transit” comes late: {answered(late)}; the parcel stays {shipment['status']}",
    )  # fmt: skip
    for type_ in ("shipment.shipped", "shipment.delivered"):
        await scene.heard(type_, ORDER)
    told = [
        one.type for one in scene.partner.accepted if one.number == ORDER and one.type.startswith("shipment.")
    ]
    scene.voice.check(
        told.index("shipment.shipped") < told.index("shipment.delivered"),
        "hub → partner",
        f"{', then '.join(told)}",
    )
    scene.voice.see(f"orderhub orders show {ORDER}    orderhub messages list --connection {PARCELS}")


def _scan(name: str) -> Message:
    return sample(name, event_id=secrets.token_hex(16))


async def _processed(scene: Scene, message: str) -> Doc | None:
    found: Doc = await scene.get(f"/v1/messages/{message}")
    return found if found["status"] != "received" else None


async def shop_told(scene: Scene) -> None:
    """The shop's own API was told the tracking number, once."""

    async def told() -> Doc | None:
        return next((one.node() for one in scene.shop.told if one.number == NUMBER), None)

    parcel = await scene.until("the shop to be told", told)
    line = parcel["trackingInfo"][0]
    scene.voice.check(
        len(scene.shop.told) == 1, "hub → shop",
        f"fulfillmentCreate at {scene.shop_url}: {line['number']} by {line['company']}, as Shopify spells it",
        otherwise=f"the shop was told {len(scene.shop.told)} times",
    )  # fmt: skip
    scene.voice.check(
        "Fulfilled" in scene.shop.asked,
        "hub → shop",
        "it had looked first whether an earlier try was there: never two parcels of one",
    )
    scene.voice.see(f"orderhub deliveries list --order {ORDER}")


async def partner_away(scene: Scene) -> None:
    """The partner's server answers 503 for a while; then everything comes, in order."""
    scene.partner.down = True
    await scene.store.send(shop_order(scene.shop, AWAY))
    await scene.order(AWAY)
    await scene.store.send(shop_order(scene.shop, AWAY, "orders/updated", **edited("For the balcony.", 5)))
    await scene.order(AWAY, lambda one: one["customer_note"] == "For the balcony.")
    await scene.store.send(shop_order(scene.shop, AWAY, "orders/updated", **edited("For the roof.", 9)))
    order = await scene.order(AWAY, lambda one: one["customer_note"] == "For the roof.")

    async def refused() -> int | None:
        count = sum(one.number == AWAY and one.answered == 503 for one in scene.partner.heard)
        return count if count >= _REFUSED else None

    tries = await scene.until("the partner to refuse", refused)
    heads = {one.id for one in scene.partner.heard if one.number == AWAY}
    scene.voice.check(
        len(heads) == 1,
        "hub → partner",
        f"answers 503: the first event of {AWAY} is tried again ({tries} times), the others wait",
    )
    scene.partner.down = False
    events = [one["id"] for one in await scene.rows("/v1/events", order=order["id"])]

    async def caught_up() -> list[str] | None:
        got = [one.id for one in scene.partner.accepted if one.number == AWAY]
        return got if len(got) >= len(events) else None

    got = await scene.until("the partner to catch up", caught_up)
    scene.voice.check(
        got == events, "hub → partner", f"is back: all {len(got)} events of {AWAY}, each once, in the order in which they happened",
        otherwise=f"the hub said {events}, the partner got {got}",
    )  # fmt: skip
    scene.voice.see(
        f"orderhub deliveries list --endpoint {PARTNER}    orderhub messages list --connection {SHOP}"
    )
