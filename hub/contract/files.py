"""Files, as far sides that live on them know them: where they lie, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from hub.contract.settings import Settings

S = TypeVar("S", bound=Settings)


class Folder(msgspec.Struct, frozen=True):
    """A folder of this machine."""

    path: str


class Sftp(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of an SFTP server. `host_key` is the server's public key, without which nobody is spoken to;
    `private_key` is ours, in OpenSSH's form, or `password`."""

    host: str
    path: str
    user: str
    port: int = 22
    password: str = ""
    private_key: str = ""
    host_key: str = ""


Place = Folder | Sftp


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection's tables are written: `encoding` and `delimiter` ("" finds them out), `names` from the
    far side's words for columns to ours, `group` the columns whose equal cells make one document (none: every row does)."""

    topic: str
    encoding: str = ""
    delimiter: str = ""
    names: Mapping[str, str] = {}
    group: tuple[str, ...] = ()

    def columns(self, header: list[str]) -> list[str]:
        """The columns under these words: ours where we know them, else the word itself."""
        return [self.names.get(word.strip().lower(), word.strip()) for word in header]


class Files(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """A channel whose connections take files: `place` is where they come in (None: by upload alone), `pattern` which
    of them, `layout` how one of a name is written, `target` where our own go (a `Put`), `judge` why a file with this row of names cannot be read ("": it can)."""

    layout: Callable[[S, str], Layout]
    place: Callable[[S], Place | None] = lambda _: None
    target: Callable[[S], Place | None] = lambda _: None
    pattern: Callable[[S], str] = lambda _: "*.csv"
    judge: Callable[[Layout, list[str]], str] = lambda _layout, _header: ""
