"""An invented shop and an invented tracker, and a hub that listens to both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.contract import Channel, Message, Notice, Read, Redaction, Settings, Stale, mapping
from hub.directory import Connection, Endpoint
from hub.inbound.keep import Letter
from hub.orders.book import content
from hub.registry import MappingText, Registry
from hub.run import Hub
from hub.store.rows import Head

ORDER = """\
map: corner.order
target: order/1
each: orders ?? .
tables:
  paid: {yes: paid, no: unpaid, "*": unknown}
fields:
  ref: id | str | required
  number: name
  currency: currency
  placed_at: placed | datetime
  source_revision: updated | datetime
  source_payment_status: paid | lookup('paid')
  customer_note: note
  buyer:
    ref: customer.id | str
    name: customer.name
    email: customer.email
    phone: customer.phone
  ship_to:
    name: address.name
    line1: address.street
    city: address.city
    postal_code: address.zip
    country: address.country
  lines:
    each: items[]
    map:
      ref: id | str | required
      sku: sku
      name: title
      quantity: {ordered: qty | dec}
      unit_price: price | money(^.currency)
  totals: {total: total | money(currency)}
"""
PARCEL = """\
map: corner.parcel
target: shipment/1
full: none
fields:
  ref: id | str | required
  order: order | str
  status: {const: shipped}
  tracking_number: number
  shipped_at: at | datetime
  source_revision: at | datetime
  note: note
"""
SCANS = """\
map: beacon.parcel
target: tracking/1
tables:
  words: {pre_transit: pre_transit, in_transit: in_transit, out_for_delivery: out_for_delivery, delivered: delivered}
fields:
  ref: id | str
  number: number | str
  signed_by: signed
  scans:
    each: scans[]
    map: {status: status | lookup('words'), at: at | datetime, text: said, source_word: word, place: {city: town, country: land}}
  source_revision: at | datetime
"""


class Open(Settings, frozen=True, kw_only=True):
    """Nothing to tell."""


def forget(message: Message) -> Iterable[Read]:
    """A privacy request in the shop's own words."""
    return (msgspec.convert(message.json(), Redaction),)


def news(message: Message) -> Iterable[Read]:
    """News of the connection."""
    return (msgspec.convert(message.json(), Notice),)


def hint(message: Message) -> Iterable[Read]:
    """Read it again."""
    return (Stale(subject="order", ref=message.json()["id"]),)


CORNER = Channel(
    name="corner", title="Corner Shop", kind="storefront", settings=Open,
    reads={
        "orders": mapping("corner.order"), "parcels": mapping("corner.parcel"), "forget": forget, "news": news,
        "hint": hint,
    },
)  # fmt: skip
BEACON = Channel(
    name="beacon", title="Beacon Tracking", kind="tracker", settings=Open, reads={"scans": mapping("beacon.parcel")},
    freshness="append_only",
)  # fmt: skip

TEXTS = {"corner.order": ORDER, "corner.parcel": PARCEL, "beacon.parcel": SCANS}


def registry() -> Registry:
    """The two channels and their mappings, and nothing else."""
    return Registry(
        channels={"corner": CORNER, "beacon": BEACON},
        packages={"corner": "tests.repair", "beacon": "tests.repair"},
        texts={name: MappingText(text, f"{name}.yaml") for name, text in TEXTS.items()},
    )


def order(number: int = 1, at: int = 0, **changes: Any) -> dict[str, Any]:
    """An order of the shop as it stood `at` so many minutes after nine."""
    return {
        "id": 7_000_000 + number, "name": f"C-{number}", "currency": "EUR", "paid": "yes", "total": "24.00",
        "placed": "2026-03-01T09:00:00Z", "updated": f"2026-03-01T{9 + at // 60:02}:{at % 60:02}:00Z",
        "note": "ring twice, I am Ilka",
        "customer": {"id": "cust-551", "name": "Ilka Brandt", "email": "ilka@brandt.example", "phone": "+4915112345678"},
        "address": {"name": "Ilka Brandt", "street": "Lindenweg 4", "city": "Bonn", "zip": "53111", "country": "DE"},
        "items": [
            {"id": "a", "sku": "TEA-1", "title": "Green tea", "qty": 2, "price": "7.00"},
            {"id": "b", "sku": "CUP-9", "title": "A cup", "qty": 1, "price": "10.00"},
        ],
    } | changes  # fmt: skip


def parcel(number: int = 1, at: int = 30, tracking: str = "CP1234567", **changes: Any) -> dict[str, Any]:
    """A parcel of an order."""
    return {"id": f"p{number}-{tracking}", "order": 7_000_000 + number, "number": tracking,
            "at": f"2026-03-01T10:{at:02}:00Z", "note": "left with Ilka's neighbour"} | changes  # fmt: skip


def scans(*words: str, tracking: str = "CP1234567", **changes: Any) -> dict[str, Any]:
    """What the tracker says of a parcel: a scan a day."""
    told = [
        {
            "status": word,
            "word": word,
            "at": f"2026-03-{day:02}T12:00:00Z",
            "said": f"{word}, Ilka Brandt",
            "town": "Bonn",
            "land": "DE",
        }
        for day, word in enumerate(words, 2)
    ]
    return {
        "id": f"t-{tracking}",
        "number": tracking,
        "scans": told,
        "at": f"2026-03-{len(words) + 2:02}T00:00:00Z",
    } | changes


PERSON = ("Ilka", "Brandt", "brandt.example", "+49151", "Lindenweg", "Bonn", "53111", "cust-551")
"""What of the person must not be found anywhere."""


@dataclass
class Shop:
    """A hub with the shop and the tracker connected."""

    hub: Hub
    corner: Connection
    beacon: Connection
    count: int = 0
    said: list[str] = field(default_factory=list)

    async def say(self, topic: str, body: Any, connection: Connection | None = None, **head: Any) -> str:
        """A message that is durable and not understood yet; its id."""
        connection = connection or (self.beacon if topic == "scans" else self.corner)
        self.count += 1
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        kept = await self.hub.keeper.keep(Letter(
            connection.tenant, connection.id, "webhook", topic, f"d{self.count}", Head(**head), text, self.hub.world.now(),
        ))  # fmt: skip
        self.said.append(kept.id)
        return kept.id

    async def tell(self, topic: str, body: Any, connection: Connection | None = None, **head: Any) -> str:
        """A message, and all that follows from it."""
        id_ = await self.say(topic, body, connection, **head)
        await self.hub.settle()
        return id_

    async def orders(self, tenant: str = "main") -> list[dict[str, Any]]:
        """All orders as they stand."""
        rows = await self.hub.engine.fetch(
            "orders_list", tenant=tenant, after=0, state="", connection="", updated_after=0, most=1000
        )
        return sorted((msgspec.json.decode(row[10]) for row in rows), key=lambda doc: doc["id"])

    async def order(self) -> dict[str, Any]:
        """The only order."""
        (one,) = await self.orders()
        return one

    async def events(self, tenant: str = "main") -> list[dict[str, Any]]:
        """All events, oldest first, with their snapshots."""
        rows = await self.hub.engine.fetch(
            "events_between", tenant=tenant, after=0, last=2**62, since=0, until=2**62, most=1000
        )
        return [
            msgspec.json.decode(bytes(row[6]).replace(b"\0", bytes(row[7] or b"null"), 1)) for row in rows
        ]

    async def status(self, message: str) -> str:
        """What became of a message."""
        rows = await self.hub.engine.fetch("messages_get", tenant="main", id=message)
        return str(rows[0][8])

    async def exceptions(self, state: str = "open") -> list[dict[str, Any]]:
        """The exceptions of a state."""
        rows = await self.hub.engine.fetch("exceptions_list", tenant="main", after=0, state=state, most=100)
        return [
            {"id": row[0], "cause": row[1], "count": row[5], **msgspec.json.decode(row[8])} for row in rows
        ]

    async def write(self, name: str, rows: list[tuple[Any, ...]] | None = None, **params: Any) -> None:
        """Tamper with the store."""

        async def work(unit: Any) -> None:
            unit.add(name, rows, **params)

        await self.hub.engine.transact(work)

    async def endpoint(self, url: str, **more: Any) -> Endpoint:
        """A partner's endpoint."""
        id_ = self.hub.world.new_id("end")
        secret = {"sealed": self.hub.vault.seal("whsec_" + "QUFB" * 8, id_)}
        one = Endpoint(id=id_, name=id_, url=url, secrets=[secret], **more)
        await self.hub.engine.transact(lambda unit: self.hub.directory.put(unit, one, self.hub.world.now()))
        await self.hub.directory.refresh()
        self.hub.deliver.configure()
        return one


async def connect(hub: Hub, name: str, channel: str, tenant: str = "main") -> Connection:
    """A connection, written and known."""
    one = Connection(id=hub.world.new_id("con"), tenant=tenant, name=name, channel=channel, key=f"k-{name}-{tenant}",
                     account=f"{name}.example", confirm="auto")  # fmt: skip
    await hub.engine.transact(lambda unit: hub.directory.put(unit, one, hub.world.now()))
    await hub.directory.refresh()
    return one


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two documents say the same, ids and our own numbers aside."""
    return content(one) == content(other)
