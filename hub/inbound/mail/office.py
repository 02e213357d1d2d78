"""The post office: the stage of mail, wired with its judge, its ledger and its cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hub.announce import Announcer
from hub.converse import Converser
from hub.directory import Directory
from hub.inbound.inbox import Inbox
from hub.inbound.keep import Keeper
from hub.inbound.mail.cell import Cell
from hub.inbound.mail.collect import Collector
from hub.inbound.mail.judge import Judge
from hub.inbound.mail.ledger import Ledger
from hub.inbound.mail.post import Post
from hub.inbound.mail.resolver import Dns
from hub.inbound.normalise import Normalise
from hub.inbound.record import Recorder
from hub.store.engine import Engine
from hub.troubles import Troubles
from hub.vault import Vault
from hub.world import World


class Parts(Protocol):
    """The parts of a hub that mail works with."""

    world: World
    engine: Engine
    vault: Vault
    directory: Directory
    troubles: Troubles
    announcer: Announcer
    recorder: Recorder
    normalise: Normalise
    keeper: Keeper
    converser: Converser


def post_office(
    hub: Parts, letters: Inbox, dns: str, guard: Callable[[str], str | None]
) -> tuple[Post, Collector]:
    """The stage, and what fetches letters for it; `letters` has what the keeper hands on, `dns` names a name server
    other than this machine's, `guard` has the reason against an address."""
    cell = Cell()
    ledger = Ledger(
        hub.engine, hub.directory, hub.recorder, hub.announcer, hub.troubles, hub.normalise, hub.world
    )
    judge = Judge(hub.directory, hub.vault, hub.world, Dns(dns), cell)
    collector = Collector(
        hub.engine,
        hub.directory,
        hub.keeper,
        hub.troubles,
        hub.world,
        guard,
        hub.converser.run,
        hub.converser.context,
    )
    post = Post(hub.engine, hub.directory, hub.normalise, ledger, judge, cell, hub.vault, hub.world, letters)
    return post, collector
