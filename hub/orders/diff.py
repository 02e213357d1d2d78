"""What differs between two versions of an order document, as paths a person can read."""

from __future__ import annotations

from typing import Any

Change = dict[str, Any]
_APART = str.maketrans({mark: f"%{ord(mark):02X}" for mark in ".[]%"})


def diff(before: Any, after: Any, path: str = "") -> list[Change]:
    """Every leaf that differs: `{"path": "lines[0].quantity.ordered", "from": "2", "to": "1"}`.

    Members of lists are paired by their id, ref or number; the path counts by place in the newer version. One that
    went is named by its key, in which `.[]%` are written as in a URL: a path is taken apart by whoever narrows or
    redacts a change, and no key of a source may look like a part of it.
    """
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict) and not ("amount" in before or "amount" in after):
        out = []
        for name in sorted(before.keys() | after.keys()):
            out += diff(before.get(name), after.get(name), f"{path}.{name}" if path else name)
        return out
    if _paired(before) and _paired(after):
        return _members(before, after, path)
    change: Change = {"path": path}
    if before is not None:
        change["from"] = before
    if after is not None:
        change["to"] = after
    return [change]


def _members(before: list[Any], after: list[Any], path: str) -> list[Change]:
    held = {_key(one): one for one in before}
    out: list[Change] = []
    for index, one in enumerate(after):
        out += diff(held.pop(_key(one), None), one, f"{path}[{index}]")
    for key, one in held.items():
        out += diff(one, None, f"{path}[{key.translate(_APART)}]")
    return out


def _paired(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and _key(one) for one in value)


def _key(one: dict[str, Any]) -> str:
    return str(one.get("id") or one.get("ref") or one.get("tracking_number") or "")
