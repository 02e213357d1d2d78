"""Collecting: mailboxes read by IMAP. Each is watched by itself: IDLE for what comes, a poll behind it, since IDLE
dies silently; a letter is marked or moved only after it is durable.

Where we are is (UIDVALIDITY, last UID). When the server numbers its letters anew, all of the last days are read
again: what we have is known by its bytes and is no new message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec
import structlog

from hub.contract.errors import HubError, Misconfigured, Refused
from hub.contract.flow import Context, Conversation
from hub.contract.letter import TOPIC, Letter, letter_message
from hub.contract.message import Request
from hub.directory import Connection, Directory
from hub.inbound.intake import head
from hub.inbound.keep import MAIL, Keeper, Letter as Message, body_key
from hub.inbound.mail.imap import PATIENCE, Line, dial
from hub.inbound.mail.mailbox import mailboxes
from hub.store.engine import Engine, Unit
from hub.store.rows import PLAIN
from hub.troubles import Trouble, Troubles, cause
from hub.vault import Locked
from hub.world import World

log = structlog.get_logger("orderhub.collect")
IDLE = 300.0
"""Seconds after which IDLE is issued again: proxies and servers drop it silently, sooner than the 29 minutes of RFC 2177."""
POLL = 60.0
_MOST = 30 << 20
_BATCH = 50
_BACK = (5.0, 15.0, 60.0, 300.0)
_OVERLAP = timedelta(days=2)

Run = Callable[..., Awaitable[Any]]


class Place(msgspec.Struct, frozen=True):
    """Where we are in a folder, and when we were last told so (unix microseconds)."""

    validity: int
    uid: int
    at: int


@dataclass(slots=True)
class Collector:
    """The stage that watches mailboxes; `judge` is the guard, `run` drives a conversation by HTTP (OAuth)."""

    engine: Engine
    directory: Directory
    keeper: Keeper
    troubles: Troubles
    world: World
    judge: Callable[[str], str | None]
    run: Run
    context: Callable[[Connection], Awaitable[Context[Any]]]
    idle: float = IDLE
    patience: float = PATIENCE
    _watching: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _settings: dict[str, Any] = field(default_factory=dict)

    def begin(self) -> None:
        """Watch every mailbox that is to be read, and no other; one whose settings changed is watched anew."""
        wanted = {one.id: one for one in self._mailboxes()}
        for id_, task in [*self._watching.items()]:
            same = id_ in wanted and self._settings[id_] == wanted[id_].settings
            if task.done() or not same:
                task.cancel()
                del self._watching[id_]
        for id_, connection in wanted.items():
            if id_ not in self._watching:
                self._settings[id_] = connection.settings
                self._watching[id_] = asyncio.get_running_loop().create_task(self._watch(connection))

    async def stop(self) -> None:
        """Let all of them go: what was not durable is read again."""
        tasks = [*self._watching.values()]
        self._watching.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def collect(self, connection: Connection) -> int:
        """Read a mailbox once; how many letters were new."""
        line = await self._open(connection)
        try:
            return await self._read(connection, line)
        finally:
            await line.close()

    def _mailboxes(self) -> list[Connection]:
        found = [box.connection for box in mailboxes(self.directory) if box.provider == "imap"]
        return [one for one in found if one.status == "active"]

    async def _watch(self, connection: Connection) -> None:
        """For ever: connect, read, wait; what goes wrong is told, and tried again later and later."""
        failures = 0
        while True:
            try:
                line = await self._open(connection)
                try:
                    while True:
                        await self._read(connection, line)
                        await self._well(connection)
                        failures = 0
                        await self._wait(line)
                finally:
                    await line.close()
            except (HubError, Locked) as error:
                await self._ill(connection, error)
            except Exception:
                log.exception("a mailbox could not be read; it is tried again", connection=connection.id)
            back = _BACK[min(failures, len(_BACK) - 1)]
            failures += 1
            await self.world.sleep(back * (0.75 + self.world.chance() / 2))

    async def _wait(self, line: Line) -> None:
        """Until there is news, or it is time to look; a probe first, since a dead line may still take what is written."""
        await line.ask("NOOP")
        if "IDLE" in line.can:
            await line.idle(self.idle)
        else:
            await self.world.sleep(POLL)

    async def _open(self, connection: Connection) -> Line:
        settings: Any = self.directory.settings(connection)
        if not settings.host or not settings.username:
            raise Misconfigured("an IMAP mailbox needs `host` and `username`")
        line = await dial(
            settings.host,
            settings.port,
            tls=settings.tls == "tls",
            most=_MOST,
            judge=self.judge,
            patience=self.patience,
        )
        try:
            if settings.refresh_token:
                token = await self._token(connection)
                await line.authenticate(
                    "XOAUTH2", f"user={settings.username}\1auth=Bearer {token}\1\1".encode()
                )
            else:
                await line.authenticate("PLAIN", f"\0{settings.username}\0{settings.password or ''}".encode())
        except BaseException:
            await line.close()
            raise
        return line

    async def _token(self, connection: Connection) -> str:
        found = await self.run(connection, _access_token(await self.context(connection)), bare=True)
        return str(found)

    async def _read(self, connection: Connection, line: Line) -> int:
        """Everything that is new, oldest first, a batch at a time: durable, then marked, then our place is kept."""
        settings: Any = self.directory.settings(connection)
        validity = await line.select(settings.folder)
        place = await self._place(connection)
        known = place is not None and place.validity == validity
        # What is there and not wished for now, since somebody read it long ago, is never read: not the next time either.
        top = 0 if known else max(await line.search("UID *"), default=0)
        uids = await line.search(_wish(place, validity))
        if place is not None and known:
            uids = [uid for uid in uids if uid > place.uid]
        count = 0
        for start in range(0, len(uids), _BATCH):
            batch = uids[start : start + _BATCH]
            sizes = await line.sizes(batch)
            for uid in batch:
                if uid in sizes:
                    count += await self._one(connection, line, uid, sizes[uid])
            if known:
                await self._keep_place(connection, Place(validity, max(batch), self.world.now()))
        if not known:
            await self._keep_place(connection, Place(validity, top, self.world.now()))
        return count

    async def _one(self, connection: Connection, line: Line, uid: int, size: int) -> int:
        settings: Any = self.directory.settings(connection)
        if size > _MOST:
            await self._ill(
                connection,
                Refused(f"the letter {uid} has {size} bytes and is left where it is"),
                f"large:{uid}",
            )
            return 0
        raw = await line.fetch(uid)
        if raw is None:
            return 0
        letter = Letter(transport="imap", raw=raw, received_at=self.world.now())
        kept = await self.keeper.keep(Message(
            tenant=connection.tenant, connection=connection.id, transport=MAIL, topic=TOPIC, key=body_key(raw),
            head=head(letter_message(letter)), body=raw, received_at=letter.received_at,
        ))  # fmt: skip
        if settings.done == "seen":
            await line.seen(uid)
        elif settings.done == "move":
            await line.move(uid, settings.move_to)
        return int(kept.new)

    async def _place(self, connection: Connection) -> Place | None:
        rows = await self.engine.fetch(
            "memories_get", owner=f"imap:{connection.id}", name="place", now=self.world.now()
        )
        return msgspec.json.decode(bytes(rows[0][0]), type=Place) if rows else None

    async def _keep_place(self, connection: Connection, place: Place) -> None:
        async def work(unit: Unit) -> None:
            unit.add("memories_put", [(f"imap:{connection.id}", "place", PLAIN.encode(place), 0)])

        await self.engine.transact(work)

    async def _well(self, connection: Connection) -> None:
        await self.engine.transact(partial(self.troubles.clear, subjects=[f"imap:{connection.id}"]))

    async def _ill(self, connection: Connection, error: Exception, what: str = "") -> None:
        """What keeps us from a mailbox, or from one letter in it, stands in the exceptions."""
        log.warning("a mailbox could not be read", connection=connection.id, error=str(error))
        subject = f"imap:{connection.id}:{what}" if what else f"imap:{connection.id}"
        trouble = Trouble(
            tenant=connection.tenant, cause=cause("imap", connection.id, what), subject=subject,
            title=f"{connection.name}: its mailbox cannot be read: {error}", connection=connection.id,
            hint="Look at host, username and password, or grant access again; it is tried again by itself.",
        )  # fmt: skip
        await self.engine.transact(partial(self.troubles.open, troubles=[trouble]))


def _wish(place: Place | None, validity: int) -> str:
    """What to look for: at first what nobody has seen, then what is newer than our place; where the letters are
    numbered anew, all that came since shortly before we were last told."""
    if place is None:
        return "UNSEEN"
    if place.validity == validity:
        return f"UID {place.uid + 1}:*"
    since = datetime.fromtimestamp(place.at / 1_000_000, UTC) - _OVERLAP
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return f"SINCE {since.day}-{months[since.month - 1]}-{since.year}"


def _access_token(ctx: Context[Any]) -> Conversation[str]:
    """An access token out of the grant (RFC 6749 §6)."""
    held = ctx.settings
    told = {
        "grant_type": "refresh_token",
        "refresh_token": held.refresh_token or "",
        "client_id": held.client_id,
    }
    if held.client_secret:
        told["client_secret"] = held.client_secret
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    answer = yield Request(method="POST", url=held.token_url, headers=headers, body=urlencode(told).encode())
    found = answer.json() if answer is not None else {}
    if not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
        raise Refused("the token's far side gave no access_token")
    return str(found["access_token"])
