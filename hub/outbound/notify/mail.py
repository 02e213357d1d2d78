"""Mail by SMTP: one connection a mail, STARTTLS or TLS from the start, to an address that the guard lets through.

A mail's Message-ID is made from its notice's id: sent again after a crash it is the same mail, and every far side
that looks shows it once.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import Annotated, Literal

import aiosmtplib
import idna
from msgspec import Meta

from hub.contract.settings import Secret, Settings
from hub.outbound.guard import Guard
from hub.outbound.notify.notice import Notice, Receipt
from hub.replies import LOOP_HEADER, Marks
from hub.world import World

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^\s@<>,;:\"\\\x00-\x1f]{1,253}")
_REFERENCES = 20
_FAREWELL = 3.0
_GREYLISTED = 300.0


class SmtpSettings(Settings, frozen=True, kw_only=True):
    """A mail account at an SMTP server."""

    host: Annotated[str, Meta(description="The SMTP server.", pattern=r"^[A-Za-z0-9.:-]{1,253}$(?!\n)")]
    sender: Annotated[str, Meta(description="Who it is from: `Name <orders@example.com>`.")]
    port: Annotated[
        int, Meta(description="587 for STARTTLS, 465 for TLS from the start.", ge=1, le=65_535)
    ] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"], Meta(description="`starttls`, `tls`, or `none` on a trusted net.")
    ] = "starttls"
    username: Annotated[str, Meta(description="The account, where the server asks for one.")] = ""
    password: Annotated[Secret | None, Meta(description="Its password or app password.")] = None
    reply_to: Annotated[
        str, Meta(description="The mailbox that takes answers; orders are marked in it: `reply+…@…`.")
    ] = ""
    certificate: Annotated[
        str, Meta(description="The server's own certificate (PEM), where no authority vouches for it.")
    ] = ""
    timeout: Annotated[float, Meta(description="Seconds for the whole exchange.", ge=1, le=120)] = 30.0


def address(text: str) -> str:
    """An address as SMTP takes it, its domain in ASCII; "" where it is none."""
    text = text.strip()
    if not _ADDRESS.fullmatch(text):
        return ""
    name, _, domain = text.partition("@")
    try:
        return f"{name}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return ""


def message_id(notice: str, sender: str) -> str:
    """The Message-ID of a notice's mail."""
    domain = address(parseaddr(sender)[1]).partition("@")[2] or "orderhub.invalid"
    return f"<{notice}@{domain}>"


def letter(settings: SmtpSettings, marks: Marks, notice: Notice, now: float) -> EmailMessage:
    """The mail: plain and HTML text, on its thread, with the marks that keep it from being answered by machines
    and taken for somebody else's."""
    mail = EmailMessage(policy=SMTP)
    name, own = parseaddr(settings.sender)
    mail["From"] = formataddr((_line(notice.sender or name), address(own)))
    mail["To"] = ", ".join(notice.to)
    mail["Subject"] = _line(notice.title)
    mail["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    mail["Message-ID"] = message_id(notice.id, settings.sender)
    if notice.answer_to:
        mail["Reply-To"] = notice.answer_to
    if notice.follows:
        mail["In-Reply-To"] = _line(notice.follows[-1])
        mail["References"] = " ".join(_line(one) for one in notice.follows[-_REFERENCES:])
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[LOOP_HEADER] = marks.loop_mark(notice.id)
    for header, value in notice.headers.items():
        mail[header] = _line(value)
    mail.set_content(notice.text)
    if notice.html:
        mail.add_alternative(notice.html, subtype="html")
    return mail


def _line(text: str) -> str:
    """A text for one header field: no line ends, nothing unprintable."""
    return "".join(one for one in " ".join(text.split()) if one.isprintable())[:900]


@dataclass(frozen=True, slots=True)
class Smtp:
    """A notifier over one account. Every address that the server's name has must pass the guard, and the one that
    was judged is the one that is dialled."""

    settings: SmtpSettings
    guard: Guard
    marks: Marks
    world: World

    async def send(self, notice: Notice) -> Receipt:
        """Sends it; a refusal for good is `failed`, one for now `later`."""
        to = [found for one in notice.to if (found := address(one))]
        if not to:
            return Receipt(status="failed", reason=f"no mail address: {', '.join(notice.to)[:200]}")
        try:
            mail = letter(self.settings, self.marks, notice, self.world.now() / 1_000_000)
        except (ValueError, MessageError) as error:
            return Receipt(status="failed", reason=f"the mail cannot be written: {error}")
        try:
            await self._send(mail, to)
        except aiosmtplib.SMTPException as error:
            if "STARTTLS extension not supported" in str(error):
                return Receipt(
                    status="later",
                    reason="the server speaks no STARTTLS: set security to tls (port 465) or none",
                )
            return judged(error)
        except (OSError, TimeoutError) as error:
            return Receipt(
                status="unreachable", reason=f"{self.settings.host}: {str(error) or 'no answer in time'}"
            )
        return Receipt(status="sent", ref=str(mail["Message-ID"]))

    async def _send(self, mail: EmailMessage, to: list[str]) -> None:
        held = self.settings
        timeout = asyncio.timeout(held.timeout)
        async with timeout:
            client = aiosmtplib.SMTP(
                hostname=held.host, sock=await self._dial(), timeout=held.timeout, use_tls=held.security == "tls",
                start_tls=held.security == "starttls", username=held.username or None, password=held.password,
                tls_context=_trust(held),
            )  # fmt: skip
        try:
            async with asyncio.timeout_at(timeout.when()):
                await client.connect()
                await client.send_message(mail, recipients=to)
            # It is theirs now: a line that breaks over the farewell must not send it a second time.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=_FAREWELL)
        finally:
            client.close()

    async def _dial(self) -> socket.socket:
        """A connected socket to an address that may be reached."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self.settings.host, self.settings.port, type=socket.SOCK_STREAM)
        for *_, place in found:
            if reason := self.guard.judge(str(place[0])):
                raise OSError(f"{place[0]} is not allowed: {reason}")
        family, kind, protocol, _, place = found[0]
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        try:
            await loop.sock_connect(made, place)
        except BaseException:
            made.close()
            raise
        return made


def _trust(settings: SmtpSettings) -> ssl.SSLContext | None:
    """What vouches for the server: the authorities of this machine, or the one certificate that was told."""
    if settings.security == "none":
        return None
    return ssl.create_default_context(cadata=settings.certificate or None)


def judged(error: aiosmtplib.SMTPException) -> Receipt:
    """What an SMTP error means: 5xx of a recipient or of the mail is for good, all else is for now."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [(one.code, one.message) for one in error.recipients]
        reason = "; ".join(f"{code} {text}" for code, text in codes)[:500]
        if all(code >= 500 for code, _ in codes):
            return Receipt(status="failed", reason=reason)
        return Receipt(status="later", reason=reason, after=_GREYLISTED)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Receipt(status="later", reason=f"the account was refused: {error.code} {error.message}"[:500])
    if isinstance(error, aiosmtplib.SMTPResponseException):
        reason = f"{error.code} {error.message}"[:500]
        if 500 <= error.code < 600 and not isinstance(error, aiosmtplib.SMTPHeloError):
            return Receipt(status="failed", reason=reason)
        return Receipt(status="later", reason=reason, after=_GREYLISTED)
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Receipt(status="later", reason=str(error)[:500])
    return Receipt(status="unreachable", reason=str(error)[:500])
