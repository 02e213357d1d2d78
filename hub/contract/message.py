"""What was said to us, byte for byte, and what we say in a request of our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hub.contract.errors import Place, Unreadable


class Headers(Mapping[str, str]):
    """HTTP header fields: look-up ignores case, the first value wins, `pairs` keeps all in order."""

    __slots__ = ("_first", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] | Mapping[str, str] = ()) -> None:
        items = pairs.items() if isinstance(pairs, Mapping) else pairs
        self.pairs: tuple[tuple[str, str], ...] = tuple([(name.lower(), value) for name, value in items])
        self._first = dict(self.pairs)
        if len(self._first) < len(self.pairs):
            self._first.update(reversed(self.pairs))

    def __getitem__(self, name: str) -> str:
        return self._first[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def __repr__(self) -> str:
        return f"Headers({list(self._first)})"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said to us: a webhook, a polled page, a mail, a row of a file, an API call.

    `url` is the address as the sender saw it (some proofs sign it), `path` what follows
    `/in/{connection}`, `received_at` unix microseconds. `zone` is the connection's IANA time
    zone ("" when it has none: naive times then fail instead of being guessed), `account` the
    shop's or seller's own id, `currency` the connection's default or "".
    """

    body: bytes = b""
    headers: Headers = Headers()
    method: str = "POST"
    url: str = ""
    path: str = ""
    query: str = ""
    transport: str = "webhook"
    topic: str = ""
    received_at: int = 0
    zone: str = ""
    account: str = ""
    currency: str = ""

    def json(self) -> Any:
        """The body as JSON with exact numbers; raises Unreadable with the byte where it breaks."""
        try:
            return _exact.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
            raise Unreadable(
                f"not JSON: {error}", place=Place(field="body", value=_start(self.body))
            ) from error

    def form(self) -> dict[str, str]:
        """The body as a form, decoded exactly once; the first value of a name wins."""
        try:
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=1000)
        except ValueError as error:
            raise Unreadable(
                f"not a form: {error}", place=Place(field="body", value=_start(self.body))
            ) from error
        return _first(pairs)

    def params(self) -> dict[str, str]:
        """The query string, decoded once; the first value of a name wins."""
        return _first(parse_qsl(self.query, keep_blank_values=True))


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request of ours to a far side; `key` makes it safe to send again where the far side honours one."""

    method: str = "GET"
    url: str
    headers: dict[str, str] = {}
    body: bytes = b""
    key: str = ""
    timeout: float = 30.0


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: the far side's to our request, or ours to the sender of a message."""

    status: int = 200
    headers: Headers = Headers()
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON with exact numbers; raises Unreadable."""
        return Message(body=self.body).json()


def json_body(value: Any) -> bytes:
    """Canonical JSON bytes: UTF-8, sorted keys, no spaces; decimals as strings."""
    return _encoder.encode(value)


_exact = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(order="sorted")


def _first(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    out: dict[str, str] = {}
    for name, value in pairs:
        out.setdefault(name, value)
    return out


def _start(body: bytes) -> str:
    return body[:80].decode("utf-8", "replace")
