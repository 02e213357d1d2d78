"""Mappings: what channels' words mean; tried on a body, put into force, taken back.

An activation is a row that stays; the newest of a name is in force, over the packaged text. The text of a
hash never changes, so a fact's hash always leads to the words that made it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import text as stamp
from hub.contract.errors import Misconfigured, Rejected, Unreadable
from hub.contract.mapping import Mapping, compile_mapping, run_tests
from hub.contract.message import Headers, Message
from hub.fixtures import package_folder, plain_reads
from hub.http.ask import Answer, Ask, Page
from hub.http.keep import note
from hub.http.problems import Problem, invalid, missing
from hub.http.table import PAGING, Op
from hub.registry import MappingText, Registry
from hub.run import reread_mappings
from hub.store.engine import Unit
from hub.troubles import place

PACKAGED = ""
"""The hash of an activation that takes all activations back."""


class MappingOut(msgspec.Struct, kw_only=True):
    """A mapping: `hash` of the text in force with all it extends, `source` the file or activation it is from."""

    name: str
    hash: str
    target: str
    source: str
    faults: list[str]


class Activation(msgspec.Struct, kw_only=True):
    """A text that was put into force; no hash: the packaged one again."""

    hash: str
    at: str
    actor: str


class MappingWhole(MappingOut, kw_only=True):
    """A mapping with its text, and when it was activated before."""

    text: str
    activations: list[Activation]


class Try(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A mapping's text, or the name of one in force, and a body to read: JSON, or a text as it came."""

    mapping: str = ""
    name: str = ""
    body: msgspec.Raw
    topic: str = ""
    headers: dict[str, str] = {}
    query: str = ""
    time_zone: str = ""
    currency: str = ""
    account: str = ""


class Tried(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the body means; or the fault, with its place in the mapping and in the body."""

    mapping: str
    hash: str
    facts: list[dict[str, Any]] | None = None
    unknown: list[str] = []
    error: str = ""
    place: dict[str, Any] = {}


class Activate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The text to put into force; its own `map:` says its name, `name` may say it too."""

    text: str
    name: str = ""


class Rollback(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Back to the text before, or to the one with this hash."""

    name: str
    hash: str = ""


def _plain(registry: Registry, name: str) -> dict[str, Any]:
    source = registry.texts[name].file
    try:
        found = registry.mapping(name)
    except Misconfigured as error:
        return {"name": name, "hash": "", "target": "", "source": source, "faults": error.faults}
    return {"name": name, "hash": found.hash, "target": found.target, "source": source, "faults": []}


async def list_mappings(ask: Ask) -> Page[MappingOut]:
    """Every mapping in force, by name."""
    after = ask.text("after")
    known = sorted(name for name in ask.hub.registry.texts if name > after)
    shown = known[: ask.limit]
    cursor = shown[-1] if shown else after
    data = [MappingOut(**_plain(ask.hub.registry, name)) for name in shown]
    return Page(data, cursor if len(known) > len(shown) else None, cursor)


async def get_mapping(ask: Ask) -> MappingWhole:
    """One, with its text and its activations, the newest first."""
    name = ask.path()
    if name not in ask.hub.registry.texts:
        raise missing("mapping", name)
    rows = await ask.hub.engine.fetch("activations_of", tenant=ask.tenant, name=name, most=100)
    past = [Activation(hash=row[1], at=stamp(row[2]), actor=row[3]) for row in rows]
    return MappingWhole(
        **_plain(ask.hub.registry, name), text=ask.hub.registry.texts[name].text, activations=past
    )


async def try_mapping(ask: Ask) -> Tried:
    """What a body would mean: nothing is stored."""
    given = ask.decode(Try)
    mapping = _chosen(ask.hub.registry, given)
    raw = bytes(given.body)
    body = msgspec.json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw
    message = Message(
        body=body, headers=Headers(given.headers), query=given.query, topic=given.topic, zone=given.time_zone,
        currency=given.currency, account=given.account, received_at=ask.hub.world.now(),
    )  # fmt: skip
    try:
        facts, notes = mapping.facts_with_notes(message)
    except Rejected as error:
        where = place(error) if isinstance(error, Unreadable) else {}
        return Tried(mapping=mapping.name, hash=mapping.hash, error=error.reason, place=where)
    unknown = [f"{one.field}: table {one.table} has no word for {one.value!r}" for one in notes]
    return Tried(mapping=mapping.name, hash=mapping.hash, facts=plain_reads([*facts]), unknown=unknown)


def _chosen(registry: Registry, given: Try) -> Mapping:
    if given.mapping:
        return compiled(registry, given.mapping, "mapping")
    if given.name not in registry.texts:
        raise missing("mapping", given.name)
    return registry.mapping(given.name)


def compiled(registry: Registry, text: str, field: str) -> Mapping:
    """A text compiled over the mappings in force; Problem 422 with every fault and its place."""
    try:
        return compile_mapping(text, file=f"{field}.yaml", find=lambda name: _found(registry, name).text)
    except Misconfigured as error:
        raise invalid("; ".join(error.faults), field, faults=error.faults) from error


def _found(registry: Registry, name: str) -> MappingText:
    if name not in registry.texts:
        raise Misconfigured(f"no mapping {name!r}")
    return registry.texts[name]


async def activate_mapping(ask: Ask) -> Answer:
    """Put a text into force: it compiles, its own tests hold, and every mapping that extends it still compiles."""
    given = ask.decode(Activate)
    _alone(ask)
    mapping = compiled(ask.hub.registry, given.text, "text")
    if given.name and given.name != mapping.name:
        raise invalid(f"the text is of {mapping.name!r}", "name")
    failures = [str(one) for one in run_tests(mapping, package_folder("mappings"))]
    failures += _broken(ask.hub.registry, {mapping.name: given.text})
    if failures:
        raise invalid("; ".join(failures), "text", faults=failures)
    await _activate(ask, mapping.name, mapping.hash, given.text, "mapping.activated")
    return Answer(value=MappingOut(**_plain(ask.hub.registry, mapping.name)))


def _broken(registry: Registry, texts: dict[str, str]) -> list[str]:
    """The faults of other mappings that these texts would make."""
    after = registry.with_mappings(texts)
    now = {name: _plain(registry, name)["faults"] for name in registry.texts}
    return [fault for name in now if not now[name] for fault in _plain(after, name)["faults"]]


async def rollback_mapping(ask: Ask) -> Answer:
    """Back to an earlier text: the one before the newest activation, or the packaged one before the first."""
    given = ask.decode(Rollback)
    _alone(ask)
    rows = await ask.hub.engine.fetch("activations_of", tenant=ask.tenant, name=given.name, most=1000)
    if not rows:
        raise Problem(409, "conflict", f"{given.name} was never activated: there is nothing to take back")
    hash_ = given.hash or _before([row[1] for row in rows])
    kept = await ask.hub.engine.fetch("mappings_get", hash=hash_)
    if given.hash and (not kept or kept[0][0] != given.name):
        raise missing("text with the hash", given.hash)
    text = kept[0][1] if kept else None
    await _activate(ask, given.name, hash_, text, "mapping.rolled_back")
    if given.name not in ask.hub.registry.texts:
        return Answer(status=204)
    return Answer(value=MappingOut(**_plain(ask.hub.registry, given.name)))


def _before(hashes: list[str]) -> str:
    """The hash that was in force before the newest; a rollback of a rollback is the way forward again."""
    return next((one for one in hashes[1:] if one != hashes[0]), PACKAGED)


async def _activate(ask: Ask, name: str, hash_: str, text: str | None, action: str) -> None:
    hub = ask.hub
    was = _plain(hub.registry, name)["hash"] if name in hub.registry.texts else PACKAGED

    async def work(unit: Unit) -> None:
        position, now = await unit.positions(1), hub.world.now()
        if text is not None:
            unit.add("mappings_put", hash=hash_, name=name, body=text, created_at=now)
        unit.add(
            "activations_add",
            position=position,
            tenant=ask.tenant,
            name=name,
            hash=hash_,
            at=now,
            actor=ask.who.name,
        )
        await note(unit, ask, action, name, {"before": {"hash": was}, "after": {"hash": hash_}})

    await hub.engine.transact(work)
    await reread_mappings(hub)


def _alone(ask: Ask) -> None:
    """Mappings are the whole hub's: only the tenant `main` puts them into force."""
    if ask.tenant != "main":
        raise Problem(403, "forbidden", "mappings are shared by all tenants: only `main` may change them")


_AT = "/v1/mappings"
OPS = (
    Op(method="GET", path=_AT, summary="List mappings", handle=list_mappings, gives=Page[MappingOut], query=PAGING),
    Op(method="GET", path=_AT + "/{id}", summary="Show a mapping", handle=get_mapping, gives=MappingWhole),
    Op(method="POST", path=_AT + "/try", summary="Try a mapping", handle=try_mapping, takes=Try, gives=Tried),
    Op(method="POST", path=_AT + "/activate", summary="Put a mapping into force", handle=activate_mapping, scope="admin",
       takes=Activate, gives=MappingOut),
    Op(method="POST", path=_AT + "/rollback", summary="Take an activation back", handle=rollback_mapping, scope="admin",
       takes=Rollback, gives=MappingOut),
)  # fmt: skip
