"""Answers: what a cell's child may say to the hub: msgpack of declared types, up to a cap, never a pickle.

Whoever takes a child over by way of a document speaks in its place; what it can say is a value of the type that was
asked for, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, get_type_hints

import msgspec

from hub.contract.errors import Unreadable


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call: `done` with the value, or why not; the last three are where the letter stops making
    sense."""

    kind: Literal["done", "unreadable", "blown", "broken"]
    value: msgspec.Raw = msgspec.Raw(msgspec.msgpack.encode(None))
    reason: str = ""
    file: str = ""
    field: str = ""
    shown: str = ""


_ANSWER = msgspec.msgpack.Decoder(Answer)


def answer(work: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """In the child: what the work comes to, whatever happens."""
    return msgspec.msgpack.encode(_done(work, args))


def understood(told: bytes) -> Answer:
    """In the hub: an answer; ValueError where it is none."""
    return _ANSWER.decode(told)


def value(told: Answer, work: Callable[..., Any]) -> Any:
    """In the hub: what was done, of the type that the work declares to return; ValueError where it is of another."""
    try:
        return _returns(work).decode(told.value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _done(work: Callable[..., Any], args: tuple[Any, ...]) -> Answer:
    try:
        return Answer(kind="done", value=msgspec.Raw(msgspec.msgpack.encode(work(*args))))
    except Unreadable as error:
        place = error.place
        return Answer(
            kind="unreadable", reason=error.reason, file=place.file, field=place.field, shown=place.value
        )
    except MemoryError:
        return Answer(kind="blown", reason="it needs more memory than it may have")
    except RecursionError:
        return Answer(kind="blown", reason="it is nested too deeply")
    except Exception as error:  # noqa: BLE001  told to the one who asked, who names the letter
        told = f"{type(error).__name__}: {error}"
        return Answer(kind="broken", reason=told.encode("utf-8", "replace").decode())


@cache
def _returns(work: Callable[..., Any]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(get_type_hints(work)["return"])
