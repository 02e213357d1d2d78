"""Letters around orders: raw MIME as mail programs send it."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from zlib import crc32

from tests.mail.corpus.people import Buyer

DATE = "Tue, 05 Jan 2027 10:30:00 +0000"
SEEN = "2027-01-05T10:30:00.000Z"


def letter(
    buyer: Buyer, subject: str, text: str = "", html: str = "", files: tuple[tuple[str, str, bytes], ...] = (),
    answers: str = "", charset: str = "utf-8", sender: str = "",
) -> bytes:  # fmt: skip
    """A mail: text, HTML or both, and attachments as (name, type, bytes)."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender or f"{buyer.person} <{buyer.mail}>"
    mail["To"] = "orders@hub.example"
    mail["Subject"] = subject
    mail["Date"] = DATE
    mail["Message-ID"] = f"<{crc32((subject + text + html).encode())}@{buyer.mail.partition('@')[2]}>"
    if answers:
        mail["In-Reply-To"] = mail["References"] = answers
    if text or not html:
        mail.set_content(text or "\n", charset=charset)
    if html:
        (mail.add_alternative if text else mail.set_content)(html, subtype="html")
    for name, kind, data in files:
        main, _, sub = kind.partition("/")
        mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def around(inner: bytes, buyer: Buyer, subject: str, text: str) -> bytes:
    """A mail that carries another as message/rfc822."""
    import email  # noqa: PLC0415

    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = f"colleague@{buyer.mail.partition('@')[2]}", "orders@hub.example"
    mail["Subject"], mail["Date"], mail["Message-ID"] = subject, DATE, "<fwd@x.example>"
    mail.set_content(text)
    mail.add_attachment(email.message_from_bytes(inner, policy=SMTP))
    return mail.as_bytes()
