"""What bytes are, judged by the bytes themselves: names and declared types are anyone's to choose."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Literal

Kind = Literal[
    "pdf", "xlsx", "ods", "xls", "zip", "xml", "html", "csv", "text", "tnef", "edi", "image", "program", "empty", "binary"
]  # fmt: skip

INFLATED, RATIO, ENTRIES = 50 << 20, 100, 200
"""What an archive may become: bytes in all, times its own size, files in it."""

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"), (b"\x78\x9f\x3e\x22", "tnef"), (b"MZ", "program"),
    (b"\x7fELF", "program"), (b"#!", "program"), (b"GIF8", "image"), (b"\x89PNG", "image"), (b"\xff\xd8\xff", "image"),
    (b"RIFF", "image"), (b"UNA", "edi"), (b"UNB+", "edi"), (b"ISA*", "edi"), (b"Rar!", "binary"),
    (b"7z\xbc\xaf", "binary"), (b"\x1f\x8b", "binary"),
)  # fmt: skip
_HTML = re.compile(rb"(?i)<(?:!doctype\s+html|html|head|body|table|div|p|script|span)\b")
_XML = re.compile(rb"<(?:\?xml|!--|[A-Za-z_][\w.-]*(?::[\w.-]+)?[\s>/])")
_CONTROL = frozenset(range(32)) - {9, 10, 12, 13, 27}


def kind(data: bytes) -> Kind:
    """What these bytes are."""
    if not data.strip():
        return "empty"
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _archive(data)
    found = next((name for magic, name in _MAGIC if data.startswith(magic)), None)
    return found or _text(data)


def _archive(data: bytes) -> Kind:
    names = directory(data)
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "ods" if "content.xml" in names and "mimetype" in names else "zip"


def directory(data: bytes) -> list[str]:
    """The names that an archive's directory lists, none where it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, ValueError, RuntimeError, OSError, UnicodeDecodeError):
        return []


def bomb(data: bytes) -> str:
    """Why an archive is not opened, "" where it may be: its directory is read before anything is inflated."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, RuntimeError, OSError, UnicodeDecodeError) as error:
        return f"its directory cannot be read: {error}"
    size = sum(one.file_size for one in entries)
    if len(entries) > ENTRIES:
        return f"{len(entries)} files in it, at most {ENTRIES} are opened"
    if size > INFLATED:
        return f"inflates to {size} bytes, at most {INFLATED} are read"
    if size > RATIO * len(data):
        return f"inflates to {size // len(data)} times its size, at most {RATIO} are read"
    return "" if not any(one.flag_bits & 1 for one in entries) else "is encrypted"


def _text(data: bytes) -> Kind:
    head = data[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    if head.startswith(b"<"):
        return (
            "html" if _HTML.match(head) or _HTML.search(head[:600]) else "xml" if _XML.match(head) else "text"
        )
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "text"
    if sum(byte in _CONTROL for byte in head) > len(head) // 50:
        return "binary"
    return "csv" if _rows(head) else "text"


def _rows(head: bytes) -> bool:
    """Several lines with the same signs between their cells."""
    lines = [line for line in head.split(b"\n")[:6] if line.strip()]
    if len(lines) < 2:
        return False
    return any(
        lines[0].count(sign) >= 1 and lines[0].count(sign) == lines[1].count(sign)
        for sign in (b",", b";", b"\t", b"|")
    )
