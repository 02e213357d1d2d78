"""The verdict on a letter: whom we believe, and why or why not."""

from __future__ import annotations

import msgspec


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """One DKIM signature: `result` is `pass`, `fail` (it does not hold), `ignored` (it holds and does not count) or
    `temperror` (its key could not be asked for), `reason` says why."""

    domain: str
    selector: str = ""
    result: str
    reason: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What we make of a letter's sender.

    trusted          the partner's proof is met: what it says may become an open order
    quarantined      it is not to be read at all until a person releases it
    reasons          why it is not trusted, or is quarantined: sentences for a person, the first the weightiest
    spf, dmarc       `pass`, `fail`, `none`, `softfail`, `neutral`, `temperror`, `permerror`
    from_address     the one address of the one From, "" where there is none such
    partner          the id of the partner whose sender this is, "" for a stranger
    secret           it came to the partner's own secret address
    """

    trusted: bool = False
    quarantined: bool = False
    reasons: tuple[str, ...] = ()
    spf: str = "none"
    dkim: tuple[Seal, ...] = ()
    dmarc: str = "none"
    from_address: str = ""
    from_domain: str = ""
    partner: str = ""
    secret: bool = False
