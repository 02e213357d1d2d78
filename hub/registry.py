"""The registry: which channels there are, what their words mean, and how a message of theirs is read.

A channel is found by its folder under `adapters`, or in an installed package by the entry point group
`orderhub.channels`; there is no list to edit and the hub names no channel. Mapping files come from the
packaged `mappings`, then from a `mappings` folder beside an installed channel, then from the operator's
own folder, then from the store's activations: the last one of a name wins.

A registry is a value: `with_mappings` makes another. What it compiles, it compiles when it is first
needed and keeps.
"""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path

from hub.contract.channel import Channel, MappingRef, Reader
from hub.contract.errors import Misconfigured
from hub.contract.fact import Read
from hub.contract.mapping import Mapping as Compiled, Unknown, compile_mapping, shelf
from hub.contract.message import Message
from hub.fixtures import Samples, package_folder, samples
from hub.inspection import channel_faults

GROUP = "orderhub.channels"
FOLDER = "adapters"
NO_MAPPINGS = ("carriers",)
"""Files among the mappings that hold names, not a mapping."""


@dataclass(frozen=True, slots=True)
class MappingText:
    """The text of a mapping and the file that its faults are told with."""

    text: str
    file: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message meant: the mapping that said so ("" for a reader in Python) and the words it did not know."""

    facts: list[Read]
    mapping: str = ""
    hash: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registry:
    """All channels and mappings of this process; `faults` are the channels that could not be loaded at all."""

    channels: Mapping[str, Channel]
    packages: Mapping[str, str]
    texts: Mapping[str, MappingText]
    faults: tuple[str, ...] = ()
    _compiled: dict[str, Compiled] = field(default_factory=dict, repr=False, compare=False)

    def channel(self, name: str) -> Channel:
        """The channel of this name; Misconfigured names the nearest ones."""
        if name not in self.channels:
            raise Misconfigured(f"no channel {name!r}{_near(name, self.channels)}")
        return self.channels[name]

    def mapping(self, name: str) -> Compiled:
        """The compiled mapping of this name; Misconfigured lists its faults, or the nearest names."""
        if name not in self._compiled:
            source = self._source(name)
            self._compiled[name] = compile_mapping(
                source.text, file=source.file, find=lambda other: self._source(other).text
            )
        return self._compiled[name]

    def samples(self, channel: str) -> Samples:
        """The fixtures and sample settings of a channel."""
        return samples(channel, self.packages[self.channel(channel).name])

    def manual(self, channel: str) -> str:
        """The channel's README, for `connect` and the API."""
        path = package_folder(self.packages[self.channel(channel).name]) / "README.md"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def read(self, channel: str, message: Message, mapping_override: str | None = None) -> Reading | None:
        """What a message means, None where its topic has no reader; raises Rejected where it cannot be read.

        `mapping_override` is the connection's own mapping: it stands in for the channel's where both aim
        at the same subject, or where the channel leaves it to the operator.
        """
        reader = self.channel(channel).reader(message.topic)
        if reader is None:
            return None
        if not isinstance(reader, MappingRef):
            return self._by_code(reader, message, mapping_override)
        name = (mapping_override or reader.name) if reader.own else reader.name
        if not name:
            return None
        mapping = self.mapping(name) if reader.own else self._chosen(name, mapping_override)
        facts, notes = mapping.facts_with_notes(message)
        return Reading([*facts], mapping=mapping.name, hash=mapping.hash, unknown=_unknown(notes))

    def _chosen(self, name: str, override: str | None) -> Compiled:
        """The connection's own mapping in place of the channel's, where both aim at the same subject."""
        mapping = self.mapping(name)
        own = self.mapping(override) if override else mapping
        return own if own.subject == mapping.subject else mapping

    def _by_code(self, reader: Reader, message: Message, override: str | None) -> Reading:
        """A reader in Python, with the mappings at hand that it may `apply`."""
        with shelf(lambda name: self._chosen(name, override)) as used:
            facts = list(reader(message))
        last = next(reversed(used.used.values()), None)
        named = (last.name, last.hash) if last else ("", "")
        return Reading(facts, mapping=named[0], hash=named[1], unknown=_unknown(used.notes))

    def with_mappings(self, texts: Mapping[str, str]) -> Registry:
        """This registry with these texts in force, as activated in the store."""
        added = {name: MappingText(text, f"{name}.yaml (activated)") for name, text in texts.items()}
        return replace(self, texts={**self.texts, **added}, _compiled={})

    def check(self) -> list[str]:
        """Every fault of every channel and mapping, a line each; none means that all can start."""
        faults = list(self.faults)
        for name in sorted(self.texts):
            try:
                self.mapping(name)
            except Misconfigured as error:
                faults += error.faults
        for name, channel in sorted(self.channels.items()):
            faults += channel_faults(channel, self.packages[name], self.texts.keys())
        return faults

    def _source(self, name: str) -> MappingText:
        if name not in self.texts:
            raise Misconfigured(f"no mapping {name!r}{_near(name, self.texts)}")
        return self.texts[name]


def load_registry(operator: Path | None = None) -> Registry:
    """Everything that is installed, with the operator's folder of mapping files over it."""
    channels: dict[str, Channel] = {}
    packages: dict[str, str] = {}
    faults: list[str] = []
    for package, found in _found():
        if isinstance(found, str):
            faults.append(found)
        elif found.name in channels:
            faults.append(f"{package}: there is a channel {found.name!r} already, in {packages[found.name]}")
        else:
            channels[found.name], packages[found.name] = found, package
    texts: dict[str, MappingText] = {}
    for shown, folder in _mapping_folders(packages.values(), operator):
        for path in sorted(folder.glob("*.yaml")):
            if path.stem not in NO_MAPPINGS:
                texts[path.stem] = MappingText(path.read_text(encoding="utf-8"), f"{shown}/{path.name}")
    return Registry(channels=channels, packages=packages, texts=texts, faults=tuple(faults))


def _found() -> Iterator[tuple[str, Channel | str]]:
    """Each channel with its package, or the fault that kept it from loading."""
    adapters = importlib.import_module(FOLDER)
    for module in pkgutil.iter_modules(adapters.__path__):
        if module.ispkg:
            package = f"{FOLDER}.{module.name}"
            yield package, _load(package, "channel")
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        yield entry.module, _load(entry.module, entry.attr or "channel")


def _load(package: str, attribute: str) -> Channel | str:
    try:
        found = getattr(importlib.import_module(package), attribute, None)
    except Exception as error:  # noqa: BLE001  whatever a channel raises at import is a fault to list with the others
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{package}: {last.filename}:{last.lineno}: {type(error).__name__}: {error}"
    return found if isinstance(found, Channel) else f"{package}: has no `{attribute} = Channel(…)`"


def _mapping_folders(packages: Iterable[str], operator: Path | None) -> Iterator[tuple[str, Path]]:
    """The folders of mapping files, each with the name it is shown by; a later one wins over an earlier."""
    yield "mappings", package_folder("mappings")
    for package in packages:
        if not package.startswith(f"{FOLDER}."):
            yield f"{package}/mappings", package_folder(package) / "mappings"
    if operator:
        if not operator.is_dir():
            raise Misconfigured(f"{operator}: no such folder of mappings")
        yield str(operator), operator


def _unknown(notes: Iterable[Unknown]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(f"{one.field}: table {one.table} has no word for {one.value!r}" for one in notes)
    )


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=3)
    return f", is {' or '.join(near)} meant?" if near else ""
