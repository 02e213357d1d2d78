"""Opening: what a provider posted becomes the one form of a letter; and the handshake of Amazon SNS."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any

from adapters.email.form import fields
from adapters.email.settings import EmailSettings
from hub.contract import Context, Conversation, Greeting, Message, Read, Request, Response, Unreadable
from hub.contract.letter import METHOD, Envelope, Letter, Provider, letter_message, no_letter

_SUBSCRIBE = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/\?[^\s#]{1,2000}")
Make = Callable[[Message], Letter]


def nothing(message: Message) -> Iterable[Read]:
    """A letter is judged and read by the hub's own stage of mail, which is no reader's work."""
    return ()


def opened(message: Message, settings: EmailSettings) -> Message:
    """A letter out of what was posted; one that came by SMTP or IMAP is one already."""
    make = MAKES.get(settings.provider)
    if make is None:
        return message if message.method == METHOD else no_letter("this mailbox takes no webhooks", message)
    try:
        return letter_message(make(message), message)
    except Unreadable as error:
        return no_letter(error.reason, message)


def greet(message: Message, settings: EmailSettings) -> Greeting | None:
    """Amazon asks whether the topic's news are wanted: the proof has shown that the topic is the configured one."""
    if settings.provider != "ses":
        return None
    try:
        told = message.json()
    except Unreadable:
        return None
    kind = told.get("Type") if isinstance(told, dict) else None
    if kind == "SubscriptionConfirmation":
        url = str(told.get("SubscribeURL", ""))
        return Greeting(reply=Response(status=200), then=lambda ctx: _confirm(ctx, url))
    return Greeting(reply=Response(status=200)) if kind == "UnsubscribeConfirmation" else None


def _confirm(ctx: Context[EmailSettings], url: str) -> Conversation[None]:
    if not _SUBSCRIBE.fullmatch(url):
        raise Unreadable("SubscribeURL is not one of Amazon SNS")
    yield Request(url=url)


def _webhook(message: Message) -> Letter:
    """The raw MIME as the body, its envelope in two fields: what a mail worker in front of us posts."""
    to = [one.strip() for one in message.headers.get("x-envelope-to", "").split(",")]
    return Letter(
        transport="api",
        envelope=Envelope(mail_from=message.headers.get("x-envelope-from"), rcpt_to=tuple(filter(None, to))),
        raw=_some(message.body, "the body is empty: post the raw mail"),
        provider=Provider(id=message.headers.get("webhook-id") or _digest(message.body)),
    )


def _postmark(message: Message) -> Letter:
    told = _object(message.json())
    raw = told.get("RawEmail")
    if not isinstance(raw, str) or not raw:
        raise Unreadable(
            "no RawEmail: turn on `Include raw email content in JSON payload` of the Postmark server"
        )
    path = next(
        (
            str(one.get("Value", ""))
            for one in told.get("Headers") or ()
            if isinstance(one, dict) and one.get("Name") == "Return-Path"
        ),
        None,
    )
    to = [str(told.get("OriginalRecipient") or told.get("To") or "")]
    return Letter(
        transport="postmark",
        envelope=Envelope(
            mail_from=None if path is None else path.strip("<> "), rcpt_to=tuple(filter(None, to))
        ),
        raw=raw.encode("utf-8", "surrogateescape"),
        provider=Provider(id=str(told.get("MessageID", "")) or _digest(message.body)),
    )


def _ses(message: Message) -> Letter:
    """A receipt notification within an SNS message (Amazon SES docs, `notifications-contents`)."""
    outer = _object(message.json())
    told = _object(Message(body=str(outer.get("Message", "")).encode("utf-8", "surrogatepass")).json())
    mail, receipt = _object(told.get("mail")), _object(told.get("receipt"))
    action = _object(receipt.get("action"))
    content = told.get("content")
    if not isinstance(content, str) or not content:
        where = f" {action['bucketName']}" if isinstance(action.get("bucketName"), str) else ""
        raise Unreadable(
            f"Amazon has put the mail into the S3 bucket{where}: give the receipt rule an SNS action with the encoding "
            "Base64 instead (mails up to 150 kB), or let the mails come by SMTP or IMAP"
        )
    raw = _base64(content) if action.get("encoding") == "BASE64" else content.encode("utf-8", "surrogatepass")
    source = mail.get("source")
    return Letter(
        transport="ses",
        envelope=Envelope(
            mail_from=source if isinstance(source, str) else None,
            rcpt_to=tuple(one for one in receipt.get("recipients") or () if isinstance(one, str)),
        ),
        raw=raw,
        provider=Provider(
            id=str(mail.get("messageId") or outer.get("MessageId", "")), verdicts=_verdicts(receipt)
        ),
    )


def _verdicts(receipt: dict[str, Any]) -> dict[str, str]:
    """`spfVerdict: {status: PASS}` … as `spf: pass`; GRAY means that nobody vouches (Amazon SES docs)."""
    found = {
        name: _object(receipt.get(f"{name}Verdict")).get("status")
        for name in ("spf", "dkim", "dmarc", "spam", "virus")
    }
    words = {"PASS": "pass", "FAIL": "fail", "GRAY": "none", "PROCESSING_FAILED": "temperror"}
    return {name: words.get(str(status), "none") for name, status in found.items() if status}


def _mailgun(message: Message) -> Letter:
    form = fields(message)
    raw = _some(form.get("body-mime", b""), "no body-mime: let the URL of the Mailgun route end in `mime`")
    to = [one.strip() for one in _text(form, "recipient").split(",")]
    return Letter(
        transport="mailgun",
        envelope=Envelope(mail_from=_text(form, "sender") or None, rcpt_to=tuple(filter(None, to))),
        raw=raw,
        provider=Provider(id=_text(form, "token") or _digest(raw)),
    )


def _sendgrid(message: Message) -> Letter:
    form = fields(message)
    raw = _some(
        form.get("email", b""),
        "no field `email`: turn on `POST the raw, full MIME message` of the parse setting",
    )
    envelope = _object(Message(body=form.get("envelope", b"{}")).json())
    spf = _text(form, "SPF").lower()
    source = envelope.get("from")
    return Letter(
        transport="sendgrid",
        envelope=Envelope(
            mail_from=source if isinstance(source, str) else None,
            rcpt_to=tuple(one for one in envelope.get("to") or () if isinstance(one, str)),
            client_ip=_text(form, "sender_ip"),
        ),
        raw=raw,
        provider=Provider(id=_digest(raw), verdicts={"spf": spf} if spf else {}),
    )


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable("not what this provider posts: an object is wanted")
    return value


def _some(raw: bytes, otherwise: str) -> bytes:
    if not raw.strip():
        raise Unreadable(otherwise)
    return raw


def _text(form: dict[str, bytes], name: str) -> str:
    return form.get(name, b"").decode("utf-8", "replace").strip()


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Unreadable("content is not base64, though its encoding says so") from error


def _digest(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


MAKES: dict[str, Make] = {
    "webhook": _webhook,
    "postmark": _postmark,
    "ses": _ses,
    "mailgun": _mailgun,
    "sendgrid": _sendgrid,
}
