"""Conversations with a far side, sans-IO: generators that yield what to do and are sent what came of it.

The hub drives them with its own HTTP client, rate limits, retries, guard and clock; an adapter never
imports a client or a clock. The shape is that of `httpx.Auth.auth_flow`.

    def poll(ctx, since):
        answer = yield Request(url=…)                    # is sent a Response
        yield Page(topic="orders", body=answer.body, cursor="…")   # resumes when the page is durable
        yield Request(url=…ack…)                         # so an acknowledgement simply comes after it
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, Literal, TypeVar

import msgspec

from hub.contract.message import Headers, Request, Response
from hub.contract.settings import Settings

S = TypeVar("S", bound=Settings)
T = TypeVar("T")


class Context(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """What a conversation may know: its settings, the account, the time (unix microseconds), fresh
    chance for nonces, our public address of the connection, and `state`, small texts that the channel
    itself keeps between conversations (subscription ids, sync tokens, credentials): sealed at rest."""

    settings: S
    account: str = ""
    zone: str = ""
    now: int = 0
    nonce: str = ""
    intake_url: str = ""
    state: dict[str, str] = {}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Something read from the far side, to be kept verbatim and understood like a pushed message.

    It is durable when the generator is resumed, `cursor` with it: a crash repeats, never skips.
    `dedupe` is the source's own id of it, or "" for the hash of the body. `ref` names the object it is of, where its
    text tells the revision itself: a sweep that reads the same text of it again has no news.
    """

    topic: str
    body: bytes
    headers: Headers = Headers()
    cursor: str = ""
    dedupe: str = ""
    reread: bool = True
    ref: str = ""


class Pause(msgspec.Struct, frozen=True):
    """Wait this many seconds, then go on."""

    seconds: float


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """Put a file where the connection's own files go (`Channel.files`): whole or not at all, under a name that it
    has nowhere before it is whole; one of this name is replaced."""

    name: str
    body: bytes


class Keep(msgspec.Struct, frozen=True):
    """Remember these small texts for the next conversation (Context.state); None forgets."""

    state: dict[str, str | None]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a write: `applied` (with the far side's own id where it gave one), `unsupported`
    here for this subject, or `rejected` with the far side's reason. Raise Postponed to try again."""

    status: Literal["applied", "unsupported", "rejected"]
    ref: str = ""
    reason: str = ""
    refs: dict[str, str] = {}


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The news that a write carries: the event, its order's snapshot, the subject within it, and `key`,
    the same at every try. `ref` is the far side's id of the order, "" where it does not know it yet, and `own`
    says that the order came from there; `found` is the id of an object written by an earlier try, where the
    hub knows it."""

    event: str
    order: dict[str, Any]
    subject: dict[str, Any] = {}
    key: str
    ref: str = ""
    own: bool = False
    found: str = ""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A credential that runs out: `expires_in` seconds from now (None: it does not), `refresh` to renew it."""

    access: str
    expires_in: float | None = None
    refresh: str = ""


Step = Request | Page | Pause | Keep | Put
Conversation = Generator[Step, Response | None, T]
Poll = Callable[[Context[S], str], Conversation[None]]
"""`poll(ctx, cursor)`: cursor is what the last durable Page carried, "" at first. It decides its own overlap."""


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """How a source is read from any moment on: `cursor` is what its poll is given to read all that changed since then
    (unix microseconds); `ascending` where the oldest change comes first, so that a span is read no further than its end."""

    cursor: Callable[[int], str]
    ascending: bool = True


Fetch = Callable[[Context[S], str, str], Conversation[None]]
"""`fetch(ctx, subject, ref)`: read one object again."""
Draft = Callable[[Context[S], str], Conversation[str]]
"""`draft(ctx, name)`: the text of a mapping of this name, made from how the account itself is set up (a form's fields)."""
Do = Callable[[Context[S], Task], Conversation[Outcome]]


class Write(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """A way to carry news to a far side: `on` are the events that trigger it towards the order's own
    source, and, of a tracker, for every order (empty: only by a route); `needs` are the settings that it
    cannot do without (`"a|b"`: either); `applies` may say at once that a task is none of its business;
    `search` looks for what an earlier try may have made, where the far side has no idempotency key: Outcome `applied` where it found it, else
    `unsupported`."""

    do: Do[S]
    on: tuple[str, ...] = ()
    applies: Callable[[Task], bool] = lambda _task: True
    search: Do[S] | None = None
    needs: tuple[str, ...] = ()


class Auth(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """How requests of ours are made credible: `token` fetches or renews a credential (the hub keeps it,
    encrypted, and renews it under a lock before it runs out), `sign` puts it, or a signature, on a request."""

    sign: Callable[[Request, Context[S], Token | None], Request]
    token: Callable[[Context[S], Token | None], Conversation[Token]] | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The far side's documented bucket, and `throttle`, which reads from an answer how many seconds to
    hold back (header counters, GraphQL cost); `judge` raises Postponed or Refused for an answer whose
    body denies its HTTP 200."""

    per_second: float = 5.0
    burst: int = 5
    throttle: Callable[[Response], float] | None = None
    judge: Callable[[Response], None] | None = None


class Subscription(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """Pushes managed by API: `ensure` makes what is missing and returns what stands, as topic → id (the
    sweep calls it again, so a dropped subscription comes back); `remove` ends them. Topics that stood and were
    switched off it names in the state `revived`."""

    ensure: Callable[[Context[S]], Conversation[dict[str, str]]]
    remove: Callable[[Context[S]], Conversation[None]] | None = None
    needs: tuple[str, ...] = ()


class Connect(msgspec.Struct, frozen=True, kw_only=True):
    """Open a socket; the next yields are Send and Receive until the generator ends or the link breaks."""

    url: str
    headers: dict[str, str] = {}
    heartbeat: float = 30.0


class Send(msgspec.Struct, frozen=True):
    """Send this frame: text for str, binary for bytes."""

    data: str | bytes


class Receive(msgspec.Struct, frozen=True, kw_only=True):
    """Wait for a frame; the generator is sent its bytes, or None when `timeout` seconds pass."""

    timeout: float = 60.0


Stream = Callable[[Context[S], str], Generator[Step | Connect | Send | Receive, Any, None]]
"""`stream(ctx, cursor)`: a far side that keeps a socket open; a frame is acknowledged after its Page is durable."""
