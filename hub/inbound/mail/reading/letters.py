"""Texts out of bytes: the declared charset where it is true, else what the bytes show; a mend is told."""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LIKELY = {
    "zh": ("gb18030", "big5"),
    "ja": ("shift_jis",),
    "ko": ("euc_kr",),
    "de": ("cp1252",),
    "en": ("cp1252",),
    "fr": ("cp1252",),
}
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "us-ascii": "ascii",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
}
"""Charsets that senders name when they mean the one around them."""


def text_of(data: bytes, declared: str, language: str) -> tuple[str, str]:
    """The text, and what was mended to read it, "" where nothing was."""
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return _clean(data.decode(charset, "replace")), ""
    named = _WIDER.get(declared.lower(), declared.lower())
    told = _strict(data, named) if named else None
    if told is not None:
        return _clean(told), ""
    for charset in dict.fromkeys(("utf-8", *_LIKELY.get(language, ()))):
        told = _strict(data, charset)
        if told is not None:
            return _clean(told), f"declared {declared}, read as {charset}" if declared else _assumed(charset)
    return _guessed(data, declared)


def _assumed(charset: str) -> str:
    return "" if charset == "utf-8" else f"no charset declared, read as {charset}"


def _guessed(data: bytes, declared: str) -> tuple[str, str]:
    best = from_bytes(data[:65_536]).best()
    charset = best.encoding if best else "cp1252"
    return _clean(data.decode(charset, "replace")), f"declared {declared or 'nothing'}, taken for {charset}"


def _strict(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None


def _clean(text: str) -> str:
    return (
        text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    )
