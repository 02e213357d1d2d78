"""News of a connection changes its status, stands in the exceptions and is told."""

from __future__ import annotations

import pytest

from hub.config import Config
from hub.directory import Connection
from hub.repair import errands
from hub.run import open_hub
from hub.world import World
from tests.repair.shop import Shop, connect, order, registry


@pytest.mark.parametrize("kind", ["uninstalled", "reauth_required"])
async def test_a_connection_that_parted_has_to_be_authorised_again(shop, kind):
    await shop.tell("news", {"kind": kind, "detail": "the shop says so"})

    assert shop.hub.directory.get(Connection, shop.corner.id).status == "reauth_required"
    (one,) = await shop.exceptions()
    assert "corner" in one["title"]
    assert "the shop says so" in one["title"]
    assert one["connection"] == shop.corner.id
    (event,) = await shop.events()
    assert event["type"] == "connection.reauth_required"
    assert event["subject"] == {"type": "connection", "id": shop.corner.id}
    assert event["data"] == {
        "id": shop.corner.id, "name": "corner", "channel": "corner", "account": "corner.example",
        "status": "reauth_required", "detail": "the shop says so",
    }  # fmt: skip
    rows = await shop.hub.engine.fetch("audit_list", tenant="main", after=0, subject=shop.corner.id, most=10)
    assert [row[3] for row in rows] == [f"connection.{kind}"]


async def test_it_still_takes_pushes_since_privacy_requests_come_last(shop):
    await shop.tell("orders", order())
    await shop.tell("news", {"kind": "uninstalled"})

    await shop.tell("forget", {"whole_account": True})

    assert "redacted_at" in await shop.order()


async def test_to_be_told_twice_is_told_once(shop):
    for _ in range(2):
        await shop.tell("news", {"kind": "uninstalled"})

    assert len(await shop.events()) == 1
    assert (await shop.exceptions())[0]["count"] == 1


async def test_a_lost_subscription_is_an_exception_and_the_connection_goes_on(shop):
    await shop.tell("news", {"kind": "subscription_lost", "detail": "orders"})

    assert shop.hub.directory.get(Connection, shop.corner.id).status == "active"
    assert [one["type"] for one in await shop.events()] == ["connection.subscription_lost"]
    assert len(await shop.exceptions()) == 1


async def test_what_works_again_closes_its_exceptions_and_is_told(shop):
    await shop.tell("news", {"kind": "uninstalled"})

    await shop.hub.notices.recovered(shop.hub.directory.get(Connection, shop.corner.id))

    assert shop.hub.directory.get(Connection, shop.corner.id).status == "active"
    assert await shop.exceptions() == []
    assert [one["type"] for one in await shop.events()] == [
        "connection.reauth_required",
        "connection.recovered",
    ]


async def test_a_notice_survives_the_process_that_heard_it(config):
    async with open_hub(config, World.still(), registry()) as hub:
        shop = Shop(hub, await connect(hub, "corner", "corner"), await connect(hub, "beacon", "beacon"))
        await shop.say("news", {"kind": "uninstalled"})
        await hub.normalise.step()

    async with open_hub(config, World.still(), registry()) as hub:
        await hub.errands.step()
        await hub.errands.step()

        assert hub.directory.get(Connection, shop.corner.id).status == "reauth_required"
        assert len(await Shop(hub, shop.corner, shop.beacon).events()) == 1


async def test_who_stumbles_over_an_errand_that_another_process_has_done_troubles_nobody(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    shared, world = Config(database=postgres_url, keys=(bytes(32),), admin_token="oh_a"), World.still()
    async with open_hub(shared, world, registry()) as late, open_hub(shared, world, registry()) as other:
        shop = Shop(late, await connect(late, "corner", "corner"), await connect(late, "beacon", "beacon"))
        await shop.tell("orders", order())
        await shop.say("forget", {"orders": ["7000001"]})
        await late.normalise.step()
        await other.directory.refresh()

        async def redact(*_: object, **__: object) -> None:
            monkeypatch.undo()
            other.errands.wake()
            await other.errands.step()
            raise RuntimeError("nobody foresaw it")

        monkeypatch.setattr(errands, "redact", redact)
        late.errands.wake()
        await late.errands.step()

        assert "redacted_at" in await shop.order()
        assert await shop.exceptions() == []


async def test_a_hint_is_no_errand(shop):
    await shop.say("hint", {"id": "1"})
    await shop.hub.normalise.step()

    assert await shop.hub.engine.fetch("memories_all", owner="errands", now=0) == []
