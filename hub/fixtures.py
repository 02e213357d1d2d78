"""A channel's sample messages: raw HTTP requests in its `fixtures` folder, and the facts each one means.

`fixtures/<topic>.<case>.http` is a request as it came over the wire, unsigned; what is no letter, digit,
dot, dash or underscore in the topic stands as a dash in the name. `PAGE <topic>` in place of the method
and path marks a polled page. `<topic>.<case>.json` beside it holds the facts: a list, `{"error": "…"}`
where the reading must fail so, or `null` where the topic has no reader. `settings.json` is a sample of
the settings, `connection.json` of what else a connection knows (`time_zone`, `account`, `currency`).
"""

from __future__ import annotations

import importlib.resources
import re
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from hub.contract.errors import Misconfigured
from hub.contract.fact import Read
from hub.contract.message import Headers, Message

HOST = "https://hub.example"
RECEIVED_AT = 1_770_000_000_000_000
"""When every fixture was received, unix microseconds: a golden fact never depends on the day."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """One sample: `name` is `<topic>.<case>` as in the file's name, `path` its file, `golden` the facts' file."""

    channel: str
    name: str
    message: Message
    path: Path
    golden: Path

    @property
    def topic(self) -> str:
        """The topic as the file's name has it, which is the message's own in `slug` form."""
        return self.name.rpartition(".")[0]

    def expected(self) -> Any:
        """The golden facts as plain values."""
        return msgspec.json.decode(self.golden.read_bytes())


@dataclass(frozen=True, slots=True)
class Samples:
    """All samples of one channel, read from its package."""

    settings: dict[str, Any]
    fixtures: tuple[Fixture, ...]

    def fixture(self, name: str = "") -> Fixture:
        """The one of this name, or of this topic, or the first; Misconfigured tells which there are."""
        for one in self.fixtures:
            if name in ("", one.name, one.topic):
                return one
        names = [one.name for one in self.fixtures]
        near = get_close_matches(slug(name), [*names, *{one.topic for one in self.fixtures}], n=3)
        have = f"is {' or '.join(near)} meant?" if near else f"there are: {', '.join(names) or 'none'}"
        raise Misconfigured(f"no fixture {name!r}, {have}")


def samples(channel: str, package: str) -> Samples:
    """The samples in a channel's package; a package without a folder of them has none."""
    folder = package_folder(package) / "fixtures"
    if not folder.is_dir():
        return Samples(settings={}, fixtures=())
    connection = _object(folder / "connection.json")
    fixtures = [_fixture(channel, path, connection) for path in sorted(folder.glob("*.http"))]
    return Samples(settings=_object(folder / "settings.json"), fixtures=tuple(fixtures))


def package_folder(package: str) -> Path:
    """Where a package's files are on disk."""
    found: Traversable = importlib.resources.files(package)
    if not isinstance(found, Path):
        raise Misconfigured(f"{package}: a channel's package has to be a plain folder, not {found}")
    return found


def parse_request(raw: bytes, source: str, channel: str = "") -> Message:
    """A message from the text of an HTTP request: request line, header fields, blank line, body to the byte."""
    head, _, body = min(raw.partition(b"\r\n\r\n"), raw.partition(b"\n\n"), key=lambda cut: len(cut[0]))
    line, *fields = head.decode().splitlines() or [""]
    method, _, rest = line.partition(" ")
    target = rest.removesuffix(" HTTP/1.1").strip()
    pairs = [_field(text, f"{source}:{number}") for number, text in enumerate(fields, start=2)]
    if method == "PAGE" and target:
        return Message(
            body=body, headers=Headers(pairs), transport="poll", topic=target, received_at=RECEIVED_AT
        )
    if not method.isupper() or not target.startswith("/in/"):
        raise Misconfigured(f"{source}:1: not a request line like `POST /in/{channel or 'channel'} HTTP/1.1`")
    path, _, query = target.partition("?")
    return Message(
        body=body,
        headers=Headers(pairs),
        method=method,
        url=HOST + target,
        path=re.sub(r"^/in/[^/]+", "", path),
        query=query,
        received_at=RECEIVED_AT,
    )


def slug(topic: str) -> str:
    """A topic as it stands in a file's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", topic)


def plain_reads(reads: list[Read] | None) -> Any:
    """What a reader yielded, as plain values: empty fields left out, so that a golden file says what matters."""
    return None if reads is None else [plain_read(_told(read)) for read in reads]


def plain_read(read: dict[str, Any]) -> dict[str, Any]:
    """One fact, redaction, notice or hint without its empty fields, its facets sorted."""
    kept = {name: value for name, value in read.items() if value not in (None, "", [], {}, False)}
    return {**kept, "full": sorted(kept["full"])} if "full" in kept else kept


def _fixture(channel: str, path: Path, connection: dict[str, Any]) -> Fixture:
    message = msgspec.structs.replace(
        parse_request(path.read_bytes(), str(path), channel),
        zone=connection.get("time_zone", ""),
        account=connection.get("account", ""),
        currency=connection.get("currency", ""),
    )
    if "." not in path.stem:
        raise Misconfigured(f"{path}: the name has to be <topic>.<case>.http")
    return Fixture(channel, path.stem, message, path, path.with_suffix(".json"))


def _field(text: str, place: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise Misconfigured(f"{place}: not a header field: {text!r}")
    return name.strip(), value.strip()


def _object(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Misconfigured(f"{path}: {error}") from error


def _told(read: Read) -> dict[str, Any]:
    """As JSON tells it: tuples and sets are lists."""
    return msgspec.json.decode(msgspec.json.encode(read), type=dict[str, Any])
