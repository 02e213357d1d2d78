"""Whose orders they are is learned from the messages, so that a connection made again finds its orders."""

from __future__ import annotations

import msgspec

from hub.contract.message import Headers
from hub.directory import Connection, seal_settings
from hub.inbound.intake import head
from hub.inbound.keep import Letter
from hub.run import Hub
from hub.store.engine import Unit


async def connect(hub: Hub, name: str) -> Connection:
    """A connection to the sample shop that was told no account."""
    channel, samples = hub.registry.channel("shopify"), hub.registry.samples("shopify")
    settings = msgspec.convert(samples.settings, channel.settings)
    one = Connection(id=hub.world.new_id("con"), name=name, channel="shopify", key=f"key-{name}", sweep=False)
    one.settings = seal_settings(settings, hub.vault, one.id)

    async def work(unit: Unit) -> None:
        await hub.directory.put(unit, one, hub.world.now())

    await hub.engine.transact(work)
    await hub.directory.refresh()
    return one


async def push(hub: Hub, one: Connection, shop: str, key: str) -> list[str]:
    """The sample order from that shop; the orders there are now."""
    sample = hub.registry.samples("shopify").fixture("orders-create.plain").message
    pairs = [pair for pair in sample.headers.pairs if pair[0] != "x-shopify-shop-domain"]
    message = msgspec.structs.replace(sample, headers=Headers([*pairs, ("x-shopify-shop-domain", shop)]))
    letter = Letter(
        "main", one.id, "webhook", "orders/create", key, head(message), message.body, hub.world.now()
    )
    await hub.keeper.keep(letter)
    await hub.settle()
    return [row[0] for row in await hub.engine.fetch("orders_after", tenant="main", after="", most=10)]


async def remove(hub: Hub, one: Connection) -> None:
    """The connection is gone."""

    async def work(unit: Unit) -> None:
        unit.add("things_drop", kind="connection", id=one.id, tenant="main")

    await hub.engine.transact(work)
    await hub.directory.refresh()


async def test_a_connection_that_is_made_again_finds_its_orders(hub):
    first = await connect(hub, "first")
    before = await push(hub, first, "oak.example", "1")
    await remove(hub, first)

    after = await push(hub, await connect(hub, "second"), "oak.example", "2")

    assert len(before) == 1
    assert after == before


async def test_the_account_of_the_first_message_stays(hub):
    one = await connect(hub, "first")
    await push(hub, one, "oak.example", "1")
    await push(hub, one, "elm.example", "2")

    known = hub.directory.get(Connection, one.id)
    assert known is not None
    assert known.account == "oak.example"


async def test_an_account_that_a_live_connection_has_is_not_taken_by_another(hub):
    await push(hub, await connect(hub, "first"), "oak.example", "1")
    other = await connect(hub, "second")
    await push(hub, other, "oak.example", "2")

    known = hub.directory.get(Connection, other.id)
    assert known is not None
    assert known.account == ""
