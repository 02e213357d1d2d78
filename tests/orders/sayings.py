"""Facts as Hypothesis draws them: every subject, small alphabets, so that they meet, tie, overlap and contradict."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from hypothesis import strategies as st

from hub.contract.fact import ORDER_FACETS
from hub.orders import book, registers
from hub.orders.registers import Said
from hub.store.rows import JSON, PLAIN
from hub.world import World

SHOP, WAREHOUSE, TRACKER = "shopify:lamps", "wms:leipzig", "aftership:one"
DAY = 86_400_000_000
START = 1_770_000_000_000_000

times = st.integers(1, 4)
ranks = st.sampled_from([0, 0, 0, START + 7, START + 8])
stamps = st.sampled_from([f"2026-02-0{day}T10:00:00.000Z" for day in range(1, 5)])
amounts = st.sampled_from(["0.00", "10.00", "19.95", "29.95"]).map(
    lambda one: {"amount": one, "currency": "EUR"}
)
counts = st.sampled_from(["0", "1", "2", "2.5"])
numbers = st.sampled_from(["N1", "n 1", "N2"])


def some(
    required: dict[str, st.SearchStrategy[Any]], /, **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """A document with these members, and any of the optional ones."""
    return st.fixed_dictionaries(required, optional=optional)


def refs(*given: str) -> dict[str, st.SearchStrategy[Any]]:
    """The natural key of a part."""
    return {"ref": st.sampled_from(given)}


people = st.one_of(
    st.sampled_from([
        {"name": "Ada Weiss", "lines": ["Am Hafen 1"], "city": "Bonn", "country": "DE"},
        {"name": "Bo Lind", "line1": "Storgatan 2", "city": "Lund", "country": "SE", "phone": "+4646100"},
        {"name": "A***", "masked": True, "country": "DE"},
        {"masked": True},
        {"country": "DE"},
        {"city": "Ulm"},
        {"email": "ada@weiss.example"},
    ]),
)  # fmt: skip
line_counts = st.lists(some({"line": st.sampled_from(["l1", "l2", "LAMP"]), "quantity": counts}), max_size=2)
lines = st.lists(
    some(
        refs("l1", "l2", "l3"), sku=st.sampled_from(["LAMP", "SHADE"]), unit_price=amounts,
        requires_shipping=st.booleans(),
        quantity=some({"ordered": counts}, original=counts, cancelled=counts),
    ),
    max_size=3, unique_by=lambda one: one["ref"],
)  # fmt: skip
packages = st.lists(
    some({}, ref=st.sampled_from(["p1", "p2"]), tracking_number=numbers, lines=line_counts), max_size=2
)
scans = st.lists(
    some(
        {"at": stamps, "status": st.sampled_from(["in_transit", "out_for_delivery", "delivered", "returning"])},
        text=st.sampled_from(["sorted", "at the door"]), flags=st.sampled_from([["delayed"], ["damaged"]]),
    ),
    max_size=3,
)  # fmt: skip
ways = some(
    {},
    scans=scans,
    status=st.sampled_from(["in_transit", "delivered"]),
    eta=st.just({"latest": "2026-02-09"}),
)
shipments = some(
    refs("s1", "s2"), status=st.sampled_from(["draft", "label_ready", "shipped", "delivered", "cancelled"]),
    packages=packages, tracking_number=numbers, lines=line_counts, source_revision=stamps, shipped_at=stamps,
    carrier=st.sampled_from(["dhl", "ups"]), tracking=ways,
)  # fmt: skip
payments = some(
    refs("pay1", "pay2"), status=st.sampled_from(["authorized", "captured", "voided"]), amount=amounts,
    source_revision=stamps,
)  # fmt: skip
refunds = some(
    refs("rf1", "rf2"), status=st.sampled_from(["pending", "succeeded", "failed"]), amount=amounts, lines=line_counts
)  # fmt: skip
returns = some(refs("rt1"), status=st.sampled_from(["requested", "received", "cancelled"]), lines=line_counts)
fulfillments = some(
    refs("f1"), status=st.sampled_from(["requested", "accepted", "cancelled"]), lines=line_counts
)
orders = some(
    refs("o1"), number=st.sampled_from(["LL-1", "LL-2"]), currency=st.just("EUR"), placed_at=stamps,
    tags=st.lists(st.sampled_from(["vip", "gift"]), max_size=2), customer_note=st.sampled_from(["ring", "knock"]),
    attributes=st.sampled_from([{}, {"a": "1"}, {"a": {"b": "2"}}, {"a": {}}, {"c": "3"}]),
    cancelled_at=stamps, draft=st.booleans(), test=st.booleans(), deleted=st.just(True), buyer=people, ship_to=people,
    lines=lines, shipping=st.lists(some(refs("sh1", "sh2"), price=amounts), max_size=2),
    discounts=st.lists(some({}, ref=st.sampled_from(["d1", "d2"]), amount=amounts), max_size=3),
    totals=some({}, total=amounts, paid=amounts, tax=amounts), payments=st.lists(payments, max_size=2),
    refunds=st.lists(refunds, max_size=1), shipments=st.lists(shipments, max_size=2),
    source_payment_status=st.sampled_from(["paid", "unpaid"]),
)  # fmt: skip
trackings = some(
    {"number": numbers}, ref=st.sampled_from(["t1", "t2"]), scans=scans, source_revision=stamps,
    status=st.sampled_from(["in_transit", "delivered", "exception"]),
)  # fmt: skip
decisions = st.one_of(
    some({"kind": st.sampled_from(["confirm", "reject", "cancel", "hold", "release"]), "at": stamps,
          "ref": st.sampled_from(["dec1", "dec2", "dec3"])}, reason=st.sampled_from(["fraud", "manual"]),
         hold=st.sampled_from(["dec1", "dec2"])),
    some({"kind": st.just("note"), "at": stamps, "ref": st.sampled_from(["n1", "n2"]), "text": st.just("called")}),
    some({"kind": st.just("change"), "at": stamps, "ref": st.sampled_from(["c1", "c2"]),
          "actions": st.just([{"kind": "set_quantity", "line": "l1", "quantity": "3"}])}),
    some({"kind": st.sampled_from(["confirm_change", "decline_change"]), "at": stamps,
          "ref": st.sampled_from(["d1", "d2"]), "change": st.sampled_from(["c1", "c2"])}),
    some({"kind": st.just("bind"), "ref": st.just("bind:1"), "ours": st.just(f"{WAREHOUSE}/s1"),
          "theirs": st.just(f"{SHOP}/s2")}),
)  # fmt: skip
DOCS = {
    "order": orders, "shipment": shipments, "payment": payments, "refund": refunds, "return": returns,
    "fulfillment": fulfillments, "tracking": trackings, "decision": decisions,
}  # fmt: skip


@st.composite
def sayings(draw: st.DrawFn) -> Said:
    """One fact of the order `o1`, said by any source, as fresh as any."""
    subject = draw(st.sampled_from(["order", "order", "order", *DOCS]))
    doc = draw(DOCS[subject])
    if subject == "order":
        full = draw(
            st.sampled_from(
                [
                    ORDER_FACETS,
                    ORDER_FACETS,
                    frozenset(),
                    frozenset({"lines"}),
                    frozenset({"order", "ship_to"}),
                ]
            )
        )
    else:
        full = draw(st.sampled_from([frozenset({subject}), frozenset({subject}), frozenset()]))
    source = draw(st.sampled_from([SHOP, SHOP, WAREHOUSE, TRACKER]))
    return said(source, subject, doc, draw(times), draw(ranks), full)


def said(
    source: str,
    subject: str,
    doc: dict[str, Any],
    time: int = 1,
    rank: int = 0,
    full: frozenset[str] | None = None,
) -> Said:
    """A fact as the hub keeps it: its hash is that of its document."""
    return Said(
        source=source, subject=subject, ref=doc.get("ref") or doc.get("number", ""),
        rev=[START + time * DAY, rank, hashlib.blake2b(JSON.encode(doc), digest_size=8).hexdigest()],
        full=sorted(ORDER_FACETS if full is None and subject == "order" else full or (subject,) if full is None else full),
        doc=doc, auto=source == SHOP and subject == "order",
    )  # fmt: skip


def fresh(name: str = "ord_1") -> book.Page:
    """A page of which nothing was said."""
    return book.Page(id=name, state=registers.empty())


def folded(batches: list[list[Said]]) -> book.Page:
    """A page after these batches, laid away and taken out of the store between them."""
    page, names = fresh(), World.still().new_id
    for batch in batches:
        page = book.turn(page, batch, names).page
        page.state = msgspec.json.decode(PLAIN.encode(page.state))
        page.doc = msgspec.json.decode(JSON.encode(page.doc))
    return page
