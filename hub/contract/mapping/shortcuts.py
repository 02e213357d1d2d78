"""Steps written out where they are used most: what is plain is done on the spot, all else by the step itself."""

from __future__ import annotations

from collections.abc import Callable

from hub.contract.mapping.steps import currencies, money, time
from hub.contract.mapping.steps.presence import empty
from hub.contract.mapping.steps.scalars import seen
from hub.contract.mapping.writer import Writer

_SMALL = 10**14
_TEXTS = {"trim": "strip", "upper": "upper", "lower": "lower"}


def shortcut(step: str, name: str, arguments: list[str], call: str, writer: Writer) -> str:
    """The source that puts the value of a variable, which is not null, through a step by the shortest way."""
    if step in _TEXTS:
        return f"{name}.{_TEXTS[step]}() if {name}.__class__ is str else {call}"
    if step == "datetime" and len(arguments) > 1:
        return call
    write = _SHORT.get(step)
    return call if write is None else write(name, arguments, call, writer)


def _str(name: str, _arguments: list[str], call: str, _writer: Writer) -> str:
    return f"{name} if {name}.__class__ is str else str({name}) if {name}.__class__ is int else {call}"


def _bool(name: str, _arguments: list[str], call: str, _writer: Writer) -> str:
    return f"{name} if {name}.__class__ is bool else {call}"


def _dec(name: str, _arguments: list[str], call: str, writer: Writer) -> str:
    whole = f"str({name}) if {name}.__class__ is int and -{_SMALL} < {name} < {_SMALL} else {call}"
    return f"{name} if {name}.__class__ is str and {name} in {writer.named(seen, 'seen')} else {whole}"


def _add(name: str, arguments: list[str], call: str, _writer: Writer) -> str:
    other = arguments[0]
    small = f"-{_SMALL} < {name} < {_SMALL} and -{_SMALL} < {other} < {_SMALL}"
    return f"str({name} + {other}) if {name}.__class__ is {other}.__class__ is int and {small} else {call}"


def _datetime(name: str, _arguments: list[str], call: str, writer: Writer) -> str:
    return f"{writer.named(time.told, 'stamp')}({name}, zone) if {name}.__class__ is str else {call}"


def _sum(name: str, _arguments: list[str], call: str, _writer: Writer) -> str:
    return f"{call} if {name} or {name}.__class__ is not list else None"


def known(currency: str, writer: Writer) -> str:
    """The source of a test whether a currency is a code; of a variable it is made where that is declared."""
    test = f"{currency}.__class__ is str and {currency} in {writer.named(currencies.seen, 'codes')}"
    if not writer.has_room(currency):
        return f"({test})"
    writer.fill_room(currency, f"c_{currency} = {test}")
    return f"c_{currency}"


def hollow(name: str, writer: Writer) -> str:
    """The source of a test whether a variable is null or empty."""
    return f"not {name} and ({name} is None or {writer.named(empty, 'empty')}({name}))"


def _money(name: str, arguments: list[str], call: str, writer: Writer) -> str:
    currency = arguments[0]
    amounts, proven = writer.named(money.seen, "amounts"), known(currency, writer)
    test = f"{name}.__class__ is str and {name} in {amounts} and {proven}"
    return f'{{"amount": {name}, "currency": {currency}}} if {test} else {call}'


_SHORT: dict[str, Callable[[str, list[str], str, Writer], str]] = {
    "str": _str,
    "bool": _bool,
    "dec": _dec,
    "add": _add,
    "money": _money,
    "datetime": _datetime,
    "sum": _sum,
}
