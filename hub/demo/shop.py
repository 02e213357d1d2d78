"""The shop's own API, as much of Shopify's GraphQL as tells it a tracking number: it lives on this machine alone."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

Doc = dict[str, Any]
_OPERATION = re.compile(r"\s*(?:query|mutation)\s+(\w+)")
_NO_MORE = {"hasNextPage": False, "endCursor": None}
TOKEN = "shpat_demo_only"


@dataclass(slots=True)
class Fulfilment:
    """A parcel that the shop was told of."""

    id: str
    order: str
    company: str
    number: str
    items: list[Doc]

    def node(self) -> Doc:
        """As the shop tells it."""
        return {
            "id": f"gid://shopify/Fulfillment/{self.id}",
            "legacyResourceId": self.id,
            "status": "SUCCESS",
            "trackingInfo": [{"company": self.company, "number": self.number, "url": None}],
        }


@dataclass(slots=True)
class Shop:
    """An ASGI application; `orders` are its orders' lines (order → line → pieces), `told` what it was told."""

    domain: str
    orders: dict[str, dict[str, int]] = field(default_factory=dict)
    told: list[Fulfilment] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one question."""
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        status, answer = self._answer(dict(scope["headers"]), body)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(answer)})

    def _answer(self, headers: dict[bytes, bytes], body: bytes) -> tuple[int, Doc]:
        if headers.get(b"x-shopify-access-token", b"").decode() != TOKEN:
            return 401, {"errors": "[API] Invalid API key or access token"}
        asked = msgspec.json.decode(body, type=dict[str, Any])
        found = _OPERATION.match(asked["query"])
        name = found[1] if found else ""
        self.asked.append(name)
        if name not in _ANSWERS:
            return 200, {"errors": [{"message": f"this small shop knows no {name!r}"}]}
        return 200, {"data": _ANSWERS[name](self, asked.get("variables") or {})}

    def shop(self, _: Doc) -> Doc:
        """Who the shop is."""
        shop = {
            "myshopifyDomain": self.domain,
            "name": "Kite & Kettle",
            "currencyCode": "EUR",
            "ianaTimezone": "Europe/Lisbon",
        }
        scopes = (
            "read_orders",
            "read_merchant_managed_fulfillment_orders",
            "write_merchant_managed_fulfillment_orders",
        )
        return {"shop": shop, "currentAppInstallation": {"accessScopes": [{"handle": one} for one in scopes]}}

    def nothing_new(self, _: Doc) -> Doc:
        """A sweep finds nothing that was not pushed."""
        empty = {"pageInfo": _NO_MORE, "nodes": []}
        return {"orders": empty, "webhookSubscriptions": empty, "returns": empty, "fulfillmentOrders": empty}

    def subscribe(self, variables: Doc) -> Doc:
        """A subscription is made; the demo sends by itself."""
        made = {"id": "gid://shopify/WebhookSubscription/1", "topic": variables.get("topic"), "uri": ""}
        return {"webhookSubscriptionCreate": {"webhookSubscription": made, "userErrors": []}}

    def fulfilled(self, variables: Doc) -> Doc:
        """What was shipped of an order so far."""
        order = _number(variables["id"])
        if order not in self.orders:
            return {"order": None}
        return {
            "order": {
                "cancelledAt": None,
                "fulfillments": [one.node() for one in self.told if one.order == order],
            }
        }

    def fulfilled_lines(self, variables: Doc) -> Doc:
        """The pieces in a parcel."""
        one = next(one for one in self.told if one.id == _number(variables["id"]))
        nodes = [
            {
                "quantity": item["quantity"],
                "lineItem": {"id": f"gid://shopify/LineItem/{_number(item['id'])}"},
            }
            for item in one.items
        ]
        return {"fulfillment": {"fulfillmentLineItems": {"pageInfo": _NO_MORE, "nodes": nodes}}}

    def open(self, variables: Doc) -> Doc:
        """What is still to be shipped of an order: one fulfilment order, all from one place."""
        order = _number(variables["id"])
        node = {
            "id": f"gid://shopify/FulfillmentOrder/{order}",
            "status": "OPEN",
            "supportedActions": [{"action": "CREATE_FULFILLMENT"}],
            "assignedLocation": {"location": {"id": "gid://shopify/Location/1"}},
            "lineItems": {"pageInfo": _NO_MORE, "nodes": self._lines(order)},
        }
        return {"order": {"fulfillmentOrders": {"pageInfo": _NO_MORE, "nodes": [node]}}}

    def _lines(self, order: str) -> list[Doc]:
        shipped = [item for one in self.told if one.order == order for item in one.items]
        return [
            {
                "id": f"gid://shopify/FulfillmentOrderLineItem/{line}",
                "remainingQuantity": pieces
                - sum(one["quantity"] for one in shipped if _number(one["id"]) == line),
                "lineItem": {"id": f"gid://shopify/LineItem/{line}"},
            }
            for line, pieces in self.orders.get(order, {}).items()
        ]

    def fulfil(self, variables: Doc) -> Doc:
        """A parcel with its tracking is told: this is what the demo waits for."""
        said = variables["fulfillment"]
        group = said["lineItemsByFulfillmentOrder"][0]
        tracking = said.get("trackingInfo") or {}
        one = Fulfilment(
            id=str(5900000000001 + len(self.told)),
            order=_number(group["fulfillmentOrderId"]),
            company=tracking.get("company") or "",
            number=tracking.get("number") or "",
            items=group["fulfillmentOrderLineItems"],
        )
        self.told.append(one)
        made = {"id": f"gid://shopify/Fulfillment/{one.id}", "legacyResourceId": one.id}
        return {"fulfillmentCreate": {"fulfillment": made, "userErrors": []}}

    def track(self, variables: Doc) -> Doc:
        """A parcel's number is corrected."""
        one = next(
            one
            for one in self.told
            if one.id
            == _number(variables["fulfillmentId"] if "fulfillmentId" in variables else variables["id"])
        )
        tracking = variables["tracking"]
        one.company, one.number = tracking.get("company") or one.company, tracking.get("number") or one.number
        made = {"id": f"gid://shopify/Fulfillment/{one.id}", "legacyResourceId": one.id}
        return {"fulfillmentTrackingInfoUpdate": {"fulfillment": made, "userErrors": []}}


def _number(global_id: str) -> str:
    return global_id.rpartition("/")[2]


_ANSWERS: dict[str, Callable[[Shop, Doc], Doc]] = {
    "Shop": Shop.shop,
    "Changed": Shop.nothing_new,
    "Subscriptions": Shop.nothing_new,
    "Subscribe": Shop.subscribe,
    "Fulfilled": Shop.fulfilled,
    "FulfilledLines": Shop.fulfilled_lines,
    "Open": Shop.open,
    "Fulfill": Shop.fulfil,
    "Track": Shop.track,
}
