"""What an operator tells us of a mailbox."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from hub.contract import Secret, Settings

Address = Annotated[str, Meta(pattern=r"^[^\s@<>,;\"\\]{1,64}@[^\s@<>,;\"\\]{1,253}$(?!\n)")]


class EmailSettings(Settings, frozen=True, kw_only=True):
    """One mailbox: its address, how its letters come to us, and what is believed of whom."""

    address: Annotated[
        Address,
        Meta(description="The mailbox: `orders@example.com`. Partners' secret addresses are `orders+…@`."),
    ]
    provider: Annotated[
        Literal["smtp", "imap", "webhook", "postmark", "ses", "mailgun", "sendgrid"],
        Meta(
            description="What brings its letters: our own SMTP server, a mailbox read by IMAP, or a webhook."
        ),
    ] = "smtp"
    strangers: Annotated[
        Literal["draft", "quarantine"],
        Meta(description="What becomes of an authenticated letter of nobody we know."),
    ] = "draft"
    authserv_id: Annotated[
        str,
        Meta(description="The server whose topmost Authentication-Results is believed: `mx.example.com`."),
    ] = ""
    relays: Annotated[
        tuple[str, ...],
        Meta(description="Addresses of our own mail servers in front of the hub, whose word counts."),
    ] = ()
    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        Meta(
            description="`whsec_…` (webhook), `user:password` (postmark), the webhook signing key (mailgun)."
        ),
    ] = None
    public_key: Annotated[
        str | list[str] | None, Meta(description="The verification key of the signature policy (sendgrid).")
    ] = None
    topic_arn: Annotated[
        str | list[str] | None, Meta(description="The SNS topic that the receipt rule publishes to (ses).")
    ] = None
    signing_key: Annotated[
        Secret | None, Meta(description="For simulators and tests alone: the provider's private key.")
    ] = None
    host: Annotated[str, Meta(description="The IMAP server.")] = ""
    port: Annotated[int, Meta(ge=1, le=65535, description="Its port.")] = 993
    tls: Annotated[
        Literal["tls", "none"],
        Meta(description="TLS from the first byte; `none` only for a server on this machine."),
    ] = "tls"
    username: Annotated[str, Meta(description="The IMAP account.")] = ""
    password: Annotated[Secret | None, Meta(description="Its app password.")] = None
    token_url: Annotated[str, Meta(description="Where OAuth access tokens are fetched (XOAUTH2).")] = ""
    client_id: Annotated[str, Meta(description="The OAuth client.")] = ""
    client_secret: Annotated[Secret | None, Meta(description="Its secret.")] = None
    refresh_token: Annotated[
        Secret | None, Meta(description="The grant that access tokens are made from.")
    ] = None
    folder: Annotated[str, Meta(description="The IMAP folder that is read.")] = "INBOX"
    done: Annotated[
        Literal["keep", "seen", "move"],
        Meta(description="What is done to a letter once it is durable here: nothing, marked as seen, moved."),
    ] = "seen"
    move_to: Annotated[str, Meta(description="The folder that letters are moved to.")] = "Orders"
