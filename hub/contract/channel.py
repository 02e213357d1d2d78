"""A channel: a value that declares all there is to know of one far side.

Complete at construction, printable, walkable by tests, documentation and routes. Not a base class:
nothing here is overridden, a field is filled or left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from hub.contract.errors import Place
from hub.contract.fact import Freshness, Read
from hub.contract.files import Files
from hub.contract.flow import (
    Auth,
    Context,
    Draft,
    Fetch,
    Limits,
    Poll,
    Since,
    Step,
    Stream,
    Subscription,
    Write,
)
from hub.contract.message import Message, Request, Response
from hub.contract.pick import NOTHING, Pick
from hub.contract.proof import NOBODY, Proof
from hub.contract.settings import Settings

Kind = Literal[
    "storefront", "marketplace", "carrier", "tracker", "erp", "wms", "form", "mail", "api", "file", "other"
]

Reader = Callable[[Message], Iterable[Read]]
"""Bytes in, facts out; pure. `()` means understood, nothing to say."""


class MappingRef(msgspec.Struct, frozen=True):
    """A reader made from a mapping file, by the mapping's name (`shopify.order`). `own`: the connection's own
    mapping comes first, whatever it aims at; without a name either, the topic is understood by nobody."""

    name: str
    own: bool = False


def mapping(name: str) -> MappingRef:
    """The reader that `mappings/<name>.yaml` (or an operator's file of that name) makes."""
    return MappingRef(name)


def own_mapping(name: str = "") -> MappingRef:
    """The reader that the connection's own mapping makes, whatever its target: far sides that only the operator
    knows. Where it has none, the mapping of this name, or none."""
    return MappingRef(name, own=True)


Verdict = Literal["accepted", "duplicate", "ignored", "forged", "too_large", "unavailable"]


class Greeting(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a handshake: the hub sends `reply`, drives `then` (a confirming call), keeps no message.

    `proven` asks for the proof first; a far side that verifies by an unsigned GET leaves it False.
    """

    reply: Response
    proven: bool = True
    then: Callable[[Context[Any]], Any] | None = None


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One far side, declared.

    name, title, kind       `name` is the folder's name
    settings                what the operator tells us
    proof                   who says so: a value, or a choice by settings
    topic, dedupe, account  where these stand in a message
    freshness               how its facts are ordered
    reads                   topic → reader; "*" for the rest; a topic with none is kept as `ignored`
    open                    undoes an envelope after the proof (decrypts, unwraps a token), before topic and
                            dedupe key are looked for: pure
    greet                   handshakes
    answer                  the exact reply a far side wants, by verdict; None: 200/202/401/413/503 in plain
    confirm                 whether its orders count as confirmed when they arrive
    poll, fetch, stream     how it is read; `poll_every` seconds between sweeps
    since                   how a poll is made to read from any moment on: backfills, comparisons, reconciliations
    subscription, auth, limits, writes   how it is spoken to
    find_account            reads the account (shop domain, seller id) at connect
    draft                   writes a mapping for an account whose words only it knows (a form's fields); `connect`
                            shows it, keeps it as a file and puts it in force
    needs                   settings without which polls and writes cannot run: such a connection takes
                            pushes and says what it cannot do yet
    caps                    bytes of a body
    files                   files that its connections take, and where those that it writes go
    parts                   a message of many documents as such of one each, where the whole cannot be read: those
                            that can be are, the others fail by themselves
    blame                   where in the sender's own document a fault of reading lies (file, row, column, value)
    shaped                  a far side that only the operator knows: the declaration as these settings make it
                            (proof, topic, dedupe, freshness, answer …); `reads` stay as they are here
    quality                 rule → "done" or "exempt: why" (the channel's README shows it)
    """

    name: str
    title: str
    kind: Kind
    settings: type[Settings]
    proof: Proof | Callable[[Any], Proof] = NOBODY
    topic: Pick = NOTHING
    dedupe: Pick = NOTHING
    account: Pick = NOTHING
    freshness: Freshness | Mapping[str, Freshness] = "updated_at"
    reads: Mapping[str, Reader | MappingRef] = {}
    open: Callable[[Message, Any], Message] | None = None
    greet: Callable[[Message, Any], Greeting | None] | None = None
    answer: Callable[[Verdict, Message], Response | None] | None = None
    confirm: Literal["auto", "manual"] = "auto"
    poll: Poll[Any] | None = None
    poll_every: float = 300.0
    fetch: Fetch[Any] | None = None
    since: Since | None = None
    stream: Stream[Any] | None = None
    subscription: Subscription[Any] | None = None
    auth: Auth[Any] | None = None
    limits: Limits = Limits()
    writes: Mapping[str, Write[Any]] = {}
    find_account: Callable[[Context[Any]], Any] | None = None
    draft: Draft[Any] | None = None
    needs: tuple[str, ...] = ()
    cap: int = 1 << 20
    quality: Mapping[str, str] = {}
    files: Files[Any] | None = None
    parts: Callable[[Message, Any], list[Message]] | None = None
    blame: Callable[[Message, Place], dict[str, Any]] | None = None
    shaped: Callable[[Any], Channel] | None = None

    def with_settings(self, settings: Settings) -> Channel:
        """This channel as these settings make it."""
        return self.shaped(settings) if self.shaped else self

    def proof_for(self, settings: Settings) -> Proof:
        """The proof that these settings choose."""
        return self.proof(settings) if not hasattr(self.proof, "check") else self.proof  # type: ignore[return-value]

    def reader(self, topic: str) -> Reader | MappingRef | None:
        """The reader of a topic, None where it has none."""
        return self.reads.get(topic) or self.reads.get("*")

    def freshness_of(self, subject: str) -> Freshness:
        """How facts of this subject are ordered."""
        if isinstance(self.freshness, str):
            return self.freshness
        return self.freshness.get(subject) or self.freshness.get("*", "arrival")


__all__ = [
    "Channel",
    "Greeting",
    "Kind",
    "MappingRef",
    "Message",
    "Reader",
    "Request",
    "Response",
    "Step",
    "Verdict",
    "mapping",
    "own_mapping",
]
