"""Channels that live for one test: written into a folder that `adapters` is made to look into as well."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adapters


@contextmanager
def looked_into(folder: Path) -> Iterator[None]:
    """`adapters` finds the packages of this folder before any others of their names, and forgets them afterwards."""
    _forget(folder)
    adapters.__path__.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        adapters.__path__.remove(str(folder))
        _forget(folder)
        importlib.invalidate_caches()


def _forget(folder: Path) -> None:
    for path in folder.iterdir():
        for name in [name for name in sys.modules if f"{name}.".startswith(f"adapters.{path.stem}.")]:
            del sys.modules[name]
        if hasattr(adapters, path.stem):
            delattr(adapters, path.stem)
