"""Scruples: why an order that could be read is still for a person to look at."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr

from hub.directory import Partner
from hub.inbound.mail.reading import Doubt, Found, Reading
from hub.inbound.mail.verdict import Verdict
from hub.orders.amounts import MICRO, amount, units

_WORDS = frozenset({"text", "pdf", "table"})


def scruples(found: Found, reading: Reading, verdict: Verdict, partner: Partner | None) -> list[Doubt]:
    """All reasons, the weightiest first; none for what is trusted and clean."""
    return [*_sender(verdict, partner), *_forwarded(reading, partner), *_form(found), *_value(found, partner)]


def _sender(verdict: Verdict, partner: Partner | None) -> Iterator[Doubt]:
    if not verdict.trusted:
        yield Doubt(
            "sender",
            verdict.reasons[0] if verdict.reasons else "nothing proves who sent it",
            verdict.from_address,
        )
    elif partner is None:
        yield Doubt("sender", "no partner of ours", verdict.from_address)
    elif "buyer" not in partner.roles:
        yield Doubt(
            "sender", f"{partner.name} is no buyer: its roles are {', '.join(partner.roles) or 'none'}"
        )


def _forwarded(reading: Reading, partner: Partner | None) -> Iterator[Doubt]:
    """Of a forwarded letter the outer sender is proved, the inner one only says so."""
    if reading.inner is None:
        return
    address = parseaddr(reading.inner.sender)[1].lower()
    known = {one.lower() for one in partner.senders} if partner else set()
    if not known & {address, address.rpartition("@")[2]}:
        yield Doubt(
            "sender",
            "forwarded for somebody who is none of the partner's senders",
            reading.inner.sender[:200],
        )


def _form(found: Found) -> Iterator[Doubt]:
    if found.form in _WORDS and not found.ruled:
        yield Doubt(
            "order", f"read from {found.form} without rules of the partner: its layout, articles or columns"
        )


def _value(found: Found, partner: Partner | None) -> Iterator[Doubt]:
    """An order above the partner's limit, of a worth that nobody can tell where there is a limit, or in a currency that
    is not the partner's."""
    if partner is None:
        return
    currency = found.doc.get("currency")
    if partner.currency and currency and currency != partner.currency:
        yield Doubt("currency", f"{currency}, and {partner.name} orders in {partner.currency}")
    if not partner.max_order_value:
        return
    worth = _worth(found)
    if worth is None:
        yield Doubt(
            "totals.total",
            f"its value cannot be told, and at most {partner.max_order_value} go without a look",
        )
    elif worth > units(partner.max_order_value):
        yield Doubt("totals.total", f"more than {partner.max_order_value} at once")


def _worth(found: Found) -> int | None:
    """The greater of what it states and what its lines come to, in millionths."""
    lines = found.doc.get("lines", ())
    priced = [
        line for line in lines if line.get("unit_price") and (line.get("quantity") or {}).get("ordered")
    ]
    sum_ = sum(amount(line["unit_price"]) * units(line["quantity"]["ordered"]) // MICRO for line in priced)
    stated = found.doc.get("totals", {}).get("total")
    if len(priced) < len(lines) and not stated:
        return None
    return max(sum_, amount(stated))
