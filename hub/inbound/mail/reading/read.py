"""Reading a mail: structured forms first, the words last; the first form that tells an order is believed.

XML and PDF with XML within → sheets → markup → PDF text → tables → words
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar

from selectolax.lexbor import LexborHTMLParser

from hub.contract.errors import Misconfigured
from hub.contract.mapping.steps.other import html_text
from hub.inbound.mail.reading import documents, markup, pages, parcels, prose, quotes, sheets, tables
from hub.inbound.mail.reading.archives import opened
from hub.inbound.mail.reading.form import Cell, OrderForm
from hub.inbound.mail.reading.found import Form, Found, Inner, Kind, Parcel, Reading
from hub.inbound.mail.reading.page import page_of
from hub.inbound.mail.reading.parts import Monstrous, Part, Tree, open_mail
from hub.inbound.mail.reading.rules import Rules

T = TypeVar("T")
ORDERS = 50
"""How many orders a mail may hold."""


def read(raw: bytes, rules: Rules) -> Reading:
    """What a mail says. Pure; run it where it may be killed: the parsers of others may blow up."""
    try:
        tree = open_mail(raw, rules.language)
    except Monstrous as error:
        return Reading(kind="unreadable", reason=str(error))
    letter = Letter(tree, rules)
    orders = letter.orders()
    shipments = [] if orders and letter.certain(orders) else letter.parcels()
    if shipments:
        orders = []
    return Reading(
        kind=letter.kind(orders, shipments), orders=orders[:ORDERS], shipments=shipments,
        reply="\n".join(letter.words).strip()[:20_000] if letter.answers else "", inner=letter.inner,
        notes=[*tree.notes, *letter.notes],
    )  # fmt: skip


_UNOPENED = {
    "tnef": "winmail.dat (TNEF) is not opened: ask the sender for plain attachments",
    "edi": "EDIFACT and X12 are not read from mail",
    "program": "a program is not opened",
    "xls": "an old Office file may hold programs and is not opened: ask for .xlsx or .csv",
    "binary": "bytes of an unknown kind are not opened",
}


@dataclass
class Letter:
    """One mail being read: its parts, its own words, and what is noticed on the way."""

    tree: Tree
    rules: Rules
    notes: list[str] = field(default_factory=list)
    inner: Inner | None = None
    words: list[str] = field(default_factory=list)
    answers: bool = False
    _parts: list[Part] = field(default_factory=list)
    _pages: list[tuple[Part, LexborHTMLParser]] = field(default_factory=list)
    _body: str = "1"

    def __post_init__(self) -> None:
        self._parts = opened(self.tree.parts, self.rules, self.notes)
        self.notes += [
            f"part {one.shown}: {_UNOPENED[one.kind]}" for one in self._parts if one.kind in _UNOPENED
        ]
        self._open_pages()
        self._speak()

    def _open_pages(self) -> None:
        for one in self._parts:
            if one.kind == "html":
                page = page_of(one.text)
                if page is None:
                    self.notes.append(
                        f"part {one.shown}: a page of too many or too deep elements is read as words alone"
                    )
                else:
                    self._pages.append((one, page))

    def _speak(self) -> None:
        """The words of the mail: those of the mail that is forwarded in it, or its own without what it quotes."""
        lines = self._lines()
        block = (
            quotes.forwarded(lines) if not self.tree.answers or quotes.forwards(self.tree.subject) else None
        )
        self.answers = (
            (self.tree.answers or quotes.answers(self.tree.subject)) and block is None and not self.tree.inner
        )
        if self.tree.inner:
            first = self.tree.inner[0]
            self.inner = Inner(*(str(first.get(name) or "")[:500] for name in ("from", "subject", "date")))
            self.words = lines
        elif block and (block.inner.sender or quotes.forwards(self.tree.subject)):
            self.inner, self.words = block.inner, block.lines
        else:
            self.words = quotes.own_words(lines) if self.answers else lines

    def _lines(self) -> list[str]:
        """The lines of the deepest mail's text: its plain part, else the words of its HTML."""
        deepest = max((one.level for one in self._parts if one.text and not one.attached), default=0)
        mine = [
            one
            for one in self._parts
            if one.level == deepest and one.text and not one.attached and not (one.name and one.kind == "csv")
        ]
        plain = next((one for one in mine if one.kind == "text" and one.text.strip()), None)
        chosen = plain or next((one for one in mine if one.kind == "html"), None)
        if chosen is None:
            return []
        self._body = chosen.shown
        return (html_text(chosen.text) if chosen.kind == "html" else chosen.text).split("\n")

    # ── orders ──

    def orders(self) -> list[Found]:
        """The orders in the first form that tells one."""
        for reader in (self._standards, self._sheets, self._markup, self._pdfs, self._tables, self._prose):
            found = self._allowed(reader())
            if found:
                return found
        return []

    def certain(self, orders: list[Found]) -> bool:
        """Whether more was read than words that anyone may use: a carrier's mail, too, names orders and articles."""
        return any(one.ruled or one.form not in ("text", "table") for one in orders)

    def _allowed(self, found: list[Found]) -> list[Found]:
        for one in found:
            if not self.rules.takes(one.form):
                self.notes.append(f"part {one.part}: this partner does not order by {one.form}")
        return [one for one in found if self.rules.takes(one.form)]

    def _standards(self) -> list[Found]:
        out: list[Found] = []
        for part in self._parts:
            if part.kind == "xml":
                out += self._document(part)
            elif part.kind == "pdf":
                for name, data in self._tried(part, partial(pages.within, part.data)) or []:
                    if documents.standard(data):
                        out += self._document(
                            Part(f"{part.shown}/{name}", "", "xml", data, "", attached=True)
                        )
        return out

    def _document(self, part: Part) -> list[Found]:
        known = documents.standard(part.data)
        own = documents.own_mapping(part, self.rules)
        if own:
            return self._mapped(part, own, known[0] if known else "sheet")
        if known is None:
            self.notes.append(f"part {part.shown}: XML of a form that no mapping of this partner knows")
            return []
        return self._mapped(part, known[1], known[0])

    def _mapped(self, part: Part, mapping: str, form: Form) -> list[Found]:
        try:
            return documents.mapped(part, self.rules, mapping, form)
        except (Misconfigured, KeyError) as error:
            self.notes.append(f"part {part.shown}: the mapping {mapping} cannot be used: {error}")
            return []

    def _sheets(self) -> list[Found]:
        out: list[Found] = []
        for part in self._parts:
            csv = part.kind == "csv" or (part.kind == "text" and part.name.lower().endswith(".csv"))
            if part.kind in ("xlsx", "ods") or (csv and (part.attached or part.name)):
                out += self._tried(part, partial(self._sheet, part)) or []
        return out

    def _sheet(self, part: Part) -> list[Found]:
        if own := documents.own_mapping(part, self.rules):
            return self._mapped(part, own, "sheet")
        for grid in sheets.grids(part):
            form = OrderForm("sheet", part.shown, self.rules)
            if tables.fill(form, grid):
                self._complete(form)
                return [form.finish()]
        return []

    def _markup(self) -> list[Found]:
        return [one for part, page in self._pages for one in markup.orders(page, part.shown, self.rules)]

    def _pdfs(self) -> list[Found]:
        out = []
        for part in self._parts:
            lines = self._tried(part, partial(pages.lines, part.data)) if part.kind == "pdf" else None
            if lines:
                form = OrderForm("pdf", part.shown, self.rules)
                prose.fill(form, lines, self._title)
                self._complete(form)
                out.append(form.finish())
        return [one for one in out if one.doc.get("lines") or one.doc.get("purchase_order")]

    def _tables(self) -> list[Found]:
        out = []
        for part, page in self._pages:
            form = OrderForm("table", part.shown, self.rules)
            if any([tables.fill(form, grid) for grid in _grids(page)]):
                self._complete(form)
                out.append(form.finish())
        return out if not self.answers else []  # a reply's tables are those that it quotes

    def _prose(self) -> list[Found]:
        form = OrderForm("text", self._body, self.rules, partial=self.answers)
        prose.fill(form, self.words, self._title)
        self._subject(form)
        if not form.rows:
            return []
        return [form.finish()]

    def _complete(self, form: OrderForm) -> None:
        """What the part leaves out may stand in the mail around it."""
        lines = list(enumerate((line[: prose.LONG] for line in self.words[:200]), 1))
        around = OrderForm(form.form, self._body, self.rules)
        tables.labelled(around, lines)
        prose.mention(around, lines, self._body)
        for name, cell in around.head.items():
            if name not in form.head:
                form.put(name, cell._replace(part=self._body))
        self._subject(form)

    @property
    def _title(self) -> str:
        return self.inner.subject if self.inner else self.tree.subject

    def _subject(self, form: OrderForm) -> None:
        prose.mention(form, [(0, self._title)], "subject")

    def _tried(self, part: Part, work: Callable[[], list[T]]) -> list[T] | None:
        """What a reader tells, None where it does not open the part; why not is noted once."""
        try:
            return work()
        except sheets.Unopened as error:
            note = f"part {part.shown}: {error}"
            if note not in self.notes:
                self.notes.append(note)
            return None

    # ── parcels ──

    def parcels(self) -> list[Parcel]:
        """What the mail says of parcels."""
        at = _moment(self.tree.date)
        told = [one for part, page in self._pages for one in markup.parcels(page, part.shown, at)]
        return told or parcels.found(
            self.inner.subject if self.inner else self.tree.subject, self.words, self._body, at
        )

    def kind(self, orders: list[Found], shipments: list[Parcel]) -> Kind:
        """In one word."""
        if orders and not all(one.partial for one in orders):
            return "order"
        if shipments and not orders:
            return "shipment"
        return "reply" if self.answers else "nothing"


def _grids(page: LexborHTMLParser) -> list[list[list[Cell]]]:
    """The innermost tables of a page, cell by cell."""
    found = [table for table in page.css("table")[:100] if len(table.css("table")) <= 1]
    return [
        [
            [Cell(cell.text(separator=" ").strip()[:2000], f"table {n} row {r} cell {c}") for c, cell in enumerate(row.css("td, th")[:60], 1)]
            for r, row in enumerate(table.css("tr")[:3000], 1)
        ]
        for n, table in enumerate(found, 1)
    ]  # fmt: skip


def _moment(date: str) -> str:
    try:
        told = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
    aware = told if told.tzinfo else told.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
