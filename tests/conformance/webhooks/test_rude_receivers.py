"""Receivers that other senders are known to have stumbled over: none holds anything up, each is named in the log."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from tests.conformance.webhooks.conftest import House, until
from tests.conformance.webhooks.far import always, first, receiver, saying

REFUSED = [
    ("not a URL", "nonsense"),
    ("no scheme of ours", "ftp://partner.example/in"),
    ("a file", "file:///etc/passwd"),
    ("credentials", "https://user:pass@partner.example/in"),
    ("the cloud's metadata", "http://169.254.169.254/latest/meta-data"),
    ("a private network", "http://10.0.0.1/in"),
    ("another private network", "http://192.168.1.1/in"),
    ("IPv6 loopback", "http://[::1]/in"),
    ("IPv4 within IPv6", "http://[::ffff:10.0.0.1]/in"),
    ("6to4 of a private address", "http://[2002:a00:1::]/in"),
    ("a unique local address", "http://[fd00::1]/in"),
    ("nobody", "http://0.0.0.0/in"),
    ("CGNAT", "http://100.64.0.1/in"),
    ("multicast", "http://224.0.0.1/in"),
    ("a mail server's port", "http://93.184.216.34:25/in"),
]


async def settled(house: House, endpoint: dict[str, Any]) -> dict[str, Any]:
    """The first delivery once it was tried, with its log."""

    async def tried() -> bool:
        return bool([one for one in await house.deliveries(endpoint) if one["attempts"]])

    await until(tried, "an attempt")
    first_of_them = (await house.deliveries(endpoint))[0]
    found: dict[str, Any] = await house.ask("GET", f"/v1/deliveries/{first_of_them['id']}")
    return found


async def alive(house: House) -> None:
    """A webhook to somebody else gets through."""
    async with receiver() as far:
        await house.endpoint(far.url)
        await house.order()
        await until(lambda: far.taken, "a webhook to somebody else")


async def test_a_body_that_is_dripped_for_ever_ends_with_the_timeout(house: House) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"
    async with saying(head, lambda: b"x", 0.2, 600) as url:
        endpoint = await house.endpoint(url, timeout=1, schedule=[0, 3600])
        await house.order()
        delivery = await settled(house, endpoint)

        assert delivery["log"][0]["outcome"] == "timeout"
        await alive(house)


async def test_headers_that_are_dripped_for_ever_end_with_the_timeout(house: House) -> None:
    async with saying(b"HTTP/1.1 200 OK\r\n", lambda: b"x-more: y\r\n", 0.2, 600) as url:
        endpoint = await house.endpoint(url, timeout=1, schedule=[0, 3600])
        await house.order()
        delivery = await settled(house, endpoint)

        assert delivery["log"][0]["outcome"] in ("timeout", "too_large")


async def test_an_endless_body_is_read_to_a_cap(house: House) -> None:
    head = b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n"
    async with saying(head, lambda: b"10000\r\n" + b"x" * 65_536 + b"\r\n", 0.0, 4000) as url:
        endpoint = await house.endpoint(url, schedule=[0, 3600])
        await house.order()
        detail = (await settled(house, endpoint))["log"][0]["detail"]

        assert len(detail["body"]) <= 16_384


async def test_a_gzip_bomb_is_not_inflated(house: House) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    async with receiver(always(500, body=bomb, headers={"content-encoding": "gzip"})) as far:
        endpoint = await house.endpoint(far.url, schedule=[0, 3600])
        await house.order()
        detail = (await settled(house, endpoint))["log"][0]["detail"]

        assert len(detail["body"]) <= 16_384
        await alive(house)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(house: House, status: int) -> None:
    async with receiver() as sink, receiver(always(status, headers={"location": "/sink"})) as far:
        far.answers = always(status, headers={"location": sink.url})
        endpoint = await house.endpoint(far.url, schedule=[0, 3600])
        await house.order()
        delivery = await settled(house, endpoint)

        assert delivery["status"] == "due"
        assert sink.got == []


async def test_gone_disables_the_endpoint_at_once_and_keeps_what_comes(house: House) -> None:
    async with receiver(always(410)) as far:
        endpoint = await house.endpoint(far.url)
        await house.order("1")

        async def disabled() -> bool:
            return (await house.ask("GET", f"/v1/endpoints/{endpoint['id']}"))["status"] == "disabled"

        await until(disabled, "the endpoint to be disabled")
        await house.order("2")
        assert "held" in await house.statuses(endpoint)
        assert len(far.got) == 1


@pytest.mark.parametrize("wish", ["999999999", "a date"])
async def test_a_huge_retry_after_delays_by_a_day_at_most(house: House, wish: str) -> None:
    far_off = format_datetime(datetime.now(UTC) + timedelta(days=3650), usegmt=True)
    headers = {"retry-after": far_off if wish == "a date" else wish}
    async with receiver(always(429, headers=headers)) as far:
        endpoint = await house.endpoint(far.url)
        await house.order()
        delivery = await settled(house, endpoint)

        due = datetime.fromisoformat(delivery["due_at"])
        assert timedelta(hours=23) < due - datetime.now(UTC) < timedelta(hours=30)


async def test_a_retry_after_never_brings_an_attempt_forward(house: House) -> None:
    async with receiver(first(1, 429, headers={"retry-after": "0"})) as far:
        endpoint = await house.endpoint(far.url, schedule=[0, 600])
        await house.order()
        delivery = await settled(house, endpoint)

        assert datetime.fromisoformat(delivery["due_at"]) - datetime.now(UTC) > timedelta(minutes=8)


async def test_a_receiver_that_hangs_up_is_tried_again(house: House) -> None:
    def answers(n: int) -> web.Response | None:
        return None if n == 0 else web.Response()

    async with receiver(answers) as far:
        await house.endpoint(far.url)
        await house.order()
        await until(lambda: far.taken, "the attempt after it")


async def test_what_is_no_http_is_an_attempt_that_failed(house: House) -> None:
    async with saying(b"220 mail.example ESMTP\r\n", lambda: b"\r\n", 0.01, 3) as url:
        endpoint = await house.endpoint(url, schedule=[0, 3600])
        await house.order()
        delivery = await settled(house, endpoint)

        assert delivery["log"][0]["outcome"] == "reset"


async def test_an_endpoint_that_is_down_spends_nothing_of_its_schedule(house: House) -> None:
    async with receiver(always(503)) as far:
        endpoint = await house.endpoint(far.url, schedule=[0, 1, 1], concurrency=1)
        for n in range(12):
            await house.order(str(n))
        await until(lambda: len(far.got) >= 5, "five failures")

        async def open_circuit() -> bool:
            return "dead" not in await house.statuses(endpoint) and len(far.got) < 12

        await until(open_circuit, "the circuit to open before anything is dead")
        untried = [one for one in await house.deliveries(endpoint) if not one["attempts"]]
        assert untried, "those behind the first were not tried"


async def test_a_receiver_s_own_word_for_yes_is_asked(house: House) -> None:
    def answers(n: int) -> web.Response:
        return web.json_response({"code": 500 if n == 0 else 0})

    async with receiver(answers) as far:
        endpoint = await house.endpoint(far.url, accept="body.code == 0")
        await house.order()
        await until(lambda: len(far.got) == 2, "a second attempt though the first was answered 200")

        async def delivered() -> bool:
            return await house.statuses(endpoint) == ["delivered"]

        await until(delivered, "the second to be enough")


@pytest.mark.parametrize(("what", "url"), REFUSED, ids=[what for what, _ in REFUSED])
async def test_an_address_that_may_not_be_called_is_refused_with_the_field_and_the_reason(
    house: House, what: str, url: str
) -> None:
    answer = await house.say("POST", "/v1/endpoints", {"url": url, "events": ["*"]})

    assert answer.status_code == 422, f"{what}: {answer.text}"
    assert answer.json()["field"] == "url"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("events", ["order.creatd"]),
        ("filter", "data.number =="),
        ("accept", "body.code =="),
        ("fields", ["nonsense.of.ours"]),
        ("headers", {"Host": "other.example"}),
        ("headers", {"webhook-id": "mine"}),
        ("mapping", "no.such.mapping"),
        ("schedule", []),
        ("timeout", 31),
        ("partner", "nobody"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_with_its_field(house: House, field: str, value: Any) -> None:
    body = {"url": "https://partner.example/in", "events": ["*"], field: value}
    answer = await house.say("POST", "/v1/endpoints", body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["field"].startswith(field)
