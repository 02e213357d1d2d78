"""Quoted words: what a reply repeats, and what a forwarded mail brings with it."""

from __future__ import annotations

import re
from typing import NamedTuple

from hub.inbound.mail.reading.found import Inner

_ANSWERS = re.compile(r"(?i)^\s*(?:re|aw|antw|antwort|回复|回覆|答复|sv|rif)\s*[:：\[]")
_FORWARDS = re.compile(r"(?i)^\s*(?:fwd?|wg|weitergeleitet|转发|轉寄|tr)\s*[:：\[]")
_CITES = re.compile(
    r"(?i)^\s*(?:"
    r"(?:on|am|le)\b.{4,150}\b(?:wrote|schrieb|écrit)\b.{0,80}[:：]?"
    r"|(?:在\s*)?\d{4}\s*[年/-].{4,120}(?:写道|寫道|說|说)\s*[:：]?"
    r"|.{1,120}(?:写道|寫道)\s*[:：]"
    r"|-{2,}\s*(?:original message|ursprüngliche nachricht|原始邮件|原始郵件|original-nachricht)\s*-{2,}"
    r"|_{20,}"
    r")\s*$"
)
_FORWARDED = re.compile(
    r"(?i)^\s*(?:-{3,}\s*(?:forwarded message|weitergeleitete nachricht|转发的邮件|转发邮件|转发的郵件|original message|"
    r"ursprüngliche nachricht|原始邮件)\s*-{3,}|begin forwarded message:|anfang der weitergeleiteten nachricht:)\s*$"
)
_FIELD = re.compile(
    r"(?i)^\s*\*?(from|von|发件人|寄件者|sent|date|gesendet|datum|发送时间|日期|时间|to|an|收件人|cc|抄送|subject|betreff|主题|主旨)\*?"
    r"\s*[:：]\*?\s*(.{0,500})$"
)
_MEANS = {
    "sender": {"from", "von", "发件人", "寄件者"}, "subject": {"subject", "betreff", "主题", "主旨"},
    "date": {"date", "sent", "datum", "gesendet", "发送时间", "日期", "时间"},
}  # fmt: skip
_SIGNED = re.compile(r"^-- ?$")


class Forwarded(NamedTuple):
    """What stands above a forwarded mail, what that mail says of itself, and its words."""

    above: list[str]
    inner: Inner
    lines: list[str]


def answers(subject: str) -> bool:
    """Whether a subject is that of a reply."""
    return bool(_ANSWERS.match(subject))


def forwards(subject: str) -> bool:
    """Whether a subject is that of a forwarded mail."""
    return bool(_FORWARDS.match(subject))


def own_words(lines: list[str]) -> list[str]:
    """The lines of a reply without what it quotes and without a signature."""
    out: list[str] = []
    for n, line in enumerate(lines):
        if _SIGNED.match(line) or _cites(lines, n) or _heads(lines, n):
            break
        if not line.lstrip().startswith(">"):
            out.append(line)
    return out


def _cites(lines: list[str], at: int) -> bool:
    """Whether a quotation is announced here, on one line or wrapped over two."""
    line = lines[at][:300].strip()
    after = lines[at + 1].strip()[:200] if at + 1 < len(lines) else ""
    return bool(line) and bool(_CITES.match(line) or (len(line) < 120 and _CITES.match(f"{line} {after}")))


def _heads(lines: list[str], at: int) -> bool:
    """Whether the fields of a quoted mail begin here: a sender, and two more fields within the next lines."""
    first = _FIELD.match(lines[at][:600])
    if first is None or _meaning(first[1]) != "sender":
        return False
    return sum(_FIELD.match(line[:600]) is not None for line in lines[at : at + 5]) >= 3


def _meaning(word: str) -> str:
    return next((name for name, words in _MEANS.items() if word.lower() in words), "")


def forwarded(lines: list[str]) -> Forwarded | None:
    """The mail that is forwarded within these lines, None where there is none."""
    for n, line in enumerate(lines):
        if _FORWARDED.match(line[:200]) or _heads(lines, n):
            begin = n + 1 if _FORWARDED.match(line[:200]) else n
            said: dict[str, str] = {}
            while begin < len(lines) and (not lines[begin].strip() or _FIELD.match(_bare(lines[begin]))):
                if match := _FIELD.match(_bare(lines[begin])):
                    said.setdefault(_meaning(match[1]), match[2].strip())
                begin += 1
            if said:
                inner = Inner(said.get("sender", ""), said.get("subject", ""), said.get("date", ""))
                return Forwarded(lines[:n], inner, [_bare(line) for line in lines[begin:]])
    return None


def _bare(line: str) -> str:
    """A line without the marks of quotation."""
    return re.sub(r"^(?:\s{0,3}>\s?){1,10}", "", line[:1000])
