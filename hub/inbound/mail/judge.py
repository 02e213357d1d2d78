"""Judging: what can be found of a letter's sender, asked of the DNS and of the letter's own bytes, and the verdict."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec

from hub.contract.errors import Rejected
from hub.contract.letter import Letter
from hub.directory import Directory, Partner
from hub.inbound.mail import dmarc
from hub.inbound.mail.cell import Cell
from hub.inbound.mail.mailbox import Mailbox, Recipient, recipient
from hub.inbound.mail.marks import Address, Marks, addresses
from hub.inbound.mail.resolver import Resolver, Silent
from hub.inbound.mail.seals import Tags, seals, tags
from hub.inbound.mail.spf import spf
from hub.inbound.mail.trust import Evidence, believe, relayed, said_by
from hub.inbound.mail.verdict import Seal, Verdict
from hub.vault import Vault
from hub.world import World

_OURS = frozenset({"smtp", "lmtp"})
_SAID = {"ses": frozenset({"dmarc", "spf", "dkim"}), "sendgrid": frozenset({"spf"}), "postmark": frozenset(),
         "mailgun": frozenset(), "webhook": frozenset()}  # fmt: skip
"""Which verdicts of a provider count, where the connection is configured for it."""
_COPIES = ("delivered-to", "x-original-to", "to", "cc")


@dataclass(frozen=True, slots=True)
class Judge:
    """Finds the evidence and gives the verdict."""

    directory: Directory
    vault: Vault
    world: World
    resolver: Resolver
    cell: Cell

    async def judge(self, letter: Letter, marks: Marks, box: Mailbox) -> tuple[Verdict, Recipient | None]:
        """Whom we believe, and whose address it came to; raises Silent where only a silent DNS keeps us from it."""
        told = self.recipient(letter, marks, box)
        partners = self.directory.all(Partner, box.connection.tenant)
        evidence = Evidence(secret_of=told.partner if told else "")
        if marks.sender is not None and not marks.faults:
            evidence = await self._evidence(letter, marks, marks.sender, box, evidence.secret_of)
        verdict = believe(marks, evidence, partners, box)
        if evidence.unsure and not verdict.trusted:
            raise Silent("the DNS did not answer")
        return verdict, told

    def recipient(self, letter: Letter, marks: Marks, box: Mailbox) -> Recipient | None:
        """Whose address it came to: by its envelope, else by the fields that carry it."""
        told = [*letter.envelope.rcpt_to] or [one.address for one in _copies(marks)]
        for one in told:
            found = recipient(self.directory, self.vault, one, self.world.now())
            if found and found.mailbox.connection.id == box.connection.id and (found.partner or found.order):
                return found
        return None

    async def _evidence(
        self, letter: Letter, marks: Marks, sender: Address, box: Mailbox, secret_of: str
    ) -> Evidence:
        own, (result, domain) = await asyncio.gather(self._seals(letter.raw, marks), self._spf(letter, box))
        joined, policy = await dmarc.look(self.resolver, sender.domain, own, result, domain)
        return Evidence(
            seals=own, spf=result, spf_domain=domain, dmarc=joined, policy=policy,
            said=self._said(letter, marks, box), secret_of=secret_of,
        )  # fmt: skip

    async def _seals(self, raw: bytes, marks: Marks) -> tuple[Seal, ...]:
        found = tags(marks)
        if not found:
            return ()
        names = {one.key_name for one in found if one is not None}
        keys = dict(zip(names, await asyncio.gather(*(self._key(name) for name in names)), strict=True))
        try:
            return await self.cell.run(seals, raw, found, keys, self.world.now() // 1_000_000)
        except Rejected as error:
            return tuple(_broken(one, str(error)) for one in found)

    async def _key(self, name: str) -> str | None:
        try:
            records = await self.resolver.txt(name)
        except Silent:
            return None
        return next((one for one in records if "p=" in one), "")

    async def _spf(self, letter: Letter, box: Mailbox) -> tuple[str, str]:
        """Ours, where the sender's host spoke to us; else the provider's, where it may say so."""
        envelope = letter.envelope
        domain = (envelope.mail_from or "").rpartition("@")[2]
        if letter.transport in _OURS and envelope.client_ip and not relayed(envelope.client_ip, box.relays):
            return await spf(self.resolver, envelope.client_ip, envelope.mail_from or "", envelope.helo)
        said = letter.provider.verdicts.get("spf", "none") if "spf" in _counts(letter, box) else "none"
        return said, domain

    def _said(self, letter: Letter, marks: Marks, box: Mailbox) -> dict[str, str]:
        if letter.transport in ("imap", "lmtp") or relayed(letter.envelope.client_ip, box.relays):
            return said_by(marks, box)
        return {
            name: value for name, value in letter.provider.verdicts.items() if name in _counts(letter, box)
        }


def _counts(letter: Letter, box: Mailbox) -> frozenset[str]:
    return _SAID.get(letter.transport, frozenset()) if letter.transport == box.provider else frozenset()


def _copies(marks: Marks) -> list[Address]:
    found: list[Address] = []
    for name in _COPIES:
        for value in marks.all(name)[:5]:
            try:
                found += addresses(value)
            except Rejected:
                continue
    return found


def _broken(one: Tags | None, reason: str) -> Seal:
    return Seal(domain=one.domain if one else "", result="fail", reason=reason)


def shown(verdict: Verdict) -> dict[str, object]:
    """A verdict as it is kept and shown: without the address, which stands in the letter itself."""
    doc: dict[str, object] = msgspec.to_builtins(verdict)
    return {
        name: value
        for name, value in doc.items()
        if name != "from_address" and value not in ("", [], (), False)
    }
