"""A stage that stumbles over a store that is away goes on when it is back; nothing is held by nobody."""

from __future__ import annotations

from typing import Any

import pytest

from hub.store.engine import Unavailable
from tests.path.town import Town

PLAIN = "orders-create.plain"


class _Away:
    """Stands in for one question to the store: unanswered so many times."""

    def __init__(self, ask: Any, times: int) -> None:
        self.ask = ask
        self.left = times

    async def __call__(self, *given: Any, **named: Any) -> Any:
        if self.left:
            self.left -= 1
            raise Unavailable("the store is away")
        return await self.ask(*given, **named)


@pytest.mark.parametrize("broken", ["refresh", "transact"])
async def test_a_message_is_understood_when_the_store_is_back(
    town: Town, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    shop, partner = await town.connect("shopify"), await town.partner(events=["order.created"])
    await town.push(shop, PLAIN)
    if broken == "refresh":
        monkeypatch.setattr(town.hub.directory, "refresh", _Away(town.hub.directory.refresh, 1))
    else:
        monkeypatch.setattr(town.hub.engine, "transact", _Away(town.hub.engine.transact, 1))
    if broken == "transact" or town.hub.engine.shared:
        with pytest.raises(Unavailable):
            await town.hub.normalise.step()
    town.hub.world.move(61)
    town.hub.inbox.spilled = True
    await town.hub.settle()

    assert await town.statuses() == ["processed"]
    assert partner.told() == ["order.created"]
