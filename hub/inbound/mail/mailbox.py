"""Mailboxes: the addresses that letters are taken for, and whose each is.

orders@hub.example                 a connection of kind `mail`: its setting `address`
orders+p7f3…@hub.example           a partner's own secret address at it
orders+ord_01J….<mac>@hub.example  an order's signed reply address
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any

import msgspec

from hub.contract.errors import Misconfigured
from hub.directory import Connection, Directory, Partner
from hub.replies import Marks as Replies
from hub.vault import Locked, Vault

KIND = "mail"


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as the mail's rooms see it: its settings, whatever channel of kind `mail` it is of."""

    connection: Connection
    address: str
    provider: str = "smtp"
    strangers: str = "draft"
    authserv_id: str = ""
    relays: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The domain of its address."""
        return self.address.rpartition("@")[2]


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a letter is for: the mailbox, and the partner whose secret address, or the order whose reply address it is."""

    mailbox: Mailbox
    partner: str = ""
    order: str = ""


def mailbox(directory: Directory, connection: Connection) -> Mailbox | None:
    """The mailbox of a connection; None where it is of another kind, or cannot be read now."""
    channel = directory.registry.channels.get(connection.channel)
    if channel is None or channel.kind != KIND:
        return None
    try:
        settings: Any = directory.settings(connection)
    except (Locked, Misconfigured):
        return None
    return Mailbox(
        connection=connection,
        address=plain(getattr(settings, "address", "") or ""),
        provider=getattr(settings, "provider", "smtp"),
        strangers=getattr(settings, "strangers", "draft"),
        authserv_id=(getattr(settings, "authserv_id", "") or "").lower(),
        relays=tuple(getattr(settings, "relays", ())),
    )


def mailboxes(directory: Directory) -> list[Mailbox]:
    """All of them."""
    found = (mailbox(directory, one) for one in directory.all(Connection))
    return [one for one in found if one is not None]


def recipient(directory: Directory, vault: Vault, address: str, now: int) -> Recipient | None:
    """Whom an address names; None for one that is nobody's: an unknown tag is as unknown as an unknown name."""
    boxes = mailboxes(directory)
    base, tag = parted(address)
    if order := Replies(vault.keys).order_of(address):
        domain = base.rpartition("@")[2]
        home = [one for one in boxes if one.address == base] or [one for one in boxes if one.domain == domain]
        return Recipient(mailbox=home[0], order=order) if home else None
    found = next((one for one in boxes if one.address == base and base), None)
    return tagged(directory, vault, found, tag, now) if found else None


def tagged(directory: Directory, vault: Vault, box: Mailbox, tag: str, now: int) -> Recipient | None:
    """Whose a tag at this mailbox is; without one the mailbox's own."""
    if not tag:
        return Recipient(mailbox=box)
    tenant = box.connection.tenant
    digest = tag_digest(vault, tenant, tag)
    for partner in directory.all(Partner, tenant):
        known = [one for one in partner.addresses if not one.get("until") or one["until"] > now]
        if partner.status == "active" and any([hmac.compare_digest(one["digest"], digest) for one in known]):
            return Recipient(mailbox=box, partner=partner.id)
    return None


def parted(address: str) -> tuple[str, str]:
    """An address without its tag, and the tag, both in lower case."""
    local, _, domain = plain(address).rpartition("@")
    name, _, tag = local.partition("+")
    return f"{name}@{domain}", tag


def plain(address: str) -> str:
    """An address in the one spelling by which it is looked up."""
    return address.strip().strip("<>").rstrip(".").lower()


def with_tag(address: str, tag: str) -> str:
    """An address with a tag."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{tag}@{domain}"


def tag_digest(vault: Vault, tenant: str, tag: str) -> str:
    """How a secret tag is found again without being opened."""
    return vault.person(tenant, "mail tag", tag)


def own(addresses: Iterable[str], boxes: Iterable[Mailbox]) -> bool:
    """Whether one of these addresses is one of our mailboxes."""
    ours = {box.address for box in boxes}
    return any(parted(one)[0] in ours for one in addresses)
