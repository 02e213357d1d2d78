"""A letter: one mail as it came to us, whatever brought it, as a message of a mail channel.

    SMTP, LMTP, IMAP                         the hub makes the message: its body is the raw MIME
    a provider's webhook (`Channel.open`)    the adapter makes it out of what the provider posted

Everything but the raw MIME stands in header fields of our own, which `open` writes anew: what a sender puts
into a request or a mail is never taken for them.
"""

from __future__ import annotations

from typing import Literal, cast, get_args

import msgspec

from hub.contract.errors import Place, Unreadable
from hub.contract.message import Headers, Message

Transport = Literal["smtp", "lmtp", "imap", "postmark", "ses", "mailgun", "sendgrid", "api"]
"""What brought a letter to us."""

TOPIC = "mail"
"""The one topic of every mail channel."""
METHOD = "MAIL"
"""The method of a message that is a letter as it stands: nothing has to be opened."""

_TRANSPORT = "x-letter-transport"
_FROM = "x-letter-mail-from"
_TO = "x-letter-rcpt-to"
_IP = "x-letter-client-ip"
_HELO = "x-letter-helo"
_TLS = "x-letter-tls"
ID = "x-letter-provider-id"
"""The field of a provider's own id of a letter."""
_VERDICT = "x-letter-verdict"
_FAULT = "x-letter-fault"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Who handed it over, for whom: `mail_from` is "" for the null return path, None where nobody told it.
    `client_ip` and `helo` are those of the host that spoke to the receiving server, "" where unknown."""

    mail_from: str | None = None
    rcpt_to: tuple[str, ...] = ()
    client_ip: str = ""
    helo: str = ""
    tls: bool = False


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who took it in for us says of it: its own id, and its verdicts (`spf`, `dkim`, `dmarc`,
    `spam`, `virus` → `pass`, `fail`, …), which count only where the connection is configured for it."""

    id: str = ""
    verdicts: dict[str, str] = {}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail in the one form: its envelope, its raw MIME byte for byte, and who brought it."""

    transport: Transport
    envelope: Envelope = Envelope()
    raw: bytes
    provider: Provider = Provider()
    received_at: int = 0


def letter_message(letter: Letter, like: Message = Message()) -> Message:
    """A letter as a message; what else is known of it (`zone`, `account` …) is as in `like`."""
    envelope, provider = letter.envelope, letter.provider
    pairs = [(_TRANSPORT, str(letter.transport)), *((_TO, one) for one in envelope.rcpt_to)]
    if envelope.mail_from is not None:
        pairs.append((_FROM, envelope.mail_from))
    given = (
        (_IP, envelope.client_ip),
        (_HELO, envelope.helo),
        (_TLS, "yes" if envelope.tls else ""),
        (ID, provider.id),
    )
    pairs += [(name, value) for name, value in given if value]
    pairs += [(_VERDICT, f"{name}={value}") for name, value in sorted(provider.verdicts.items())]
    headers = Headers([(name, " ".join(value.split())[:998]) for name, value in pairs])
    return msgspec.structs.replace(
        like, body=letter.raw, headers=headers, method=METHOD, topic=TOPIC,
        received_at=letter.received_at or like.received_at,
    )  # fmt: skip


def no_letter(reason: str, like: Message) -> Message:
    """What a provider posted and no letter can be made of: it is kept, and fails with this reason."""
    return msgspec.structs.replace(
        like, body=b"", headers=Headers([(_FAULT, reason)]), method=METHOD, topic=TOPIC
    )


def letter_of(message: Message) -> Letter:
    """The letter that an opened message of a mail channel is; raises Unreadable with its fault."""
    headers = message.headers
    transport = headers.get(_TRANSPORT, "")
    if fault := headers.get(_FAULT, ""):
        raise Unreadable(fault, place=Place(field="body"))
    if message.method != METHOD or transport not in get_args(Transport):
        raise Unreadable("this is no letter", place=Place(field="body"))
    verdicts = [value.partition("=")[::2] for name, value in headers.pairs if name == _VERDICT]
    envelope = Envelope(
        mail_from=headers.get(_FROM),
        rcpt_to=tuple(value for name, value in headers.pairs if name == _TO),
        client_ip=headers.get(_IP, ""),
        helo=headers.get(_HELO, ""),
        tls=bool(headers.get(_TLS)),
    )
    return Letter(
        transport=cast("Transport", transport),
        envelope=envelope,
        raw=message.body,
        provider=Provider(id=headers.get(ID, ""), verdicts=dict(verdicts)),
        received_at=message.received_at,
    )
