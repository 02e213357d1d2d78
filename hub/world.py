"""The world: the only source of time, names, sleep and chance in the hub.

Code that takes a `World` can be run in a test at any time of any day, and run again the same.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TOLERANCE = 5_000
_LOW = (1 << 20) - 1
_DIGITS = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_TRIPLES = [a + b + c for a in ALPHABET for b in ALPHABET for c in ALPHABET]


@dataclass(frozen=True, slots=True)
class World:
    """`now()` unix microseconds, `new_id(prefix)` a name that sorts by time, `sleep(seconds)`, `chance()` in [0, 1)."""

    now: Callable[[], int]
    new_id: Callable[[str], str]
    sleep: Callable[[float], Awaitable[None]]
    chance: Callable[[], float]

    @staticmethod
    def real(skew: Skew | None = None) -> World:
        """The world outside; its clock ahead of or behind the machine's by `skew`."""
        now = skew.now if skew else _clock
        return World(now=now, new_id=_Names(now, os.urandom), sleep=asyncio.sleep, chance=random.random)

    @staticmethod
    def still(at: int = 1_767_225_600_000_000, seed: int = 0) -> Still:
        """A world for tests that moves only when told to."""
        return Still(at, seed)


@dataclass(slots=True)
class Skew:
    """By how much another clock, that of a shared store, is ahead of the machine's: processes of several machines then
    agree when a lease ends."""

    by: int = 0

    def now(self) -> int:
        """What that clock says."""
        return time.time_ns() // 1000 + self.by

    async def measure(self, moment: Callable[[], Awaitable[int]]) -> None:
        """Ask for the time; a few milliseconds are the question's own way there and back."""
        asked = _clock()
        told = await moment()
        answered = _clock()
        if abs(told - (asked + answered) // 2 - self.by) > max(_TOLERANCE, answered - asked):
            self.by = told - (asked + answered) // 2


class Still:
    """A still world: `move(seconds)` moves its clock, sleeping moves it too, names and chance repeat."""

    def __init__(self, at: int, seed: int) -> None:
        self.at = at
        self._random = random.Random(seed)  # noqa: S311  a test wants the same numbers again
        self._names = _Names(self.now, self._random.randbytes)

    def now(self) -> int:
        """The time it stands at."""
        return self.at

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.at += int(seconds * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        """Pass that time at once."""
        self.move(seconds)
        await asyncio.sleep(0)

    def chance(self) -> float:
        """The next number of the same row."""
        return self._random.random()

    def new_id(self, prefix: str) -> str:
        """The next name."""
        return self._names(prefix)


class _Names:
    """ULIDs: 48 bits of milliseconds, 80 of chance, counted up within a millisecond so that they sort."""

    def __init__(self, now: Callable[[], int], entropy: Callable[[int], bytes]) -> None:
        self._now = now
        self._entropy = entropy
        self._last_ms = -1
        self._stem = ""
        self._high = 0
        self._low = 0

    def __call__(self, prefix: str) -> str:
        ms = self._now() // 1000
        if ms > self._last_ms:
            self._last_ms = ms
            tail = int.from_bytes(self._entropy(10), "big") >> 1
            self._high, self._low = tail >> 20, tail & _LOW
            self._begin()
        elif self._low < _LOW:
            self._low += 1
        else:
            self._high, self._low = self._high + 1, 0
            self._begin()
        low = self._low
        return f"{prefix}_{self._stem}{_TRIPLES[low >> 5]}{ALPHABET[low & 31]}"

    def _begin(self) -> None:
        """All but the last four letters, which are the same for a million names."""
        self._stem = _base32(self._last_ms, 4)[2:] + _base32(self._high, 4)


def told_at(name: str) -> int:
    """When a name was given, in unix microseconds to a millisecond, from its last part; 0 where it tells nothing."""
    stem = name[:10]
    if len(name) != 26 or stem.strip(ALPHABET):
        return 0
    return int(stem.translate(_DIGITS), 32) * 1000


def _base32(number: int, triples: int) -> str:
    return "".join(_TRIPLES[number >> 15 * place & 32767] for place in reversed(range(triples)))


def _clock() -> int:
    return time.time_ns() // 1000
