"""What we send, and what becomes of it when receivers do what receivers do."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import zlib
from collections import Counter

import pytest
from aiohttp import web

from hub.outbound.guard import Guard
from hub.outbound.sender import Post, retry_after
from tests.outbound.receivers import HERE, Names, request_of, says, scripted, sender, served, tls_pair


def post(url: str, **more: object) -> Post:
    given = {
        "headers": {"content-type": "application/json", "webhook-id": "evt_1"},
        "body": b'{"a":1}',
        "timeout": 5.0,
    }
    return Post(url=url, **{**given, **more})


async def test_a_post_arrives_as_it_was_made_and_its_answer_comes_back():
    seen = []

    async def app(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path, request.headers.copy(), await request.read()))
        return web.Response(status=201, text="taken", headers={"X-Ref": "42"})

    async with served(app) as url, sender() as send:
        answer = await send.send(
            post(url + "/hook/a%2Fb?x=%20y+z", headers={"webhook-id": "evt_1", "user-agent": "orderhub/1"})
        )

    method, path, headers, body = seen[0]
    assert (method, path, body) == ("POST", "/hook/a%2Fb?x=%20y+z", b'{"a":1}')
    assert (headers["webhook-id"], headers["user-agent"], headers["Accept-Encoding"]) == (
        "evt_1",
        "orderhub/1",
        "identity",
    )
    assert {name.lower() for name in headers} == {
        "host", "accept-encoding", "webhook-id", "user-agent", "content-length"
    }  # fmt: skip
    assert (answer.status, answer.body, answer.error, answer.reason) == (201, b"taken", None, "")
    assert (answer.headers["x-ref"], answer.address, answer.truncated) == ("42", "127.0.0.1", False)
    assert {"connect", "first_byte", "total"} == set(answer.phases)
    assert answer.phases["total"] >= answer.phases["first_byte"] > 0


async def test_connections_are_used_again():
    ports = Counter()

    async def app(request: web.Request) -> web.Response:
        ports[request.transport.get_extra_info("peername")[1]] += 1
        return web.Response(text="ok" * 100)

    async with served(app) as url, sender() as send:
        answers = [await send.send(post(url)) for _ in range(10)]

    assert len(ports) == 1
    assert "connect" in answers[0].phases
    assert all("connect" not in answer.phases and answer.address == "127.0.0.1" for answer in answers[1:])


async def test_no_more_connections_to_a_host_than_allowed():
    open_now, most = 0, 0

    async def app(request: web.Request) -> web.Response:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.01)
        open_now -= 1
        return web.Response()

    async with served(app) as url, sender(per_host=3) as send:
        answers = await asyncio.gather(*[send.send(post(url)) for _ in range(20)])

    assert {answer.status for answer in answers} == {200}
    assert most <= 3


@pytest.mark.parametrize("status", [204, 301, 302, 303, 307, 308, 400, 404, 410, 429, 500, 503])
async def test_any_status_is_an_answer_and_none_is_followed(status: int):
    asked = []

    async def app(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with served(app) as url, sender() as send:
        answer = await send.send(post(url + "/hook"))

    assert (answer.status, answer.error, asked) == (status, None, ["/hook"])


async def test_cookies_are_never_kept():
    cookies = []

    async def app(request: web.Request) -> web.Response:
        cookies.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "session=1"})

    async with served(app) as url, sender() as send:
        await send.send(post(url))
        await send.send(post(url))

    assert cookies == [None, None]


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_body_fed_by_drips_times_out():
    async def drip(reader, writer):
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with scripted(drip) as url, sender() as send:
        answer = await send.send(post(url, timeout=0.15))

    assert (answer.error, answer.status) == ("timeout", 200)
    assert 0 < len(answer.body) < 1000


async def test_headers_fed_by_drips_time_out():
    async def drip(reader, writer):
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            writer.write(b"x-%d: y\r\n" % number)
            await writer.drain()
            await asyncio.sleep(0.02)

    async with scripted(drip) as url, sender() as send:
        answer = await send.send(post(url, timeout=0.15))

    assert (answer.error, answer.status) == ("timeout", None)


async def test_a_receiver_that_never_answers_times_out_and_the_next_post_goes_through():
    turn = 0

    async def silent_once(reader, writer):
        nonlocal turn
        turn += 1
        if turn == 1:
            await asyncio.Event().wait()
        await says(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")(reader, writer)

    async with scripted(silent_once) as url, sender() as send:
        first = await send.send(post(url, timeout=0.1))
        second = await send.send(post(url))

    assert (first.error, first.status, first.reason) == ("timeout", None, "no answer in time")
    assert (second.error, second.status) == (None, 200)


async def test_a_receiver_that_takes_no_bytes_times_out():
    async def deaf(reader, writer):
        await asyncio.Event().wait()

    async with scripted(deaf) as url, sender() as send:
        answer = await send.send(post(url, body=b"x" * (16 << 20), timeout=0.15))

    assert (answer.error, answer.status) == ("timeout", None)


async def test_a_large_body_arrives_whole():
    async def app(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async with served(app) as url, sender() as send:
        answer = await send.send(post(url, body=b"x" * (3 << 20)))

    assert answer.body == str(3 << 20).encode()


async def test_a_cancelled_post_leaves_nothing_behind():
    async def deaf(reader, writer):
        await asyncio.Event().wait()

    async with scripted(deaf) as url, sender() as send:
        task = asyncio.create_task(send.send(post(url)))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert not send.deadlines._ends
        assert not send.session.connector._acquired


# ── size ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_huge_body_is_read_to_the_cap_and_no_further():
    sent = 0

    async def endless(reader, writer):
        nonlocal sent
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()
            sent += 65_536

    async with scripted(endless) as url, sender() as send:
        answer = await send.send(post(url))

    assert (answer.status, answer.error, answer.truncated) == (200, None, True)
    assert answer.body == b"x" * 16_384
    assert sent < 32 << 20


async def test_a_body_of_exactly_the_cap_is_whole():
    async def app(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 16_384)

    async with served(app) as url, sender() as send:
        answer = await send.send(post(url))
        again = await send.send(post(url))

    assert (len(answer.body), answer.truncated) == (16_384, False)
    assert "connect" not in again.phases


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
async def test_a_compressed_bomb_is_not_inflated(coding: str):
    bomb = gzip.compress(bytes(20 << 20)) if coding == "gzip" else zlib.compress(bytes(20 << 20))

    async def app(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": coding})

    async with served(app) as url, sender() as send:
        answer = await send.send(post(url))

    assert answer.status == 200
    assert bomb.startswith(answer.body)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(5000)) + b"\r\n",
        b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\n",
    ],
    ids=["long", "many", "status"],
)
async def test_headers_without_measure_are_too_large(answer: bytes):
    async with scripted(says(answer)) as url, sender() as send:
        got = await send.send(post(url))

    assert (got.error, got.status) == ("too_large", None)


# ── breaks ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_closed_port_is_a_failure_to_connect():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async with sender() as send:
        answer = await send.send(post(f"http://127.0.0.1:{port}/"))

    assert (answer.error, answer.status, answer.address) == ("connect", None, "127.0.0.1")
    assert "total" in answer.phases


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-le", b"hello\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n"],
    ids=["nothing", "half", "no-http", "no-status"],
)
async def test_a_connection_that_ends_early_is_a_reset(answer: bytes):
    async with scripted(says(answer)) as url, sender() as send:
        got = await send.send(post(url))

    assert (got.error, got.status) == ("reset", None)
    assert got.reason


async def test_a_body_cut_short_is_a_reset_with_its_status():
    short = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this"

    async with scripted(says(short)) as url, sender() as send:
        answer = await send.send(post(url))

    assert (answer.error, answer.status, answer.body) == ("reset", 200, b"only this")


async def test_a_tcp_reset_is_a_reset():
    async def rude(reader, writer):
        await request_of(reader)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with scripted(rude) as url, sender() as send:
        answer = await send.send(post(url))

    assert (answer.error, answer.status) == ("reset", None)


async def test_a_connection_that_died_while_idle_costs_no_attempt():
    connections = 0

    async def one_answer_each(reader, writer):
        nonlocal connections
        connections += 1
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        await request_of(reader)  # the next request finds a receiver that hangs up

    async with scripted(one_answer_each) as url, sender() as send:
        answers = [await send.send(post(url)) for _ in range(5)]

    assert [answer.status for answer in answers] == [200] * 5
    assert connections == 5


async def test_a_fresh_connection_that_is_reset_is_not_tried_again():
    connections = 0

    async def hang_up(reader, writer):
        nonlocal connections
        connections += 1
        await request_of(reader)

    async with scripted(hang_up) as url, sender() as send:
        answer = await send.send(post(url))

    assert (answer.error, connections) == ("reset", 1)


async def test_an_early_refusal_before_the_body_is_read_is_an_answer():
    async def impatient(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig")
        await writer.drain()
        await asyncio.sleep(0.05)

    async with scripted(impatient) as url, sender() as send:
        answer = await send.send(post(url, body=b"x" * 4096))

    assert (answer.status, answer.body) == (413, b"big")


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_tls_is_spoken_and_its_time_is_told():
    server, client = tls_pair()

    async def app(request: web.Request) -> web.Response:
        return web.Response(text=request.scheme)

    async with served(app, tls=server) as url, sender(tls=client) as send:
        answer = await send.send(post(url))

    assert (answer.status, answer.body) == (200, b"https")
    assert {"connect", "tls", "first_byte", "total"} == set(answer.phases)


@pytest.mark.parametrize("fault", ["unknown", "expired", "wrong-name"])
async def test_a_certificate_that_does_not_hold_is_a_tls_failure(fault: str):
    server, client = tls_pair(valid=fault != "expired")
    names = Names(shop_example=[["127.0.0.1"]])

    async def app(request: web.Request) -> web.Response:
        raise AssertionError("a request came through")

    async with (
        served(app, tls=server) as url,
        sender(tls=None if fault == "unknown" else client, resolver=names) as send,
    ):
        answer = await send.send(
            post(url.replace("127.0.0.1", "shop.example") if fault == "wrong-name" else url)
        )

    assert (answer.error, answer.status) == ("tls", None)


async def test_a_receiver_that_speaks_no_tls_is_a_tls_failure():
    async def plain(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read(100)

    async with scripted(plain) as url, sender() as send:
        answer = await send.send(post(url.replace("http:", "https:")))

    assert (answer.error, answer.status) == ("tls", None)


# ── the guard ────────────────────────────────────────────────────────────────────────────────────────


async def never(request: web.Request) -> web.Response:
    raise AssertionError("a request came through")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "127.0.0.1.",
        "user@127.0.0.1",
    ],
)
async def test_an_address_the_guard_refuses_is_never_dialled(host: str):
    async with served(never) as url, sender(Guard()) as send:
        answer = await send.send(post(url.replace("127.0.0.1", host)))

    assert (answer.error, answer.status, answer.address) == ("blocked", None, "")
    assert answer.reason


async def test_a_name_with_one_refused_address_is_refused():
    names = Names(partner_example=[["127.0.0.1", "10.0.0.1"]])

    async with served(never) as url, sender(resolver=names) as send:
        answer = await send.send(post(url.replace("127.0.0.1", "partner.example")))

    assert answer.error == "blocked"
    assert "partner.example resolves to 10.0.0.1, which is not allowed: private" in answer.reason


async def test_a_name_whose_answer_flips_between_check_and_connect_gains_nothing():
    asked = []

    async def app(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(headers={"Connection": "close"})

    names = Names(partner_example=[["127.0.0.1"], ["169.254.169.254"]])
    async with served(app) as url, sender(resolver=names) as send:
        send.session.connector.clear_dns_cache()
        target = url.replace("127.0.0.1", "partner.example")
        first = await send.send(post(target))
        send.session.connector.clear_dns_cache()
        second = await send.send(post(target))

    assert (first.status, second.error, asked) == (200, "blocked", ["/"])
    assert "169.254.169.254" in second.reason
    assert names.asked == ["partner.example"] * 2


async def test_the_very_address_that_is_dialled_is_judged_even_if_the_resolver_lied():
    class Liar(dict):
        """Says a public address when it is read for judging, and loopback when it is dialled."""

        def __getitem__(self, key):
            if key == "host":
                self["times"] = self.get("times", 0) + 1
                return "8.8.8.8" if self["times"] == 1 else "127.0.0.1"
            return super().__getitem__(key)

    class Lying(Names):
        async def resolve(self, host, port=0, family=0):
            return [Liar(one) for one in await super().resolve(host, port, family)]

    async with served(never) as url, sender(Guard(), resolver=Lying(partner_example=[["8.8.8.8"]])) as send:
        answer = await send.send(post(url.replace("127.0.0.1", "partner.example")))

    assert (answer.error, answer.reason) == ("blocked", "127.0.0.1 is not allowed: loopback")


async def test_a_name_without_an_address_is_a_dns_failure():
    async with sender(resolver=Names()) as send:
        answer = await send.send(post("http://nowhere.example/"))

    assert (answer.error, answer.status) == ("dns", None)
    assert "nowhere.example" in answer.reason


async def test_a_name_that_resolves_tells_the_time_it_took():
    async def app(request: web.Request) -> web.Response:
        return web.Response(text=request.host.split(":")[0])

    names = Names(partner_example=[["127.0.0.1"]])
    async with served(app) as url, sender(resolver=names) as send:
        answer = await send.send(post(url.replace("127.0.0.1", "partner.example")))

    assert (answer.body, answer.address) == (b"partner.example", "127.0.0.1")
    assert {"dns", "connect", "first_byte", "total"} == set(answer.phases)


async def test_names_are_resolved_by_the_machine_when_nothing_else_is_said():
    async def app(request: web.Request) -> web.Response:
        return web.Response()

    async with served(app) as url, sender(Guard.of(["127.0.0.0/8", "::1/128"])) as send:
        answer = await send.send(post(url.replace("127.0.0.1", "localhost")))

    assert answer.status == 200


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
async def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch, variable: str):
    monkeypatch.setenv(variable, "http://127.0.0.1:9")

    async def app(request: web.Request) -> web.Response:
        return web.Response()

    async with served(app) as url, sender() as send:
        answer = await send.send(post(url))

    assert answer.status == 200


@pytest.mark.parametrize("headers", [{"x-a": "b\r\nx-evil: 1"}, {"x\n": "a"}, {"x": "a\x00"}])
async def test_a_header_that_would_smuggle_another_is_not_sent(headers: dict[str, str]):
    async with served(never) as url, sender() as send:
        answer = await send.send(post(url, headers=headers))

    assert (answer.error, answer.status) == ("blocked", None)


# ── Retry-After ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 2.0 ", 2.0),
        ("0", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 80.0),
        ("Wed, 21 Oct 2026 07:26:40 -0000", 0.0),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0.0),
        ("999999999999", 999_999_999_999.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e9", None),
        ("9" * 40, None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None):
    assert retry_after(value, 1792567600.0) == seconds


async def test_the_far_sides_wish_is_part_of_the_answer():
    async def app(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})

    async with served(app) as url, sender(now=lambda: 1792567600.0) as send:
        answer = await send.send(post(url))

    assert (answer.status, answer.retry_after) == (429, 80.0)


def test_the_guard_of_these_tests_lets_one_address_through():
    assert HERE.judge("127.0.0.1") is None
    assert HERE.judge("127.0.0.2")


async def test_as_many_go_to_one_host_at_once_as_an_endpoint_may_have_under_way():
    here = asyncio.Event()
    arrived = []

    async def app(request: web.Request) -> web.Response:
        arrived.append(request)
        if len(arrived) == 256:
            here.set()
        await here.wait()
        return web.Response()

    async with served(app) as url, sender() as send:
        answers = await asyncio.gather(*(send.send(Post(url=url, timeout=20.0)) for _ in range(256)))

    assert {answer.status for answer in answers} == {200}


async def test_an_answer_with_a_long_header_is_an_answer():
    async def app(_: web.Request) -> web.Response:
        return web.Response(headers={"Content-Security-Policy": "x" * 20_000})

    async with served(app) as url, sender() as send:
        answer = await send.send(Post(url=url))

    assert (answer.status, answer.error) == (200, None)
