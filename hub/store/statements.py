"""The statements: `.sql` files by table, one text for both engines, named `-- name: x` or `-- name: x [postgres]`.

Two words of our own stand for what the engines say differently: `:rows(name type, …)` is a table made of
parameters (a multi-row VALUES in SQLite, `unnest` of arrays in PostgreSQL) and `:skip_locked`. Plain
parameters are `:name`. A list that is read by `:past(column)` and `:along(column)` is two: from the oldest on, and as
`…_newest` from the newest back; `:after` is where a page goes on. Where that takes two columns, `:beyond` stands for
the comparison.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Literal

Dialect = Literal["sqlite", "postgres"]

_NAME = re.compile(r"^-- name: (\w+)(?: \[(\w+)\])?\s*$", re.MULTILINE)
_ROWS = re.compile(r":rows\(([^)]*)\)")
_PARAM = re.compile(r"(?<![:\w]):([a-z_]+)\b")
_PAST = re.compile(r":past\(([^)]*)\)")
_ALONG = re.compile(r":along\(([^)]*)\)")
_TYPES = {"text": "text", "int": "bigint", "blob": "bytea"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One query: its text with `{rows}` where a table of parameters goes, the columns of that table, and
    the names of its plain parameters in order of use."""

    name: str
    dialect: Dialect
    text: str
    columns: tuple[tuple[str, str], ...]
    params: tuple[str, ...]
    _texts: dict[int, str] = field(default_factory=dict, compare=False)

    def sql(self, rows: int = 0) -> str:
        """The text to run for so many rows."""
        if not self.columns:
            return self.text
        if self.dialect == "postgres":
            rows = 1
        text = self._texts.get(rows)
        if text is None:
            text = self._texts[rows] = self.text.replace("{rows}", self._table(rows))
        return text

    def _table(self, rows: int) -> str:
        names = ", ".join(name for name, _ in self.columns)
        if self.dialect == "postgres":
            first = len(self.params)
            arrays = ", ".join(
                f"${first + n}::{_TYPES[type_]}[]" for n, (_, type_) in enumerate(self.columns, 1)
            )
            return f"unnest({arrays}) AS rows({names})"
        width = len(self.columns)
        starts = range(len(self.params) + 1, len(self.params) + 1 + rows * width, width)
        values = ", ".join("(" + ", ".join(f"?{start + n}" for n in range(width)) + ")" for start in starts)
        named = ", ".join(f"column{n} AS {name}" for n, (name, _) in enumerate(self.columns, 1))
        return f"(SELECT {named} FROM (VALUES {values})) AS rows"  # noqa: S608  names of our own files


@lru_cache(maxsize=2)
def load(dialect: Dialect) -> Mapping[str, Statement]:
    """All statements of one dialect, by name."""
    found: dict[str, tuple[bool, str]] = {}
    for path in sorted(files("hub.store").joinpath("sql").iterdir(), key=lambda one: one.name):
        if path.name.endswith(".sql"):
            for name, only, text in _blocks(path.read_text()):
                if only in (None, dialect) and (only or name not in found or not found[name][0]):
                    found[name] = (bool(only), text)
    return {
        told: _compile(told, turned, dialect)
        for name, (_, text) in found.items()
        for told, turned in _both_ways(name, text)
    }


def _both_ways(name: str, text: str) -> list[tuple[str, str]]:
    """A list, from the oldest on and from the newest back; any other query as it is."""
    if not _ALONG.search(text):
        return [(name, text)]
    oldest, newest = (
        _ALONG.sub(order, _PAST.sub(rf"\1 {beyond} :after", text).replace(":beyond", beyond))
        for beyond, order in ((">", r"\1"), ("<", r"\1 DESC"))
    )
    return [(name, oldest), (f"{name}_newest", newest)]


def _blocks(text: str) -> list[tuple[str, str | None, str]]:
    parts = _NAME.split(text)[1:]
    return [(parts[n], parts[n + 1], parts[n + 2].strip().rstrip(";")) for n in range(0, len(parts), 3)]


def _compile(name: str, text: str, dialect: Dialect) -> Statement:
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    text = text.replace(":skip_locked", "FOR UPDATE SKIP LOCKED" if dialect == "postgres" else "")
    text = text.replace(":lock", "FOR UPDATE" if dialect == "postgres" else "")
    columns: tuple[tuple[str, str], ...] = ()
    rows = _ROWS.search(text)
    if rows:
        pairs = [pair.split() for pair in rows.group(1).split(",")]
        columns = tuple((column, type_) for column, type_ in pairs)
        text = _ROWS.sub("{rows}", text, count=1)
    params: list[str] = []
    text = _PARAM.sub(lambda match: _place(match.group(1), params, dialect), text)
    return Statement(name, dialect, text, columns, tuple(params))


def _place(name: str, params: list[str], dialect: Dialect) -> str:
    if name not in params:
        params.append(name)
    return f"{'?' if dialect == 'sqlite' else '$'}{params.index(name) + 1}"


def migration(text: str, dialect: Dialect) -> str:
    """A migration in one engine's words."""
    words = {
        "sqlite": {":blob": "BLOB", ":clustered": "WITHOUT ROWID", ":key": "INTEGER PRIMARY KEY"},
        "postgres": {":blob": "BYTEA", ":clustered": "", ":key": "BIGINT PRIMARY KEY"},
    }
    for word, meaning in words[dialect].items():
        text = text.replace(word, meaning)
    return text
