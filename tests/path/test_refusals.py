"""A connection that refuses whatever comes is told of: it is most likely our secret that is wrong."""

from __future__ import annotations

import msgspec
import pytest

from hub.config import Config
from hub.contract.message import Message
from hub.contract.settings import Settings
from hub.directory import Connection, seal_settings
from hub.run import open_hub
from hub.store.engine import Unavailable
from tests.path.town import Town, changed, knock

ORDER = "orders-create.plain"
MINUTE = 60


def news(town: Town, number: int) -> Message:
    """Another push of the shop's, unsigned."""
    return changed(town.fixture("shopify", ORDER), key=f"push-{number}")


async def forge(town: Town, shop: Connection, count: int, first: int = 0) -> None:
    """So many pushes whose proof fits nothing."""
    for number in range(first, first + count):
        assert (await knock(town.hub.intake, news(town, number), f"/in/{shop.key}")).status == 401


async def reset(town: Town, shop: Connection, settings: Settings) -> Connection:
    """The connection with other settings."""
    sealed = seal_settings(settings, town.hub.vault, shop.id)
    await town.put(msgspec.structs.replace(shop, settings=sealed))
    found = town.hub.directory.by_id(Connection, shop.id)
    assert found is not None
    return found


async def test_a_secret_that_is_wrong_is_told_of_with_what_to_do_until_a_push_is_believed(town: Town) -> None:
    shop = await town.connect("shopify")
    right = town.hub.directory.settings(shop)
    pushes = [town.signed(shop, news(town, number)) for number in range(6)]
    shop = await reset(town, shop, msgspec.structs.replace(right, webhook_secret="not-theirs"))  # type: ignore[call-arg]

    for number, push in enumerate(pushes[:3]):
        assert await town.hub.refusals.step() == 0, number
        assert (await knock(town.hub.intake, push, f"/in/{shop.key}")).status == 401
    assert await town.hub.refusals.step() == 1
    [one] = await town.exceptions()
    assert "shopify believes nothing that is pushed to it, 3 were refused" in one["title"]
    assert "orderhub connections set" in one["hint"]
    assert (await knock(town.hub.intake, pushes[3], f"/in/{shop.key}")).status == 401
    assert await town.hub.refusals.step() == 0, "once"

    shop = await reset(town, shop, right)
    assert (await knock(town.hub.intake, pushes[4], f"/in/{shop.key}")).status == 202
    await town.hub.refusals.step()
    assert await town.exceptions() == []


async def test_forgeries_beside_pushes_that_are_believed_are_nobodys_news(town: Town) -> None:
    shop = await town.connect("shopify")
    assert (await town.push(shop, news(town, 0))).status == 202
    await forge(town, shop, 50, first=1)
    await town.hub.refusals.step()
    assert await town.exceptions() == [], "one was believed just now"

    town.hub.world.move(9 * MINUTE)  # type: ignore[attr-defined]
    assert (await town.push(shop, news(town, 100))).status == 202
    await forge(town, shop, 2, first=101)
    town.hub.world.move(60 * MINUTE)  # type: ignore[attr-defined]
    await town.hub.refusals.step()
    assert await town.exceptions() == [], "two may be anyone's"

    await forge(town, shop, 1, first=103)
    await town.hub.refusals.step()
    assert len(await town.exceptions()) == 1


async def test_what_a_process_told_that_has_died_since_is_taken_back_by_the_next(
    town: Town, config: Config
) -> None:
    shop = await town.connect("shopify")
    await forge(town, shop, 3)
    await town.hub.refusals.step()
    assert len(await town.exceptions()) == 1
    if town.hub.engine.shared:
        async with open_hub(config, town.hub.world) as next_:
            there = Town(next_, town.stack)
            assert (await there.push(shop, news(there, 9))).status == 202
            await next_.refusals.step()
    else:
        town.hub.refusals._runs.clear()
        assert (await town.push(shop, news(town, 9))).status == 202
        await town.hub.refusals.step()

    assert await town.exceptions() == []


async def test_what_could_not_be_told_while_the_store_was_away_is_told_when_it_is_back(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await town.connect("shopify")
    await forge(town, shop, 3)

    async def away(_: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(town.hub.engine, "transact", away)
        with pytest.raises(Unavailable):
            await town.hub.refusals.step()
    await town.hub.refusals.step()

    assert len(await town.exceptions()) == 1
