"""Writes: our news carried to a far side by its adapter's conversation, on the same machinery as webhooks.

A write is searched before it is made again, and the reference that it returns is bound: when the far
side reports the same shipment back, it is known for our own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from hub.contract.errors import HubError, Misconfigured, Postponed
from hub.contract.flow import Outcome, Task, Write
from hub.converse import Converser
from hub.directory import Connection, Directory
from hub.orders.carriers import Carriers
from hub.outbound.carried import NOT_OURS
from hub.outbound.sender import Answer
from hub.store.engine import Engine, Unavailable, Unit
from hub.store.rows import PLAIN, Due
from hub.troubles import Trouble, Troubles, cause
from hub.vault import Locked
from hub.world import World

log = structlog.get_logger("orderhub.writes")
Bind = Callable[[Connection, str, str, str], Awaitable[None]]
"""Records, of an order, that the far side's name of a shipment is ours: (connection, order, ours, theirs)."""
Name = Callable[[Connection, str, str], Awaitable[None]]
"""Records what a far side calls an order that we made there: (connection, order, theirs)."""


@dataclass(slots=True)
class Writes:
    """Runs a due write and tells what a receiver would have answered."""

    engine: Engine
    directory: Directory
    converser: Converser
    carriers: Carriers
    world: World
    troubles: Troubles
    bind: Bind
    name: Name

    async def write(self, due: Due, connection: Connection, name: str) -> tuple[Answer, bytes]:
        """One try: 200 for applied and unsupported, `refused` for a no, 503 for later (a secret that does not open now
        may be opened tomorrow). Raises Unavailable: what the store did not take is tried again."""
        spec = self.directory.channel(connection).writes.get(name)
        if spec is None:
            return self._told(Outcome(status="unsupported", reason=f"{connection.channel} has no {name}"))
        task = await self._task(due, connection)
        if not spec.applies(task):
            return Answer(status=200), PLAIN.encode({"status": NOT_OURS})
        try:
            outcome = await self._do(spec, task, connection)
        except Unavailable:
            raise
        except (Postponed, Locked, Misconfigured) as error:
            answer = Answer(status=503, retry_after=error.after if isinstance(error, Postponed) else None)
            return answer, PLAIN.encode({"status": "postponed", "reason": str(error)})
        except HubError as error:
            return Answer(error="refused"), PLAIN.encode({"status": "rejected", "reason": str(error)})
        except Exception as error:
            # It may have got through: by its schedule and not at once, and a dead letter in the end.
            log.exception("a write made its adapter stumble", target=due.target, delivery=due.position)
            return Answer(status=422), PLAIN.encode(
                {"status": "failed", "reason": f"a fault of the adapter: {type(error).__name__}"}
            )
        outcome = msgspec.structs.replace(outcome, ref=_plain(outcome.ref), reason=_plain(outcome.reason))
        if outcome.status == "applied" and outcome.ref:
            await self._kept(due, connection, task, outcome)
        return self._told(outcome)

    async def _kept(self, due: Due, connection: Connection, task: Task, outcome: Outcome) -> None:
        """What the far side calls it is kept; what cannot be kept is no reason to make the write once more."""
        try:
            await self._bound(due, connection, task, outcome)
        except Unavailable:
            raise
        except Exception:
            log.exception("a write was made; what the far side calls it could not be kept",
                          target=due.target, delivery=due.position)  # fmt: skip

    async def _do(self, spec: Write[Any], task: Task, connection: Connection) -> Outcome:
        """Search first where the far side would not know a second try for one (the first may have been a process
        that died), then write."""
        context = await self.converser.context(connection)
        if spec.search is not None:
            found = await self.converser.run(connection, spec.search(context, task))
            if isinstance(found, Outcome) and found.status == "applied":
                return found
        outcome = await self.converser.run(connection, spec.do(context, task), once=True)
        return outcome if isinstance(outcome, Outcome) else Outcome(status="applied")

    async def _task(self, due: Due, connection: Connection) -> Task:
        event = msgspec.json.decode(due.body())
        order = event["data"]
        refs = await self.engine.fetch("identities_of_order", order_id=due.order)
        source = f"{connection.channel}:{connection.account or connection.id}"
        subject = self._subject(order, event["subject"])
        found = await self.engine.fetch(
            "memories_get", owner=due.target, name=subject.get("id", due.order), now=self.world.now()
        )
        ref = next((row[2] for row in refs if row[0] == source and row[1] == "order"), "")
        return Task(
            event=due.type,
            order=order,
            subject=subject,
            key=due.event,
            ref=ref,
            own=bool(ref) and order.get("account") == source.partition(":")[2],
            found=bytes(found[0][0]).decode() if found else "",
        )

    def _subject(self, order: dict[str, Any], subject: dict[str, str]) -> dict[str, Any]:
        """What the event is about, its parcels' carriers under every name that platforms give them."""
        parts = order.get(f"{subject['type']}s", ()) if subject["type"] != "order" else ()
        found: dict[str, Any] = next((dict(one) for one in parts if one["id"] == subject["id"]), {})
        if found.get("packages"):
            found["packages"] = [self._named(package) for package in found["packages"]]
        return found

    def _named(self, package: dict[str, Any]) -> dict[str, Any]:
        code = self.carriers.code(package.get("carrier") or package.get("carrier_name") or "")
        return {**package, "carrier_names": self.carriers.names(code) if code else {}}

    async def _bound(self, due: Due, connection: Connection, task: Task, outcome: Outcome) -> None:
        name = task.subject.get("id", due.order)

        async def work(unit: Unit) -> None:
            unit.add("memories_put", [(due.target, name, outcome.ref.encode(), 0)])

        await self.engine.transact(work)
        if not task.subject and not task.ref:
            await self._named_there(due, connection, outcome.ref)
            return
        ours = next(iter(task.subject.get("refs", ())), None)
        if ours and task.subject.get("id", "").startswith("shp_"):
            source = f"{connection.channel}:{connection.account or connection.id}"
            await self.bind(
                connection, due.order, f"{ours['account']}/{ours['id']}", f"{source}/{outcome.ref}"
            )

    async def _named_there(self, due: Due, connection: Connection, theirs: str) -> None:
        """The order is known by their name too. Where that is another order's already, two stand for one: a far side
        that told us of it before it answered. A person is told, since neither may be dropped."""
        source = f"{connection.channel}:{connection.account or connection.id}"
        rows = await self.engine.fetch("identities_find", [(due.tenant, source, "order", theirs)])
        if all(row[4] == due.order for row in rows):
            await self.name(connection, due.order, theirs)
            return
        trouble = Trouble(
            tenant=due.tenant, cause=cause("twice", connection.id), subject=f"twice:{due.order}", severity="warning",
            title=f"{connection.name} calls the order {theirs}, and told us of it as of another",
            hint="Cancel the one that came back, or let the channel's mapping name our order in what it reads.",
            orders=sorted({due.order, *(row[4] for row in rows)}), connection=connection.id,
        )  # fmt: skip
        await self.engine.transact(lambda unit: self.troubles.open(unit, [trouble]))

    def _told(self, outcome: Outcome) -> tuple[Answer, bytes]:
        log = PLAIN.encode(outcome)
        return (
            (Answer(error="refused"), log)
            if outcome.status == "rejected"
            else (Answer(status=200, body=log), log)
        )


def _plain(text: str) -> str:
    """A far side's words as they can be stored."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
