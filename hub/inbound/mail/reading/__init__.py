"""Reading: what stands in a letter, as values; pure, and run in a cell since a parser may blow up."""

from __future__ import annotations

import msgspec

from hub.directory import Connection, Partner


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What reading one letter needs to know: the partner's locale, time zone and currency, or the connection's."""

    locale: str = ""
    time_zone: str = ""
    currency: str = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a letter."""

    subject: str = ""
    text: str = ""


def rules_of(connection: Connection, partner: Partner | None) -> Rules:
    """The rules for letters of this partner to this mailbox."""
    return Rules(
        locale=partner.locale if partner else "",
        time_zone=(partner.time_zone if partner else "") or connection.time_zone,
        currency=(partner.currency if partner else "") or connection.currency,
    )


def read(raw: bytes, rules: Rules) -> Reading:
    """What stands in this letter."""
    return Reading()
