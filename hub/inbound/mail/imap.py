"""IMAP as far as a mailbox has to be read (RFC 3501, 2177 IDLE, 6851 MOVE): a bounded client over a pair of streams.

Why a client of our own: what is kept of others hangs on in IDLE when a connection dies silently, dials for itself
past the guard, and reads a literal of any size. This one gives every answer a time and every literal a cap.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.contract.errors import Postponed, Refused

_LINE = 2 << 20  # a SEARCH answers in one line, however many there are
_LITERAL = re.compile(rb"\{([0-9]{1,12})\+?\}$")
_UID = re.compile(rb"\bUID ([0-9]{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE ([0-9]{1,12})\b")
_STATE = re.compile(rb"\[UIDVALIDITY ([0-9]{1,10})\]")
PATIENCE = 60.0
"""Seconds within which a server has to answer."""

Answer = list[bytes]
"""One response: its text in pieces, with the literals between them (the odd ones)."""


class Lost(Postponed):
    """The connection is gone, or does not answer."""


class Denied(Refused):
    """The server said NO or BAD."""


@dataclass(slots=True)
class Line:
    """A connection to an IMAP server; `most` is the size of the largest literal it takes, `patience` for how long
    it waits for an answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    most: int
    patience: float = PATIENCE
    can: frozenset[str] = frozenset()
    news: bool = False
    _count: int = field(default=0)

    async def greet(self) -> None:
        """Read the greeting and what the server can."""
        async with _patience(self.patience):
            first = await self._answer()
        if not first[0].upper().startswith((b"* OK", b"* PREAUTH")):
            raise Denied(f"the server does not want us: {_shown(first[0])}")
        await self.capabilities()

    async def capabilities(self) -> None:
        """Ask what the server can."""
        for answer in await self.ask("CAPABILITY"):
            if answer[0].upper().startswith(b"* CAPABILITY "):
                self.can = frozenset(answer[0].decode("ascii", "replace").upper().split()[2:])

    async def authenticate(self, mechanism: str, secret: bytes) -> None:
        """SASL by PLAIN or XOAUTH2, the secret as its answer."""
        said = [base64.b64encode(secret), b""]
        await self._run(f"AUTHENTICATE {mechanism}", said)
        await self.capabilities()

    async def select(self, folder: str) -> int:
        """Open a folder; its UIDVALIDITY."""
        for answer in await self.ask(f"SELECT {quoted(folder)}"):
            if found := _STATE.search(answer[0]):
                return int(found[1])
        raise Denied(f"{folder} has no UIDVALIDITY")

    async def search(self, wish: str) -> list[int]:
        """The UIDs of what is wished for, ascending. `news` tells of letters that come after it was asked."""
        self.news = False
        out: list[int] = []
        for answer in await self.ask(f"UID SEARCH {wish}"):
            if answer[0].upper().startswith(b"* SEARCH"):
                out += [int(one) for one in answer[0].split()[2:] if one.isdigit()]
        return sorted(set(out))

    async def sizes(self, uids: list[int]) -> dict[int, int]:
        """How large these letters are; those that are gone are left out."""
        answers = await self.ask(f"UID FETCH {_set(uids)} (UID RFC822.SIZE)")
        pairs = [(_UID.search(one[0]), _SIZE.search(one[0])) for one in answers]
        return {int(uid[1]): int(size[1]) for uid, size in pairs if uid and size}

    async def fetch(self, uid: int) -> bytes | None:
        """A letter, byte for byte, without marking it as seen; None where it is gone."""
        for answer in await self.ask(f"UID FETCH {uid} (UID BODY.PEEK[])", patience=5 * self.patience):
            named = _UID.search(b" ".join(answer[::2]))
            if len(answer) > 1 and named and int(named[1]) == uid:
                return answer[1]
        return None

    async def seen(self, uid: int) -> None:
        """Mark a letter as seen."""
        await self.ask(f"UID STORE {uid} +FLAGS.SILENT (\\Seen)")

    async def move(self, uid: int, folder: str) -> None:
        """Move a letter; where the server cannot, copy it and mark it as deleted."""
        if "MOVE" in self.can:
            await self.ask(f"UID MOVE {uid} {quoted(folder)}")
            return
        await self.ask(f"UID COPY {uid} {quoted(folder)}")
        await self.ask(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
        if "UIDPLUS" in self.can:
            await self.ask(f"UID EXPUNGE {uid}")

    async def idle(self, seconds: float) -> bool:
        """Wait for news, so long at most; True where there is some. What does not answer afterwards is Lost."""
        if self.news:  # told in passing, and never told again
            return True
        tag = self._send("IDLE")
        async with _patience(self.patience):
            while not (first := await self._answer())[0].startswith(b"+"):
                self._judge(tag, first)
        try:
            async with asyncio.timeout(seconds):
                while not self.news:
                    await self._answer()
        except TimeoutError:
            pass
        self.writer.write(b"DONE\r\n")
        async with _patience(self.patience):
            while not self._judge(tag, await self._answer()):
                continue
        return self.news

    async def ask(self, command: str, *, patience: float = 0.0) -> list[Answer]:
        """A command and all that is answered; raises Denied, or Lost."""
        return await self._run(command, [], patience)

    async def close(self) -> None:
        """Say goodbye, and let go."""
        try:
            async with asyncio.timeout(2):
                self._send("LOGOUT")
                await self.writer.drain()
        except (OSError, TimeoutError):
            pass
        self.writer.close()

    async def _run(self, command: str, said: list[bytes], patience: float = 0.0) -> list[Answer]:
        answers: list[Answer] = []
        async with _patience(patience or self.patience):
            tag = self._send(command)
            while True:
                answer = await self._answer()
                if answer[0].startswith(b"+") and said:
                    self.writer.write(said.pop(0) + b"\r\n")
                    await self.writer.drain()
                elif self._judge(tag, answer):
                    return answers
                else:
                    answers.append(answer)

    def _send(self, command: str) -> bytes:
        self._count += 1
        tag = f"h{self._count}".encode()
        try:
            self.writer.write(tag + b" " + command.encode("ascii") + b"\r\n")
        except UnicodeEncodeError:
            raise Denied("names of folders have to be ASCII, or in modified UTF-7") from None
        return tag

    def _judge(self, tag: bytes, answer: Answer) -> bool:
        """Whether this ends the command; Denied where it ends in a refusal, Lost where the server takes its leave."""
        if answer[0].upper().startswith(b"* BYE"):
            raise Lost(f"the server left: {_shown(answer[0])}")
        if not answer[0].startswith(tag + b" "):
            return False
        if answer[0][len(tag) + 1 :].upper().startswith(b"OK"):
            return True
        raise Denied(_shown(answer[0][len(tag) + 1 :]))

    async def _answer(self) -> Answer:
        pieces: Answer = []
        try:
            while True:
                line = (await self.reader.readuntil(b"\n")).rstrip(b"\r\n")
                pieces.append(line)
                found = _LITERAL.search(line)
                if found is None or len(pieces) > 200:
                    self.news = self.news or pieces[0].upper().endswith(b" EXISTS")
                    return pieces
                if int(found[1]) > self.most:
                    raise Lost(f"the server sends {int(found[1])} bytes at once, {self.most} are taken")
                pieces.append(await self.reader.readexactly(int(found[1])))
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            raise Lost("the connection broke") from error


class _patience:  # noqa: N801  a context, as asyncio.timeout is
    """Lost where it takes longer."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._timeout.__aexit__(*error)  # type: ignore[arg-type]
        except TimeoutError as late:
            raise Lost("the server does not answer") from late


async def dial(
    host: str,
    port: int,
    *,
    tls: bool,
    most: int,
    judge: Callable[[str], str | None],
    patience: float = PATIENCE,
) -> Line:
    """A connection to a server that the guard lets through (`judge` gives the reason against an address)."""
    loop = asyncio.get_running_loop()
    try:
        async with _patience(patience):
            found = await loop.getaddrinfo(host, port, type=1)
            for *_, place in found:
                if reason := judge(str(place[0])):
                    raise Denied(f"{host} is {place[0]}, which is not allowed: {reason}")
            trust = ssl.create_default_context() if tls else None
            reader, writer = await asyncio.open_connection(
                str(found[0][4][0]), port, ssl=trust, server_hostname=host if tls else None, limit=_LINE
            )
    except OSError as error:
        raise Lost(f"{host}:{port} cannot be reached: {error}") from error
    line = Line(reader, writer, most, patience)
    try:
        await line.greet()
    except BaseException:
        writer.close()
        raise
    return line


def quoted(text: str) -> str:
    """A text as IMAP quotes it."""
    if any(char in text for char in "\r\n\0"):
        raise Denied("a name has a line break in it")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _set(uids: list[int]) -> str:
    return ",".join(str(one) for one in uids)


def _shown(text: bytes) -> str:
    return text[:200].decode("utf-8", "replace").strip()
