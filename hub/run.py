"""The composition root: opens and wires (hub/serve.py runs).

open_hub(config) → Hub      everything wired, nothing running: tests call `step` on its stages
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import structlog

from hub.alerts.voice import Voice
from hub.alerts.watch import Watch
from hub.announce import Announcer
from hub.audience import Audience
from hub.config import Config, open_vault
from hub.contract.channel import Channel, Greeting
from hub.contract.errors import Misconfigured, Refused, Rejected
from hub.contract.fact import Fact, Notice, Redaction, Stale
from hub.contract.flow import Page
from hub.contract.mapping import compile_expression
from hub.converse import Converser
from hub.directory import Connection, Directory, Endpoint
from hub.files.shelves import Shelves
from hub.inbound.accounts import Accounts
from hub.inbound.files.watch import Watcher
from hub.inbound.filing import Filing
from hub.inbound.hear import speaker
from hub.inbound.inbox import Inbox
from hub.inbound.intake import Intake
from hub.inbound.keep import Keeper
from hub.inbound.keyring import Keyring
from hub.inbound.mail.office import post_office
from hub.inbound.normalise import Normalise
from hub.inbound.notices import Notices
from hub.inbound.poll import Sweeper
from hub.inbound.record import Recorder
from hub.inbound.refusals import Refusals
from hub.inbound.report import Call, Reporter
from hub.metrics import Metrics
from hub.orders.carriers import carriers
from hub.outbound.address import address_of
from hub.outbound.bodies import Bodies
from hub.outbound.courier import Courier
from hub.outbound.credentials import Credentials
from hub.outbound.deliver import Deliver
from hub.outbound.dial import open_session
from hub.outbound.flows import Flows
from hub.outbound.gauges import Gauges
from hub.outbound.guard import Guard
from hub.outbound.heads import Heads
from hub.outbound.health import Health
from hub.outbound.letterhead import Letterhead
from hub.outbound.notify.accounts import Notifiers
from hub.outbound.notify.teller import Teller
from hub.outbound.notify.words import Words
from hub.outbound.postman import Postman
from hub.outbound.sender import GuardedSender, Sender
from hub.outbound.settle import Settler
from hub.outbound.tally import Tally
from hub.outbound.transport import GuardedTransport
from hub.outbound.unjudged import Doubts
from hub.outbound.writes import Writes
from hub.reach import Reach
from hub.registry import Registry, load_registry
from hub.repair.errands import Errands
from hub.repair.jobs import Jobs, Kind
from hub.repair.redelivery import KIND as REPLAY, Redelivery
from hub.repair.retention import Retention
from hub.repair.standing import set_status
from hub.repair.survey.office import surveys
from hub.replies import Marks
from hub.store.bell import RECALLS
from hub.store.engine import Engine
from hub.store.rows import Due
from hub.store.sqlite import SQLite
from hub.tokens import first_token
from hub.traces import Attempts, TracedRecorder, TracedSender, Traces, exporting
from hub.troubles import Troubles
from hub.vault import Vault
from hub.world import Skew, World

log = structlog.get_logger("orderhub")


class Hub:
    """Everything of one process, wired: the stages by name, and what they ask of each other."""

    def __init__(
        self, config: Config, world: World, registry: Registry, engine: Engine, vault: Vault, guard: Guard,
        sender: Sender, client: httpx.AsyncClient,
    ) -> None:  # fmt: skip
        self.config, self.world, self.registry, self.engine = config, world, registry, engine
        self.vault, self.guard = vault, guard
        self.packaged = registry
        self.activated: dict[str, str] = {}
        self.admin_token = ""
        self.skew = Skew()
        self.traces: Traces | None = None
        self._following: set[asyncio.Task[None]] = set()
        claim = world.new_id("prc") if engine.shared else ""
        public = config.public_url or f"http://{config.host}:{config.port}"
        self.metrics = Metrics()
        self.troubles = Troubles(world, alone=not engine.shared)
        self.directory = Directory(engine, vault, registry)
        self.audience = Audience(self.directory, partial(compile_expression, file="filter"))
        self.inbox = Inbox()
        letters = Inbox(most=64)
        self.keeper = Keeper(engine, self.inbox, world, letters)
        delivers = "outbound" in config.roles
        self.announcer = Announcer(engine, self.audience, world, claim if delivers else "")
        self.recorder = Recorder(self.directory, vault, world, self.announcer, Filing(engine, world))
        shelves = Shelves(partial(address_of, guard))
        self.watcher = Watcher.over(engine, self.directory, shelves, self.keeper, self.troubles, world)
        self.reach = Reach(engine, world, self._told)
        asks = (client, self._page, self.reach, shelves, public)
        self.converser = Converser(engine, self.directory, world, *asks)
        self.sweeper = self._sweeper(claim)
        writes = Writes(
            engine, self.directory, self.converser, carriers(), world, self.troubles, self._bind, self._name
        )
        self.postman = self._postman(sender)
        self.teller = self._teller(sender)
        settler = Settler(engine, self.troubles, self.announcer, world, claim)
        self.deliver = self._deliverer(settler, writes, claim)
        self.directory.changed = self.deliver.configure
        self.gauges = Gauges(engine, self.metrics, self.deliver.tally, world)
        hand = self.deliver.hand if delivers else self._leave
        take = self.deliver.take if delivers else self._leave_all
        self.health, self.doubts = self._health(settler, hand), Doubts(engine, self.audience, self.troubles)
        self.normalise = Normalise(
            engine, self.directory, self.recorder, self.troubles, world, self.inbox, take, self._aside,
            Accounts(engine, self.directory, world, self.troubles),
        )  # fmt: skip
        self.post, self.collector = post_office(self, letters, config.dns, guard.judge)
        self.reporter = Reporter(engine, self.directory, self.recorder, self.normalise, world)
        self.notices = Notices(engine, self.directory, self.announcer, self.troubles, world, hand)
        self.errands = Errands(self, self.notices)
        self.watch = Watch(engine, self.directory, self.announcer, world, hand)
        self.voice = Voice(engine, self.directory, self.teller.notifiers, self.troubles, world, public, claim)
        self.retention = Retention(self)
        self.jobs = Jobs(engine, self.troubles, world, claim)
        self._ring(engine)
        self.jobs.kinds = self._kinds(hand, delivers=delivers)
        keyring = Keyring(self._key, world)
        self.refusals = Refusals(engine, self.directory, self.troubles, world)
        self.intake = Intake(self.directory, self.keeper, self.metrics, world, keyring, self._follow, self.refusals,
                             config.public_url)  # fmt: skip

    def _sweeper(self, claim: str) -> Sweeper:
        asks = (self.engine, self.directory, self.converser)
        return Sweeper(*asks, self.keeper, self.troubles, self.world, claim)

    def _kinds(self, hand: Callable[[list[Due]], None], *, delivers: bool) -> dict[str, Kind]:
        """What this process's jobs may be."""
        woken = self.deliver.spilled
        reads = "inbound" in self.config.roles
        found = surveys(self, hand, woken) if reads else {}
        return {**found, REPLAY: Redelivery(self, woken)} if delivers else found

    def _deliverer(self, settler: Settler, writes: Writes, claim: str) -> Deliver:
        heads = Heads(self.engine, self.directory, settler, self.world)
        flows = Flows(self.engine, self.world, claim)
        courier = Courier(self.directory, self.postman, writes.write, self.teller.send, self.world)
        return Deliver(
            self.engine, self.directory, settler, courier, Tally(self.metrics), self.world, self._disable, heads, flows,
            claim, held=self.config.hold_outbound,
        )  # fmt: skip

    def _ring(self, engine: Engine) -> None:
        """Who is woken by news of another process."""
        engine.bell.on("deliveries", self.deliver.spilled)
        engine.bell.on(RECALLS, self.deliver.spilled)
        engine.bell.elsewhere(RECALLS, self.deliver.recall)
        engine.bell.on("messages", self._reopened)
        engine.bell.on("jobs", self.jobs.wake)

    def trace(self, provider: Any) -> None:
        """Trace what goes through, by this provider of OpenTelemetry."""
        self.traces = traces = Traces(provider, self.engine)
        self.normalise.recorder = cast("Recorder", TracedRecorder(self.recorder, traces))
        self.deliver.sender = TracedSender(self.deliver.sender, traces)
        self.deliver.courier.traces = Attempts(traces)
        self.reporter.marked = traces.kept

    async def settle(self) -> int:
        """Do all there is to do, once through: tests and the CLI's one-shot commands."""
        count = 0
        while (
            step := await self.normalise.step()
            + await self.post.step()
            + await self.errands.step()
            + await self.jobs.step()
            + (await self.deliver.step())
        ):
            count += step
        return count

    async def _page(self, connection: Connection, page: Page) -> None:
        await self.sweeper.page(connection, page)

    async def _told(self, connection: Connection, what: str, why: str) -> None:
        await self.notices.reach(connection, what, why)

    async def _bind(self, connection: Connection, order: str, ours: str, theirs: str) -> None:
        """A write was applied: what the far side will report as `theirs` is `ours`."""
        ref = f"bind:{theirs}"
        doc = {"kind": "bind", "ref": ref, "ours": ours, "theirs": theirs}
        await self._decided(connection, order, ref, doc)

    async def _name(self, connection: Connection, order: str, name: str) -> None:
        """A write made the order at a far side: what that says of `name` is said of it, from now on."""
        ref = f"ref:{connection.id}"
        doc = {"kind": "ref", "ref": ref, "account": speaker(connection), "type": "order", "id": name}
        await self._decided(connection, order, ref, doc)

    async def _decided(self, connection: Connection, order: str, ref: str, doc: dict[str, str]) -> None:
        fact = Fact(subject="decision", ref=ref, order=order, doc=doc)
        await self.reporter.tell(
            Call(connection=connection, topic=doc["kind"], body=b"", facts=[fact], actor="hub")
        )

    def _health(self, settler: Settler, hand: Callable[[list[Due]], None]) -> Health:
        one = Health(
            self.engine, self.directory, self.announcer, self.troubles, self.world, self._disable, hand
        )
        settler.health, settler.noted = one.rows, one.kept
        return one

    def _postman(self, sender: Sender) -> Postman:
        letterhead = Letterhead(self.directory, self.world)
        credentials = Credentials(self.engine, self.directory, self.world)
        bodies = Bodies(self.engine, self.directory)
        return Postman(self.engine, self.directory, sender, letterhead, self.troubles, self.world, credentials, bodies,
                       self._captured)  # fmt: skip

    async def _captured(self, endpoint: Endpoint, due: Due, name: str) -> None:
        """A partner's answer named the order: it is one of the order's references from now on."""
        connections = self.directory.all(Connection, due.tenant)
        doc = msgspec.json.decode(due.doc or b"{}")
        home = next(
            (one for one in connections if one.id == doc.get("connection")), next(iter(connections), None)
        )
        if home is None:
            return
        ref = f"ref:{endpoint.id}"
        account = endpoint.partner or endpoint.id
        doc = {"kind": "ref", "ref": ref, "account": account, "type": "order", "id": name}
        await self._decided(home, due.order, ref, doc)

    def _teller(self, sender: Sender) -> Teller:
        self.marks = Marks(self.vault.keys)
        notifiers = Notifiers(self.directory, self.guard, sender, self.world, self.marks)
        words, public = Words(self.config.templates), self.config.public_url
        return Teller(self.engine, self.directory, notifiers, words, self.world, self._said, public)

    async def _said(self, connection: Connection, order: str, doc: dict[str, Any]) -> None:
        """What became of a notice is a fact of its order."""
        fact = Fact(
            subject="notification", ref=doc["ref"], order=order, doc=doc, full=frozenset({"notification"})
        )
        await self.reporter.tell(
            Call(connection=connection, topic="notification", body=b"", facts=[fact], actor="hub")
        )

    def _aside(self, connection: Connection, said: Redaction | Notice | Stale) -> None:
        if not isinstance(said, Stale):  # a hint is found by the next look of the sweeper
            self.errands.wake()

    def _reopened(self) -> None:
        self.inbox.spilled = True
        self.inbox.put([])
        self.post.inbox.put([])

    def _leave(self, _: list[Due]) -> None:
        """This process delivers nothing: what is due is another's to claim, at once."""
        self.engine.bell.ring("deliveries")

    async def _leave_all(self, _: list[Due], __: list[int]) -> None:
        """As above, for what is due and what may be."""
        self.engine.bell.ring("deliveries")

    async def _disable(self, endpoint: Endpoint, reason: str) -> None:
        now = self.directory.get(Endpoint, endpoint.id)
        if now is not None and now.status != "disabled":
            await set_status(self, msgspec.structs.replace(now), "disabled", reason)

    async def _key(self, connection: Connection, channel: Channel, key: str) -> bytes | None:
        proof: Any = self.directory.proof(connection)
        asking = proof.fetch_key(await self.converser.context(connection), key)
        try:
            found = await self.converser.run(connection, asking, bare=True)
        except (Refused, Rejected) as error:
            log.warning(
                "a public key could not be fetched", connection=connection.id, key=key, error=str(error)
            )
            return None
        return bytes(found) if found else None

    def _follow(self, connection: Connection, greeting: Greeting) -> None:
        """A handshake was answered; now do what it asks for."""

        async def run() -> None:
            if greeting.then is not None:
                await self.converser.run(connection, greeting.then(await self.converser.context(connection)))

        task = asyncio.get_running_loop().create_task(run())
        self._following.add(task)  # the loop alone would not keep it alive
        task.add_done_callback(self._following.discard)
        task.add_done_callback(_log_end)


@contextlib.asynccontextmanager
async def open_hub(
    config: Config, world: World | None = None, registry: Registry | None = None
) -> AsyncIterator[Hub]:
    """A wired hub; closed when the block ends. Raises Misconfigured with every fault."""
    registry = registry or load_registry(Path(config.mappings) if config.mappings else None)
    if registry.faults:
        raise Misconfigured(registry.faults)
    engine = _engine(config)
    skew = Skew()
    world = world or World.real(skew if engine.shared else None)
    await engine.open()
    guard = Guard.of(config.allow_private, config.allow_ports or None)
    session = open_session(guard)
    client = httpx.AsyncClient(
        transport=GuardedTransport(session, guard), follow_redirects=False, trust_env=False
    )
    try:
        vault = await open_vault(config, engine)
        await skew.measure(engine.moment)
        hub = Hub(config, world, registry, engine, vault, guard, GuardedSender(session, guard), client)
        hub.skew = skew
        if (provider := exporting(os.environ)) is not None:
            hub.trace(provider)
        await hub.directory.refresh()
        await reread_mappings(hub)
        hub.admin_token = await first_token(hub.config.admin_token, hub.directory, hub.engine, hub.world)
        try:
            yield hub
        finally:
            hub.post.cell.close()
    finally:
        await client.aclose()
        await session.close()
        await engine.close()


def _engine(config: Config) -> Engine:
    if config.sqlite_path:
        return SQLite(config.sqlite_path)
    from hub.store.postgres import Postgres  # noqa: PLC0415  asyncpg is an extra

    return Postgres(config.database)


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("a handshake could not be finished", error=str(error))


async def reread_mappings(hub: Hub) -> None:
    """Mappings that were activated in the store stand over the packaged ones."""
    rows = await hub.engine.fetch("activations_all")
    found = {row[1]: row[2] for row in rows}
    if found != hub.activated:
        hub.registry = hub.packaged.with_mappings({row[1]: row[5] for row in rows})
        hub.directory.registry = hub.registry
        hub.activated = found
