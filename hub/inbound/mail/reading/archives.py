"""Archives: opened one level, where the partner may send them, and only after their directory was judged."""

from __future__ import annotations

import io
import zipfile
import zlib

from hub.inbound.mail.reading.kinds import INFLATED, bomb, kind
from hub.inbound.mail.reading.letters import text_of
from hub.inbound.mail.reading.parts import Part
from hub.inbound.mail.reading.rules import Rules


def opened(parts: list[Part], rules: Rules, notes: list[str]) -> list[Part]:
    """The parts, archives replaced by what is in them where that is allowed."""
    out: list[Part] = []
    for part in parts:
        if part.kind != "zip":
            out.append(part)
        elif not rules.manner.archives:
            notes.append(f"part {part.shown}: archives are not opened for this partner")
        elif why := bomb(part.data):
            notes.append(f"part {part.shown}: {why}")
        else:
            out += _files(part, rules, notes)
    return out


def _files(part: Part, rules: Rules, notes: list[str]) -> list[Part]:
    out = []
    try:
        with zipfile.ZipFile(io.BytesIO(part.data)) as archive:
            for entry in archive.infolist():
                if entry.is_dir():
                    continue
                with archive.open(entry) as stream:
                    data = stream.read(INFLATED + 1)
                name = entry.filename.rpartition("/")[2][:120]
                out.append(_file(part, name, data, rules))
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError) as error:
        notes.append(f"part {part.shown}: {error}")
    return out


def _file(part: Part, name: str, data: bytes, rules: Rules) -> Part:
    what = kind(data)
    one = Part(
        f"{part.shown}", name, "binary" if what == "zip" else what, data, "", attached=True, level=part.level
    )
    if what in ("text", "csv", "html"):
        one.text, _ = text_of(data, "", rules.language)
    return one
