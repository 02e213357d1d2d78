"""A mapping drafted from a form: its widgets are read over the API, those that are understood are mapped by alias (or
by id where there is none), the others stand in the file as comments, and a test of its own shows that it works."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from adapters.jiandaoyun import words
from adapters.jiandaoyun.api import Form, ask, told
from adapters.jiandaoyun.words import Leaf
from hub.contract import Conversation, Place, Unreadable

NAME = re.compile(r"(?!(?:true|false|null|and|or|not|in)$)[A-Za-z_][A-Za-z0-9_]{0,99}")
"""What a path can name as it stands: an alias that is no word of the language, or `_widget_…`."""

_ASIDE = re.compile(r"[(\uff08\[\u3010].*?[)\uff09\]\u3011]")
_LABEL = re.compile(r"[\s:\uff1a*]+")
_SAMPLE = "66a1b2c3d4e5f60718293a4b"


class Widget(msgspec.Struct, frozen=True):
    """A widget: `name` is its alias, or its id where it has none; `items` are the columns of a subform."""

    name: str
    label: str = ""
    type: str = ""
    items: list[Any] = []


class Drafted(msgspec.Struct):
    """What is mapped, leaf by leaf, with a sample row and what it means; and the widgets that are left."""

    leaves: dict[str, str] = {}
    lines: dict[str, str] = {}
    subform: str = ""
    currency: str = ""
    sample: dict[str, Any] = {}
    expected: dict[str, str] = {}
    left: list[Widget] = []


def draft(ctx: Form, name: str) -> Conversation[str]:
    """The text of a mapping of this name for the connection's form."""
    found = told((yield ask(ctx, "/widget/list"))).get("widgets")
    if not isinstance(found, list):
        raise Unreadable("not a list of widgets", place=Place(field="widgets"))
    return text(name, drafted(_widgets(found)))


def drafted(widgets: list[Widget]) -> Drafted:
    """Each widget in its place, as far as its alias or label tells."""
    out = Drafted()
    rest = list(widgets)
    if place := _taken(rest, words.PLACE):
        _place(out, place)
    if currency := _taken(rest, words.CURRENCY):
        out.currency = currency.name
    if subform := _taken(rest, words.LINES) or _like_lines(rest):
        _lines(out, subform)
    for leaf in words.ORDER:
        if widget := _taken(rest, leaf):
            out.leaves[leaf.path] = leaf.read.format(widget.name)
            out.sample[widget.name], out.expected[_told(leaf)] = (
                leaf.sample,
                leaf.expected or str(leaf.sample),
            )
    out.left = [*rest, *out.left]
    return out


def text(name: str, made: Drafted) -> str:
    """The mapping file."""
    return "\n".join([*_head(name, made), *_fields(made), *_tests(made), ""])


def _widgets(found: list[Any]) -> list[Widget]:
    try:
        return msgspec.convert(found, list[Widget])
    except msgspec.ValidationError as error:
        raise Unreadable(f"not a list of widgets: {error}", place=Place(field="widgets")) from error


def _taken(rest: list[Widget], leaf: Leaf) -> Widget | None:
    """The widget that carries a leaf, taken out of the rest: by alias, by label, by a label that ends in the word."""
    fits = [one for one in rest if one.type in leaf.kinds and NAME.fullmatch(one.name)]
    ranked = [(rank, place) for place, one in enumerate(fits) if (rank := _rank(one, leaf)) is not None]
    if not ranked:
        return None
    found = fits[min(ranked)[1]]
    rest.remove(found)
    return found


def _rank(widget: Widget, leaf: Leaf) -> tuple[int, int] | None:
    """How well a widget's names fit a leaf, the smaller the better; None where they do not."""
    alias, label = widget.name.lower(), _label(widget)
    if alias in leaf.aliases:
        return 0, leaf.aliases.index(alias)
    if label in leaf.labels:
        return 1, leaf.labels.index(label)
    ends = [place for place, word in enumerate(leaf.labels) if len(word) > 1 and label.endswith(word)]
    return (2, ends[0]) if ends else None


def _label(widget: Widget) -> str:
    return _LABEL.sub("", _ASIDE.sub("", widget.label)).lower()


def _like_lines(rest: list[Widget]) -> Widget | None:
    """The only subform, where it has a column of quantities."""
    subforms = [one for one in rest if one.type == "subform" and NAME.fullmatch(one.name)]
    quantity = next(leaf for leaf in words.LINE if leaf.path == "quantity.ordered")
    found = [one for one in subforms if _taken(_widgets(one.items), quantity)]
    if len(found) != 1:
        return None
    rest.remove(found[0])
    return found[0]


def _place(out: Drafted, widget: Widget) -> None:
    """An address widget has its parts; a text is the first line."""
    if widget.type in words.PLACES:
        parts = {"region": "province", "city": "city", "district": "district", "line1": "detail"}
        out.leaves |= {f"ship_to.{ours}": f"{widget.name}.{theirs}" for ours, theirs in parts.items()}
        out.sample[widget.name] = {
            "province": "浙江省",
            "city": "杭州市",
            "district": "西湖区",
            "detail": "龙井路 1 号",
        }
        out.expected["ship_to.city"] = "杭州市"
    else:
        out.leaves["ship_to.line1"] = f"{widget.name} | str"
        out.sample[widget.name], out.expected["ship_to.line1"] = "龙井路 1 号", "龙井路 1 号"
    out.leaves["ship_to.country"] = f"{{if: {widget.name}, then: \"'CN'\"}}"


def _lines(out: Drafted, subform: Widget) -> None:
    rest = _widgets(subform.items)
    row: dict[str, Any] = {"_id": "66a1b2c3d4e5f60718293a4c"}
    out.subform, out.sample[subform.name] = subform.name, [row]
    out.expected["lines[0].ref"] = row["_id"]
    for leaf in words.LINE:
        if widget := _taken(rest, leaf):
            out.lines[leaf.path] = leaf.read.format(widget.name)
            row[widget.name] = leaf.sample
            out.expected[f"lines[0].{_told(leaf)}"] = leaf.expected or str(leaf.sample)
    out.left += [msgspec.structs.replace(one, name=f"{subform.name}[].{one.name}") for one in rest]


def _told(leaf: Leaf) -> str:
    return f"{leaf.path}.amount" if "money" in leaf.read else leaf.path


def _head(name: str, made: Drafted) -> Iterator[str]:
    yield "# Drafted from the form's widgets by their aliases and labels. Look at every line, then keep it as yours:"
    yield "# `orderhub map test FILE` runs the test below, `orderhub map activate FILE` puts your changes in force."
    yield f"map: {name}"
    yield "extends: jiandaoyun.record"
    yield ""
    yield "vars:"
    currency = f"({made.currency} | currency) ?? " if made.currency else ""
    yield f"  cur: {_quoted(f'{currency}#currency ?? {_CNY}')}"
    yield ""


_CNY = "'CNY'"


def _fields(made: Drafted) -> Iterator[str]:
    yield "fields:"
    yield '  currency: "@cur"'
    groups: dict[str, dict[str, str]] = {}
    for path, read in made.leaves.items():
        head, dot, tail = path.partition(".")
        groups.setdefault(head, {})[tail if dot else ""] = read
    for head, leaves in groups.items():
        yield from _group(head, leaves, "  ")
    if made.subform:
        yield from ("  lines:", f"    each: {made.subform}", "    map:", "      ref: _id | str | required")
        lines: dict[str, dict[str, str]] = {}
        for path, read in made.lines.items():
            head, dot, tail = path.partition(".")
            lines.setdefault(head, {})[tail if dot else ""] = read
        for head, leaves in lines.items():
            yield from _group(head, leaves, "      ")
    if made.left:
        yield "  # Not understood; name them where they belong, or under attributes:"
        for one in made.left:
            label = " ".join(one.label.split())[:60]
            yield f"  #   {one.name}  ({one.type}{': ' if label else ''}{label})"
    yield ""


def _group(head: str, leaves: dict[str, str], indent: str) -> Iterator[str]:
    if "" in leaves:
        yield f"{indent}{head}: {_read(leaves[''])}"
        return
    yield f"{indent}{head}:"
    for tail, read in leaves.items():
        yield f"{indent}  {tail}: {_read(read)}"


def _read(expression: str) -> str:
    return expression if expression.startswith("{") else _quoted(expression)


def _tests(made: Drafted) -> Iterator[str]:
    row = {"_id": _SAMPLE, "updateTime": "2026-01-10T16:00:00.250Z", **made.sample}
    yield "tests:"
    yield "  - name: a row with all that is mapped"
    yield f"    input: {_json({'op': 'data_create', 'data': row})}"
    yield f"    expect: {_json({'ref': _SAMPLE, **made.expected})}"
    yield "  - name: a row with nothing in it"
    empty = {name: [] if name == made.subform else "" for name in made.sample}
    yield f"    input: {_json({'op': 'data_create', 'data': {'_id': _SAMPLE, **empty}})}"
    yield f"    expect: {_json({'ref': _SAMPLE})}"


def _quoted(expression: str) -> str:
    return json.dumps(expression, ensure_ascii=False)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
