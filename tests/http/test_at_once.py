"""Changes of one thing at the same moment: neither is lost, whoever makes them, in one process or in two."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from hub.config import Config
from hub.directory import Connection, Endpoint, Partner
from hub.http.app import build
from hub.inbound.accounts import Accounts
from hub.run import open_hub
from hub.store.engine import Poisoned
from tests.engines import ADMIN
from tests.http.conftest import House, on_sqlite

AT = "/v1/endpoints"
SECRET = "whsec_" + "QUFB" * 8


@contextlib.asynccontextmanager
async def another(url: str, number: int) -> AsyncIterator[House]:
    """A process of several on one store."""
    config = Config(database=url, keys=(bytes(32),), admin_token=ADMIN)
    async with (
        open_hub(config) as hub,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(build(hub)), base_url=f"http://hub{number}.test"
        ) as client,
    ):
        yield House(hub, client)


def signs(house: House, name: str) -> list[str]:
    """The secrets that sign for an endpoint now."""
    one = house.hub.directory.get(Endpoint, name)
    assert one is not None
    return house.hub.directory.secrets(one, house.hub.world.now())


async def test_of_many_changes_at_the_same_moment_all_stand(house: House):
    await house.post(AT, {"url": "https://wms.example/", "name": "wms"})
    changes = {
        "rate": 5.0,
        "timeout": 20.0,
        "concurrency": 3,
        "description": "x",
        "block_for": 60,
        "payload": "thin",
    }

    answers = await asyncio.gather(
        *(house.say("PATCH", f"{AT}/wms", {name: value}) for name, value in changes.items())
    )

    assert [answer.status_code for answer in answers] == [200] * 6
    stands = await house.get(f"{AT}/wms")
    assert {name: stands[name] for name in changes} == changes
    told = [one for one in (await house.get("/v1/audit"))["data"] if one["action"] == "endpoint.changed"]
    assert sorted(name for one in told for name in one["detail"]["after"]) == sorted(changes), "each once"


async def test_a_secret_that_was_shown_signs_whatever_else_was_changed_at_that_moment(house: House):
    await house.post(AT, {"url": "https://wms.example/", "name": "wms"})

    for number in range(2):
        shown, changed = await asyncio.gather(
            house.post(f"{AT}/wms/rotate"), house.say("PATCH", f"{AT}/wms", {"description": str(number)})
        )
        assert changed.status_code == 200
        assert (await house.get(f"{AT}/wms"))["description"] == str(number)
        assert signs(house, "wms")[0] == shown["secret"]
    both = await asyncio.gather(house.post(f"{AT}/wms/rotate"), house.post(f"{AT}/wms/rotate"))
    assert {one["secret"] for one in both} <= set(signs(house, "wms"))


async def test_a_partner_that_rotates_undoes_no_narrowing_of_what_it_may_see(house: House):
    partner = await house.post("/v1/partners", {"name": "WMS Ltd", "roles": ["receiver"]})
    await house.post(
        AT,
        {
            "url": "https://wms.example/",
            "name": "wms",
            "partner": partner["id"],
            "fields": ["number", "totals"],
        },
    )
    token = await house.token("partner", partner=partner["id"])

    narrowed, _ = await asyncio.gather(
        house.say("PATCH", f"{AT}/wms", {"fields": ["number"]}), house.post(f"{AT}/wms/rotate", token=token)
    )

    assert narrowed.status_code == 200
    assert (await house.get(f"{AT}/wms"))["fields"] == ["number"]


async def test_partners_and_connections_are_changed_at_once_too(house: House):
    await house.post("/v1/partners", {"name": "WMS Ltd", "roles": ["receiver"]})
    await house.post(
        "/v1/connections", {"name": "shop", "channel": "generic", "settings": {"webhook_secret": SECRET}}
    )
    await asyncio.gather(
        house.say("PATCH", "/v1/partners/WMS%20Ltd", {"locale": "de"}),
        house.say("PATCH", "/v1/partners/WMS%20Ltd", {"currency": "EUR"}),
        house.say("PATCH", "/v1/connections/shop", {"time_zone": "Asia/Shanghai"}),
        house.post("/v1/connections/shop/pause"),
    )

    partner = house.hub.directory.get(Partner, "WMS Ltd")
    shop = house.hub.directory.get(Connection, "shop")
    assert partner is not None
    assert shop is not None
    assert (partner.locale, partner.currency) == ("de", "EUR")
    assert (shop.time_zone, shop.status) == ("Asia/Shanghai", "paused")


async def test_a_process_that_has_not_heard_yet_undoes_nothing_of_another(postgres_url: str):
    async with another(postgres_url, 1) as one, another(postgres_url, 2) as two:
        await one.post(AT, {"url": "https://wms.example/", "name": "wms"})
        await two.hub.directory.refresh()
        shown = await one.post(f"{AT}/wms/rotate", {"overlap_hours": 0})

        await two.say("PATCH", f"{AT}/wms", {"description": "of the second"})

        await one.hub.directory.refresh()
        assert signs(one, "wms") == signs(two, "wms") == [shown["secret"]]
        assert (await one.get(f"{AT}/wms"))["description"] == "of the second"
        await one.say("DELETE", f"{AT}/wms")
        assert (await two.say("PATCH", f"{AT}/wms", {"description": "gone"})).status_code in (200, 404)
        assert (await two.say("GET", f"{AT}/wms")).status_code == 404, "nothing comes back"


async def test_an_account_is_learned_beside_a_change_of_its_connection(house: House):
    await house.post(
        "/v1/connections", {"name": "shop", "channel": "generic", "settings": {"webhook_secret": SECRET}}
    )
    hub = house.hub
    shop = hub.directory.get(Connection, "shop")
    assert shop is not None
    accounts = Accounts(hub.engine, hub.directory, hub.world, hub.troubles)

    await asyncio.gather(
        accounts._keep(shop, "north"),
        house.say("PATCH", "/v1/connections/shop", {"time_zone": "Asia/Shanghai"}),
    )

    now = hub.directory.get(Connection, "shop")
    assert now is not None
    assert (now.account, now.time_zone) == ("north", "Asia/Shanghai")


@on_sqlite
async def test_who_is_always_too_late_is_told_to_try_again(house: House, monkeypatch: pytest.MonkeyPatch):
    await house.post(AT, {"url": "https://wms.example/", "name": "wms"})

    async def too_late(*_: object) -> None:
        raise Poisoned("no position")

    async def yes(_: object) -> bool:
        return True

    monkeypatch.setattr(house.hub.directory, "put", too_late)
    monkeypatch.setattr(house.hub.directory, "moved", yes)
    answer = await house.say("PATCH", f"{AT}/wms", {"rate": 5})

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert answer.headers["retry-after"] == "1"
