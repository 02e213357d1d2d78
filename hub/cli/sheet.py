"""An order as one sheet: who, what, where to, what it comes to, where its parcels are, what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from hub.cli.show import at, cell, colour, console, time

Doc = Mapping[str, Any]


def sheet(doc: Doc) -> None:
    """Print the sheet of an order."""
    out = console()
    out.print(_title(doc))
    for text in _facts(doc):
        out.print(text)
    out.print(_lines(doc))
    out.print(_totals(doc))
    for shipment in doc.get("shipments", ()):
        out.print(_shipment(shipment))
    for anomaly in doc.get("anomalies", ()):
        out.print(Text(f"anomaly {anomaly['kind']}: {anomaly.get('detail', '')}", "yellow"))


def _title(doc: Doc) -> Text:
    words = [
        doc["state"],
        doc.get("payment_status"),
        doc.get("fulfillment_status"),
        doc.get("delivery_status"),
    ]
    title = Text(f"{doc.get('number') or doc.get('hub_number')}  ", "bold")
    for word in (one for one in words if one and one != "none"):
        title.append(f"{word}  ", colour(word))
    if doc.get("ready"):
        title.append("ready to ship", "green")
    return title


def _facts(doc: Doc) -> Iterator[Text]:
    channel = f", by {doc['channel']}" if doc.get("channel") else ""
    yield Text(
        f"{doc['id']}, our number {doc.get('hub_number', '–')}, version {doc.get('version', '?')}{channel}",
        "dim",
    )
    buyer, address = doc.get("buyer") or {}, doc.get("ship_to") or {}
    if buyer:
        yield Text(
            "buyer    " + ", ".join(filter(None, (buyer.get(name) for name in ("name", "email", "phone"))))
        )
    if address:
        yield Text("ship to  " + ", ".join(_place(address)))
    if doc.get("placed_at"):
        yield Text(f"placed   {time(doc['placed_at'])} UTC")
    for ref in doc.get("refs", ()):
        name, where = ref.get("id") or ref.get("number"), ref.get("account") or ref.get("connection")
        yield Text(f"also     {name}, {ref.get('type') or 'reference'} at {where}")
    yield from _waits(doc)
    for note in doc.get("notes", ()):
        yield Text(f"note     {note['text']}")
    if doc.get("customer_note"):
        yield Text(f"buyer's note  {doc['customer_note']}")


def _waits(doc: Doc) -> Iterator[Text]:
    """What a person has to look at."""
    for hold in doc.get("holds", ()):
        yield Text(
            f"held     {hold['reason']} since {time(hold['at'])} {hold.get('note', '')}".rstrip(), "yellow"
        )
    for doubt in (doc.get("entry") or {}).get("reasons", ()):
        yield Text(_doubt(doubt), "yellow")
    for change in doc.get("changes", ()):
        if change["status"] == "requested":
            yield Text(f"change   {change['id']} waits: orderhub changes show {doc['id']}", "yellow")


def _doubt(doubt: Doc) -> str:
    """A reason for a person to look, with all that the text might mean."""
    text = f" {doubt['text']!r}" if doubt.get("text") else ""
    might = f", may be {' or '.join(doubt['readings'])}" if doubt.get("readings") else ""
    return f"doubt    {doubt['field']}{text}: {doubt['reason']}{might}"


def _place(address: Doc) -> Iterator[str]:
    yield from (str(address[name]) for name in ("name", "company") if address.get(name))
    yield from address.get("lines") or [address[name] for name in ("line1", "line2") if address.get(name)]
    yield from (str(address[name]) for name in ("postal_code", "city", "country") if address.get(name))


def _lines(doc: Doc) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("sku", "what", "ordered", "open", "shipped", "delivered", "price"):
        table.add_column(
            title,
            justify="right" if title in ("ordered", "open", "shipped", "delivered", "price") else "left",
        )
    for line in doc.get("lines", ()):
        counts = [at(line, f"quantity.{name}") for name in ("ordered", "open", "shipped", "delivered")]
        counts = [Text(str(one)) if one not in (None, "0") else Text("–", "dim") for one in counts]
        table.add_row(line.get("sku", ""), line.get("name", ""), *counts, cell(line.get("unit_price")))
    return table


def _totals(doc: Doc) -> Text:
    totals = doc.get("totals") or doc.get("computed_totals") or {}
    names = ("subtotal", "discount", "shipping", "fees", "tax", "total", "paid", "refunded", "due")
    amounts = {name: at(totals, f"{name}.amount") for name in names}
    said = [f"{name} {amount}" for name, amount in amounts.items() if amount and amount.strip("0.")]
    return Text(f"{', '.join(said)} {doc.get('currency', '')}", "bold")


def _shipment(shipment: Doc) -> Text:
    text = Text("parcel   ")
    numbers = [f"{one.get('carrier') or one.get('carrier_name') or '?'} {one.get('tracking_number', '')}".strip()
               for one in shipment.get("packages", ())]  # fmt: skip
    text.append(", ".join(numbers) or shipment.get("ref", shipment["id"]))
    text.append(f"  {shipment.get('status', '')}", colour(shipment.get("status", "")))
    track = (shipment.get("tracking") or {}).get("status")
    if track and track != shipment.get("status"):
        text.append(f"  {track}", colour(track))
    return text
