"""Carriers by name: our code, and the word each platform has for it, from `mappings/carriers.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import yaml

from hub.contract.errors import Misconfigured

_NOISE = re.compile(r"[\W_]+")
_CODE = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Carriers:
    """The table of carriers: `rows` as read, code → platform → words; `known`, folded word → codes by platform."""

    rows: Mapping[str, Mapping[str, tuple[str, ...]]]
    known: Mapping[str, Mapping[str, str]]

    def code(self, word: str, platform: str = "") -> str | None:
        """Our code for any platform's word, whatever its capitals and marks; `platform` settles the few
        words that mean another company elsewhere ("Hermes")."""
        found = self.known.get(_fold(word), {})
        return found.get(platform) or found.get("")

    def names(self, code: str) -> dict[str, str]:
        """What to call a carrier: `name` and each platform's word as far as known; empty for an unknown code."""
        row = self.rows.get(code, {})
        return {key: words[0] for key, words in row.items() if key not in ("url", "also")}

    def url(self, code: str, number: str) -> str | None:
        """Where people look a number up, None where we know no page."""
        template = self.rows.get(code, {}).get("url")
        return template[0].replace("{number}", quote(number, safe="")) if template else None


def _fold(word: str) -> str:
    """A word without capitals, spaces and marks: `SF-Express` is `sf express`."""
    return _NOISE.sub("", word.casefold())


def parse(text: str, file: str = "carriers.yaml") -> Carriers:
    """The table from its text; Misconfigured lists every fault."""
    try:
        tree = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506 - texts only
    except yaml.YAMLError as error:
        raise Misconfigured(f"{file}: {error}") from error
    if not isinstance(tree, dict):
        raise Misconfigured(f"{file}: not a table of carriers")
    if faults := [f"{file}: {fault}" for code, row in tree.items() for fault in _faults(code, row)]:
        raise Misconfigured(faults)
    rows = {code: {key: _words(value) for key, value in row.items()} for code, row in tree.items()}
    known = _known(rows)
    if faults := [f"{file}: {fault}" for fault in _clashes(rows, known)]:
        raise Misconfigured(faults)
    return Carriers(rows, known)


def _faults(code: str, row: Any) -> list[str]:
    if not isinstance(row, dict):
        return [f"{code}: not a row"]
    faults = [] if _CODE.fullmatch(code) else [f"{code}: a code is lower case letters, digits and _"]
    if not row.get("name"):
        faults.append(f"{code}: no name")
    faults += [f"{code}.{key}: not a word or words" for key, value in row.items() if not _is_words(value)]
    if "{number}" not in str(row.get("url", "{number}")):
        faults.append(f"{code}.url: no {{number}} in it")
    return faults


def _is_words(value: Any) -> bool:
    words = value if isinstance(value, list) else [value]
    return bool(words) and all(isinstance(word, str) and word for word in words)


def _words(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _known(rows: Mapping[str, Mapping[str, tuple[str, ...]]]) -> dict[str, dict[str, str]]:
    """Codes and names first, so that our own words always mean themselves; then the first row that has a word."""
    known: dict[str, dict[str, str]] = {}
    for code, row in rows.items():
        for word in (code, row["name"][0]):
            known.setdefault(_fold(word), {}).setdefault("", code)
    for code, row in rows.items():
        for platform, words in row.items():
            for word in words if platform != "url" else ():
                found = known.setdefault(_fold(word), {})
                found.setdefault("", code)
                found.setdefault(platform, code)
    return known


def _clashes(
    rows: Mapping[str, Mapping[str, tuple[str, ...]]], known: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """One word of one platform means one carrier."""
    return [
        f"{code}.{platform}: {word!r} is {known[_fold(word)][platform]} already"
        for code, row in rows.items()
        for platform, words in row.items()
        for word in (words if platform != "url" else ())
        if known[_fold(word)][platform] != code
    ]


@cache
def carriers() -> Carriers:
    """The table that ships with the hub, read once."""
    return parse(files("mappings").joinpath("carriers.yaml").read_text(encoding="utf-8"))
