"""A counter from which customers are told: a shop whose orders are told by hand, notifiers and rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.contract.fact import Fact
from hub.contract.given import read_settings
from hub.directory import Connection, seal_settings
from hub.inbound.report import Call
from hub.outbound.notify.accounts import KINDS
from hub.run import Hub
from hub.things import NoticeRule, Notifier
from tests.outbound.desk import put

ADA = {"name": "Ada Byron", "email": "ada@example.com", "phone": "+4915112345678", "locale": "en-GB"}
LI = {"name": "李雷", "email": "li@example.cn", "phone": "+8613000000000", "locale": "zh-CN"}


@dataclass
class Counter:
    """A hub with a shop."""

    hub: Hub
    shop: Connection
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def notifier(self, kind: str, name: str = "", **settings: Any) -> Notifier:
        """A notifier with its settings sealed."""
        id_ = self.hub.world.new_id("ntf")
        read = read_settings(KINDS[kind], settings)
        one = Notifier(
            id=id_, name=name or kind, kind=kind, settings=seal_settings(read, self.hub.vault, id_)
        )
        await put(self.hub, one)
        return one

    async def mail(self, port: int, **more: Any) -> Notifier:
        """A mail account at a server on this machine."""
        return await self.notifier(
            "smtp", "mail", host="127.0.0.1", port=port, security="none", sender="Lantern <orders@lantern.example>",
            reply_to="reply@lantern.example", **more,
        )  # fmt: skip

    async def rule(self, notifier: Notifier, event: str, template: str, **more: Any) -> NoticeRule:
        """What a customer is told."""
        id_ = self.hub.world.new_id("rul")
        given = {
            "id": id_,
            "name": id_,
            "notifier": notifier.id,
            "event": event,
            "template": template,
            "brand": "Lantern",
        }
        one = NoticeRule(**{**given, **more})
        await put(self.hub, one)
        return one

    async def order(self, number: str = "1001", shop: Connection | None = None, **more: Any) -> str:
        """An order's next version; its id."""
        at = self.hub.world.now()
        self.hub.world.move(0.001)
        doc = {"ref": number, "number": number, "currency": "EUR", "buyer": ADA, "placed_at": "2026-01-01T00:00:00.000Z",
               "lines": [{"ref": "1", "name": "Lamp & Co", "quantity": {"ordered": "2"}}],
               "totals": {"total": {"amount": "19.90", "currency": "EUR"}}, **more}  # fmt: skip
        fact = Fact(
            subject="order", ref=number, doc=doc, revision=at, full=frozenset({"order", "lines", "buyer"})
        )
        return await self._tell(fact, shop)

    async def shipment(self, number: str = "1001", **more: Any) -> str:
        """A shipment of an order."""
        doc = {"ref": f"s-{number}", "status": "shipped", "carrier_name": "DHL", "tracking_number": "00340434161094042557",
               **more}  # fmt: skip
        return await self._tell(Fact(subject="shipment", ref=doc["ref"], order=number, doc=doc))

    async def _tell(self, fact: Fact, shop: Connection | None = None) -> str:
        call = Call(connection=shop or self.shop, topic="orders", body=b"", facts=[fact], actor="source")
        told = await self.hub.reporter.tell(call)
        return told.orders[0]

    async def doc(self, order: str) -> dict[str, Any]:
        """An order as it stands."""
        rows = await self.hub.engine.fetch("orders_get", tenant="main", id=order)
        return msgspec.json.decode(rows[0][10], type=dict[str, Any])

    async def events(self, order: str) -> list[str]:
        """The types of an order's events."""
        rows = await self.hub.engine.fetch(
            "events_of_order", tenant="main", order_id=order, after=0, most=1000
        )
        assert [row[5] for row in rows] == list(range(1, len(rows) + 1))
        return [row[3] for row in rows]

    async def deliveries(self) -> list[tuple[Any, ...]]:
        """Status, due, attempts of each delivery."""
        rows = await self.hub.engine.fetch(
            "deliveries_list", tenant="main", after=0, most=1000, target="", status="", event="", order_id=""
        )
        return [row[4:7] for row in rows]


async def counter(hub: Hub, **more: Any) -> Counter:
    """The counter over a hub."""
    given = {"id": hub.world.new_id("con"), "name": "shop", "channel": "shopify", "key": "door", "account": "lamps.example",
             "sweep": False}  # fmt: skip
    shop = Connection(**{**given, **more})
    await put(hub, shop)
    return Counter(hub, shop)
