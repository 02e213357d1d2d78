"""Speaking for a caller: the connection as which people and systems report and decide.

The first call of a tenant makes one, named `api`, of the channel whose kind is `api`.
"""

from __future__ import annotations

import secrets

import msgspec

from hub.contract.channel import Channel
from hub.contract.errors import Misconfigured
from hub.directory import Connection
from hub.http.ask import Ask
from hub.store.engine import Poisoned, Unit


def own_channel(ask: Ask) -> Channel:
    """The channel whose words the API speaks."""
    found = next((one for one in ask.hub.registry.channels.values() if one.kind == "api"), None)
    if found is None:
        raise Misconfigured("no channel of the kind `api` is installed: nothing can be reported over the API")
    return found


async def speaker(ask: Ask, name: str = "") -> Connection:
    """The connection of this name where it is one of the API's own, else the tenant's first of them."""
    channel = own_channel(ask)
    known = [one for one in ask.hub.directory.all(Connection, ask.tenant) if one.channel == channel.name]
    named = next((one for one in known if name and name in (one.name, one.id)), None)
    return named or next(iter(known), None) or await _first(ask, channel)


async def _first(ask: Ask, channel: Channel) -> Connection:
    hub = ask.hub
    taken = hub.directory.get(Connection, channel.name, tenant=ask.tenant) is not None
    name = f"{channel.name}-{secrets.token_hex(3)}" if taken else channel.name
    one = Connection(id=hub.world.new_id("con"), tenant=ask.tenant, name=name, channel=channel.name,
                     key=secrets.token_urlsafe(18))  # fmt: skip

    async def work(unit: Unit) -> None:
        await hub.directory.put(unit, one, hub.world.now())

    try:
        await hub.engine.transact(work)
    except Poisoned:  # another process or call was first
        await hub.directory.refresh()
        return await speaker(ask)
    await hub.directory.refresh()
    return hub.directory.get(Connection, one.id) or one


class Whose(msgspec.Struct):
    """The connection that a row names."""

    connection: str | None = None
