"""Which encoding a file is in: told, by its mark, by its bytes, or by likelihood; and how that is known.

UTF-8 proves itself. Between the two-byte encodings of Chinese offices and the one-byte ones of the west the
bytes tell: Chinese text has its high bytes in pairs, western text one among letters. What is left is asked of
charset-normalizer, on a sample.
"""

from __future__ import annotations

import codecs
from typing import IO

import msgspec
from charset_normalizer import from_bytes

from hub.contract.errors import Place, Unreadable

_CHUNK = 1 << 16
_SAMPLE = 1 << 16
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_PAIRED = 0.8
_ASCII, _FITS, _MARKED, _WIDE = "all ASCII", "every byte fits", "by its mark", "every other byte is zero"
_PROVED = frozenset({_ASCII, _FITS, _MARKED, _WIDE})


class Charset(msgspec.Struct, frozen=True):
    """An encoding, how it is known, and how many bytes of its mark come before the text."""

    name: str
    how: str
    mark: int = 0

    def __str__(self) -> str:
        return f"{self.name} ({self.how})"


def read_anew(text: str, was: str, told: str) -> tuple[str, str]:
    """A text that was read as `was` (a Charset as text), as it reads in the encoding that is told now, and that as text;
    unchanged where nothing else is told, the bytes proved what they were, or are not of that encoding."""
    name, _, how = was.partition(" (")
    if not told or not name or how.rstrip(")") in _PROVED or _known(name) == _known(told):
        return text, was
    try:
        return text.encode(name).decode(_known(told)), str(Charset(_known(told), "told"))
    except UnicodeError:
        return text, was


def charset_of(file: IO[bytes], told: str = "") -> Charset:
    """The encoding of a file, read through once and left at its start; Unreadable where none is likely."""
    head = file.read(_CHUNK)
    file.seek(0)
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    if told:
        return Charset(_known(told), "told", mark or _marked(head, told))
    for sign, name in _MARKS:
        if head.startswith(sign):
            return Charset(name, _MARKED, len(sign))
    if wide := _wide(head):
        return Charset(wide, _WIDE)
    found = _read_through(file, mark)
    file.seek(0)
    return found


def _known(told: str) -> str:
    try:
        found = codecs.lookup(told)
    except LookupError:
        raise Unreadable(
            f"there is no encoding {told!r}", place=Place(field="encoding", value=told)
        ) from None
    return "gb18030" if found.name in ("gbk", "gb2312") else found.name  # the whole of which these are parts


def _marked(head: bytes, told: str) -> int:
    return next((len(sign) for sign, name in _MARKS if head.startswith(sign) and _known(told) == name), 0)


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: text of the west has a zero beside nearly every letter."""
    half = max(len(head) // 2, 1)
    if head[1::2].count(0) > half * 0.6:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > half * 0.6 else ""


def _read_through(file: IO[bytes], mark: int) -> Charset:
    """UTF-8 where all of it is, else by a sample of the lines that are not ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(mark)
    sample, utf8, ascii_ = b"", True, True
    while chunk := file.read(_CHUNK):
        if not chunk.isascii():
            ascii_ = False
            if len(sample) < _SAMPLE:
                sample += b"\n".join(line for line in chunk.splitlines() if not line.isascii())[:_SAMPLE]
        utf8 = utf8 and _decodes(decoder, chunk)
        if not utf8 and len(sample) >= _SAMPLE:
            break
    if utf8 and _decodes(decoder, b"", final=True):
        return Charset("utf-8", _ASCII if ascii_ else _FITS, mark)
    return _likely(sample, mark)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _likely(sample: bytes, mark: int) -> Charset:
    if _paired(sample) >= _PAIRED and _fits(sample, "gb18030"):
        return Charset("gb18030", "its high bytes come in pairs", mark)
    best = from_bytes(sample).best()
    if best is not None and _fits(sample, best.encoding) and best.encoding not in ("utf_8", "gb18030", "gbk"):
        return Charset(codecs.lookup(best.encoding).name, "by likelihood", mark)
    if _fits(sample, "cp1252"):
        return Charset("cp1252", "by likelihood", mark)
    raise Unreadable(
        "its encoding cannot be told: say which, by the setting `encoding`", place=Place(field="encoding")
    )


def _paired(sample: bytes) -> float:
    """The share of high bytes that stand beside another one, two by two."""
    total = paired = run = 0
    for byte in (*sample, 0):
        if byte >= 0x80:
            run += 1
            continue
        total += run
        paired += run - run % 2
        run = 0
    return paired / total if total else 0.0


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
