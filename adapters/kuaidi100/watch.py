"""The parcels that were subscribed to, as the channel remembers them between conversations: when each is to be asked
for again, until when, and with which digits of a phone. 快递100 has no list of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hub.contract import Keep

PREFIX = "watch/"
MOST = 5_000
"""More parcels than these are left to the pushes alone."""
LIFE = 60 * 86_400
"""快递100 gives a parcel up after 60 days without a change."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One parcel: `due` and `until` are unix seconds."""

    carrier: str
    number: str
    due: int
    until: int
    phone: str = ""

    @property
    def name(self) -> str:
        """What it is remembered by."""
        return f"{PREFIX}{self.carrier}:{self.number}"

    def kept(self, due: int) -> Keep:
        """Remembered, to be asked for then."""
        return Keep({self.name: msgspec.json.encode(msgspec.structs.replace(self, due=due)).decode()})

    def dropped(self) -> Keep:
        """Forgotten."""
        return Keep({self.name: None})


def watched(state: Mapping[str, str]) -> list[Watched]:
    """All of them, the longest due first."""
    found = [
        msgspec.json.decode(text, type=Watched) for name, text in state.items() if name.startswith(PREFIX)
    ]
    return sorted(found, key=lambda one: (one.due, one.name))


def room(state: Mapping[str, str]) -> bool:
    """Whether another can be remembered."""
    return sum(name.startswith(PREFIX) for name in state) < MOST
