"""Readers: an order with what plugins hang on it, a trashed one, and a body that is a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.woocommerce.parcels import parcels
from hub.contract import Fact, Message, Notice, Place, Read, Redaction, Stale, Unmapped
from hub.contract.mapping import apply

Tree = dict[str, Any]


def order(message: Message) -> Iterable[Read]:
    """An order, its shipments and refunds.

    A push names refunds without their lines: it then writes what it says and no more, tells the refunds
    apart, and asks for the order to be read whole.
    """
    payload = _object(message)
    denial = _denial(payload)
    if denial:
        return (Notice(kind="subscription_lost", detail=denial),)
    laid = {"parcels": parcels(payload), "reductions": _reductions(payload)}
    facts = apply("woocommerce.order", {**payload, **laid}, message)
    reads: list[Read] = [*facts]
    if message.transport == "webhook" and payload.get("refunds"):
        reads = [part for fact in facts for part in _partly(fact)]
    if _anonymised(payload):
        reads += [Redaction(orders=(fact.ref,), reason="erased in WooCommerce") for fact in facts]
    return reads


def deleted(message: Message) -> Iterable[Read]:
    """`order.deleted` is `{"id": …}` without a time: the order went to the trash, and may have come back since."""
    payload = _object(message)
    denial = _denial(payload)
    if denial:
        return (Notice(kind="subscription_lost", detail=denial),)
    return (gone(_ref(payload), message.topic), Stale(subject="order", ref=_ref(payload)))


def missing(message: Message) -> Iterable[Read]:
    """An order that was asked for and is not there any more."""
    return (gone(_ref(_object(message)), message.topic),)


def here(message: Message) -> Iterable[Read]:
    """An order that is there as of now: its own clock may be older than the deletion that we heard of."""
    ref = _ref(_object(message))
    return (Fact(subject="order", ref=ref, doc={"ref": ref, "deleted": False}, topic=message.topic),)


def gone(ref: str, topic: str) -> Fact:
    """That an order is in the trash or deleted for good, as of now."""
    return Fact(subject="order", ref=ref, doc={"ref": ref, "deleted": True}, topic=topic)


def nothing(message: Message) -> Iterable[Read]:
    """Understood, and nothing about an order."""
    return ()


def _partly(fact: Fact) -> Iterable[Read]:
    """What a push of an order with refunds says, leaf by leaf: it takes away nothing that a reading brought."""
    doc = {name: value for name, value in fact.doc.items() if name != "refunds"}
    yield msgspec.structs.replace(fact, doc=doc, full=frozenset())
    for refund in fact.doc.get("refunds") or ():
        said = {name: value for name, value in refund.items() if name != "source_revision"}
        yield msgspec.structs.replace(
            fact, subject="refund", ref=refund["ref"], order=fact.ref, doc=said, full=frozenset()
        )
    yield Stale(subject="order", ref=fact.ref)


def _reductions(payload: Tree) -> list[Tree]:
    """Coupons, whose amounts stand with the lines, and cards of the Gift Cards plugin, which pay a part."""
    coupons = [{"id": one.get("id"), "code": one.get("code")} for one in _list(payload, "coupon_lines")]
    cards = [
        {
            "id": f"gift_card-{one.get('id')}",
            "code": one.get("code"),
            "name": "gift card",
            "amount": one.get("amount"),
        }
        for one in _list(payload, "gift_cards")
    ]
    return coupons + cards


def _list(payload: Tree, name: str) -> list[Tree]:
    value = payload.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _denial(payload: Tree) -> str:
    """Why WooCommerce would not show the order, "" where it did.

    A delivery is built with the rights of the webhook's owner; without them its body is a REST error.
    """
    data = payload.get("data")
    if "id" in payload or "code" not in payload or not isinstance(data, dict) or "status" not in data:
        return ""
    return f"the webhook's owner may not read it: {payload.get('message') or payload['code']}"[:500]


def _anonymised(payload: Tree) -> bool:
    """WooCommerce's eraser of personal data leaves this mark; source of class-wc-privacy-erasers.php."""
    return any(
        one.get("key") == "_anonymized" and one.get("value") == "yes" for one in _list(payload, "meta_data")
    )


def _object(message: Message) -> Tree:
    body = message.json()
    if not isinstance(body, dict):
        raise Unmapped("not an object", place=Place(field="body", value=str(body)[:80]))
    if "order" in body and "id" not in body:
        raise Unmapped(
            "the webhook speaks the legacy API: set its API version to `WP REST API Integration v3`",
            place=Place(field="order"),
        )
    return body


def _ref(payload: Tree) -> str:
    value = payload.get("id")
    if not isinstance(value, int | str) or isinstance(value, bool) or not 0 < len(str(value).strip()) <= 100:
        raise Unmapped("no order is named", place=Place(field="id", value=str(value)[:80]))
    return str(value).strip()
