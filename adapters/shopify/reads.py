"""Readers for what is no document to be mapped: hints, deletions, privacy requests and news of the app itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from adapters.shopify.graphql import number
from adapters.shopify.settings import REQUIRED_SCOPE
from hub.contract import Fact, Message, Notice, Place, Read, Redaction, Stale, Unmapped

TRIGGERED = ("x-shopify-triggered-at", "shopify-triggered-at")


def deleted(message: Message) -> Iterable[Read]:
    """`orders/delete` is `{"id": …}` and no more: the order is gone from Shopify, not from us."""
    ref = _ref(_object(message), "id")
    revision = _triggered(message)
    return (
        Fact(
            subject="order",
            ref=ref,
            doc={"ref": ref, "deleted": True},
            revision=revision,
            occurred_at=revision,
            topic=message.topic,
        ),
    )


def edited(message: Message) -> Iterable[Read]:
    """`orders/edited` tells what was added and removed, not what is: the order has to be read again."""
    edit = _object(_object(message).get("order_edit"), "order_edit")
    return (Stale(subject="order", ref=_ref(edit, "order_id", "order_edit")),)


def scan_deleted(message: Message) -> Iterable[Read]:
    """`fulfillment_events/delete` retracts a scan: what the fulfilment is now has to be read again."""
    body = _object(message)
    return (Stale(subject="shipment", ref=_ref(body, "fulfillment_id"), order=_maybe(body.get("order_id"))),)


def fulfillment_orders(message: Message) -> Iterable[Read]:
    """`fulfillment_orders/*` and `fulfillment_holds/*` name the fulfillment orders they are about and their
    status, without order or lines: each is read again."""
    found = dict.fromkeys(_fulfillment_orders(_object(message)))
    if not found:
        raise Unmapped("no fulfillment order in it", place=Place(field="fulfillment_order"))
    return tuple(Stale(subject="fulfillment", ref=ref, order=order) for ref, order in found)


def returned(message: Message) -> Iterable[Read]:
    """`returns/update` and `returns/process` carry differences: the return is read again."""
    body = _object(message)
    whole = body.get("return") if isinstance(body.get("return"), dict) else body
    order = whole.get("order") if isinstance(whole, dict) else None
    ref = _maybe(order.get("id")) if isinstance(order, dict) else None
    return (Stale(subject="return", ref=_ref(whole, "id"), order=ref),)


def redact_customer(message: Message) -> Iterable[Read]:
    """`customers/redact`; it may carry a mail address only."""
    body = _object(message)
    said = body.get("customer")
    customer: dict[str, Any] = said if isinstance(said, dict) else {}
    orders = body.get("orders_to_redact")
    redaction = Redaction(
        orders=tuple(_text(one) for one in orders) if isinstance(orders, list) else (),
        email=_maybe(customer.get("email")),
        phone=_maybe(customer.get("phone")),
        buyer=_maybe(customer.get("id")),
        reason="the customer asked the shop to be forgotten (customers/redact)",
    )
    if not (redaction.orders or redaction.email or redaction.phone or redaction.buyer):
        raise Unmapped("names neither orders nor a customer", place=Place(field="customer"))
    return (redaction,)


def redact_shop(message: Message) -> Iterable[Read]:
    """`shop/redact` comes 48 hours after the app was removed: all of the shop's personal data goes."""
    _ref(_object(message), "shop_id")
    return (Redaction(whole_account=True, reason="the shop removed the app 48 hours ago (shop/redact)"),)


def uninstalled(message: Message) -> Iterable[Read]:
    """`app/uninstalled` is the shop's record: tokens and webhooks are void from now on."""
    shop = _object(message)
    domain = shop.get("myshopify_domain") or shop.get("domain") or message.account or shop.get("name") or ""
    return (Notice(kind="uninstalled", detail=f"the app was removed from {domain}".rstrip()),)


def scopes_changed(message: Message) -> Iterable[Read]:
    """`app/scopes_update` matters when the app may no longer read orders."""
    current = _object(message).get("current")
    if not isinstance(current, list):
        raise Unmapped("is not a list of scopes", place=Place(field="current", value=str(current)[:80]))
    if {REQUIRED_SCOPE, "write_orders", "read_all_orders"} & set(map(str, current)):
        return ()
    return (Notice(kind="reauth_required", detail=f"the app lost the scope {REQUIRED_SCOPE}"),)


def nothing(message: Message) -> Iterable[Read]:
    """Understood, and nothing that concerns an order: a JSON object is all that is asked of it."""
    _object(message)
    return ()


def _object(given: Message | object, field: str = "body") -> dict[str, Any]:
    value = given.json() if isinstance(given, Message) else given
    if not isinstance(value, dict):
        raise Unmapped("is not an object", place=Place(field=field, value=str(value)[:80]))
    return value


def _ref(body: Any, name: str, within: str = "") -> str:
    """An id that must be there, as the number's text."""
    ref = _maybe(_object(body).get(name))
    if ref is None:
        field = f"{within}.{name}" if within else name
        raise Unmapped("required value is missing", place=Place(field=field))
    return ref


def _maybe(value: object) -> str | None:
    """An id or address as text; null, "" and what is no scalar are none."""
    if value is None or value == "" or isinstance(value, bool | dict | list):
        return None
    return _text(value)


def _text(value: object) -> str:
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return number(text) if text.startswith("gid://") else text


def _fulfillment_orders(body: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    for name, value in body.items():
        if "fulfillment_order" in name and "line_item" not in name:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and (ref := _maybe(one.get("id"))):
                    yield ref, _maybe(one.get("order_id"))


def _triggered(message: Message) -> int | None:
    """When Shopify says that it happened, in microseconds; nanoseconds are cut off."""
    text = next((message.headers[name] for name in TRIGGERED if message.headers.get(name)), "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round(moment.timestamp() * 1_000_000) if moment.tzinfo else None
