"""An order form as it is filled in: cells of text, each with its place, become an order in canonical words.

Every reader that finds labels and columns fills in one of these; what a cell means is decided here and once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.currencies import currency as currency_of
from hub.contract.mapping.steps.trade import country, email, gtin, phone
from hub.inbound.mail.reading.found import CONFIDENCE, UNRULED, Doc, Doubt, Form, Found, Origin
from hub.inbound.mail.reading.rules import Rules
from hub.inbound.mail.reading.values import Told, day, moment, money, number, plain
from hub.inbound.mail.reading.words import key

LINES, PLACES = 2000, 6
"""How many lines an order in a mail may have, and an amount decimal places."""


class Cell(NamedTuple):
    """A text and where it stood; `typed` was a number or a date there already, `own` was found by the partner's own
    words, `part` is another part than the form's."""

    text: str
    place: str = ""
    typed: bool = False
    own: bool = False
    part: str = ""


Cells = dict[str, Cell]
_SAYS = re.compile(r"([+-]?\d[\d.,' \u2019]*)\s*([^\d\s].{0,20})?")
_UNITS = {
    word: code
    for code, words in {
        "C62": "pcs pc pieces piece units unit ea each stück stueck stk st x 件 个 只 台 套 把 支 张 盏",
        "KGM": "kg kilogramm 公斤 千克", "MTR": "m meter metre 米", "LTR": "l liter litre 升", "SET": "set sets satz",
        "XBX": "box boxes karton kartons 箱", "PR": "pair pairs paar 双", "GRM": "g gramm 克",
    }.items()
    for word in words.split()
}  # fmt: skip


@dataclass(slots=True)
class OrderForm:
    """A form of one part of a mail; `finish` gives the order that it holds. `named`: the mail names an order, so that
    bare numbers beside articles may be quantities."""

    form: Form
    part: str
    rules: Rules
    partial: bool = False
    named: bool = False
    head: Cells = field(default_factory=dict)
    rows: list[Cells] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    _fields: dict[str, Origin] = field(default_factory=dict)
    _currency: str = ""
    _numbered: bool = False

    def put(self, name: str, cell: Cell) -> None:
        """A field of the order: the first wins, unless a later one is named by the partner's own word."""
        known = self.head.get(name)
        if cell.text.strip() and (known is None or (cell.own and not known.own)):
            self.head[name] = cell

    def row(self, cells: Cells) -> None:
        """A line of the order."""
        if len(self.rows) < LINES:
            self.rows.append(cells)
        elif len(self.rows) == LINES:
            self.doubt("lines", f"more than {LINES} lines: the rest is not read")
            self.rows.append({})

    def doubt(self, name: str, reason: str, text: str = "", readings: Iterable[str] = ()) -> None:
        """A reason for a person to look."""
        self.doubts.append(Doubt(name, reason, text[:200], [*readings]))

    def finish(self) -> Found:
        """The order, as far as the form says it."""
        doc: Doc = {}
        self._currency = self._currencies(doc)
        told = [plain(one["ref"].text)[:200] for one in self.rows if one.get("ref")]
        self._numbered = len({*told} - {""}) == len([one for one in self.rows if one])
        self._head(doc)
        lines = [line for n, cells in enumerate(self.rows[:LINES]) if (line := self._line(n, cells))]
        if lines:
            doc["lines"] = lines
        if not self.partial:
            self._gaps(doc)
        own = [cell.own for row in self.rows for cell in row.values()]
        return Found(form=self.form, part=self.part, doc=doc, fields=self._fields, doubts=self.doubts,
                     partial=self.partial, ruled=bool(own) and all(own))  # fmt: skip

    def _gaps(self, doc: Doc) -> None:
        if "purchase_order" not in doc:
            self.doubt("purchase_order", "no order number was found")
        if "lines" not in doc:
            self.doubt("lines", "no line was found")
        priced = [one for one in doc.get("lines", ()) if "unit_price" in one]
        if (priced or "total" in self.head) and not self._currency:
            self.doubt(
                "currency", "amounts without a currency: neither the mail nor the partner's record names one"
            )

    def _origin(self, name: str, cell: Cell) -> None:
        trust = CONFIDENCE[self.form] * (1 if cell.own or cell.typed else UNRULED)
        self._fields[name] = Origin(
            cell.part or self.part, cell.place, plain(cell.text)[:120], round(trust, 2)
        )

    # ── the order ──

    def _currencies(self, doc: Doc) -> str:
        cell = self.head.get("currency")
        try:
            said = currency_of(plain(cell.text)) if cell else None
        except Unfit:
            said = None
            self.doubt("currency", "is no currency", cell.text if cell else "")
        total = self.head.get("total")
        named = said or (money(total.text, self.rules.decimal, "")[1] if total else "") or self.rules.currency
        if named:
            doc["currency"] = named
            if cell and said:
                self._origin("currency", cell)
        return named or ""

    def _head(self, doc: Doc) -> None:
        for name, cell in self.head.items():
            value = _READ.get(name, _words)(self, name, cell)
            if value is None:
                continue
            _set(doc, _TO.get(name, name), value)
            self._origin(_TO.get(name, name), cell)
        if "purchase_order" in doc:
            doc["number"] = doc["purchase_order"]

    # ── its lines ──

    def _line(self, index: int, cells: Cells) -> Doc | None:
        at = f"lines[{index}]"
        if not cells:
            return None
        line: Doc = {"ref": self._ref(index, cells)}
        self._article(line, at, cells)
        self._quantity(line, at, cells)
        for name in ("unit_price", "total"):
            if cell := cells.get(name):
                amount = self._money(f"{at}.{name}", cell)
                if amount:
                    line[name] = amount
                    self._origin(f"{at}.{name}", cell)
        return line

    def _ref(self, index: int, cells: Cells) -> str:
        """The line's own number where every line has one that no other has, else its place."""
        return plain(cells["ref"].text)[:200] if self._numbered else str(index + 1)

    def _article(self, line: Doc, at: str, cells: Cells) -> None:
        identifiers = []
        if cell := cells.get("sku"):
            said = plain(cell.text)[:200]
            line["sku"], known = self._sku(said)
            if line["sku"] != said:
                identifiers.append({"scheme": "buyer_sku", "value": said})
            if not known:
                self.doubt(f"{at}.sku", "is not among the partner's articles", said)
            self._origin(f"{at}.sku", cell)
        if (cell := cells.get("gtin")) and (code := gtin(plain(cell.text))):
            identifiers.append({"scheme": "gtin", "value": code})
            self._origin(f"{at}.identifiers", cell)
        if cell := cells.get("name"):
            line["name"] = plain(cell.text)[:500]
            self._origin(f"{at}.name", cell)
        if identifiers:
            line["identifiers"] = identifiers
        if not ({"sku", "name", "identifiers"} & line.keys()):
            self.doubt(f"{at}.sku", "a line without an article")

    def _sku(self, said: str) -> tuple[str, bool]:
        """Our article for the partner's word, and whether it is one that we know."""
        dictionary = {key(word): ours for word, ours in self.rules.manner.skus.items()}
        if not dictionary:
            return said, True
        ours = dictionary.get(key(said))
        return (ours, True) if ours else (said, said in dictionary.values())

    def _quantity(self, line: Doc, at: str, cells: Cells) -> None:
        cell = cells.get("quantity")
        match = _SAYS.fullmatch(plain(cell.text)) if cell else None
        if cell is None or match is None:
            self.doubt(
                f"{at}.quantity",
                "no quantity was found" if cell is None else "is no quantity",
                cell.text if cell else "",
            )
            return
        told = self._number(match[1].strip(), typed=cell.typed)
        if told.value is None or told.value.startswith("-"):
            self._unclear(f"{at}.quantity", told, cell.text, "number")
            return
        line["quantity"] = {"ordered": told.value}
        self._origin(f"{at}.quantity", cell)
        unit = cells["unit"].text if cells.get("unit") else match[2] or ""
        if unit:
            line["unit"] = self._unit(plain(unit))

    def _unit(self, word: str) -> str:
        own = {key(one): code for one, code in self.rules.manner.units.items()}
        return own.get(key(word)) or _UNITS.get(key(word)) or word

    # ── values ──

    def _number(self, text: str, *, typed: bool) -> Told:
        return number(text, "." if typed else self.rules.decimal)

    def _unclear(self, name: str, told: Told, text: str, what: str) -> None:
        several = len(told.readings) > 1
        reason = (
            f"may be several {what}s"
            if several
            else f"is no {what} in the partner's locale"
            if told.readings
            else f"is no {what}"
        )
        self.doubt(name, reason, text, told.readings)

    def _money(self, name: str, cell: Cell) -> Doc | None:
        told, named = money(cell.text, "." if cell.typed else self.rules.decimal, self._currency)
        if told.value is None or len(told.value.partition(".")[2]) > PLACES:
            self._unclear(name, told, cell.text, "amount")
            return None
        return {"amount": _cents(told.value), "currency": named} if named else None

    def _day(self, name: str, cell: Cell) -> str | None:
        told = day(cell.text, "ymd" if cell.typed else self.rules.dates)
        if told.value is None:
            self._unclear(name, told, cell.text, "date")
        return told.value


def _cents(value: str) -> str:
    whole, _, fraction = value.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _words(form: OrderForm, name: str, cell: Cell) -> str | None:
    return plain(cell.text)[:500] or None


def _placed(form: OrderForm, name: str, cell: Cell) -> str | None:
    told = form._day(name, cell)  # noqa: SLF001  the form's own words for its fields
    return moment(told, form.rules.zone) if told else None


def _wanted(form: OrderForm, name: str, cell: Cell) -> str | None:
    return form._day("requested_delivery.date", cell)  # noqa: SLF001


def _total(form: OrderForm, name: str, cell: Cell) -> Doc | None:
    return form._money("totals.total", cell)  # noqa: SLF001


def _country(form: OrderForm, name: str, cell: Cell) -> Any:
    return country(plain(cell.text))


def _phone(form: OrderForm, name: str, cell: Cell) -> Any:
    there = form.head.get("ship_to.country")
    home = country(plain(there.text)) if there else form.rules.locale.replace("_", "-").partition("-")[2]
    return phone(plain(cell.text), home or None)


def _mail(form: OrderForm, name: str, cell: Cell) -> Any:
    return email(plain(cell.text))


def _street(form: OrderForm, name: str, cell: Cell) -> list[str]:
    return [row for row in (plain(one)[:200] for one in cell.text.split("\n")) if row][:4]


_READ: dict[str, Callable[[OrderForm, str, Cell], Any]] = {
    "currency": lambda form, name, cell: None, "placed_at": _placed, "requested_delivery": _wanted, "total": _total,
    "ship_to.country": _country, "ship_to.phone": _phone, "buyer.email": _mail, "ship_to.line1": _street,
}  # fmt: skip
_TO = {
    "requested_delivery": "requested_delivery.date", "total": "totals.total", "ship_to.line1": "ship_to.lines",
}  # fmt: skip


def _set(doc: Doc, path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:
        doc = doc.setdefault(name, {})
    doc[last] = value
