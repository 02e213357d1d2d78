"""One fixture of one channel, ready to be signed, checked, opened and read: what the promises are made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from hub.contract import Channel, Message, Misconfigured, Settings
from hub.contract.canon import HELD, TARGETS
from hub.contract.fact import Fact, Read
from hub.contract.given import read_settings
from hub.contract.proof import Check, Proof, Stamp
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

    def settings_with(self, name: str, value: Any) -> Settings:
        return read_settings(self.channel.settings, {**self.given, name: value})

    @property
    def proof(self) -> Proof:
        return self.channel.proof_for(self.settings)

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
        settings = settings or self.settings
        proof = self.channel.proof_for(settings)
        proof.check(Check(message=message, settings=settings, now=now, keys={}))

    def opened(self) -> Message:
        """The message as the reader gets it: signed, its envelope undone, its topic found."""
        return self.open(self.signed()) if self.pushed else self.fixture.message

    def open(self, message: Message) -> Message:
        if self.channel.open:
            message = self.channel.open(message, self.settings)
        return msgspec.structs.replace(message, topic=self.channel.topic.find(message))

    def read(self, message: Message) -> list[Read] | None:
        reading = self.registry.read(self.channel.name, message)
        return None if reading is None else reading.facts

    def dedupe_key(self) -> tuple[str, str]:
        message = self.opened()
        return message.topic, self.channel.dedupe.find(message) or hashlib.sha256(message.body).hexdigest()


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
        out += [Case(found, channel, fixture, samples.settings) for fixture in samples.fixtures]
    return out


def assert_canonical(read: Read) -> None:
    """The fact's document has the shape of its subject and claims nothing that is the hub's own."""
    if not isinstance(read, Fact):
        return
    msgspec.convert(read.doc, TARGETS[read.subject])
    if read.subject == "order":
        assert not HELD & read.doc.keys()
