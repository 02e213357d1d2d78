"""A far side that is down, or does not know us any more, is probed and not hammered; who listens is told once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest

from hub.contract import Auth, Context, Conversation, Page, Request, Token
from hub.contract.errors import HubError, Postponed, Refused
from hub.directory import Connection
from hub.reach import Down, Reach
from hub.run import Hub
from hub.store.engine import Unavailable
from tests.inbound.test_hints import DEPOT, TRUTH, DepotSettings, connect, depot

__all__ = ["depot"]


class FarSide:
    """Answers what it is told to, and counts; `one` is the connection to it."""

    def __init__(self, hub: Hub, one: Connection) -> None:
        self.hub, self.one = hub, one
        self.asked: list[httpx.Request] = []
        self.answers: Iterator[httpx.Response] = iter(())
        self.last = httpx.Response(200, content=TRUTH)
        hub.converser.client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        found = next(self.answers, self.last)
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    def will(self, *answers: httpx.Response) -> None:
        """What it answers next, before it goes on with the last."""
        self.answers = iter(answers)

    async def ask(self) -> Any:
        """One question of the connection."""
        return await self.hub.converser.run(self.one, look(await self.hub.converser.context(self.one)))


@pytest.fixture
async def far(depot: Hub) -> FarSide:
    """The far side of the depot's only connection."""
    one = await connect(depot, DepotSettings(api_key="k"))
    await depot.converser.client.aclose()
    return FarSide(depot, one)


def look(_: Context[Any]) -> Conversation[int]:
    """Asks one question."""
    answer = yield Request(url="https://depot.example/parcels")
    assert answer is not None
    return answer.status


async def told(hub: Hub) -> list[str]:
    rows = await hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=99
    )
    return [row[3] for row in rows]


async def open_titles(hub: Hub) -> list[str]:
    rows = await hub.engine.fetch("exceptions_list", tenant="main", after=0, state="open", most=9)
    return [msgspec.json.decode(bytes(row[8]))["title"] for row in rows]


async def test_after_five_failures_it_is_probed_a_minute_later_and_recovers_by_itself(
    depot: Hub, far: FarSide
) -> None:
    far.last = httpx.Response(503)
    with pytest.raises(Postponed):
        await far.ask()
    assert (len(far.asked), await told(depot)) == (4, [])
    with pytest.raises(Postponed):
        await far.ask()
    assert len(far.asked) == 5, "the fifth opened the circuit: the try after it is not made"
    assert await told(depot) == ["connection.degraded"]
    assert "its far side is down" in (await open_titles(depot))[0]

    with pytest.raises(Down) as early:
        await far.ask()
    assert 0 < (early.value.after or 0) <= 60
    assert len(far.asked) == 5

    far.last = httpx.Response(200, content=TRUTH)
    depot.world.move(61)  # type: ignore[attr-defined]
    assert await far.ask() == 200
    assert await told(depot) == ["connection.degraded", "connection.recovered"]
    assert await open_titles(depot) == []


async def test_a_process_that_starts_takes_back_what_an_earlier_one_told(depot: Hub, far: FarSide) -> None:
    far.last = httpx.Response(500)
    for _ in range(2):
        with pytest.raises(HubError):
            await far.ask()
    depot.reach._known.clear()  # as after a restart
    far.last = httpx.Response(200, content=TRUTH)
    assert await far.ask() == 200, "the first question is a probe"
    assert await told(depot) == ["connection.degraded", "connection.recovered"]


def mint(_: Context[Any], old: Token | None) -> Conversation[Token]:
    """Buys a credential."""
    answer = yield Request(method="POST", url="https://depot.example/token")
    assert answer is not None
    if answer.status != 200:
        raise Refused("no token is given")
    return Token(access=answer.body.decode(), expires_in=3600)


def show(request: Request, _: Context[Any], token: Token | None) -> Request:
    """Puts it on a request."""
    assert token is not None
    return msgspec.structs.replace(request, headers={"authorization": token.access})


GUARDED = msgspec.structs.replace(DEPOT, auth=Auth(sign=show, token=mint))


@pytest.mark.parametrize("depot", [GUARDED], indirect=True)
async def test_a_credential_that_is_not_taken_any_more_is_renewed_once_and_the_question_repeated(
    depot: Hub, far: FarSide
) -> None:
    far.will(
        httpx.Response(200, content=b"first"),
        httpx.Response(401),
        httpx.Response(200, content=b"second"),
    )
    assert await far.ask() == 200
    assert [(one.url.path, one.headers.get("authorization")) for one in far.asked] == [
        ("/token", None), ("/parcels", "first"), ("/token", None), ("/parcels", "second"),
    ]  # fmt: skip
    assert await told(depot) == []


@pytest.mark.parametrize("depot", [GUARDED], indirect=True)
async def test_credentials_that_are_refused_are_told_once_and_noticed_when_they_are_granted_again(
    depot: Hub, far: FarSide
) -> None:
    far.will(httpx.Response(200, content=b"first"), httpx.Response(401), httpx.Response(403))
    with pytest.raises(Refused):
        await far.ask()
    assert await told(depot) == ["connection.reauth_required"]
    with pytest.raises(Down, match="does not accept our credentials"):
        await far.ask()
    assert len(far.asked) == 3
    assert "no token is given" in (await open_titles(depot))[0]

    far.will(httpx.Response(200, content=TRUTH))
    depot.reach.fresh(far.one)  # what `orderhub connections test` does
    assert await far.ask() == 200
    assert await told(depot) == ["connection.reauth_required", "connection.recovered"]
    assert await open_titles(depot) == []


async def test_the_far_side_may_say_by_a_date_when_to_come_again(depot: Hub, far: FarSide) -> None:
    moment = datetime.fromtimestamp(depot.world.now() / 1e6 + 7200, UTC)
    far.will(httpx.Response(429, headers={"retry-after": format_datetime(moment, usegmt=True)}))
    with pytest.raises(Postponed) as wait:
        await far.ask()
    assert 7100 < (wait.value.after or 0) <= 7200
    assert len(far.asked) == 1, "what is asked to wait for two hours is not tried again in half a second"


async def test_a_sweep_that_meets_a_far_side_that_is_down_opens_no_second_exception(
    depot: Hub, far: FarSide
) -> None:
    def poll(_: Context[Any], __: str) -> Conversation[None]:
        answer = yield Request(url="https://depot.example/all")
        assert answer is not None
        yield Page(topic="parcel", body=answer.body)

    far.last = httpx.Response(502)
    depot.registry.channels["depot"] = msgspec.structs.replace(DEPOT, poll=poll)
    for _ in range(3):
        await depot.sweeper.sweep(far.one)
    assert len(far.asked) == 5
    titles = await open_titles(depot)
    assert len([title for title in titles if "far side is down" in title]) == 1


async def test_what_the_store_did_not_take_of_a_change_is_told_the_next_time(
    depot: Hub, far: FarSide
) -> None:
    far.last = httpx.Response(503)
    plain = depot.converser.reach.tell

    async def away(connection: Connection, what: str, why: str) -> None:
        raise Unavailable("the store is away")

    depot.converser.reach.tell = away
    with pytest.raises(Postponed):
        await far.ask()
    with pytest.raises(HubError):
        await far.ask()
    assert await told(depot) == []
    depot.converser.reach.tell = plain
    depot.world.move(61)  # type: ignore[attr-defined]
    with pytest.raises(Postponed):
        await far.ask()

    assert await told(depot) == ["connection.degraded"]


async def test_a_far_side_that_asks_for_patience_is_there(depot: Hub, far: FarSide) -> None:
    far.last = httpx.Response(503)
    for _ in range(2):
        with pytest.raises(Postponed):
            await far.ask()
    far.last = httpx.Response(429, headers={"retry-after": "90"})
    depot.world.move(61)  # type: ignore[attr-defined]
    with pytest.raises(Postponed) as busy:
        await far.ask()

    assert not isinstance(busy.value, Down)
    assert await told(depot) == ["connection.degraded", "connection.recovered"]


async def test_what_a_process_told_that_died_is_taken_back_by_another(depot: Hub) -> None:
    one = await connect(depot, DepotSettings(api_key="k"))
    other = Reach(depot.engine, depot.world, depot.reach.tell)
    await other.heard(one)
    for _ in range(5):
        await depot.reach.unheard(one, "nobody is there")
    depot.world.move(61)  # type: ignore[attr-defined]
    await other.heard(one)

    assert await told(depot) == ["connection.degraded", "connection.recovered"]
    assert await open_titles(depot) == []
