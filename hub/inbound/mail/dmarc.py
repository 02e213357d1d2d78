"""DMARC (RFC 7489): whether what holds of a letter, a seal or SPF, is of the domain that its From shows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import msgspec
from publicsuffixlist import PublicSuffixList

from hub.inbound.mail.resolver import Resolver, Silent
from hub.inbound.mail.verdict import Seal


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a domain publishes: `none`, `quarantine` or `reject`, and how strictly domains have to agree."""

    policy: str = "none"
    strict_dkim: bool = False
    strict_spf: bool = False


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def organisation(domain: str) -> str:
    """The domain that somebody registered, by the public suffix list; the domain itself where it is a suffix."""
    return _suffixes().privatesuffix(domain.lower()) or domain.lower()


def public(domain: str) -> bool:
    """Whether nobody registered this domain: it is a public suffix, such as `co.uk`."""
    return _suffixes().privatesuffix(domain.lower()) is None


def aligned(one: str, other: str, *, strict: bool = False) -> bool:
    """Whether two domains count as one: the same, or, unless strict, of one organisation."""
    one, other = one.lower().rstrip("."), other.lower().rstrip(".")
    return bool(one) and (one == other or (not strict and organisation(one) == organisation(other)))


async def policy(resolver: Resolver, domain: str) -> Policy | None:
    """What the domain, or else its organisation, publishes; None where neither does. Raises Silent."""
    for name in dict.fromkeys((domain, organisation(domain))):
        found = [
            one for one in await resolver.txt(f"_dmarc.{name}") if one.replace(" ", "").startswith("v=DMARC1")
        ]
        if len(found) == 1:
            return _policy(found[0], of_itself=name == domain)
        if found:
            return None
    return None


def judge(known: Policy | None, domain: str, seals: Iterable[Seal], spf: str, spf_domain: str) -> str:
    """`pass`, `fail`, `temperror`, or `none` where nobody publishes a policy."""
    if known is None:
        return "none"
    if any(one.result == "pass" and aligned(one.domain, domain, strict=known.strict_dkim) for one in seals):
        return "pass"
    if spf == "pass" and aligned(spf_domain, domain, strict=known.strict_spf):
        return "pass"
    if spf == "temperror" or any(one.result == "temperror" for one in seals):
        return "temperror"
    return "fail"


async def look(
    resolver: Resolver, domain: str, seals: Iterable[Seal], spf: str, spf_domain: str
) -> tuple[str, Policy | None]:
    """The result for a From of this domain, with the policy it was judged by."""
    try:
        known = await policy(resolver, domain)
    except Silent:
        return "temperror", None
    return judge(known, domain, seals, spf, spf_domain), known


def _policy(text: str, *, of_itself: bool) -> Policy:
    tags = {
        name.strip().lower(): value.strip().lower()
        for name, _, value in (part.partition("=") for part in text.split(";"))
    }
    own = tags.get("p", "none")
    return Policy(
        policy=own if of_itself else tags.get("sp", own),
        strict_dkim=tags.get("adkim") == "s",
        strict_spf=tags.get("aspf") == "s",
    )
