"""The words of an alert: one trouble or many, with what to do next and links that do it. Pure."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub.things import Alert

RANK: Mapping[str, int] = {"info": 0, "warning": 1, "error": 2, "critical": 3}
"""Severities, mildest first."""
DETAILED = 5
_ORDERS = 5
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "closed": "Over: {0}", "times": "{0} times, first {1}, last {2}", "once": "Once, {0}", "orders": "Orders: {0}",
        "more": "and {0} more", "hint": "What to do: {0}", "ack": "Acknowledge", "snooze": "Let it wait",
        "retry": "Try all of it again", "digest": "{0} troubles", "escalated": "Nobody has acknowledged this: {0}",
        "severity": "severity {0}",
    },
    "zh": {
        "closed": "已恢复：{0}", "times": "共 {0} 次，首次 {1}，最近 {2}", "once": "1 次，{0}", "orders": "涉及订单：{0}",
        "more": "另有 {0} 项", "hint": "处理建议：{0}", "ack": "确认", "snooze": "稍后处理", "retry": "全部重试",
        "digest": "{0} 项异常", "escalated": "尚无人确认：{0}", "severity": "级别 {0}",
    },
}  # fmt: skip


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble as an alert tells it: `links` are action → URL, `orders` what to call them."""

    exception: str
    status: str
    severity: str
    count: int
    first_at: int
    last_at: int
    title: str
    hint: str = ""
    orders: tuple[str, ...] = ()
    hidden: int = 0
    links: Mapping[str, str] = {}


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A message in three forms: a title, Markdown for chats, plain text and HTML for mail."""

    title: str
    markdown: str
    text: str
    html: str


def write(items: Sequence[Item], words: str, zone: str) -> Written:
    """One message of these troubles, the gravest first; beyond a few, how many there are besides."""
    known = _WORDS["zh" if words.startswith("zh") else "en"]
    ordered = sorted(items, key=lambda one: (-RANK.get(one.severity, 2), one.first_at, one.exception))
    shown, rest = ordered[:DETAILED], len(ordered) - DETAILED
    parts = [_Part(one, known, zone) for one in shown]
    more = known["more"].format(rest) if rest > 0 else ""
    title = parts[0].title if len(ordered) == 1 else known["digest"].format(len(ordered))
    return Written(
        title=title[:200],
        markdown="\n\n".join([*(one.markdown() for one in parts), *([more] if more else [])]),
        text="\n\n".join([*(one.text() for one in parts), *([more] if more else [])]) + "\n",
        html="<!doctype html><html><body style='font-family: sans-serif'>"
        + "".join(one.html() for one in parts) + (f"<p>{html.escape(more)}</p>" if more else "") + "</body></html>",
    )  # fmt: skip


class _Part:
    """One trouble in each form."""

    def __init__(self, item: Item, known: Mapping[str, str], zone: str) -> None:
        self.item, self.known = item, known
        heads = {"ending": known["closed"], "escalated": known["escalated"]}
        self.title = heads.get(item.status, "{0}").format(item.title)
        first, last = _clock(item.first_at, zone), _clock(item.last_at, zone)
        counted = (
            known["once"].format(first) if item.count <= 1 else known["times"].format(item.count, first, last)
        )
        self.facts = [f"{known['severity'].format(item.severity)} · {counted}"]
        if item.orders:
            more = [known["more"].format(item.hidden)] if item.hidden else []
            self.facts.append(known["orders"].format(", ".join([*item.orders, *more])))
        if item.hint and item.status != "ending":
            self.facts.append(known["hint"].format(item.hint))

    def markdown(self) -> str:
        links = " · ".join(f"[{self.known[name]}]({url})" for name, url in self.item.links.items())
        return "\n\n".join([f"**{_tame(self.title)}**", *map(_tame, self.facts), *([links] if links else [])])

    def text(self) -> str:
        links = [f"{self.known[name]}: {url}" for name, url in self.item.links.items()]
        return "\n".join([self.title, *self.facts, *links])

    def html(self) -> str:
        links = " · ".join(
            f'<a href="{html.escape(url)}">{html.escape(self.known[name])}</a>'
            for name, url in self.item.links.items()
        )
        rows = "<br>".join([*map(html.escape, self.facts), *([links] if links else [])])
        return f"<p><b>{html.escape(self.title)}</b><br>{rows}</p>"


_TAMED = str.maketrans({"[": "［", "]": "］", "<": "‹", ">": "›", "*": "＊", "`": "'", "#": "＃"})


def _tame(text: str) -> str:
    """A text of a far side's making that is no Markdown: it must not put links or calls before people."""
    return " ".join(text.translate(_TAMED).split())


def _clock(at: int, zone: str) -> str:
    moment = datetime.fromtimestamp(at / 1_000_000, ZoneInfo(zone))
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname()}"


def orders(doc: Mapping[str, Any]) -> tuple[tuple[str, ...], int]:
    """The first few orders of an exception, and how many there are besides."""
    found = [str(one) for one in doc.get("orders") or ()]
    return tuple(found[:_ORDERS]), max(0, len(found) - _ORDERS)


def wants(alert: Alert, severity: str, cause: str, doc: Mapping[str, Any]) -> bool:
    """Whether an alert is told of an exception by itself; never of the trouble that it cannot be told anything."""
    if alert.status != "active" or alert.escalations or doc.get("subject") == f"alert:{alert.id}":
        return False
    if RANK.get(severity, 2) < RANK.get(alert.severity, 2):
        return False
    if alert.connections and doc.get("connection") not in alert.connections:
        return False
    title = str(doc.get("title", "")).lower()
    return not alert.causes or any(one.lower() in title or one == cause for one in alert.causes)


def quiet_until(alert: Alert, now: int) -> int:
    """When its quiet hours that are now end (unix microseconds), 0 where it is not quiet."""
    if not alert.quiet:
        return 0
    begin, end = (_minutes(one) for one in alert.quiet.split("-"))
    local = datetime.fromtimestamp(now / 1_000_000, ZoneInfo(alert.time_zone))
    minute = local.hour * 60 + local.minute
    within = begin <= minute < end if begin < end else minute >= begin or minute < end
    if begin == end or not within:
        return 0
    day = local.date() + timedelta(days=int(minute >= end))
    over = datetime(day.year, day.month, day.day, end // 60, end % 60, tzinfo=local.tzinfo)
    return int(over.timestamp() * 1_000_000)


def _minutes(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    return int(hours) * 60 + int(minutes)
