"""How a partner orders by mail: its senders, what a mail of theirs has to prove, and its own secret address."""

from __future__ import annotations

import base64
import re
import secrets
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from hub.contract.canon import Address
from hub.contract.clock import text
from hub.directory import Partner
from hub.http.ask import Ask
from hub.http.keep import copy, find, save
from hub.http.problems import Problem, invalid
from hub.http.table import Op
from hub.inbound.mail.dmarc import public
from hub.inbound.mail.mailbox import mailboxes, tag_digest, with_tag
from hub.inbound.mail.reading import Manner
from hub.inbound.mail.reading.rules import faults
from hub.run import Hub

Proof = Literal["dmarc_pass", "dkim_domain", "known_address", "manual"]
"""What a partner's mail has to show."""
Sender = Annotated[str, Meta(max_length=320)]
_SENDER = re.compile(r"(?:[^\s@<>,;\"\\]{1,64}@)?(?:[\w-]{1,63}\.)+[\w-]{2,63}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_WEEK = 7 * 86_400


class Rotation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new secret address; those there are count for `overlap` seconds more."""

    overlap: Annotated[int, Meta(ge=0, le=90 * 86_400)] = _WEEK


class Rotated(msgspec.Struct, kw_only=True):
    """The new secret address at each mailbox, shown this once; `until` is how long the old ones still count."""

    addresses: list[str]
    tag: str
    until: str


def check_mail(ask: Ask, one: Partner) -> None:
    """Problem 422, with the field and the reason, for what no mail could be judged by."""
    _check_senders(ask, one)
    if one.locale and not _LOCALE.fullmatch(one.locale):
        raise invalid(f"{one.locale!r} is no locale like de-DE", "locale")
    if one.time_zone and not _zone(one.time_zone):
        raise invalid(f"{one.time_zone!r} is no IANA time zone like Europe/Berlin", "time_zone")
    if one.currency and not re.fullmatch(r"[A-Z]{3}", one.currency):
        raise invalid(f"{one.currency!r} is no currency like EUR", "currency")
    if one.max_order_value and not _amount(one.max_order_value):
        raise invalid(f"{one.max_order_value!r} is no amount like 5000.00", "max_order_value")
    _check_manner(ask, one)


def _check_manner(ask: Ask, one: Partner) -> None:
    try:
        manner = msgspec.convert(one.manner, Manner)
        msgspec.convert(one.address_book, list[Address])
    except msgspec.ValidationError as error:
        raise invalid(str(error), "manner") from error
    for field, reason in faults(manner):
        raise invalid(reason, f"manner.{field}")
    for glob, name in manner.mappings.items():
        if name not in ask.hub.registry.texts:
            raise invalid(f"there is no mapping {name!r}", f"manner.mappings.{glob}")


def _check_senders(ask: Ask, one: Partner) -> None:
    for at, sender in enumerate(one.senders):
        if not _SENDER.fullmatch(sender.lstrip("@")):
            raise invalid(f"{sender!r} is neither an address nor a domain", f"senders.{at}")
        if "@" not in sender.lstrip("@") and public(sender.lstrip("@").lower()):
            raise invalid(f"{sender} is a public suffix: it is everybody's", f"senders.{at}")
        _of_nobody_else(ask, one, sender, f"senders.{at}")


def _of_nobody_else(ask: Ask, one: Partner, sender: str, field: str) -> None:
    name = sender.lower().lstrip("@")
    for other in ask.hub.directory.all(Partner, one.tenant):
        if other.id != one.id and name in [each.lower().lstrip("@") for each in other.senders]:
            raise invalid(f"{sender} is a sender of {other.name} already", field)


def _zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _amount(given: str) -> bool:
    try:
        return bool(re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,6})?", given)) and Decimal(given) > 0
    except InvalidOperation:
        return False


def mail_fields(hub: Hub, one: Partner) -> dict[str, Any]:
    """What of a partner's mail may be shown: how many secret addresses count, never which."""
    now = hub.world.now()
    return {
        "senders": one.senders, "proof": one.proof, "locale": one.locale, "time_zone": one.time_zone,
        "currency": one.currency, "max_order_value": one.max_order_value, "manner": one.manner,
        "address_book": one.address_book,
        "secret_addresses": sum(not each.get("until") or each["until"] > now for each in one.addresses),
    }  # fmt: skip


async def rotate_address(ask: Ask) -> Rotated:
    """A new secret address for a partner, shown this once: a hash of it is kept."""
    given, before = ask.decode(Rotation), find(ask, Partner, ask.path())
    boxes = [
        one for one in mailboxes(ask.hub.directory) if one.connection.tenant == ask.tenant and one.address
    ]
    if not boxes:
        raise Problem(409, "conflict", "there is no mailbox yet: connect one first (orderhub connect email)")
    tag = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    now = ask.hub.world.now()
    until = now + given.overlap * 1_000_000
    one = copy(before)
    held = [each for each in one.addresses if not each.get("until") or each["until"] > now]
    kept = (
        [each | {"until": min(each.get("until") or until, until)} for each in held] if given.overlap else []
    )
    one.addresses = [{"digest": tag_digest(ask.hub.vault, one.tenant, tag)}, *kept]
    await save(ask, one, "address_rotated", before, overlap=given.overlap)
    return Rotated(addresses=[with_tag(box.address, tag) for box in boxes], tag=tag, until=text(until))


OPS = (
    Op(method="POST", path="/v1/partners/{id}/rotate-address", summary="A new secret mail address for a partner",
       handle=rotate_address, scope="admin", takes=Rotation, gives=Rotated),
)  # fmt: skip
