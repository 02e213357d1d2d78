"""httpx over the guarded session: what polls, writes and key fetches of adapters speak through.

The adapters' drivers keep httpx's interface; the address is judged where it is dialled, the whole exchange
has one deadline (the longest of the request's timeouts), and an answer is read, and inflated, to a cap.
"""

from __future__ import annotations

import asyncio
import io
import time
import zlib

import aiohttp
import httpx

from hub.contract import Refused, Rejected
from hub.outbound.dial import DIAL, Dial
from hub.outbound.guard import Guard
from hub.outbound.sender import fault, read

CAP = 32 << 20
LONGEST = 120.0
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_PIECE = 1 << 16
_PARTS = 1000
_OURS = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding"})


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests over a guarded session, which its owner closes.

    Raises Refused (code "blocked" or "too_large") for what must not be tried again, and httpx's own
    errors for what may: ConnectError, ConnectTimeout, ReadTimeout, ReadError.
    """

    def __init__(self, session: aiohttp.ClientSession, guard: Guard, cap: int = CAP) -> None:
        self._session = session
        self._guard = guard
        self._cap = cap

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, complete."""
        body = await request.aread()
        dial = Dial(time.perf_counter())
        token = DIAL.set(dial)
        try:
            async with asyncio.timeout(_limit(request)):
                await self._exchange(request, body, dial)
        except (aiohttp.ClientError, OSError, ValueError, Rejected) as error:
            raise _told(error, dial, request) from error
        finally:
            DIAL.reset(token)
            if dial.response is not None and not dial.response.content.at_eof():
                dial.response.close()
        return self._response(dial, request)

    async def _exchange(self, request: httpx.Request, body: bytes, dial: Dial) -> None:
        url = self._guard.check_url(str(request.url))
        headers = [(name, value) for name, value in request.headers.multi_items() if name not in _OURS]
        headers.append(("accept-encoding", "gzip, deflate"))
        dial.response = await self._session.request(
            request.method,
            url,
            data=io.BytesIO(body) if len(body) > 1 << 20 else body or None,
            headers=headers,
            allow_redirects=False,
        )
        await read(dial.response, dial.body, self._cap)

    def _response(self, dial: Dial, request: httpx.Request) -> httpx.Response:
        got = dial.response
        if got is None or len(dial.body) > self._cap:
            raise Refused(f"the answer is larger than {self._cap} bytes", code="too_large")
        coding = got.headers.get("content-encoding", "").strip().lower()
        body = bytes(dial.body)
        if coding not in {"", "identity", *_CODINGS} and body:
            raise httpx.DecodingError(f"an answer coded as {coding} was not asked for", request=request)
        if coding in _CODINGS and body:
            body = _inflated(body, coding, self._cap, request)
        dropped = {b"content-encoding", b"content-length", b"transfer-encoding"}
        headers = [pair for pair in got.raw_headers if pair[0].lower() not in dropped]
        return httpx.Response(got.status, headers=headers, content=body, request=request)


def _limit(request: httpx.Request) -> float:
    limits = request.extensions.get("timeout", {}).values()
    return min(LONGEST, max((limit for limit in limits if limit is not None), default=LONGEST))


def _told(error: Exception, dial: Dial, request: httpx.Request) -> Exception:
    kind, reason = fault(error, dial)
    if kind in {"blocked", "too_large"}:
        return Refused(reason, code=kind)
    if kind == "timeout":
        known = dial.response is not None or dial.ready or not dial.opened
        return (
            httpx.ReadTimeout(reason, request=request)
            if known
            else httpx.ConnectTimeout(reason, request=request)
        )
    if kind == "reset":
        return httpx.ReadError(reason, request=request)
    return httpx.ConnectError(reason, request=request)


def _inflated(body: bytes, coding: str, cap: int, request: httpx.Request) -> bytes:
    """The body without its coding; never more than the cap is inflated."""
    raw = coding == "deflate" and body[0] & 0x0F != 8  # some servers leave the zlib header out
    bits = -zlib.MAX_WBITS if raw else zlib.MAX_WBITS | 32
    out, parts = bytearray(), 1
    inflater = zlib.decompressobj(bits)
    for start in range(
        0, len(body), _PIECE
    ):  # what follows a part is copied: a piece, not all the rest each time
        piece = body[start : start + _PIECE]
        while piece:
            if inflater.eof:
                inflater, parts = zlib.decompressobj(bits), parts + 1
            if parts > _PARTS:
                raise httpx.DecodingError(
                    f"the answer has more than {_PARTS} {coding} parts", request=request
                )
            try:
                out += inflater.decompress(piece, cap + 1 - len(out))
            except zlib.error as error:
                raise httpx.DecodingError(f"the answer is not {coding}: {error}", request=request) from error
            piece = inflater.unused_data if len(out) <= cap else b""
        if len(out) > cap:
            raise Refused(f"the answer inflates to more than {cap} bytes", code="too_large")
    if not inflater.eof:
        raise httpx.DecodingError(f"the answer is {coding} cut short", request=request)
    return bytes(out)
