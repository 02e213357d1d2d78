"""The scaffold: writes a new channel, small and whole, which passes the contract suite before a line of it is changed.

The templates are the files themselves with the words `__NAME__`, `__TITLE__`, `__KIND__` and `__CLASS__`
in them: one set for channels that speak of orders, one for those that speak of parcels.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from hub.contract.channel import Kind
from hub.contract.errors import Misconfigured

TEMPLATES = Path(__file__).parent / "templates"
PARCELS = ("carrier", "tracker")
SUFFIX = ".tmpl"


def new_channel(name: str, title: str, kind: str, folder: Path) -> list[Path]:
    """Writes `adapters/<name>` and its mapping file under a checkout and returns the files written.

    Nothing that is there already is touched; Misconfigured names everything that stands in the way.
    """
    words = {
        "__NAME__": name,
        "__TITLE__": title,
        "__KIND__": kind,
        "__CLASS__": "".join(part.capitalize() for part in name.split("_")),
    }
    files = [(folder / _filled(target, words), source) for target, source in _templates(kind)]
    faults = [
        *_faults(name, title, kind, folder),
        *(f"{path}: is there already" for path, _ in files if path.exists()),
    ]
    if faults:
        raise Misconfigured(faults)
    for path, source in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(source.read_text(encoding="utf-8"), words), encoding="utf-8", newline="")
    return [path for path, _ in files]


def _templates(kind: str) -> Iterator[tuple[str, Path]]:
    """Each template with the path it goes to."""
    root = TEMPLATES / ("tracking" if kind in PARCELS else "order")
    for source in sorted(path for path in root.rglob("*") if path.is_file()):
        yield source.relative_to(root).as_posix().removesuffix(SUFFIX), source


def _faults(name: str, title: str, kind: str, folder: Path) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name) or keyword.iskeyword(name):
        yield f"{name!r} is no name for a channel: lower-case letters, digits and underscores, a letter first"
    if not title.strip() or set(title) & set('"\\\n'):
        yield f"{title!r} is no title: one line without quotation marks"
    if kind not in get_args(Kind):
        yield f"{kind!r} is no kind of channel: {', '.join(get_args(Kind))}"
    for part in ("adapters", "mappings"):
        if not (folder / part).is_dir():
            yield f"{folder / part}: no such folder; run this in a checkout of the hub"


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text
