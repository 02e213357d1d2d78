"""What a TOML file wants: every fault of it at once, and its secrets read from where they stand."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from hub.cli.failures import USAGE, Failure

Doc = dict[str, Any]
KINDS = ("partners", "connections", "endpoints", "routes", "notifiers", "notices", "alerts")
"""What a file may hold, in the order in which it is made."""


def read_wanted(file: Path, environ: Mapping[str, str] = os.environ) -> dict[str, list[Doc]]:
    """The things of a file by kind; Failure lists every fault with the file's name."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{file}: {error}", code=USAGE) from error
    faults = list(_faults(told))
    wanted = told if faults else {kind: [_resolved(one, f"{kind}.{one['name']}", file, environ, faults) for one in things]
                                  for kind, things in told.items()}  # fmt: skip
    if faults:
        raise Failure("\n".join(f"{file}: {fault}" for fault in faults), code=USAGE)
    for one in wanted.get("connections", ()):
        if one.get("cutover_at") == "none":  # TOML has no null
            one["cutover_at"] = None
    return wanted


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


def _resolved(value: Any, place: str, file: Path, environ: Mapping[str, str], faults: list[str]) -> Any:
    """A value with its secrets read: `{ env = "NAME" }` or `{ file = "path" }`, relative to the TOML file."""
    if isinstance(value, dict) and set(value) == {"env"}:
        name = str(value["env"])
        if name not in environ:
            faults.append(f"{place}: the environment has no {name}")
        return environ.get(name, "")
    if isinstance(value, dict) and set(value) == {"file"}:
        return _from_file(file.parent / str(value["file"]), place, faults)
    if isinstance(value, dict):
        return {name: _resolved(one, f"{place}.{name}", file, environ, faults) for name, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, f"{place}[{n}]", file, environ, faults) for n, one in enumerate(value)]
    return value.isoformat() if isinstance(value, datetime | date) else value


def _from_file(path: Path, place: str, faults: list[str]) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        faults.append(f"{place}: {path}: {error.strerror}")
        return ""
