"""Money of an order: what it should add up to, what was paid, and the word for it."""

from __future__ import annotations

from typing import Any

from hub.orders.amounts import MICRO, amount, money, units

Doc = dict[str, Any]


def computed(doc: Doc, currency: str) -> Doc | None:
    """The totals as the lines give them; None where a line has no price to add."""
    subtotal = 0
    for line in doc.get("lines", ()):
        price = line.get("unit_price")
        if not price or price["currency"] != currency:
            return None
        quantity = line["quantity"]
        subtotal += units(price["amount"]) * units(quantity.get("original", quantity["ordered"])) // MICRO
        for discount in line.get("discounts", ()):
            subtotal -= amount(discount.get("amount"), currency)
    shipping = _shipping(doc, currency)
    fees = sum(amount(one.get("amount"), currency) for one in doc.get("fees", ()))
    tax = _tax(doc, currency)
    less = sum(amount(one.get("amount"), currency) for one in doc.get("discounts", ()))
    total = subtotal + shipping + fees - less + (0 if doc.get("prices_include_tax") else tax)
    return {"subtotal": money(subtotal, currency), "total": money(total, currency)}


def _shipping(doc: Doc, currency: str) -> int:
    """What the shipping lines come to; the stated sum where there are none to add."""
    lines = doc.get("shipping", ())
    if not lines:
        return amount(doc.get("totals", {}).get("shipping"), currency)
    return sum(amount(one.get("discounted_price") or one.get("price"), currency) for one in lines)


def _tax(doc: Doc, currency: str) -> int:
    stated = doc.get("totals", {}).get("tax")
    if stated:
        return amount(stated, currency)
    return sum(
        amount(tax.get("amount"), currency)
        for part in (doc, *doc.get("lines", ()), *doc.get("shipping", ()))
        for tax in part.get("taxes", ())
    )


def mismatch(doc: Doc, currency: str) -> str:
    """How the stated total differs from the computed one, "" where it does not by more than rounding."""
    stated = doc.get("totals", {}).get("total")
    ours = doc.get("computed_totals")
    if not stated or not ours or doc.get("refunds") or stated["currency"] != currency:
        return ""
    if any(line["quantity"].get("original") != line["quantity"]["ordered"] for line in doc.get("lines", ())):
        return ""
    allowed = 10_000 * max(1, len(doc.get("lines", ())))
    if abs(amount(stated) - amount(ours["total"])) <= allowed:
        return ""
    return f"stated {stated['amount']}, computed {ours['total']['amount']}"


def payment_status(doc: Doc, currency: str) -> str:
    """The source's own word where it gave one, else the word for the sums of payments and refunds."""
    said = doc.get("source_payment_status")
    if said:
        return str(said)
    payments = doc.get("payments", ())
    if not payments:
        return "on_credit" if doc.get("payment_terms") else "unpaid"
    total = amount(doc.get("totals", {}).get("total"), currency)
    captured = _sum(payments, currency, "captured", "partially_refunded", "refunded", "won")
    refunded = sum(amount(one.get("amount"), currency) for one in doc.get("refunds", ()) if _given(one))
    if captured:
        return _paid(captured, refunded, total)
    if _sum(payments, currency, "authorized", "partially_captured"):
        return "authorized"
    words = {one.get("status") for one in payments}
    return next((word for word in ("voided", "expired") if words == {word}), "unpaid")


def _paid(captured: int, refunded: int, total: int) -> str:
    if refunded:
        return "refunded" if refunded >= captured else "partially_refunded"
    if captured > total > 0:
        return "overpaid"
    return "paid" if captured >= total else "partially_paid"


def _sum(payments: list[Doc], currency: str, *words: str) -> int:
    return sum(amount(one.get("amount"), currency) for one in payments if one.get("status") in words)


def _given(refund: Doc) -> bool:
    return refund.get("status") in (None, "succeeded")


def over_refunded(doc: Doc, currency: str) -> str:
    """How refunds exceed what was paid, "" where they do not."""
    if not doc.get("refunds"):
        return ""
    paid = doc.get("totals", {}).get("paid") or doc.get("totals", {}).get("total")
    refunded = sum(amount(one.get("amount"), currency) for one in doc.get("refunds", ()) if _given(one))
    if not paid or refunded <= amount(paid, currency):
        return ""
    return f"refunded {money(refunded, currency)['amount']} of {paid['amount']}"
