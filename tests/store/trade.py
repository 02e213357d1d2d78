"""The trade of an invented shop: what it says, told to a hub by hand, and what the hub then holds."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from hub.contract.fact import Fact
from hub.directory import Connection, Endpoint
from hub.inbound.report import Call, Told
from hub.outbound.sender import Answer, Post
from hub.outbound.signing import new_secret
from hub.run import Hub
from tests.outbound.desk import OK, Script, put
from tests.repair.shop import connect


def placed(ref: str, at: int = 0, note: str = "") -> Fact:
    """An order, whole."""
    doc = {"ref": ref, "number": ref, "currency": "EUR", "lines": [], "customer_note": note}
    return Fact(subject="order", ref=ref, doc=doc, revision=at, full=frozenset({"order", "lines"}))


def parcel(order: str, ref: str, number: str = "") -> Fact:
    """A shipment of an order."""
    doc = {"ref": ref, "status": "shipped", "shipped_at": "2026-01-01T10:00:00.000Z"}
    doc |= {"tracking_number": number} if number else {}
    return Fact(subject="shipment", ref=ref, order=order, doc=doc, revision=1)


def scan(number: str, ref: str = "", status: str = "in_transit", day: int = 2) -> Fact:
    """What a carrier says of a parcel."""
    one = {"status": status, "at": f"2026-01-{day:02}T12:00:00.000Z", "text": ref}
    return Fact(subject="tracking", ref=ref or number, doc={"number": number, "scans": [one]}, revision=day)


async def tell(hub: Hub, shop: Connection, *facts: Fact) -> Told:
    """Recorded when this returns."""
    return await hub.reporter.tell(
        Call(connection=shop, topic="t", body=b"", facts=list(facts), actor="source")
    )


async def shops(members: list[Hub]) -> Connection:
    """A shop that all members know."""
    shop = await connect(members[0], "corner", "corner")
    for one in members:
        await one.directory.refresh()
    return shop


async def documents(hub: Hub) -> dict[str, dict[str, Any]]:
    """The orders as they stand, by what their source calls them."""
    rows = await hub.engine.fetch(
        "orders_list", tenant="main", after=0, state="", connection="", updated_after=0, most=1000
    )
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        names = await hub.engine.fetch("identities_of_order", order_id=row[0])
        (ref,) = [name for _, type_, name in names if type_ == "order"]
        assert ref not in found, "an order stands twice"
        found[ref] = msgspec.json.decode(row[10])
    return found


async def history(hub: Hub, order: str) -> list[dict[str, Any]]:
    """The events of an order, oldest first."""
    rows = await hub.engine.fetch("events_of_order", tenant="main", order_id=order, after=0, most=5000)
    return [msgspec.json.decode(bytes(row[6]).replace(b"\0", bytes(row[7]), 1)) for row in rows]


async def partner(members: list[Hub], **fields: Any) -> Endpoint:
    """An endpoint of a partner that all members know."""
    id_ = members[0].world.new_id("end")
    secret = {"sealed": members[0].vault.seal(new_secret(), id_)}
    one = Endpoint(
        **{"id": id_, "name": id_, "url": "https://partner.example/hooks", "secrets": [secret], **fields}
    )
    await put(members[0], one)
    for member in members:
        await member.directory.refresh()
        member.deliver.configure()
    return one


async def deliveries(hub: Hub, target: str = "") -> list[tuple[int, str, str]]:
    """Deliveries, oldest first: position, order, status."""
    rows = await hub.engine.fetch(
        "deliveries_list", tenant="main", after=0, most=5000, target=target, status="", event="", order_id=""
    )
    return [(row[0], row[3], row[4]) for row in rows]


async def waiting(members: list[Hub], count: int) -> str:
    """An order with so many deliveries to a partner, the first of them due; who the partner is."""
    shop = await shops(members)
    endpoint = await partner(members)
    for n in range(count):
        await tell(members[0], shop, placed("o", n + 1, f"note {n}"))
    assert [status for _, _, status in await deliveries(members[0])] == ["due"] + ["waiting"] * (count - 1)
    return endpoint.id


class Gated(Script):
    """A partner that takes its time: each post waits at its own gate, where it has one."""

    def __init__(self, *gates: asyncio.Event | None) -> None:
        super().__init__()
        self.gates = gates
        self._came = asyncio.Event()

    async def send(self, post: Post) -> Answer:
        gate = self.gates[len(self.posts)] if len(self.posts) < len(self.gates) else None
        self.posts.append(post)
        self._came.set()
        if gate:
            await gate.wait()
        return OK

    async def until(self, count: int) -> None:
        """So many posts have come."""
        while len(self.posts) < count:
            self._came.clear()
            await self._came.wait()
