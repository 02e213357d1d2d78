"""Ties: what names a thing, and so would lose its sense with it."""

from __future__ import annotations

from collections.abc import Iterator

from hub.directory import Connection, Endpoint, Partner, Route, Thing, Token
from hub.http.ask import Ask
from hub.http.keep import NOUNS
from hub.http.problems import Problem
from hub.things import Alert, NoticeRule, Notifier


async def untied(ask: Ask, thing: Thing) -> None:
    """Problem 409 where something names this thing, with what it is: without it that would hear of nothing, reach
    nobody, or go on though it should not."""
    await ask.hub.directory.refresh()
    found = [f"{NOUNS[type(one)]} {one.name}" for one in _named_by(ask, thing)]
    if found:
        raise Problem(
            409, "conflict",
            f"{NOUNS[type(thing)]} {thing.name} is named by {_several(found)}: remove or change {'it' if len(found) == 1 else 'them'} first",
        )  # fmt: skip


def _several(found: list[str]) -> str:
    shown = found[:20]
    more = [f"{len(found) - 20} more"] if len(found) > 20 else []
    return ", ".join([*shown, *more])


def _named_by(ask: Ask, thing: Thing) -> Iterator[Thing]:
    every = ask.hub.directory.all
    called = (thing.id, thing.name)
    match thing:
        case Partner():
            yield from (one for one in every(Token, ask.tenant) if one.partner == thing.id)
            yield from (one for one in every(Endpoint, ask.tenant) if one.partner in called)
        case Connection():
            yield from (one for one in every(Endpoint, ask.tenant) if thing.id in one.connections)
            yield from (one for one in every(Route, ask.tenant) if one.connection == thing.id)
            yield from (one for one in every(Alert, ask.tenant) if thing.id in one.connections)
        case Notifier():
            yield from (one for one in every(NoticeRule, ask.tenant) if one.notifier == thing.id)
            yield from (one for one in every(Alert, ask.tenant) if one.notifier == thing.id)
        case Alert():
            others = (one for one in every(Alert, ask.tenant) if one.id != thing.id)
            yield from (one for one in others if one.escalate_to in called)
