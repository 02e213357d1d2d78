"""Connections: accounts of channels, made and changed over the API, secrets in and never out."""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.contract.channel import Channel
from hub.contract.clock import text
from hub.contract.errors import Misconfigured
from hub.contract.given import read_settings
from hub.contract.proof import AnyOf, unfit
from hub.contract.settings import MASK, Settings, masked, secrets as held
from hub.directory import Connection, seal_settings
from hub.http.ask import Answer, Ask, Page, moment
from hub.http.keep import copy, drop, find, put, save
from hub.http.problems import Problem, invalid
from hub.http.table import PAGING, Op, Param
from hub.http.ties import untied
from hub.http.words import Currency, spelt
from hub.inbound import refusals
from hub.inbound.accounts import clash
from hub.store.engine import Unit

Name = Annotated[
    str,
    spelt(
        "[A-Za-z0-9][A-Za-z0-9._-]{0,99}",
        "1 to 100 letters, digits, `.`, `_` and `-`, a letter or digit first",
    ),
    Meta(description="Unique in the tenant."),
]
Mode = Literal["live", "observe"]
Confirm = Literal["", "auto", "manual"]


class NewConnection(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A connection to be made. `settings` are the channel's own (GET /v1/channels has their schema);
    `cutover_at`: orders placed before it fold without a word to anyone; `mode` observe likewise."""

    name: Name
    channel: str
    settings: dict[str, Any] = {}
    account: str = ""
    mode: Mode = "live"
    cutover_at: str | None = None
    time_zone: str = ""
    currency: Currency = ""
    confirm: Confirm = ""
    mappings: dict[str, str] = {}
    by_name: bool | None = None
    silence_after: Annotated[float, Meta(ge=0)] = 0.0
    sweep: bool = True


class ConnectionPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change. Of `settings` only those given change; null takes one away."""

    name: Name | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    cutover_at: str | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    confirm: Confirm | UnsetType = UNSET
    mappings: dict[str, str] | UnsetType = UNSET
    by_name: bool | UnsetType | None = UNSET
    silence_after: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    sweep: bool | UnsetType = UNSET


class ConnectionOut(msgspec.Struct, kw_only=True):
    """A connection as it is shown: secrets masked. `intake_url` is where its far side pushes to; `cannot`
    says what it lacks, a sentence each."""

    id: str
    name: str
    channel: str
    account: str
    status: str
    mode: str
    cutover_at: str | None
    time_zone: str
    currency: str
    confirm: str
    settings: dict[str, Any]
    mappings: dict[str, str]
    by_name: bool | None
    silence_after: float
    sweep: bool
    intake_url: str
    authenticity: str
    cannot: list[str]
    created_at: str
    updated_at: str


def show(ask: Ask, one: Connection) -> ConnectionOut:
    """A connection for the caller."""
    hub = ask.hub
    channel, settings = hub.directory.channel(one), hub.directory.settings(one)
    return ConnectionOut(
        id=one.id, name=one.name, channel=one.channel, account=one.account, status=one.status, mode=one.mode,
        cutover_at=text(one.cutover_at) if one.cutover_at else None, time_zone=one.time_zone, currency=one.currency,
        confirm=one.confirm or channel.confirm, settings=masked(settings), mappings=one.mappings, by_name=one.by_name,
        silence_after=one.silence_after, sweep=one.sweep, intake_url=f"{base_url(ask)}/in/{one.key}",
        authenticity=channel.proof_for(settings).authenticity, cannot=lacks(ask, one),
        created_at=text(one.created_at), updated_at=text(one.updated_at),
    )  # fmt: skip


def base_url(ask: Ask) -> str:
    """Our public address: told by the configuration, else the one that the caller used."""
    return ask.hub.config.public_url or str(ask.request.base_url).rstrip("/")


def lacks(ask: Ask, one: Connection) -> list[str]:
    """What a connection cannot do for want of settings."""
    channel = ask.hub.directory.channel(one)
    needs = {"be polled": channel.needs} if channel.poll else {}
    needs |= {"register its pushes": channel.subscription.needs} if channel.subscription else {}
    needs |= {f"write {name}": (*channel.needs, *write.needs) for name, write in channel.writes.items()}
    return _unproved(channel, ask.hub.directory.settings(one)) + [
        f"cannot {what} without {' and '.join(missing)}".replace("|", " or ")
        for what, need in needs.items()
        if (missing := [name for name in dict.fromkeys(need) if not ask.hub.directory.can(one, (name,))])
    ]


def _unproved(channel: Channel, settings: Settings) -> list[str]:
    """That nothing vouches for its pushes yet: each of them is refused until a secret is set that can be used."""
    proof = channel.proof_for(settings)
    if faults := unfit(proof, settings):
        names = [fault.partition(":")[0] for fault in faults]
        return [f"cannot take its pushes without a {name} that can be read" for name in names]
    proofs = proof.proofs if isinstance(proof, AnyOf) else (proof,)
    names = [name for one in proofs for name in (one.secret, getattr(one, "public", one.secret))]
    if (
        not all(names)
        or channel.files
        or channel.kind == "api"
        or any(next(held(settings, name), b"") for name in names)
    ):
        return []
    return [f"cannot take its pushes without {proof.secret}"]


async def create_connection(ask: Ask) -> Answer:
    """Settings are checked as a whole: every fault is told at once."""
    given = ask.decode(NewConnection)
    one = Connection(
        id=ask.hub.world.new_id("con"), tenant=ask.tenant, name=given.name, channel=given.channel,
        key=secrets.token_urlsafe(18), account=given.account, mode=given.mode, cutover_at=_cutover(given.cutover_at),
        time_zone=given.time_zone, currency=given.currency, confirm=given.confirm, mappings=given.mappings,
        by_name=given.by_name, silence_after=given.silence_after, sweep=given.sweep,
    )  # fmt: skip
    plain = _configured(ask, one, given.settings, keys=True)
    _alone(ask, one, plain)
    await save(ask, one, "created")
    found = show(ask, find(ask, Connection, one.id))
    return Answer(value=found, status=201, headers={"location": f"/v1/connections/{one.id}"})


def _configured(ask: Ask, one: Connection, settings: dict[str, Any], *, keys: bool) -> dict[str, Any]:
    """Check everything a connection is told, with `keys` those that prove its pushes too; its settings are sealed into
    it and returned plain."""
    faults: list[str] = []
    registry = ask.hub.registry
    if one.channel not in registry.channels:
        raise invalid(_faults(lambda: registry.channel(one.channel))[0], "channel")
    kind = registry.channel(one.channel).settings
    faults += [f"settings.{fault}" for fault in _faults(lambda: read_settings(kind, settings))]
    faults += (
        []
        if _zone(one.time_zone)
        else [f"time_zone: {one.time_zone!r} is no IANA time zone like Europe/Berlin"]
    )
    for topic, name in one.mappings.items():
        faults += [
            f"mappings.{topic}: {fault}" for fault in _faults(lambda name=name: registry.mapping(name))
        ]
    _faulty(faults)
    checked = read_settings(kind, settings)
    if keys:
        _faulty([f"settings.{fault}" for fault in _unfit(registry.channel(one.channel), checked)])
    one.settings = seal_settings(checked, ask.hub.vault, one.id)
    return {name: getattr(checked, name) for name in checked.__struct_fields__}


def _unfit(channel: Channel, settings: Settings) -> list[str]:
    return unfit(channel.with_settings(settings).proof_for(settings), settings)


def _faulty(faults: list[str], field: str = "") -> None:
    """Problem 422 with every fault, at this field or at that which the first of them names."""
    if faults:
        raise invalid("; ".join(faults), field or faults[0].partition(":")[0], faults=faults)


def _faults(check: Any) -> list[str]:
    try:
        check()
    except Misconfigured as error:
        return error.faults
    return []


def _zone(name: str) -> bool:
    try:
        return not name or bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _cutover(given: str | None) -> int:
    return moment(given or "", "cutover_at")


def _alone(ask: Ask, one: Connection, plain: dict[str, Any]) -> None:
    """Problem 409 where another live connection has the same account: orders would be told twice."""
    if one.mode != "live":
        return
    for other in ask.hub.directory.all(Connection, ask.tenant):
        if (
            other.channel == one.channel
            and other.id != one.id
            and other.mode == "live"
            and _same(ask, one, plain, other)
        ):
            raise Problem(
                409,
                "conflict",
                f"{other.name} is a live connection to the same account already",
                field="account",
            )


def _same(ask: Ask, one: Connection, plain: dict[str, Any], other: Connection) -> bool:
    if one.account or other.account:
        return one.account == other.account
    default = next(
        (
            f.default
            for f in msgspec.structs.fields(ask.hub.directory.channel(one).settings)
            if f.name == "base_url"
        ),
        None,
    )
    theirs = getattr(ask.hub.directory.settings(other), "base_url", None)
    ours = plain.get("base_url")
    return bool(ours and theirs and ours != default and _host(ours) == _host(theirs))


def _host(url: str) -> str:
    return (urlsplit(url).netloc or re.sub("/.*", "", url)).lower()


async def list_connections(ask: Ask) -> Page[ConnectionOut]:
    """All of the tenant, oldest first."""
    channel = ask.text("channel")
    if channel and not any(one.channel == channel for one in ask.hub.directory.all(Connection, ask.tenant)):
        _faulty(_faults(lambda: ask.hub.registry.channel(channel)), "channel")
    return ask.things(
        Connection, lambda one: show(ask, one), lambda one: ask.text("channel") in ("", one.channel)
    )


async def get_connection(ask: Ask) -> ConnectionOut:
    """One, by id or name."""
    return show(ask, find(ask, Connection, ask.path()))


_PLAIN = ("name", "mode", "time_zone", "currency", "confirm", "mappings", "by_name", "silence_after", "sweep")
"""What a patch sets as it says it."""


async def change_connection(ask: Ask) -> ConnectionOut:
    """Change what is given; everything is checked again."""
    given, before = ask.decode(ConnectionPatch), find(ask, Connection, ask.path())
    one = copy(before)
    put(one, given, _PLAIN)
    if given.cutover_at is not UNSET:
        one.cutover_at = _cutover(given.cutover_at)
    plain = _configured(ask, one, _merged(ask, before, given), keys=bool(given.settings))
    _alone(ask, one, plain)
    changed = sorted(given.settings) if isinstance(given.settings, dict) else []
    await save(ask, one, "changed", before, **({"settings_changed": changed} if changed else {}))
    ask.hub.reach.fresh(one)
    return show(ask, find(ask, Connection, one.id))


def _merged(ask: Ask, one: Connection, given: ConnectionPatch) -> dict[str, Any]:
    """The settings as they are, with those given over them; a masked secret that comes back stays as it is."""
    held = ask.hub.directory.settings(one)
    plain = {name: getattr(held, name) for name in seal_settings(held, ask.hub.vault, one.id)}
    for name, value in (given.settings or {}).items() if isinstance(given.settings, dict) else ():
        if value is None:
            plain.pop(name, None)
        elif value != MASK or name not in plain:
            plain[name] = value
    return plain


async def delete_connection(ask: Ask) -> Answer:
    """Gone with its secrets; its orders stay, and a new connection to the same account finds them again. Refused
    while an endpoint, a route or an alert names it."""
    one = find(ask, Connection, ask.path())
    await untied(ask, one)

    async def also(unit: Unit) -> None:
        for name in ("sweeps_forget", "hints_forget", "readings_forget", "pulses_forget"):
            unit.add(name, connection=one.id)
        twins = [
            twin for twin in ask.hub.directory.all(Connection, ask.tenant) if twin.channel == one.channel
        ]
        await ask.hub.troubles.clear(unit, [refusals.subject(one.id), *map(clash, twins)])

    await drop(ask, one, also)
    return Answer(status=204)


async def pause_connection(ask: Ask) -> ConnectionOut:
    """Its pushes are answered 503, so that the far side keeps them; it is not swept."""
    return await _status(ask, "paused", "paused")


async def resume_connection(ask: Ask) -> ConnectionOut:
    """It works again: what it was stopped for is over."""
    parted = find(ask, Connection, ask.path()).status not in ("active", "paused")
    shown = await _status(ask, "active", "resumed")
    ask.hub.reach.fresh(find(ask, Connection, ask.path()))
    if parted:
        await ask.hub.notices.recovered(find(ask, Connection, ask.path()))
    return shown


async def _status(ask: Ask, status: str, action: str) -> ConnectionOut:
    before = find(ask, Connection, ask.path())
    one = copy(before)
    one.status = status
    await save(ask, one, action, before)
    return show(ask, find(ask, Connection, one.id))


_AT = "/v1/connections"
OPS = (
    Op(method="GET", path=_AT, summary="List connections", handle=list_connections, gives=Page[ConnectionOut],
       query=(*PAGING, Param("channel", "Only those of this channel."))),
    Op(method="POST", path=_AT, summary="Make a connection", handle=create_connection, scope="admin",
       takes=NewConnection, gives=ConnectionOut, status=201),
    Op(method="GET", path=_AT + "/{id}", summary="Show a connection", handle=get_connection, gives=ConnectionOut),
    Op(method="PATCH", path=_AT + "/{id}", summary="Change a connection", handle=change_connection, scope="admin",
       takes=ConnectionPatch, gives=ConnectionOut),
    Op(method="DELETE", path=_AT + "/{id}", summary="Remove a connection", handle=delete_connection, scope="admin",
       status=204),
    Op(method="POST", path=_AT + "/{id}/pause", summary="Pause a connection", handle=pause_connection,
       scope="operate", gives=ConnectionOut),
    Op(method="POST", path=_AT + "/{id}/resume", summary="Resume a connection", handle=resume_connection,
       scope="operate", gives=ConnectionOut),
)  # fmt: skip
