"""The canonical shapes as people and their systems write them: numbers as numbers or texts, money with or
without its currency, times with any offset, absent things as null. What comes out is canonical; what
cannot be is refused with its path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from hub.contract import Place, Unmapped
from hub.contract.canon import (
    HELD,
    Address,
    Currency,
    Date,
    Decimal,
    Fulfillment,
    Line,
    LineQuantity,
    Money,
    Order,
    Package,
    Party,
    Payment,
    Quantity,
    Refund,
    Return,
    Shipment,
    Time,
    Value,
)
from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.currencies import currency
from hub.contract.mapping.steps.money import money
from hub.contract.mapping.steps.scalars import decimal_text, text_of
from hub.contract.mapping.steps.time import date, stamp
from hub.contract.mapping.steps.trade import country, phone

DEEPEST = 16
Doc = dict[str, Any]

ALSO: dict[type[msgspec.Struct], dict[str, str]] = {
    Line: {"qty": "quantity"},
    LineQuantity: {"qty": "quantity"},
}
"""Other names that fields go by."""

PEOPLE = (Address, Party)

OURS: dict[type[msgspec.Struct], frozenset[str]] = {
    Order: HELD,
    Line: frozenset({"id", "status"}),
    Quantity: frozenset(Quantity.__struct_fields__) - {"original", "ordered", "cancelled"},
    Shipment: frozenset({"id", "tracking", "refs"}),
    Package: frozenset({"id", "tracking"}),
    **dict.fromkeys((Payment, Refund, Return, Fulfillment), frozenset({"id"})),
}
"""The fields that the hub counts or gives itself."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a reading stands on: the zone of naive times ("" refuses them) and the currency of bare amounts."""

    zone: str = ""
    currency: str = ""


def shaped(kind: type[Value], given: Any, path: str, ground: Ground) -> Doc:
    """A canonical document of this kind; raises Unmapped with the path of what cannot be."""
    doc = _struct(kind, given, path, ground)
    try:
        msgspec.convert(doc, kind)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `")
        raise fault(reason, join(path, where.rstrip("`").removeprefix("$").removeprefix("."))) from error
    return doc


def fault(reason: str, path: str, value: Any = "") -> Unmapped:
    """A refusal with its path."""
    shown = value if isinstance(value, str) else text_of(value) if isinstance(value, int) else ""
    return Unmapped(reason, place=Place(field=path, value=shown[:80]))


def join(path: str, name: str) -> str:
    """A path and what lies below it."""
    return f"{path}.{name}" if path and name and not name.startswith("[") else path + name


def _struct(kind: type[msgspec.Struct], given: Any, path: str, ground: Ground) -> Doc:
    if kind is Money:
        return _money(given, path, ground)
    if kind is Quantity and not isinstance(given, dict):
        ordered = _value(_fields(Quantity)["ordered"], given, path, ground)
        return {"ordered": _settled(Quantity, "ordered", ordered, path)} if ordered else {}
    if not isinstance(given, dict):
        raise fault("is not an object", path, given)
    out: Doc = {}
    for said, value in given.items():
        name, type_ = _field(kind, str(said), path)
        found = _value(type_, value, join(path, said), ground)
        if found not in (None, "", {}):
            out[name] = _settled(kind, name, found, join(path, said))
    if kind in PEOPLE and "phone" in out:
        out["phone"] = phone(out["phone"], out.get("country"))
    return out


def _field(kind: type[msgspec.Struct], said: str, path: str) -> tuple[str, inspect.Type]:
    """A field's own name and type; refused where there is none, or where it is the hub's own."""
    name = ALSO.get(kind, {}).get(said, said)
    type_ = _fields(kind).get(name)
    if type_ is None:
        raise fault(f"no such field{_near(said, _fields(kind))}", join(path, said))
    if name in OURS.get(kind, ()):
        raise fault("this is the hub's own to say", join(path, said))
    return name, type_


def _settled(kind: type[msgspec.Struct], name: str, value: Any, path: str) -> Any:
    """Nothing is ordered or moved less than not at all; a country is its code where it can be told."""
    counts = kind is Quantity or (kind is LineQuantity and name == "quantity")
    if counts and value.startswith("-"):
        raise fault("is negative", path, value)
    return country(value) if name == "country" else value


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, inspect.Type]:
    info = inspect.type_info(kind)
    return {field.name: _sole(field.type) for field in info.fields}  # type: ignore[attr-defined]


def _sole(type_: inspect.Type) -> inspect.Type:
    """The type without its null."""
    if isinstance(type_, inspect.UnionType):
        return next(one for one in type_.types if not isinstance(one, inspect.NoneType))
    return type_


def _pattern(alias: Any) -> str:
    return str(alias.__metadata__[0].pattern)


_PATTERNS: dict[str, Callable[[Any, Ground], str | None]] = {
    _pattern(Decimal): lambda value, _: decimal_text(value),
    _pattern(Time): lambda value, ground: stamp(value, ground.zone),
    _pattern(Date): lambda value, _: date(value),
    _pattern(Currency): lambda value, _: currency(value),
}
"""How texts of a certain form are read."""


def _value(type_: inspect.Type, value: Any, path: str, ground: Ground) -> Any:
    if isinstance(type_, inspect.Metadata):
        type_ = type_.type
    if value is None:
        return None
    if isinstance(type_, inspect.StructType):
        return _struct(type_.cls, value, path, ground)
    if isinstance(type_, inspect.ListType):
        return _list(type_, value, path, ground)
    if isinstance(type_, inspect.DictType):
        return _free(value, path, 0)
    try:
        return _scalar(type_, value, ground)
    except Unfit as unfit:
        raise fault(unfit.reason, path, value) from unfit


def _list(type_: inspect.ListType, value: Any, path: str, ground: Ground) -> list[Any] | None:
    if not isinstance(value, list):
        raise fault("is not a list", path, value)
    found = [_value(type_.item_type, one, f"{path}[{index}]", ground) for index, one in enumerate(value)]
    return [one for one in found if one is not None] or None


def _scalar(type_: inspect.Type, value: Any, ground: Ground) -> Any:
    if isinstance(type_, inspect.BoolType | inspect.IntType):
        wanted = bool if isinstance(type_, inspect.BoolType) else int
        if value.__class__ is not wanted:
            raise Unfit(value, f"is not {'true or false' if wanted is bool else 'a whole number'}")
        return value
    if isinstance(type_, inspect.LiteralType):
        return _word(type_, value)
    if isinstance(value, bool | dict | list):
        raise Unfit(value, "is not a text")
    read = _PATTERNS.get(getattr(type_, "pattern", None) or "")
    return read(value, ground) if read else text_of(value).replace("\0", "")


def _word(type_: inspect.LiteralType, value: Any) -> str:
    if value not in type_.values:
        raise Unfit(value, f"is none of {', '.join(map(str, type_.values))}")
    return str(value)


def _money(given: Any, path: str, ground: Ground) -> Doc:
    amount, code = given, ground.currency
    if isinstance(given, dict):
        for name in given:
            if name not in ("amount", "currency"):
                raise fault("no such field", join(path, name))
        amount, code = given.get("amount"), given.get("currency") or code
    try:
        found = money(amount, currency(code))
    except Unfit as unfit:
        raise fault(unfit.reason, path, amount) from unfit
    if found is None:
        raise fault("has no amount", path)
    return dict(found)


def _free(value: Any, path: str, depth: int) -> Any:
    """An operator's own attributes: any JSON, exact numbers as texts."""
    if depth > DEEPEST:
        raise fault(f"is nested deeper than {DEEPEST}", path)
    if isinstance(value, dict):
        return {name.replace("\0", ""): _free(one, path, depth + 1) for name, one in value.items()}
    if depth == 0:
        raise fault("is not an object", path, value)
    if isinstance(value, list):
        return [_free(one, path, depth + 1) for one in value]
    try:
        return text_of(value).replace("\0", "") if not isinstance(value, int | None) else value
    except Unfit as unfit:
        raise fault(unfit.reason, path, value) from unfit


def _near(name: str, known: dict[str, Any]) -> str:
    near = get_close_matches(name, known, n=1)
    return f", is {near[0]} meant?" if near else ""
