"""One fixture of one channel, ready to be signed, checked, opened and read: what the promises are made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from hub.contract import Channel, Message, Misconfigured, Settings, Unreadable
from hub.contract.canon import HELD, TARGETS
from hub.contract.fact import Fact, Read
from hub.contract.given import read_settings
from hub.contract.proof import AnyOf, Check, KeyNeeded, Proof, Stamp, private_key, public_pem
from hub.contract.proof.keys import key_id
from hub.fixtures import Fixture
from hub.registry import Registry, load_registry

NOW = 1_770_000_000
DAY = 86_400


@dataclass(frozen=True)
class Case:
    registry: Registry
    channel: Channel
    fixture: Fixture
    given: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.channel.name}-{self.fixture.name}"

    @property
    def settings(self) -> Settings:
        return read_settings(self.channel.settings, self.given)

    def settings_with(self, changes: dict[str, Any]) -> Settings:
        return read_settings(self.channel.settings, {**self.given, **changes})

    @property
    def proof(self) -> Proof:
        return self.channel.proof_for(self.settings)

    @property
    def signing(self) -> str:
        """The setting that holds a simulator's private key, "" where the proof is a shared secret."""
        proof: Any = self.proof
        first = proof.proofs[0] if isinstance(proof, AnyOf) else proof
        name = getattr(first, "signing", "")
        return name if name in self.given or not first.secret else ""

    @property
    def private(self) -> str:
        return str(self.given.get(self.signing, ""))

    @property
    def pushed(self) -> bool:
        return self.fixture.message.transport == "webhook"

    def signed(
        self, settings: Settings | None = None, now: int = NOW, message: Message | None = None
    ) -> Message:
        settings = settings or self.settings
        stamp = Stamp(now=now, nonce="a1b2c3", id=f"msg_{self.fixture.name}")
        return self.channel.proof_for(settings).sign(message or self.fixture.message, settings, stamp)

    def check(self, message: Message, settings: Settings | None = None, now: int = NOW) -> None:
        """As intake does: a public key that is asked for is the sample's own, or there is none."""
        settings = settings or self.settings
        proof, keys = self.channel.proof_for(settings), dict[str, bytes]()
        own = private_key(self.private.encode()) if self.private else None
        while True:
            try:
                return proof.check(Check(message=message, settings=settings, now=now, keys=keys))
            except KeyNeeded as need:
                if own is None or need.key != key_id(own) or keys:
                    raise
                keys[need.key] = public_pem(own)

    def opened(self) -> Message:
        """The message as the reader gets it: signed, its topic found, its envelope undone."""
        return self.open(self.signed()) if self.pushed else self.fixture.message

    @property
    def topic(self) -> str:
        """What the message says it is, as intake looks for it: out of its envelope, where that can be undone."""
        if not self.pushed:
            return self.fixture.message.topic
        try:
            return self.channel.topic.find(self.opened())
        except Unreadable:
            return self.channel.topic.find(self.signed())

    def open(self, message: Message) -> Message:
        message = msgspec.structs.replace(message, topic=self.channel.topic.find(message))
        return self.channel.open(message, self.settings) if self.channel.open else message

    def read(self, message: Message) -> list[Read] | None:
        reading = self.registry.read(self.channel.name, message)
        return None if reading is None else reading.facts

    def dedupe_key(self) -> tuple[str, str]:
        """As intake makes it: of the message as it came, before its envelope is undone."""
        message = self.signed() if self.pushed else self.fixture.message
        topic = self.channel.topic.find(message) if self.pushed else message.topic
        return topic, self.channel.dedupe.find(message) or hashlib.sha256(message.body).hexdigest()


@cache
def registry() -> Registry:
    return load_registry()


def cases(found: Registry) -> list[Case]:
    """Every fixture of every channel; one that cannot be loaded is told by `Registry.check`, not here."""
    out = []
    for name, channel in sorted(found.channels.items()):
        try:
            samples = found.samples(name)
        except Misconfigured:
            continue
        shaped = channel.with_settings(read_settings(channel.settings, samples.settings))
        out += [Case(found, shaped, fixture, samples.settings) for fixture in samples.fixtures]
    return out


def assert_canonical(read: Read) -> None:
    """The fact's document has the shape of its subject and claims nothing that is the hub's own."""
    if not isinstance(read, Fact):
        return
    msgspec.convert(read.doc, TARGETS[read.subject])
    if read.subject == "order":
        assert not HELD & read.doc.keys()
