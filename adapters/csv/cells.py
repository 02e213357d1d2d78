"""Cells as offices write them: numbers with commas and signs of money, times in many forms. What cannot be told stays
as it is, for the mapping to refuse with its place."""

from __future__ import annotations

import re
from datetime import datetime

FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d",
    "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日", "%Y.%m.%d %H:%M", "%Y.%m.%d",
)  # fmt: skip
"""Times that can be read in one way only: the year stands first."""
_MONEY = re.compile(r"^[¥￥€$£\s]+|[¥￥€$£元\s]+$")
_COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")
_POINT = re.compile(r"[-+]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?")


def number(cell: str, decimal: str) -> str:
    """A number as the mapping takes it, by the sign that its decimals stand after ("": only the plain form)."""
    bare = _MONEY.sub("", cell).replace("\u00a0", "").replace("\u202f", "")
    if decimal == "," and _COMMA.fullmatch(bare):
        return bare.replace(".", "").replace(",", ".")
    if decimal == "." and _POINT.fullmatch(bare):
        return bare.replace(",", "")
    return bare if not decimal and "," not in bare else cell


def moment(cell: str, form: str) -> str:
    """A time, by its form or by those that are plain, without an offset unless it says one."""
    for one in (form,) if form else FORMS:
        try:
            found = datetime.strptime(cell, one)  # noqa: DTZ007  it is local to the connection's zone
        except ValueError:
            continue
        return found.isoformat(timespec="seconds")
    return cell
