"""Trials: an endpoint is sent a `webhook.test`, a connection is asked whether it can do what it should."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from hub.contract.channel import Channel
from hub.contract.errors import HubError
from hub.directory import Connection
from hub.http.ask import Ask
from hub.http.connections import ConnectionOut, show
from hub.http.endpoints import mine
from hub.http.keep import copy, find, record, save
from hub.http.problems import Problem
from hub.http.table import Op
from hub.inbound.hear import speaker
from hub.outbound.letterhead import address, masked, written
from hub.outbound.verdict import took
from hub.store.rows import Due


class Sent(msgspec.Struct):
    """What was sent."""

    url: str
    headers: dict[str, str]
    body: str


class Answered(msgspec.Struct, kw_only=True):
    """What came back: a status, or an error's kind (`dns`, `connect`, `tls`, `timeout`, `reset`, `blocked`,
    `too_large`) with its reason; `phases` in milliseconds."""

    status: int | None
    error: str | None
    reason: str
    address: str
    phases: dict[str, float]
    headers: dict[str, str]
    body: str


class Exchange(msgspec.Struct):
    """The whole exchange of a test; `ok` where the endpoint took it."""

    ok: bool
    request: Sent
    response: Answered


class Step(msgspec.Struct, kw_only=True):
    """One thing that was tried."""

    step: str
    ok: bool
    detail: str


class Trial(msgspec.Struct, kw_only=True):
    """Everything that was tried of a connection."""

    ok: bool
    steps: list[Step]
    connection: ConnectionOut


class Swept(msgspec.Struct):
    """Whether the source could be read to its end; what it could not is in the exceptions."""

    ok: bool


async def check_endpoint(ask: Ask) -> Exchange:
    """Send it a `webhook.test`, signed as any other, and show the exchange; nothing is stored but an audit row."""
    one = mine(ask, ask.path())
    hub, now = ask.hub, ask.hub.world.now()
    draft = hub.announcer.plain(
        ask.tenant, "webhook.test", ("endpoint", one.id), {"endpoint": one.id, "name": one.name}
    )
    event, envelope = draft.events[0][0], draft.events[0][8]
    due = Due(
        position=0, tenant=ask.tenant, target=one.id, event=event, order="", attempts=0, first_at=0, previous="",
        trigger="first", shape=ask.hub.audience.shape(one), due_at=now, type="webhook.test", envelope=envelope, doc=None,
    )  # fmt: skip
    post, answer = await hub.postman.exchange(one, due, now)
    await record(ask, "endpoint.tested", one.id, event=event, status=answer.status, error=answer.error)
    ok = took(answer.status, answer.error, answer.accepted)
    response = Answered(
        status=answer.status, error=answer.error, reason=answer.reason, address=answer.address, phases=answer.phases,
        headers=dict(written(answer.headers)), body=answer.body.decode("utf-8", "replace"),
    )  # fmt: skip
    return Exchange(ok, Sent(address(one.url), masked(post.headers), post.body.decode()), response)


async def check_connection(ask: Ask) -> Trial:
    """Its settings, credentials, account and subscriptions, each asked of the far side where it has one."""
    one = find(ask, Connection, ask.path())
    channel = ask.hub.directory.channel(one)
    ask.hub.reach.fresh(one)
    steps = [await _step("settings", lambda: _settings(ask, one))]
    can = ask.hub.directory.can
    if steps[0].ok and channel.auth and channel.auth.token and can(one, channel.needs):
        steps.append(await _step("credentials", lambda: _credentials(ask, one, channel)))
    if all(step.ok for step in steps) and channel.find_account and can(one, channel.needs):
        steps.append(await _step("account", lambda: _account(ask, one, channel)))
    if all(step.ok for step in steps) and channel.subscription and can(one, channel.subscription.needs):
        steps.append(await _step("subscriptions", lambda: _subscribe(ask, one, channel)))
    ok = all(step.ok for step in steps)
    await record(ask, "connection.tested", one.id, steps=[f"{step.step}: {step.detail}" for step in steps])
    await _recover(ask, one, ok=ok and len(steps) > 1)
    return Trial(ok=ok, steps=steps, connection=show(ask, find(ask, Connection, one.id)))


async def _step(name: str, do: Callable[[], Awaitable[str]]) -> Step:
    try:
        return Step(step=name, ok=True, detail=await do())
    except HubError as error:
        return Step(step=name, ok=False, detail=str(error))


async def _settings(ask: Ask, one: Connection) -> str:
    ask.hub.directory.settings(one)
    return "; ".join(show(ask, one).cannot) or "complete"


async def _credentials(ask: Ask, one: Connection, channel: Channel) -> str:
    await ask.hub.converser.token(one, channel, renew=True)
    return "the far side accepts them"


async def _account(ask: Ask, one: Connection, channel: Channel) -> str:
    """Read the account. It names the source of all facts, so it is set only while none of its orders is known."""
    assert channel.find_account is not None  # noqa: S101  asked only where there is one
    context = await ask.hub.converser.context(one)
    account = str(await ask.hub.converser.run(one, channel.find_account(context)))
    if account == one.account:
        return account
    others = ask.hub.directory.all(Connection, ask.tenant)
    if any(
        other.channel == one.channel and other.account == account and other.mode == "live" for other in others
    ):
        raise Problem(409, "conflict", f"another live connection has the account {account}")
    known = await ask.hub.engine.fetch(
        "identities_of_source", tenant=ask.tenant, source=speaker(one), after="", most=1
    )
    if known:
        return f"{account}; kept as {one.account or one.id}, by which its orders are known already"
    told = copy(one)
    told.account = account
    await save(ask, told, "account_found", one)
    return account


async def _subscribe(ask: Ask, one: Connection, channel: Channel) -> str:
    assert channel.subscription is not None  # noqa: S101  asked only where there is one
    context = await ask.hub.converser.context(one)
    standing: dict[str, Any] = await ask.hub.converser.run(one, channel.subscription.ensure(context))
    return ", ".join(sorted(standing)) or "none stands"


async def _recover(ask: Ask, one: Connection, *, ok: bool) -> None:
    if ok and one.status not in ("active", "paused"):
        await ask.hub.notices.recovered(find(ask, Connection, one.id))


async def sweep_connection(ask: Ask) -> Swept:
    """Read its source now, from where the last sweep ended."""
    one = find(ask, Connection, ask.path())
    channel = ask.hub.directory.channel(one)
    if channel.poll is None:
        raise Problem(409, "conflict", f"{channel.title} is not polled: it only pushes")
    if not ask.hub.directory.can(one, channel.needs):
        raise Problem(409, "conflict", "; ".join(show(ask, one).cannot))
    return Swept(bool(await ask.hub.sweeper.sweep(one)))


OPS = (
    Op(method="POST", path="/v1/endpoints/{id}/test", summary="Send a test", handle=check_endpoint, scope="operate",
       gives=Exchange, partner=True),
    Op(method="POST", path="/v1/connections/{id}/test", summary="Try a connection", handle=check_connection,
       scope="operate", gives=Trial),
    Op(method="POST", path="/v1/connections/{id}/sweep", summary="Read a source now", handle=sweep_connection,
       scope="operate", gives=Swept),
)  # fmt: skip
