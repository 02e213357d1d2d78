"""Steps written out where they are used most: what is plain is done on the spot, all else by the step itself."""

from __future__ import annotations

import re

from hub.contract.mapping.steps import currencies, time
from hub.contract.mapping.steps.presence import empty
from hub.contract.mapping.writer import Writer

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?").fullmatch
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?").fullmatch

_TEXTS = {"trim": "strip", "upper": "upper", "lower": "lower"}


def shortcut(step: str, name: str, arguments: list[str], call: str, writer: Writer) -> str:
    """The source that puts the value of a variable, which is not null, through a step by the shortest way."""
    if step in _TEXTS:
        return f"{name}.{_TEXTS[step]}() if {name}.__class__ is str else {call}"
    if step == "str":
        return f"{name} if {name}.__class__ is str else str({name}) if {name}.__class__ is int else {call}"
    if step == "bool":
        return f"{name} if {name}.__class__ is bool else {call}"
    if step == "dec":
        plain = writer.named(_DECIMAL, "plain")
        return f"{name} if {name}.__class__ is str and {plain}({name}) else {call}"
    if step == "money":
        return _money(name, arguments[0], call, writer)
    if step == "datetime" and len(arguments) == 1:
        return f"{writer.named(time.told, 'stamp')}({name}, zone) if {name}.__class__ is str else {call}"
    if step == "sum":
        return f"{call} if {name} or {name}.__class__ is not list else None"
    return call


def hollow(name: str, writer: Writer) -> str:
    """The source of a test whether a variable is null or empty."""
    return f"{name} is None or not {name} and {writer.named(empty, 'empty')}({name})"


def _money(name: str, currency: str, call: str, writer: Writer) -> str:
    plain, known = writer.named(_AMOUNT, "plain"), writer.named(currencies.seen, "known")
    test = f"{name}.__class__ is str and {plain}({name}) and {currency}.__class__ is str and {currency} in {known}"
    return f'{{"amount": {name}, "currency": {currency}}} if {test} else {call}'
