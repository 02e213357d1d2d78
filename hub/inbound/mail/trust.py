"""Trust: the verdict on a letter's sender, from what was found of it; pure.

A letter is quarantined where its From is not to be believed: none or several, a name or domain made to look like
another's, a partner's address without the partner's proof, a stranger nobody vouches for. One that is neither
trusted nor quarantined may become a draft.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

import msgspec

from hub.directory import Partner
from hub.inbound.mail.dmarc import Policy, aligned
from hub.inbound.mail.likeness import address_in, face, impostor, mixed
from hub.inbound.mail.mailbox import Mailbox
from hub.inbound.mail.marks import Address, Marks
from hub.inbound.mail.verdict import Seal, Verdict


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a letter: by us, and `said` by the provider that the connection is configured for."""

    seals: tuple[Seal, ...] = ()
    spf: str = "none"
    spf_domain: str = ""
    dmarc: str = "none"
    policy: Policy | None = None
    said: dict[str, str] = {}
    secret_of: str = ""

    @property
    def unsure(self) -> bool:
        """Whether the DNS kept silent on something that might have vouched for it."""
        return "temperror" in (self.dmarc, self.spf, *(one.result for one in self.seals))


def believe(marks: Marks, evidence: Evidence, partners: Sequence[Partner], box: Mailbox) -> Verdict:
    """Whom we believe."""
    sender = marks.sender
    base = Verdict(spf=evidence.spf, dkim=evidence.seals, dmarc=evidence.dmarc)
    if sender is None or marks.faults:
        return _with(base, quarantined=True, reasons=marks.faults or ("it has no From",))
    base = _with(base, from_address=sender.address, from_domain=sender.domain)
    partner = whose(sender, partners)
    base = _with(base, partner=partner.id if partner else "", secret=_secret(partner, evidence))
    if fault := disguise(sender, partner, partners, box):
        return _with(base, quarantined=True, reasons=(fault,))
    if partner is None:
        return _stranger(base, evidence, box)
    return _of_partner(base, evidence, partner, sender)


def whose(sender: Address, partners: Iterable[Partner]) -> Partner | None:
    """The partner that this address belongs to: one that names the address stands over one that names its domain."""
    by_domain = None
    for one in partners:
        if one.status != "active":
            continue
        known = [entry.lower().lstrip("@") for entry in one.senders]
        if sender.address.lower() in known:
            return one
        if by_domain is None and sender.domain in known:
            by_domain = one
    return by_domain


def disguise(sender: Address, partner: Partner | None, partners: Iterable[Partner], box: Mailbox) -> str:
    """How a sender is made to be taken for another, "" where it is not."""
    shown = address_in(sender.name)
    if shown and shown != sender.address.lower():
        return f"the name beside its From shows another address than {sender.domain}'s"
    if mixed(sender.domain):
        return f"the domain {sender.domain} mixes scripts to look like another"
    if partner is not None:
        return ""
    domains = {_domain(entry): one for one in partners for entry in one.senders}
    if taken := impostor(sender.domain, [*domains, box.domain]):
        return f"the domain {sender.domain} is made to look like {taken}"
    name = face(sender.name)
    taken = next((one.name for one in partners if one.senders and name and face(one.name) == name), "")
    return f"it shows the name of {taken}, and is none of its addresses" if taken else ""


def _stranger(base: Verdict, evidence: Evidence, box: Mailbox) -> Verdict:
    reason = f"{base.from_domain} is no partner's sender"
    if evidence.secret_of:
        reason = "it came to a partner's secret address, and is none of that partner's senders"
    if fault := _unproven(base, evidence, "dmarc_pass") and _unproven(base, evidence, "dkim_domain"):
        return _with(base, quarantined=True, reasons=(reason, fault))
    return _with(base, quarantined=box.strangers == "quarantine", reasons=(reason,))


def _of_partner(base: Verdict, evidence: Evidence, partner: Partner, sender: Address) -> Verdict:
    if evidence.secret_of and evidence.secret_of != partner.id:
        reason = "it came to the secret address of another partner"
        return _with(base, quarantined=True, reasons=(reason,))
    if partner.proof == "manual":
        denied = evidence.dmarc == "fail"
        why = "DMARC denies it" if denied else f"{partner.name} is always checked by a person"
        return _with(base, quarantined=denied, reasons=(why,))
    if partner.proof == "known_address":
        fault = "" if base.secret else f"it did not come to the secret address of {partner.name}"
        exact = sender.address.lower() in [one.lower() for one in partner.senders]
        fault = fault or ("" if exact else f"{partner.name} has to name this very address among its senders")
        fault = fault or ("DMARC denies it" if evidence.dmarc == "fail" else "")
    else:
        fault = _unproven(base, evidence, partner.proof)
    if fault:
        return _with(base, quarantined=True, reasons=(fault, *_seal_faults(evidence)))
    return _with(base, trusted=True)


def _unproven(base: Verdict, evidence: Evidence, proof: str) -> str:
    """Why this proof is not met, "" where it is."""
    if proof == "dkim_domain":
        good = any(one.result == "pass" and aligned(one.domain, base.from_domain) for one in evidence.seals)
        return "" if good else f"no DKIM signature of {base.from_domain} holds and counts"
    said = evidence.said.get("dmarc", "")
    if evidence.dmarc == "pass" or said == "pass":
        return ""
    if evidence.dmarc == "none":
        return f"{base.from_domain} publishes no DMARC policy, so that nothing says who may use it"
    return f"DMARC of {base.from_domain}: {evidence.dmarc} (SPF {evidence.spf} for {evidence.spf_domain or 'nobody'})"


def _seal_faults(evidence: Evidence) -> tuple[str, ...]:
    return tuple(f"DKIM of {one.domain or 'nobody'}: {one.reason}" for one in evidence.seals if one.reason)


def said_by(marks: Marks, box: Mailbox) -> dict[str, str]:
    """What the topmost Authentication-Results says, where the server that wrote it is the configured one: others
    were written by anybody on the way."""
    found = marks.all("authentication-results")
    if not found or not box.authserv_id:
        return {}
    server, _, rest = found[0].partition(";")
    if server.split()[:1] != [box.authserv_id] and server.strip().lower() != box.authserv_id:
        return {}
    out: dict[str, str] = {}
    for part in rest.split(";"):
        words = part.split()
        method, sign, result = (words[0] if words else "").partition("=")
        if sign and method.lower() in ("dmarc", "spf", "dkim"):
            out.setdefault(method.lower(), result.lower())
            out |= {
                name: value
                for word in words
                for name, _, value in [word.partition("=")]
                if name == "header.from"
            }
    if marks.sender and out.get("header.from", marks.sender.domain).lower() != marks.sender.domain:
        return {}
    return out


def relayed(client_ip: str, relays: Iterable[str]) -> bool:
    """Whether the host that gave it to us is one of our own in front."""
    try:
        ip = ipaddress.ip_address(client_ip)
        return any(ip in ipaddress.ip_network(one, strict=False) for one in relays)
    except ValueError:
        return False


def _secret(partner: Partner | None, evidence: Evidence) -> bool:
    return partner is not None and evidence.secret_of == partner.id


def _domain(entry: str) -> str:
    return entry.lower().rpartition("@")[2]


def _with(base: Verdict, **changes: object) -> Verdict:
    return msgspec.structs.replace(base, **changes)
