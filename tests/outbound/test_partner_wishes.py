"""What a partner's endpoint wants, over real sockets: credentials, its own word for yes, its number of the order."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from aiohttp import web

from hub.directory import Endpoint
from hub.outbound.credentials import _Grant, _lasts
from hub.run import Hub
from tests.outbound.desk import HOUR, MINUTE, Desk, desk, on_one_engine
from tests.outbound.receivers import served


@dataclass
class Partner:
    """A partner's server with a token endpoint: what it was asked, and what it says."""

    url: str = ""
    says: Callable[[web.Request], web.Response] = lambda _: web.Response()
    heard: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    asked: list[tuple[dict[str, str], dict[str, list[str]]]] = field(default_factory=list)
    grants: Callable[[int], web.Response] = lambda n: web.json_response(
        {"access_token": f"t{n}", "expires_in": 3600}
    )
    slow: float = 0.0

    async def take(self, request: web.Request) -> web.Response:
        if request.path == "/token":
            self.asked.append((dict(request.headers), parse_qs(await request.text())))
            await asyncio.sleep(self.slow)
            return self.grants(len(self.asked))
        self.heard.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(msgspec.json.decode(await request.read()))
        return self.says(request)


@asynccontextmanager
async def partner(hub: Hub) -> AsyncIterator[tuple[Partner, Desk]]:
    """A partner, and a desk whose hub sends for real."""
    real = hub.deliver.sender
    one = Partner()
    async with served(one.take) as url:
        one.url = url
        d = await desk(hub)
        hub.deliver.sender = real
        yield one, d


def sealed(hub: Hub, id_: str, text: str) -> dict[str, str]:
    return {"sealed": hub.vault.seal(text, id_)}


async def oauth(d: Desk, one: Partner, **more: Any) -> Endpoint:
    auth = {"type": "oauth2_client", "token_url": f"{one.url}/token", "client_id": "our:self", "scope": "hooks",
            "client_secret": sealed(d.hub, "end_o", "hush+hush"), **more}  # fmt: skip
    secret = {"sealed": d.hub.vault.seal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "end_o")}
    return await d.endpoint(
        id="end_o", url=f"{one.url}/hooks", events=["order.created"], auth=auth, secrets=[secret]
    )


@on_one_engine
@pytest.mark.parametrize(("auth", "header"), [
    ({"type": "basic", "username": "ada", "password": "Lü:ge"}, "Basic " + base64.b64encode("ada:Lü:ge".encode()).decode()),
    ({"type": "bearer", "token": "abc.def"}, "Bearer abc.def"),
    ({}, None),
])  # fmt: skip
async def test_credentials_go_out_and_the_log_hides_them(hub: Hub, auth: dict[str, Any], header: str | None):
    async with partner(hub) as (one, d):
        kept = {
            name: sealed(hub, "end_c", value) if name in ("password", "token") else value
            for name, value in auth.items()
        }
        secret = {"sealed": hub.vault.seal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "end_c")}
        await d.endpoint(
            id="end_c", url=one.url, auth=kept, secrets=[secret], headers={"x-api-key": "k", "x-desk": "7"}
        )
        await d.tell("A", "1")
        await hub.settle()

        assert one.heard[0].get("authorization") == header
        assert one.heard[0]["x-api-key"] == "k"
        (position,) = await d.deliveries()
        [entry] = await d.attempts(position)
        shown = entry["request"]["headers"]
        assert shown.get("authorization") == ("***" if header else None)
        assert (shown["x-api-key"], shown["x-desk"]) == ("***", "7")
        assert shown["webhook-id"] == one.heard[0]["webhook-id"]


async def test_a_token_is_fetched_once_kept_sealed_and_renewed_before_it_ends(hub: Hub):
    async with partner(hub) as (one, d):
        one.slow = 0.05
        await oauth(d, one)
        for number in "ABCD":
            await d.tell(number, "1")
        await hub.settle()

        assert [heard["authorization"] for heard in one.heard] == ["Bearer t1"] * 4
        [(headers, form)] = one.asked
        assert form == {"grant_type": ["client_credentials"], "scope": ["hooks"]}
        pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        assert pair == "our%3Aself:hush%2Bhush", "each half form-encoded, as RFC 6749 says"
        rows = await hub.engine.fetch("memories_all", owner="auth:end_o", now=hub.world.now())
        assert len(rows) == 1
        assert b"t1" not in bytes(rows[0][1])

        hub.postman.credentials._tokens.clear()  # a process that was started again
        await d.tell("E", "1")
        await hub.settle()
        assert (len(one.asked), one.heard[-1]["authorization"]) == (1, "Bearer t1")

        hub.world.move(HOUR - 30)
        await d.tell("F", "1")
        await hub.settle()
        assert (len(one.asked), one.heard[-1]["authorization"]) == (2, "Bearer t2")


@on_one_engine
async def test_a_token_that_was_taken_back_is_fetched_again_within_the_attempt(hub: Hub):
    async with partner(hub) as (one, d):
        await oauth(d, one, credentials_in="body")
        one.says = lambda request: web.Response(
            status=401 if request.headers["authorization"] == "Bearer t1" else 204
        )
        await d.tell("A", "1")
        await hub.settle()

        assert [heard["authorization"] for heard in one.heard] == ["Bearer t1", "Bearer t2"]
        assert await d.statuses() == ["delivered"]
        assert one.asked[0][1]["client_secret"] == ["hush+hush"]
        assert "Authorization" not in one.asked[0][0]


@on_one_engine
@pytest.mark.parametrize(("grant", "reason"), [
    (web.json_response({"error": "invalid_client", "hint": "secret-of-theirs"}, status=400), "it answered 400: invalid_client"),
    (web.json_response({"token": "x"}), "no access_token"),
    (web.json_response({"access_token": "a\nb"}), "cannot stand in a header"),
    (web.Response(text="<html>"), "no access_token"),
])  # fmt: skip
async def test_without_a_token_nothing_goes_out_and_the_attempt_says_why(
    hub: Hub, grant: web.Response, reason: str
):
    async with partner(hub) as (one, d):
        await oauth(d, one)
        one.grants = lambda _: web.Response(
            body=grant.body, status=grant.status, content_type=grant.content_type
        )
        await d.tell("A", "1")
        await hub.settle()

        assert one.heard == []
        (position,) = await d.deliveries()
        [entry] = await d.attempts(position)
        assert (entry["outcome"], entry["error"]) == ("auth", "auth")
        assert reason in entry["reason"]
        assert "secret-of-theirs" not in str(entry)
        one.grants = lambda _: web.json_response({"access_token": "ok", "expires_in": "60"})
        hub.world.move(6)
        await hub.settle()
        assert await d.statuses() == ["delivered"]


@on_one_engine
async def test_the_guard_judges_where_a_token_comes_from(hub: Hub):
    async with partner(hub) as (one, d):
        await oauth(d, one, token_url="http://169.254.169.254/token")
        await d.tell("A", "1")
        await hub.settle()

        (position,) = await d.deliveries()
        [entry] = await d.attempts(position)
        assert "link-local" in entry["reason"]


ANSWERS = [
    ("status == 200 and body.code == 0", 200, {"code": 0}, "delivered", "200"),
    ("status == 200 and body.code == 0", 200, {"code": 500}, "due", "declined"),
    ("body.code == 0", 200, "OK", "due", "declined"),
    ("(body.code | int) == 0", 200, {"code": "none"}, "due", "declined"),
    ("body.code | teleport", 200, {"code": 0}, "due", "declined"),
    ("body == 'success'", 200, "success", "delivered", "200"),
    ("status == 200 or status == 409", 409, {"seen": True}, "delivered", "409"),
    ("status == 200", 204, "", "due", "declined"),
    ("body.result in ['ok', 'dup']", 500, {"result": "dup"}, "delivered", "500"),
    ("body.rate < 1.5", 200, {"rate": 1.25}, "delivered", "200"),
]


@on_one_engine
@pytest.mark.parametrize(("accept", "status", "body", "becomes", "outcome"), ANSWERS)
async def test_a_partner_has_its_own_word_for_yes(
    hub: Hub, accept: str, status: int, body: Any, becomes: str, outcome: str
):
    async with partner(hub) as (one, d):
        await d.endpoint(url=one.url, accept=accept, events=["order.created"])
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        one.says = lambda _: web.Response(text=text or None, status=status)
        await d.tell("A", "1")
        await hub.settle()

        assert await d.statuses() == [becomes]
        (position,) = await d.deliveries()
        [entry] = await d.attempts(position)
        assert (entry["outcome"], entry["status"]) == (outcome, status)
        assert bool(entry["reason"]) is (becomes == "due")


@on_one_engine
async def test_an_answer_that_was_cut_is_declined_with_its_size(hub: Hub):
    async with partner(hub) as (one, d):
        await d.endpoint(url=one.url, accept="body.code == 0", events=["order.created"])
        one.says = lambda _: web.json_response({"code": 0, "more": "x" * 20_000})
        await d.tell("A", "1")
        await hub.settle()

        (position,) = await d.deliveries()
        [entry] = await d.attempts(position)
        assert entry["outcome"] == "declined"
        assert "longer than 16 kB and was cut" in entry["reason"]


async def test_an_answer_that_declines_for_ever_is_a_dead_letter_and_not_an_open_circuit(hub: Hub):
    async with partner(hub) as (one, d):
        await d.endpoint(url=one.url, accept="body.code == 0", events=["order.created"], schedule=[0, 5, 5])
        one.says = lambda _: web.json_response({"code": 500, "message": "no such warehouse"})
        await d.tell("A", "1")
        await hub.settle()
        await d.pass_by(MINUTE, step=10)

        assert await d.statuses() == ["dead"]
        assert not any(lane.circuit.is_open for lane in hub.deliver.lanes.values())
        (trouble,) = await d.troubles()
        assert "declined" in trouble["title"]


@pytest.mark.parametrize(("body", "ref"), [
    ({"code": 0, "data": {"no": "SO-77"}}, "SO-77"), ({"data": {"no": 4711}}, "4711"),
    ({"data": {"no": None}}, None), ({"data": {"no": {"a": 1}}}, None), ({"data": {"no": "x" * 300}}, None), ("fine", None),
])  # fmt: skip
async def test_the_partners_own_number_becomes_a_reference_of_the_order(hub: Hub, body: Any, ref: str | None):
    async with partner(hub) as (one, d):
        made = await d.endpoint(url=one.url, capture="body.data.no", events=["order.*"])
        one.says = lambda _: web.json_response(body)
        await d.tell("A", "1")
        await hub.settle()
        count = len(one.heard)
        await d.tell("A", "2")
        await hub.settle()

        told = one.bodies[-1]["data"]
        assert told.get("refs") == ([{"account": made.id, "type": "order", "id": ref}] if ref else None)
        assert len(one.heard) == count + 1, "a captured reference is no news of its own"
        assert set(await d.statuses()) == {"delivered"}


@on_one_engine
async def test_a_partner_that_makes_a_new_number_each_time_does_not_set_off_a_storm(hub: Hub):
    async with partner(hub) as (one, d):
        await d.endpoint(url=one.url, capture="body.no", events=["*"])
        one.says = lambda _: web.json_response({"no": f"N{len(one.heard)}"})
        await d.tell("A", "1", "2")
        await hub.settle()

        assert len(one.heard) == 3


@pytest.mark.parametrize("told", ["nan", "inf", "-inf", 1e300, -5])
def test_a_token_lasts_no_longer_than_can_be_counted_whatever_its_far_side_says(told: Any):
    assert 0 < _lasts(_Grant("t", told)) <= 30 * 24 * HOUR
