"""Drafts: a mapping for a connection whose words only its own account knows, made from how that account is set up.

A draft is shown and put nowhere: whoever wants it in force activates it and names it in the connection.
"""

from __future__ import annotations

import re

import msgspec

from hub.contract.errors import Misconfigured
from hub.contract.mapping import compile_mapping, run_tests
from hub.directory import Connection
from hub.fixtures import package_folder
from hub.http.ask import Ask
from hub.http.connections import lacks
from hub.http.keep import find, record
from hub.http.problems import Problem
from hub.http.table import Op
from hub.registry import MappingText, Registry


class Drafted(msgspec.Struct, kw_only=True):
    """A mapping's text under the name that it would have; `faults` are what keeps it from working, none as a rule."""

    name: str
    text: str
    faults: list[str]


async def draft_mapping(ask: Ask) -> Drafted:
    """Ask the far side how the account is set up, and write a mapping for it; nothing is stored."""
    one = find(ask, Connection, ask.path())
    channel = ask.hub.directory.channel(one)
    if channel.draft is None:
        raise Problem(
            409,
            "conflict",
            f"{channel.title} has words that do not differ by account: nothing is to be drafted",
        )
    if not ask.hub.directory.can(one, channel.needs):
        raise Problem(409, "conflict", "; ".join(lacks(ask, one)))
    name = f"{channel.name}.{_plain(one.name)}"
    context = await ask.hub.converser.context(one)
    text = str(await ask.hub.converser.run(one, channel.draft(context, name)))
    await record(ask, "mapping.drafted", one.id, mapping=name)
    return Drafted(name=name, text=text, faults=_faults(ask.hub.registry, name, text))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "form"


def _faults(registry: Registry, name: str, text: str) -> list[str]:
    try:
        mapping = compile_mapping(text, file=f"{name}.yaml", find=lambda other: _found(registry, other).text)
    except Misconfigured as error:
        return error.faults
    return [str(failure) for failure in run_tests(mapping, package_folder("mappings"))]


def _found(registry: Registry, name: str) -> MappingText:
    if name not in registry.texts:
        raise Misconfigured(f"no mapping {name!r}")
    return registry.texts[name]


OPS = (
    Op(method="POST", path="/v1/connections/{id}/draft", summary="Draft a mapping", handle=draft_mapping,
       scope="operate", gives=Drafted),
)  # fmt: skip
