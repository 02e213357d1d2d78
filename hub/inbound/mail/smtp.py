"""The SMTP and LMTP door: letters handed over by mail servers, answered 250 only when they are durable.

    who may be written to (550) → size (552) → the raw mail, durable → 250; a store that is away → 451

A client that is slow holds its own connection alone, for a few minutes at most; connections are capped, in all and
for one address, and so are the bytes that all of them may be sending at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from hub.contract.errors import Misconfigured
from hub.contract.letter import TOPIC, Envelope, Letter, letter_message
from hub.directory import Directory
from hub.inbound.intake import head
from hub.inbound.keep import MAIL, Keeper, Letter as Message, body_key
from hub.inbound.mail.mailbox import Recipient, recipient
from hub.metrics import Metrics
from hub.store.engine import Poisoned, Unavailable
from hub.vault import Vault
from hub.world import World

log = structlog.get_logger("orderhub.smtp")


@dataclass(frozen=True, slots=True)
class Caps:
    """What the door lets in at once: bytes of a letter, connections in all and of one address, letters on their way
    in, recipients of a letter, seconds for a command or a letter."""

    size: int = 30 << 20
    connections: int = 200
    of_one: int = 20
    letters: int = 8
    recipients: int = 200
    patience: float = 300.0


@dataclass(slots=True)
class Door:
    """aiosmtpd's handler: it asks the directory who may be written to, and the keeper to keep."""

    directory: Directory
    keeper: Keeper
    vault: Vault
    metrics: Metrics
    world: World
    caps: Caps = Caps()
    lmtp: bool = False
    open: Counter[str] = field(default_factory=Counter)
    under_way: int = 0

    async def handle_RCPT(  # noqa: N802  aiosmtpd's names
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Taken where it is a mailbox, a partner's secret address or a signed reply address."""
        if len(envelope.rcpt_tos) >= self.caps.recipients:
            return "452 4.5.3 too many recipients"
        found = recipient(self.directory, self.vault, address, self.world.now())
        if found is None:
            return "550 5.1.1 no such mailbox here"
        if found.mailbox.connection.status == "paused":
            return "451 4.3.2 this mailbox is paused, try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 taken"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  see above
        """Durable, then 250; LMTP wants an answer for each recipient."""
        answer = await self._keep(session, envelope)
        return "\r\n".join([answer] * len(envelope.rcpt_tos)) if self.lmtp else answer

    async def _keep(self, session: Any, envelope: Any) -> str:
        told: dict[str, list[str]] = {}
        boxes: dict[str, Recipient] = {}
        for address in envelope.rcpt_tos:
            found = recipient(self.directory, self.vault, address, self.world.now())
            if found is None:
                return "451 4.3.0 a mailbox is gone, try again later"
            boxes[found.mailbox.connection.id] = found
            told.setdefault(found.mailbox.connection.id, []).append(address)
        try:
            for id_, addresses in told.items():
                await self._one(boxes[id_], self._letter(session, envelope, addresses))
        except Unavailable as error:
            log.error("a letter cannot be kept", error=str(error))
            return "451 4.3.0 not kept, try again later"
        except Poisoned as error:
            log.error("a letter cannot be stored at all", error=str(error))
            return "554 5.6.0 it cannot be stored"
        return "250 2.0.0 kept"

    def _letter(self, session: Any, envelope: Any, addresses: Iterable[str]) -> Letter:
        return Letter(
            transport="lmtp" if self.lmtp else "smtp",
            envelope=Envelope(
                mail_from=envelope.mail_from or "",
                rcpt_to=tuple(addresses),
                client_ip=str(session.peer[0]) if session.peer else "",
                helo=session.host_name or "",
                tls=session.ssl is not None,
            ),
            raw=bytes(envelope.content),
            received_at=self.world.now(),
        )

    async def _one(self, to: Recipient, letter: Letter) -> None:
        connection = to.mailbox.connection
        opened = letter_message(letter)
        who = "\0".join(sorted(letter.envelope.rcpt_to)).encode()
        kept = await self.keeper.keep(Message(
            tenant=connection.tenant, connection=connection.id, transport=MAIL, topic=TOPIC,
            key=body_key(who + b"\0\0" + letter.raw), head=head(opened), body=letter.raw, received_at=letter.received_at,
        ))  # fmt: skip
        outcome = "accepted" if kept.new else "duplicate"
        self.metrics.messages.labels(connection.tenant, connection.id, outcome).inc()


class _Guarded:
    """What our server does beyond aiosmtpd's: it counts connections and letters on their way."""

    line_length_limit = 64 << 10
    event_handler: Any
    transport: Any
    session: Any

    def connection_made(self, transport: Any) -> None:
        door: Door = self.event_handler
        peer = (transport.get_extra_info("peername") or ("",))[0]
        self._counted = ""
        if not transport.get_extra_info("sslcontext"):
            if door.open.total() >= door.caps.connections or door.open[peer] >= door.caps.of_one:
                transport.write(b"421 4.7.0 too many connections, try again later\r\n")
                transport.close()
                return
            self._counted = peer or "?"
            door.open[self._counted] += 1
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        door: Door = self.event_handler
        if counted := getattr(self, "_counted", ""):
            door.open[counted] -= 1
            door.open += Counter()
            self._counted = ""
        if self.session is not None:
            super().connection_lost(error)  # type: ignore[misc]

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  aiosmtpd's name
        door: Door = self.event_handler
        if door.under_way >= door.caps.letters:
            await self.push("452 4.3.1 too many letters at once, try again later")  # type: ignore[attr-defined]
            return
        door.under_way += 1
        try:
            await super().smtp_DATA(arg)  # type: ignore[misc]
        finally:
            door.under_way -= 1


class Smtp(_Guarded, SMTP):
    """Our SMTP server."""


class Lmtp(_Guarded, LMTP):
    """Our LMTP server."""


@contextlib.asynccontextmanager
async def listening(
    door: Door, where: str, *, trust: ssl.SSLContext | None = None, shared: bool = False
) -> AsyncIterator[asyncio.Server]:
    """The door, open at `host:port` while the block runs; Misconfigured where that cannot be."""
    host, _, port = where.rpartition(":")
    kind = Lmtp if door.lmtp else Smtp
    limits = {"RCPT": 2 * door.caps.recipients, "*": 100}

    def serve() -> Any:
        return kind(
            door, data_size_limit=door.caps.size, enable_SMTPUTF8=True, tls_context=trust, timeout=door.caps.patience,
            ident="orderhub", hostname=host.strip("[]") or "orderhub", command_call_limit=limits,
        )  # fmt: skip

    try:
        server = await asyncio.get_running_loop().create_server(
            serve, host.strip("[]") or None, int(port), reuse_port=shared or None
        )
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"{'lmtp' if door.lmtp else 'smtp'} {where}: cannot listen there: {error}"
        ) from error
    try:
        yield server
    finally:
        server.close()
        await server.wait_closed()


def certificate(cert: str, key: str) -> ssl.SSLContext | None:
    """What STARTTLS shows; None where there is none. Misconfigured where it cannot be read."""
    if not cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key or None)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"ORDERHUB_SMTP_CERT, ORDERHUB_SMTP_KEY: {error}") from error
    return context
