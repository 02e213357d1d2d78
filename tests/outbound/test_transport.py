"""httpx over the guarded session: what adapters' conversations speak through."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web

from hub.contract import Refused
from hub.outbound.guard import Guard
from hub.outbound.sender import open_session
from hub.outbound.transport import GuardedTransport
from tests.outbound.receivers import HERE, Names, request_of, says, scripted, served, tls_pair


@asynccontextmanager
async def client(guard: Guard = HERE, cap: int = 1 << 20, **more: object) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        open_session(guard, **more) as session,
        httpx.AsyncClient(transport=GuardedTransport(session, guard, cap), timeout=5.0) as made,
    ):
        yield made


async def test_a_request_arrives_as_it_was_made_and_its_answer_comes_back():
    seen = []

    async def app(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path, request.headers.copy(), await request.read()))
        return web.json_response({"id": 1}, status=201, headers={"Link": '<x>; rel="next"', "X-A": "1"})

    async with served(app) as url, client() as http:
        answer = await http.put(url + "/v1/orders/%20a?b=%2Fc+d", json={"note": "é"}, headers={"X-Key": "k"})

    method, path, headers, body = seen[0]
    assert (method, path, body) == ("PUT", "/v1/orders/%20a?b=%2Fc+d", '{"note":"é"}'.encode())
    assert (headers["x-key"], headers["content-type"]) == ("k", "application/json")
    assert headers.getall("accept-encoding") == ["gzip, deflate"]
    assert (answer.status_code, answer.json(), answer.headers["x-a"]) == (201, {"id": 1}, "1")
    assert answer.links == {"next": {"url": "x", "rel": "next"}}


async def test_a_get_has_no_body_and_answers_are_decoded_by_us():
    seen = []

    async def app(request: web.Request) -> web.Response:
        seen.append((request.headers.get("content-length"), await request.read()))
        return web.Response(
            body=gzip.compress(b"x" * 5000) + gzip.compress(b"y"), headers={"Content-Encoding": "gzip"}
        )

    async with served(app) as url, client() as http:
        answer = await http.get(url)

    assert seen == [(None, b"")]
    assert answer.content == b"x" * 5000 + b"y"
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("raw", [True, False])
async def test_both_kinds_of_deflate_are_read(raw: bool):
    deflater = zlib.compressobj(wbits=-15 if raw else 15)
    packed = deflater.compress(b"hello" * 100) + deflater.flush()

    async def app(request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "deflate"})

    async with served(app) as url, client() as http:
        assert (await http.get(url)).content == b"hello" * 100


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_is_refused_at_the_cap(coding: str):
    bomb = (gzip if coding == "gzip" else zlib).compress(bytes(64 << 20))

    async def app(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": coding})

    async with served(app) as url, client() as http:
        with pytest.raises(Refused, match="inflates to more") as refused:
            await http.get(url)

    assert refused.value.code == "too_large"


async def test_an_answer_over_the_cap_is_refused():
    async def app(request: web.Request) -> web.Response:
        return web.Response(body=bytes(3 << 20))

    async with served(app) as url, client() as http:
        with pytest.raises(Refused, match="larger") as refused:
            await http.get(url)

    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    ("coding", "body"),
    [("br", b"x"), ("gzip, gzip", b"x"), ("gzip", b"hello"), ("gzip", gzip.compress(b"hello", mtime=0)[:-9])],
)
async def test_an_answer_that_is_not_what_it_says_is_a_decoding_error(coding: str, body: bytes):
    async def app(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": coding})

    async with served(app) as url, client() as http:
        with pytest.raises(httpx.DecodingError):
            await http.get(url)


async def test_a_head_of_a_compressed_page_has_no_body_to_inflate():
    async def app(request: web.Request) -> web.Response:
        return web.Response(headers={"Content-Encoding": "gzip"})

    async with served(app) as url, client() as http:
        assert (await http.head(url)).status_code == 200


async def test_a_redirect_is_an_answer_and_a_hop_is_judged_like_any_call():
    asked = []

    async def app(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest"})

    async with served(app) as url, client() as http:
        answer = await http.get(url + "/a")
        with pytest.raises(Refused, match="link-local") as refused:
            await http.get(url + "/b", follow_redirects=True)

    assert (answer.status_code, asked, refused.value.code) == (302, ["/a", "/b"], "blocked")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1"])
async def test_an_address_the_guard_refuses_is_refused_for_good(host: str):
    async def app(request: web.Request) -> web.Response:
        raise AssertionError("a request came through")

    async with served(app) as url, client(Guard()) as http:
        with pytest.raises((Refused, httpx.InvalidURL)):
            await http.get(url.replace("127.0.0.1", host))


async def test_a_name_with_a_refused_address_is_refused_for_good():
    async with client(resolver=Names(shop_example=[["127.0.0.1", "10.1.1.1"]])) as http:
        with pytest.raises(Refused, match=r"10\.1\.1\.1") as refused:
            await http.get("http://shop.example/")

    assert refused.value.code == "blocked"


async def test_what_may_pass_raises_httpx_errors_with_their_request():
    async with client(resolver=Names()) as http:
        with pytest.raises(httpx.ConnectError) as unknown:
            await http.get("http://nowhere.example/")
        with pytest.raises(httpx.ConnectError):
            await http.get("http://127.0.0.1:9/")
    async with scripted(says(b"")) as url, client() as http:
        with pytest.raises(httpx.ReadError):
            await http.post(url, content=b"x")

    assert unknown.value.request.url.host == "nowhere.example"


async def test_a_certificate_that_does_not_hold_is_a_connect_error():
    server, _ = tls_pair()

    async def app(request: web.Request) -> web.Response:
        raise AssertionError("a request came through")

    async with served(app, tls=server) as url, client() as http:
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await http.get(url)


async def test_a_body_fed_by_drips_ends_at_the_timeout_of_the_whole_exchange():
    async def drip(reader, writer):
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with scripted(drip) as url, client() as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get(url, timeout=0.15)


async def test_an_idle_connection_is_used_again():
    ports = set()

    async def app(request: web.Request) -> web.Response:
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response(text="ok")

    async with served(app) as url, client() as http:
        for _ in range(5):
            await http.get(url)

    assert len(ports) == 1


async def test_a_large_upload_arrives_whole():
    async def app(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async with served(app) as url, client() as http:
        answer = await http.post(url, content=bytes(3 << 20))

    assert answer.text == str(3 << 20)


async def test_header_fields_may_repeat():
    seen = []

    async def app(request: web.Request) -> web.Response:
        seen.extend(request.headers.getall("X-A"))
        answer = web.Response()
        answer.headers.add("X-B", "1")
        answer.headers.add("X-B", "2")
        return answer

    async with served(app) as url, client() as http:
        answer = await http.get(url, headers=[("X-A", "1"), ("X-A", "2")])

    assert (seen, answer.headers.get_list("x-b")) == (["1", "2"], ["1", "2"])


async def test_an_answer_of_very_many_gzip_members_is_refused_before_it_takes_a_processor_for_hours():
    async def app(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"") * 40_000, headers={"Content-Encoding": "gzip"})

    async with served(app) as url, client() as http:
        with pytest.raises(httpx.DecodingError, match="parts"):
            await http.get(url)
