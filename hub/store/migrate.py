"""Migrations: numbered, forward only, one transaction each together with its record.

The hash of each is kept where it ran: one that was changed after its release is refused, not re-run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files

from hub.contract.errors import Misconfigured
from hub.store.statements import Dialect, migration


def pending(done: Mapping[str, str], dialect: Dialect) -> Iterator[tuple[str, str, str]]:
    """(name, hash, script) of every migration that has not run; raises Misconfigured for one that changed."""
    known = set()
    for path in sorted(files("hub.store").joinpath("migrations").iterdir(), key=lambda one: one.name):
        if not path.name.endswith(".sql"):
            continue
        known.add(path.name)
        text = path.read_text()
        digest = hashlib.sha256(text.encode()).hexdigest()
        if path.name not in done:
            yield path.name, digest, migration(text, dialect)
        elif done[path.name] != digest:
            raise Misconfigured(f"migration {path.name} is not the one that ran on this database")
    if newer := set(done) - known:
        raise Misconfigured(f"this database was used by a newer orderhub (it has {', '.join(sorted(newer))})")
