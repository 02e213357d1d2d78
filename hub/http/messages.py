"""Messages: what was said to us, byte for byte, what became of it, and reading it again."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import text
from hub.directory import Connection
from hub.http.ask import Answer, Ask, Page
from hub.http.keep import find, note
from hub.http.problems import Problem, missing
from hub.http.table import BOTH_WAYS, Op, Param
from hub.inbound.keep import MAIL
from hub.inbound.mail.post import RELEASED, VOUCHED
from hub.repair.replay import Replay, replay
from hub.store.engine import Unit
from hub.store.rows import PLAIN, Head

_HEAD = msgspec.json.Decoder(Head)


STATUSES = ("received", "processed", "ignored", "failed", "quarantined", "duplicate")
"""What becomes of a message; the last two of letters alone."""


class Fault(msgspec.Struct, omit_defaults=True):
    """Why a message could not be read, and where."""

    error: str = ""
    place: dict[str, Any] = {}


class MessageOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One message. `quiet` ones (an import) are told to nobody."""

    id: str
    connection: str
    transport: str
    topic: str
    status: str
    received_at: str
    attempts: int
    method: str
    path: str = ""
    query: str = ""
    headers: dict[str, str] = {}
    quiet: bool = False
    error: Fault | None = None


class MailOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of a letter, why, and whom it was believed to be."""

    outcome: str
    reasons: list[str] = []
    verdict: dict[str, Any] = {}
    order: str = ""


class MessageWhole(MessageOut, kw_only=True, omit_defaults=True):
    """A message with its body as text; null where it is no longer held. `mail` is what became of a letter."""

    size: int
    body: str | None
    mail: MailOut | None = None


class Release(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`vouch` says that the caller knows the sender: what it says counts as a trusted partner's."""

    vouch: bool = False


def _plain(row: tuple[Any, ...]) -> dict[str, Any]:
    head = _HEAD.decode(row[6])
    return {
        "id": row[1], "connection": row[3], "transport": row[4], "topic": row[5], "status": row[8],
        "received_at": text(row[9]), "attempts": row[10], "method": head.method, "path": head.path, "query": head.query,
        "headers": dict(head.headers), "quiet": head.quiet,
        "error": msgspec.json.decode(row[11], type=Fault) if row[11] else None,
    }  # fmt: skip


def show(row: tuple[Any, ...]) -> MessageOut:
    """From position, id, tenant, connection, transport, topic, head, body, status, received_at, attempts, error."""
    return MessageOut(**_plain(row))


async def list_messages(ask: Ask) -> Page[MessageOut]:
    """Oldest first or newest first, by connection and status."""
    name = ask.text("connection")
    which = find(ask, Connection, name).id if name else ""
    rows = await ask.listed("messages_list", status=ask.text("status"), connection=which)
    return ask.page(rows, show)


async def _held(ask: Ask) -> tuple[Any, ...]:
    rows = await ask.hub.engine.fetch("messages_get", tenant=ask.tenant, id=ask.path())
    if not rows:
        raise missing("message", ask.path())
    return rows[0]


async def get_message(ask: Ask) -> MessageWhole:
    """One message, its body as text."""
    row = await _held(ask)
    body = bytes(row[7]) if row[7] is not None else None
    shown = None if body is None else body.decode("utf-8", "replace")
    return MessageWhole(**_plain(row), size=len(body or b""), body=shown, mail=await _mail(ask, row))


async def _mail(ask: Ask, row: tuple[Any, ...]) -> MailOut | None:
    found = (
        await ask.hub.engine.fetch("mails_get", tenant=ask.tenant, message=row[1]) if row[4] == MAIL else []
    )
    return (
        msgspec.convert(msgspec.json.decode(found[0][2]) | {"order": found[0][1]}, MailOut) if found else None
    )


async def release_message(ask: Ask) -> Answer:
    """Let a letter out of quarantine: it is read, and its sender is not believed unless the caller vouches for it."""
    row, given = await _held(ask), ask.decode(Release)
    if row[8] != "quarantined":
        raise Problem(409, "conflict", f"the message is {row[8]}, not quarantined")
    if row[7] is None:
        raise Problem(410, "gone", "the body of this message is no longer held")
    head = msgspec.structs.replace(_HEAD.decode(row[6]), verified=VOUCHED if given.vouch else RELEASED)

    async def work(unit: Unit) -> None:
        unit.add("messages_release", tenant=ask.tenant, id=row[1], head=PLAIN.encode(head))
        await note(unit, ask, "message.released", row[1], {"vouch": given.vouch})

    await ask.hub.engine.transact(work)
    ask.hub.post.inbox.put([])
    return Answer(value=show(await _held(ask)), status=202)


async def get_raw(ask: Ask) -> Answer:
    """A message's body, byte for byte; never shown by a browser as what it claims to be."""
    row = await _held(ask)
    if row[7] is None:
        raise Problem(410, "gone", "the body of this message is no longer held")
    headers = {"content-disposition": f'attachment; filename="{row[1]}"', "x-content-type-options": "nosniff"}
    return Answer(value=bytes(row[7]), headers=headers, media="application/octet-stream")


async def replay_message(ask: Ask) -> Answer:
    """Read a message again with the mappings of now; what it said before is replaced."""
    row = await _held(ask)
    if row[4] == "api":
        raise Problem(409, "conflict", "a call of the API was judged when it was made; it is not made again")
    done: Replay = await replay(ask.hub, ask.tenant, [row[1]], actor=ask.who.name)
    if done.gone and row[8] != "received":
        raise Problem(410, "gone", "the body of this message is no longer held")
    return Answer(value=done, status=202)


_AT = "/v1/messages"
OPS = (
    Op(method="GET", path=_AT, summary="List messages", handle=list_messages, gives=Page[MessageOut],
       query=(*BOTH_WAYS, Param("connection", "By id or name."), Param("status", "What became of it.", words=STATUSES))),
    Op(method="GET", path=_AT + "/{id}", summary="Show a message", handle=get_message, gives=MessageWhole),
    Op(method="GET", path=_AT + "/{id}/raw", summary="A message's body", handle=get_raw, media="application/octet-stream"),
    Op(method="POST", path=_AT + "/{id}/replay", summary="Read a message again", handle=replay_message, scope="operate",
       gives=Replay, status=202),
    Op(method="POST", path=_AT + "/{id}/release", summary="Let a letter out of quarantine", handle=release_message,
       scope="operate", takes=Release, gives=MessageOut, status=202),
)  # fmt: skip
