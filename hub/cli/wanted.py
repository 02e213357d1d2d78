"""What a TOML file wants: every fault of it at once, and its secrets read from where they stand."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from hub.cli.failures import USAGE, Failure

Doc = dict[str, Any]
KINDS = ("partners", "connections", "endpoints", "routes", "notifiers", "notices", "alerts")
"""What a file may hold, in the order in which it is made."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The things of a file by kind, and the texts in them that were read from the environment or from files of their
    own: wherever they stand, they are not to be shown."""

    things: dict[str, list[Doc]]
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one file: where secrets are looked for, those that were found, the faults."""

    file: Path
    environ: Mapping[str, str]
    secrets: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def resolved(self, value: Any, place: str) -> Any:
        """A value with its secrets read: `{ env = "NAME" }` or `{ file = "path" }`, relative to the TOML file."""
        if isinstance(value, dict) and set(value) == {"env"}:
            name = str(value["env"])
            return self._secret(
                self.environ.get(name), place, f"the environment has no {name}", f"{name} is empty"
            )
        if isinstance(value, dict) and set(value) == {"file"}:
            return self._read(self.file.parent / str(value["file"]), place)
        if isinstance(value, dict):
            return {name: self.resolved(one, f"{place}.{name}") for name, one in value.items()}
        if isinstance(value, list):
            return [self.resolved(one, f"{place}[{n}]") for n, one in enumerate(value)]
        return value.isoformat() if isinstance(value, datetime | date) else value

    def _read(self, path: Path, place: str) -> str:
        try:
            return self._secret(path.read_text(encoding="utf-8").strip(), place, "", f"{path} is empty")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "no text in UTF-8"
            self.faults.append(f"{place}: {path}: {why}")
            return ""

    def _secret(self, found: str | None, place: str, missing: str, empty: str) -> str:
        """What was found. One that is empty is a slip: it would take away the secret that the hub has."""
        if not found:
            self.faults.append(f"{place}: {missing if found is None else empty}")
            return ""
        self.secrets.add(found)
        return found


def read_wanted(file: Path, environ: Mapping[str, str] = os.environ) -> Wanted:
    """What a file wants; Failure lists every fault with the file's name."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{file}: {error}", code=USAGE) from error
    reading = _Reading(file, environ, faults=list(_faults(told)))
    if not reading.faults:
        told = {
            kind: [reading.resolved(one, f"{kind}.{one['name']}") for one in things]
            for kind, things in told.items()
        }
    if reading.faults:
        raise Failure("\n".join(f"{file}: {fault}" for fault in reading.faults), code=USAGE)
    for one in told.get("connections", ()):
        if one.get("cutover_at") == "none":  # TOML has no null
            one["cutover_at"] = None
    return Wanted(told, frozenset(reading.secrets))


def _faults(told: Doc) -> Iterator[str]:
    for kind, things in told.items():
        if kind not in KINDS:
            yield f"{kind}: a file has {', '.join(f'[[{one}]]' for one in KINDS)}"
        elif not isinstance(things, list) or not all(isinstance(one, dict) for one in things):
            yield f"{kind}: write [[{kind}]] over each of them"
        else:
            yield from _name_faults(kind, things)


def _name_faults(kind: str, things: list[Doc]) -> Iterator[str]:
    seen: set[str] = set()
    for number, one in enumerate(things, 1):
        name = one.get("name")
        if not isinstance(name, str) or not name:
            yield f"{kind}[{number}]: it has no name"
        elif name in seen:
            yield f"{kind}[{number}]: {name!r} stands there twice"
        seen.add(str(name))
