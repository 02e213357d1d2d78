"""The inspector: everything that can be wrong with a channel's declaration, told at once, a line each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set as AbstractSet

import msgspec

from hub.contract.channel import Channel, MappingRef
from hub.contract.errors import Misconfigured
from hub.contract.given import read_settings
from hub.fixtures import Samples, package_folder, samples, slug

QUALITY = {
    "fixtures": "the fixtures have the shape of the real platform's own messages",
    "proof": "the proof was checked against a real delivery or a published vector",
    "limits": "the manual states the known limits",
}
"""The rules that every channel answers in `quality`: `done`, or `exempt: ` and why."""

SET_UP = re.compile(r"^#+ .*(set[ -]?up|设置|接入|配置).*$", re.IGNORECASE | re.MULTILINE)
STEP = re.compile(r"^1[.)、] ", re.MULTILINE)


def channel_faults(channel: Channel, package: str, mappings: AbstractSet[str]) -> list[str]:
    """All faults of one channel, each beginning with the channel's folder."""
    faults = [*_name_faults(channel, package), *_settings_faults(channel), *_reads_faults(channel, mappings)]
    faults += [*_quality_faults(channel), *_manual_faults(channel, package)]
    try:
        faults += _samples_faults(channel, samples(channel.name, package))
    except Misconfigured as error:
        faults += error.faults
    return [f"{package.replace('.', '/')}: {fault}" for fault in faults]


def _name_faults(channel: Channel, package: str) -> Iterator[str]:
    folder = package.rpartition(".")[2]
    if channel.name != folder:
        yield f"the channel's name {channel.name!r} is not its folder's, {folder!r}"
    if not channel.title:
        yield "no title"


def _settings_faults(channel: Channel) -> Iterator[str]:
    names = {field.name for field in msgspec.structs.fields(channel.settings)}
    needed = [("needs", channel.needs)]
    needed += [(f"writes.{name}.needs", write.needs) for name, write in channel.writes.items()]
    if channel.subscription:
        needed.append(("subscription.needs", channel.subscription.needs))
    for where, needs in needed:
        for name in {one for need in needs for one in need.split("|")} - names:
            yield f"{where}: there is no setting {name!r}"


def _reads_faults(channel: Channel, mappings: AbstractSet[str]) -> Iterator[str]:
    if not channel.reads:
        yield "reads: it understands no topic"
    named: list[tuple[str, str]] = []
    for topic, reader in channel.reads.items():
        if isinstance(reader, MappingRef) and (reader.name or not reader.own):
            named.append((f"reads[{topic!r}]", reader.name))
    for where, name in named:
        if name not in mappings:
            yield f"{where}: there is no mapping {name!r}"


def _quality_faults(channel: Channel) -> Iterator[str]:
    for rule, meaning in QUALITY.items():
        if rule not in channel.quality:
            yield f"quality: {rule!r} is not answered ({meaning})"
    for rule, answer in channel.quality.items():
        if answer != "done" and not re.match(r"exempt: \S", answer):
            yield f"quality[{rule!r}]: {answer!r} is neither 'done' nor 'exempt: ' and why"


def _manual_faults(channel: Channel, package: str) -> Iterator[str]:
    path = package_folder(package) / "README.md"
    if not path.exists():
        yield "no README.md"
        return
    text = path.read_text(encoding="utf-8")
    fields = [field.name for field in msgspec.structs.fields(channel.settings)]
    for kind, names in (("setting", fields), ("topic", [t for t in channel.reads if t != "*"])):
        for name in names:
            if f"`{name}`" not in text:
                yield f"README.md: does not name the {kind} `{name}`"
    for rule in channel.quality:
        if rule not in text:
            yield f"README.md: does not answer the quality rule {rule}"
    heading = SET_UP.search(text)
    if not heading or not STEP.search(text, heading.end()):
        yield "README.md: no set-up with numbered steps"


def _samples_faults(channel: Channel, found: Samples) -> Iterator[str]:
    try:
        read_settings(channel.settings, found.settings)
    except Misconfigured as error:
        yield from (f"fixtures/settings.json: {fault}" for fault in error.faults)
    topics = {fixture.topic for fixture in found.fixtures}
    for topic in channel.reads:
        if topic != "*" and slug(topic) not in topics:
            yield f"fixtures: none of topic {topic!r} ({slug(topic)}.<case>.http)"
    for fixture in found.fixtures:
        if not fixture.golden.exists():
            yield f"fixtures/{fixture.path.name}: no golden {fixture.golden.name}"
