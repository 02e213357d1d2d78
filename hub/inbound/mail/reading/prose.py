"""Prose: an order in words. `20 x W-001`, `W-001: 20 Stück`, `W-001 20件`, or lines in a partner's own layout.

Without the partner's layout or articles this is a reading for a person to check, and trusted less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import re2

from hub.inbound.mail.reading.form import Cell, OrderForm
from hub.inbound.mail.reading.rules import Layout, pattern
from hub.inbound.mail.reading.tables import labelled
from hub.inbound.mail.reading.values import plain
from hub.inbound.mail.reading.words import REMOVED

LINES, LONG, SIGNS = 3000, 1000, 200_000
"""How many lines are looked at, how much of each, and how many signs in all."""
_NEAR = 60
"""How near to its article a quantity stands, in signs."""

Lines = list[tuple[int, str]]

_UNIT = (
    r"(?:pcs?|pieces?|units?|ea|each|st(?:ü|ue)?ck|stk|kg|boxes|box|kartons?|sets?|pairs?|paar|"
    r"件|个|只|台|套|把|支|张|箱|盏|双|公斤)"
)
_NUMBER = r"(\d[\d.,']{0,14})"
_BEFORE = re.compile(
    rf"(?i){_NUMBER}\s*(?:(x|×|\*)|({_UNIT})\.?)?\s*(?:of|von|vom|der|的|item|artikel|art\.?|sku|nr\.?|no\.?|#|\s)*$"
)
_STRONG_AFTER = re.compile(
    rf"(?i)(?:[x×*]|qty\.?|quantity|menge|anzahl|数量|各)\s*[:：]?\s*{_NUMBER}(?:\s*({_UNIT}))?|{_NUMBER}\s*(?:[x×*](?!\w)|({_UNIT})(?![a-z]))"
)
_BARE = re.compile(rf"(?<![\w.,/-]){_NUMBER}(?![\w%/-])")
_PRICE = re.compile(
    r"(?i)(?:@|à|\bje\b|\bat\b|\bzu\b|单价|每[件个台只套])\s*[:：]?\s*((?:[A-Z]{3}\s|[€$£¥])?\s*\d[\d.,']{0,14}(?:\s*(?:[€$£¥元]|EUR|USD|CNY|GBP|RMB))?)"
)
_ARTICLE = re.compile(r"(?<![\w/-])(?=[A-Z0-9_/.-]*\d)[A-Z]{1,6}(?:[-_/.]?[A-Z0-9]+){1,4}(?![\w-])")
_ORDER = re.compile(
    r"(?i)(?:\b(?:po|p\.o\.|purchase\s+order|order|bestellung|bestellnummer|auftrag)\b|采购订单|采购单|订单)\s*"
    r"(?:号码|编号|号|no\.?|nr\.?|number|nummer|id)?\s*[#:：]?\s*((?=[A-Z0-9_/-]*\d)[A-Z0-9][A-Z0-9_/-]{2,39})"
)
_DATE = r"(\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}日?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}\.?\s+[A-Za-zä]{3,9}\.?,?\s+\d{4}|[A-Za-z]{3,9}\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4})"
_ANY_DATE = re.compile(_DATE)
_WANTED = re.compile(
    rf"(?i)(?:\bby|\bbefore|\bbis(?:\s+zum|\s+spätestens)?|\bspätestens(?:\s+am)?|\bfor\s+delivery\s+on|\bdelivery\s+on|\blieferung\s+(?:am|zum|bis)|交货日期|到货|请于|请在)\s*[:：]?\s*{_DATE}"
)
_RELATIVE = re.compile(
    r"(?i)\b(?:by|before|until|bis)\s+(?:next\s+|end\s+of\s+|nächste[nr]?\s+|ende\s+)?(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|"
    r"\b(?:bis|am)\s+(?:nächsten\s+|kommenden\s+)?(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)\b|"
    r"\b(?:next|this)\s+(?:week|month)\b|\btomorrow\b|\basap\b|\bnächste\s+woche\b|\bmorgen\b|"
    r"下周|本周|周[一二三四五六日]前?|星期[一二三四五六日]|明天|后天|月底前?|尽快"
)


class Hit(NamedTuple):
    """An article named in a line."""

    start: int
    end: int
    word: str
    own: bool


def fill(form: OrderForm, lines: list[str], subject: str = "") -> None:
    """Fill the form from lines of text: by the partner's layout where one fits, else by usual words. Where neither
    the text nor its subject names an order, a bare number beside what looks like an article is none."""
    numbered = _near(lines, 1)
    text = "\n".join(line for _, line in numbered)
    layout = next((one for one in form.rules.manner.layouts if _fits(one, text)), None)
    rows = 0
    if layout:
        _fields(form, layout, numbered)
        rows = _rows(form, layout, numbered)
    labelled(form, numbered)
    mention(form, numbered)
    if not rows:
        form.named = "purchase_order" in form.head or _ORDER.search(subject) is not None
        _loose(form, numbered)


def _near(lines: list[str], first: int) -> Lines:
    """The lines that are looked at, with their numbers."""
    out: Lines = []
    left = SIGNS
    for n, line in enumerate(lines[:LINES], first):
        out.append((n, line[: min(LONG, left)]))
        left -= len(line[:LONG])
        if left <= 0:
            break
    return out


def mention(form: OrderForm, numbered: Lines, part: str = "") -> None:
    """Order number and date where they are said in passing."""
    for n, line in numbered:
        place = f"line {n}" if n else "subject"
        if match := _ORDER.search(line):
            form.put("purchase_order", Cell(match[1], place, part=part))
        if match := _WANTED.search(line):
            form.put("requested_delivery", Cell(match[1], place, part=part))
        elif "requested_delivery" not in form.head and (match := _RELATIVE.search(line)) and not part:
            form.doubt(
                "requested_delivery.date",
                "a relative day is no date: what it means depends on who reads it when",
                match[0],
            )


# ── a partner's layout ──


def _fits(layout: Layout, text: str) -> bool:
    return not layout.match or _search(layout.match, text) is not None


def _search(expression: str, text: str) -> re2.Match | None:
    return pattern(expression).search(text)


def _fields(form: OrderForm, layout: Layout, numbered: Lines) -> None:
    for name, expression in layout.fields.items():
        for n, line in numbered:
            match = _search(expression, line)
            if match:
                told = match[1] if match.re.groups else match[0]
                form.put(name, Cell(told or "", f"line {n}", own=True))
                break


def _rows(form: OrderForm, layout: Layout, numbered: Lines) -> int:
    inside, count = not layout.start, 0
    for n, line in numbered:
        if layout.row and inside and (match := pattern(layout.row).search(line)):
            cells = {
                name: Cell(text, f"line {n}", own=True) for name, text in match.groupdict().items() if text
            }
            form.row(cells)
            count += 1
        elif layout.start and not inside:
            inside = _search(layout.start, line) is not None
        elif layout.end and inside and count and _search(layout.end, line):
            break
    return count


# ── usual words ──


def _loose(form: OrderForm, numbered: Lines) -> None:
    order = form.head["purchase_order"].text if "purchase_order" in form.head else ""
    said = {
        cell.place
        for name, cell in form.head.items()
        if name.startswith(("ship_to", "buyer")) and not cell.part
    }
    for n, line in numbered:
        if f"line {n}" in said:
            continue
        hits = [
            hit
            for hit in _articles(form, line)
            if hit.word not in plain(order).split() and not _of_order(line, hit)
        ]
        for cells in _quantities(form, line, hits, f"line {n}"):
            form.row(cells)


def _of_order(line: str, hit: Hit) -> bool:
    match = _ORDER.search(line)
    return bool(match and match.start(1) <= hit.start < match.end(1))


def _articles(form: OrderForm, line: str) -> list[Hit]:
    """The articles named in a line, from left to right, none within another."""
    manner = form.rules.manner
    found = [
        Hit(start, start + len(word), line[start : start + len(word)], True)
        for word in manner.skus
        for start in _places(line, word)
    ]
    if manner.sku:
        found += [
            Hit(match.start(), match.end(), match[0], True) for match in pattern(manner.sku).finditer(line)
        ]
    found += [Hit(match.start(), match.end(), match[0], False) for match in _ARTICLE.finditer(line)]
    kept: list[Hit] = []
    for hit in sorted(found, key=lambda one: (not one.own, -(one.end - one.start), one.start)):
        if all(hit.end <= other.start or hit.start >= other.end for other in kept):
            kept.append(hit)
    return sorted(kept)


def _places(line: str, word: str) -> Iterator[int]:
    low, sought = line.lower(), word.lower()
    at = low.find(sought) if sought and len(low) == len(line) else -1
    while at >= 0:
        around = low[at - 1 : at] + low[at + len(sought) : at + len(sought) + 1]
        if not any(sign.isascii() and sign.isalnum() for sign in around):
            yield at
        at = low.find(sought, at + len(sought))


class Amount(NamedTuple):
    """A quantity as it is written, its unit, and whether it is marked as one."""

    text: str
    unit: str
    strong: bool


def _quantities(form: OrderForm, line: str, hits: list[Hit], place: str) -> Iterator[dict[str, Cell]]:
    begins = [hit.start for hit in hits[1:]] + [len(line)]
    left = 0
    for n, hit in enumerate(hits):
        before = _before(line[left : hit.start])
        after = line[hit.end : min(begins[n], hit.end + 4 * _NEAR)]
        if (
            n + 1 < len(hits)
            and (match := _BEFORE.search(after, max(0, len(after) - _NEAR)))
            and (match[2] or match[3])
        ):
            after = after[: match.start()]
        price = _PRICE.search(after)
        rest = after[: price.start()] + " " + after[price.end() :] if price else after
        cells = _row(form, hit, before, _after(rest), REMOVED.search(line) is not None, place)
        if cells:
            if price:
                cells["unit_price"] = Cell(price[1], place, own=hit.own)
            yield cells
        left = hit.end


def _before(text: str) -> Amount | None:
    match = _BEFORE.search(text, max(0, len(text) - _NEAR))
    return Amount(match[1].rstrip(".,"), match[3] or "", bool(match[2] or match[3])) if match else None


def _after(text: str) -> list[Amount]:
    """The number that is marked as a quantity, else all that stand bare: any of them may be it."""
    if match := _STRONG_AFTER.search(text):
        return [Amount((match[1] or match[3]).rstrip(".,"), match[2] or match[4] or "", strong=True)]
    return [Amount(one.rstrip(".,"), "", strong=False) for one in _BARE.findall(_ANY_DATE.sub(" ", text))]


def _row(
    form: OrderForm, hit: Hit, before: Amount | None, after: list[Amount], removed: bool, place: str
) -> dict[str, Cell] | None:
    cells = {"sku": Cell(hit.word, place, own=hit.own)}
    said = [one for one in (before, *after) if one]
    strong = [one for one in said if one.strong] or said
    if removed and form.partial and not any(one.strong for one in said):
        return cells | {"quantity": Cell("0", place, typed=True, own=hit.own)}
    sure = hit.own or form.named or form.partial or any(one.strong for one in said)
    if not strong or not sure:
        return None
    if len({one.text for one in strong}) > 1:
        form.doubt(
            f"lines[{len(form.rows)}].quantity",
            "several numbers may be the quantity",
            hit.word,
            [one.text for one in strong],
        )
        return cells
    cells["quantity"] = Cell(strong[0].text, place, own=hit.own)
    if strong[0].unit:
        cells["unit"] = Cell(strong[0].unit, place, own=hit.own)
    return cells
