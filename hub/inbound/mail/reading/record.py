"""The rules of a partner's record: what reading its letters needs, taken out of what the hub holds."""

from __future__ import annotations

import re

import msgspec

from hub.directory import Connection, Partner
from hub.inbound.mail.reading.rules import NATIVE, Manner, Rules
from hub.registry import Registry

_EXTENDS = re.compile(r"(?m)^extends:\s*['\"]?([\w.-]+)")


def rules_of(connection: Connection | None, partner: Partner | None, registry: Registry) -> Rules:
    """The rules for letters of this partner, or of a stranger, to this mailbox."""
    manner = msgspec.convert(partner.manner, Manner) if partner else Manner()
    return Rules(
        manner=manner,
        locale=partner.locale if partner else "",
        zone=(partner.time_zone if partner else "") or (connection.time_zone if connection else ""),
        currency=(partner.currency if partner else "") or (connection.currency if connection else ""),
        texts=_texts([*NATIVE, *manner.mappings.values()], registry),
    )


def _texts(names: list[str], registry: Registry) -> dict[str, str]:
    """The texts of these mappings and of all that they extend; one that is not there is left out."""
    out: dict[str, str] = {}
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name not in out and name in registry.texts:
            out[name] = registry.texts[name].text
            waiting += _EXTENDS.findall(out[name])
    return out
