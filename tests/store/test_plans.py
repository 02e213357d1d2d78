"""Query plans: what is asked again and again finds its rows by an index. Tables grow, the work of a step does not.

The tables hold some thousand rows, nearly all of them done with, as in a hub that has run for a while.
PostgreSQL has analysed them and is told nothing about how to plan; SQLite plans without statistics, as it
does in the hub. Both the plan for these very values and the one for any values are looked at, since a
prepared statement may get either.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hub.store.engine import Engine, Row, Unit
from hub.store.statements import Statement
from tests.engines import ENGINES, engine_of, fresh_database

ORDERS, EACH = 3000, 2
NOW = 1_000_000
TARGETS = [f"end_{n}" for n in range(8)]
GROWING = (
    "messages identities facts orders snapshots persons events deliveries heads attempts renderings exceptions "
    "troubles audit calls mail_keys mails_sent jobs flows shares".split()
)


@pytest.fixture(scope="module", params=ENGINES)
def grown_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database for all of these tests."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path_factory.mktemp('plans')}/hub.db"
    else:
        with fresh_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture(scope="module")
async def grown(grown_database: str) -> AsyncIterator[Engine]:
    """A store that has held three thousand orders."""
    engine = engine_of(grown_database)
    await engine.open()
    await fill(engine)
    yield engine
    await engine.close()


def rows() -> dict[str, list[Row]]:
    """The rows of every growing table, by the statement that writes them."""
    out: dict[str, list[Row]] = {name: [] for name in (
        "messages_add", "identities_add", "facts_add", "orders_put", "snapshots_put", "persons_add", "events_add",
        "deliveries_add", "heads_take", "attempts_add", "renderings_put", "exceptions_open", "troubles_add", "audit_add",
    )}  # fmt: skip
    place = 0
    for n in range(ORDERS):
        order = f"ord_{n:06}"
        out["identities_add"] += [
            ("main", "shop:a", "order", f"r{n}", order), ("main", "", "tracking", f"CP{n}", order),
            ("main", "", "shipment", f"shp_{n}", order),
        ]  # fmt: skip
        out["orders_put"].append((
            order, "main", place + 9, EACH, EACH, f"H{n}", f"#{n}", "con_1", "open", "paid", "none", 0, 0, f"evt_{n}_1",
            n, n, n, b"{}",
        ))  # fmt: skip
        out["persons_add"].append(("main", f"hash{n}", order))
        target = TARGETS[n % len(TARGETS)]
        out["heads_take"].append((target, order, 0, f"evt_{n}_1"))
        for k in range(EACH):
            place += 10
            event, message = f"evt_{n}_{k}", f"msg_{n}_{k}"
            status = "received" if n % 1000 == 0 else "failed" if n % 500 == 1 else "processed"
            out["messages_add"].append(
                (place, message, "main", "con_1", "webhook", "orders", message, b"{}", b"body", status, n, 0)
            )
            ref, parked = (f"CP{n}", "parked:main") if n % 300 == 0 else (f"r{n}", order)
            subject = "tracking" if k else "order"
            out["facts_add"].append(
                (place, "main", parked, message, "con_1", "shop:a", subject, ref, f"d{n}{k}", "m", n, b"{}")
            )
            out["snapshots_put"].append((order, k + 1, b"{}"))
            out["events_add"].append(
                (place, event, "main", order, k + 1, "order.updated", 0, k + 1, n, b'{"data":\0}', 0)
            )
            due = ("due", "waiting")[k] if n % 100 == 0 else "held" if n % 700 == 1 else "delivered"
            claim = "prc_1" if n % 300 == 0 else ""
            out["deliveries_add"].append(
                (place, "main", target, event, order, due, 0, n, "", "first", "full", claim, 0)
            )
            out["attempts_add"].append((place, 1, target, n, "200", b"{}"))
            out["renderings_put"].append((event, "thin//", b"{}"))
            out["audit_add"].append((place, "main", n, "tok_1", "order.confirm", order, b"{}"))
        if n % 2:
            out["troubles_add"].append(("main", f"cause{n}", f"msg_{n}_0", n))
    out["heads_take"] += [(TARGETS[n % len(TARGETS)], f"old_{n:06}", 0, "") for n in range(20_000)]
    out["exceptions_open"] = [
        (f"exc_{n}", "main", f"cause{n}", n + 1, "error", 1, n, b"{}") for n in range(1, ORDERS, 2)
    ]
    return out


async def fill(engine: Engine) -> None:
    """Write them, and let PostgreSQL look at what there is."""
    for name, found in rows().items():
        for start in range(0, len(found), 2000):

            async def work(
                unit: Unit, name: str = name, part: list[Row] = found[start : start + 2000]
            ) -> None:
                unit.add(name, part)

            await engine.transact(work)

    async def more(unit: Unit) -> None:
        waiting = [(TARGETS[n % len(TARGETS)], f"ord_{n:06}") for n in range(0, ORDERS, 100)]
        unit.add("heads_restart", waiting)
        unit.add(
            "mails_put",
            [(f"msg_{n:04}", "main", "con_1", "par_1", "order", "", n, b"{}") for n in range(5000)],
        )
        unit.add("mail_keys_add", [("main", "con_1", f"id:{n}", f"msg_{n:04}", n) for n in range(5000)])
        unit.add("mails_sent_add", [("main", f"<{n}@x>", f"ntc_{n}", "", n) for n in range(5000)])
        names = [f"end_{n:05}" for n in range(5000)]
        unit.add("flows_begin", [(name,) for name in names])
        unit.add("shares_put", [(name, "prc_1", 1, n) for n, name in enumerate(names)])
        for n in range(1000):
            unit.add("jobs_add", position=900_000 + n, id=f"job_{n}", tenant="main", kind="replay", subject="", params=b"{}",
                     actor="tok_1", now=n)  # fmt: skip
            unit.add("jobs_end", id=f"job_{n}", tenant="main", state="done", now=n)
            unit.add("calls_add", tenant="main", key=f"k{n}", digest="d", at=n, status=200, answer=b"{}")

    await engine.transact(more)
    if engine.dialect == "postgres":
        await engine._pool.execute("ANALYZE")


TARGET, ORDER = TARGETS[0], "ord_000000"
FILTERS = {"state": "", "connection": "", "updated_after": 0}
SOUGHT: dict[str, Any] = {
    "status": "",
    "order_id": "",
    "type": "",
    "floor": 0,
    "since": 0,
    "until": NOW,
    "every": 0,
    "span": 100,
}
LISTS: dict[str, tuple[str, dict[str, Any], list[Row]]] = {
    "messages_list": ("messages.position", {"connection": "", "status": ""}, []),
    "orders_list": ("orders_position", FILTERS, []),
    "orders_of_number": ("orders_number", FILTERS | {"number": "#7"}, []),
    "orders_of_ref": ("identities", FILTERS | {"number": "", "ref": "r7"}, [("shop:a",), ("shop:b",)]),
    "exceptions_list": ("exceptions_position", {"state": ""}, []),
    "deliveries_find": ("deliveries.position", SOUGHT, [(TARGET,)]),
    "deliveries_span": ("deliveries.position", SOUGHT, []),
    "deliveries_find_of_event": ("deliveries_event", SOUGHT | {"event": "evt_7_0"}, [(TARGET,)]),
    "deliveries_find_of_order": ("events_order", SOUGHT | {"order_id": ORDER}, [(TARGET,)]),
    "deliveries_find_quiet": ("deliveries_quiet|deliveries_held", SOUGHT | {"status": "held"}, [(TARGET,)]),
    "deliveries_find_due": ("deliveries_due", SOUGHT, [(TARGET,)]),
    "deliveries_find_waiting": ("deliveries_waiting", SOUGHT, [(TARGET,)]),
}
"""The lists that are read both ways."""
ASKED: dict[str, tuple[str, dict[str, Any], list[Row]]] = {
    # intake and normalise
    "messages_present": ("messages.id", {}, [("msg_7_0",), ("msg_8_0",)]),
    "messages_open": ("messages_open", {"now": NOW, "until": NOW, "most": 100}, []),
    "messages_settle": ("messages.position", {}, [(70, "processed", None)]),
    "messages_get": ("messages.id", {"tenant": "main", "id": "msg_7_0"}, []),
    "identities_find": ("identities", {}, [("main", "shop:a", "order", "r7"), ("main", "", "tracking", "CP8")]),
    "identities_of_order": ("identities_order", {"order_id": ORDER}, []),
    "orders_lock": ("orders.id", {}, [("ord_000007",), ("ord_000008",)]),
    "orders_owned": ("orders.id", {}, [("main", "ord_000007")]),
    "snapshots_get": ("snapshots", {"order_id": ORDER, "version": 1}, []),
    "facts_to_join": ("facts_parked", {}, [("main", "CP600", "ord_000007"), ("main", "CPx", "ord_000008")]),
    "facts_of_order": ("facts.order", {"tenant": "main", "order_id": ORDER}, []),
    "facts_page_of_message": ("facts_message", {"tenant": "main", "message": "msg_7_0", "after": 0, "most": 10}, []),
    "facts_of_messages": ("facts_message", {"tenant": "main"}, [("msg_7_0",), ("msg_8_0",)]),
    "persons_find": ("persons", {}, [("main", "hash7")]),
    "troubles_causes": ("troubles_subject", {}, [("msg_7_0",), ("msg_9_0",)]),
    "troubles_clear": ("troubles_subject", {}, [("msg_7_0",), ("msg_9_0",)]),
    "exceptions_close_idle": ("exceptions_open", {"position": NOW, "now": NOW}, [("main", "cause7")]),
    # announcing and delivering
    "heads_find": ("heads", {}, [(TARGET, ORDER), (TARGETS[1], "ord_000001")]),
    "heads_of": ("heads", {"now": NOW, "claim": ""}, [(TARGET, ORDER)]),
    "heads_settle": ("heads", {}, [(TARGET, ORDER, 10)]),
    "heads_pass": ("heads", {}, [(TARGET, ORDER, 10)]),
    "heads_restart": ("heads", {}, [(TARGET, ORDER)]),
    "heads_leave": ("heads", {}, [(TARGET, ORDER)]),
    "heads_stuck": ("deliveries_waiting", {"target": TARGET, "order_id": "", "position": 0, "most": 500}, []),
    "deliveries_waiting_page": ("deliveries_waiting", {"target": TARGET, "order_id": "", "position": 0, "most": 500}, []),
    "deliveries_waiting_targets": ("deliveries_waiting", {}, []),
    "heads_blocked": ("deliveries_tried", {"target": TARGET, "before": NOW, "at": 0, "position": 0, "most": 500}, []),
    "deliveries_tried_page": ("deliveries_tried", {"target": TARGET, "before": NOW, "at": 0, "position": 0, "most": 500}, []),
    "deliveries_held": ("deliveries_held", {"target": TARGET, "most": 1000}, []),
    "deliveries_held_targets": ("deliveries_held", {}, []),
    "deliveries_going": ("deliveries_due", {"target": TARGET, "most": 1000}, []),
    "deliveries_outstanding": ("deliveries_due", {"target": TARGET, "most": 1000}, []),
    "queue_depth": ("deliveries_due", {"target": TARGET, "most": 1000}, []),
    "queue_oldest": ("deliveries_due", {"target": TARGET}, []),
    "queue_stuck": ("deliveries_tried", {"target": TARGET, "at": 0, "position": 0, "count": 100, "most": 100}, []),
    "queue_of_order": ("deliveries_waiting", {"target": TARGET, "order_id": ORDER, "most": 100}, []),
    "deliveries_of_order": ("events_order", {"tenant": "main", "order_id": ORDER, "after": 0, "most": 100}, []),
    "deliveries_put_aside": ("deliveries.position", {}, [(70, "held", "")]),
    "deliveries_release": ("deliveries.position", {}, [(70, 1, NOW)]),
    "deliveries_replay": ("deliveries.position", {}, [(70, 1, NOW)]),
    "deliveries_dead": ("deliveries_quiet", {"target": TARGET, "after": 0, "since": 0, "until": NOW, "order_id": "", "most": 500}, []),
    "deliveries_of_events": ("deliveries_event", {"target": TARGET}, [("evt_7_0",), ("evt_8_1",)]),
    "events_between": ("events.position", {"tenant": "main", "after": 59_000, "last": 60_000, "since": 0, "until": NOW, "most": 10}, []),
    "events_of_order_between": ("events_order", {"tenant": "main", "order_id": ORDER, "after": 0, "last": NOW, "since": 0, "until": NOW, "most": 10}, []),
    "events_near": ("events.position", {"position": 30_000}, []),
    "deliveries_settle": ("deliveries.position", {}, [(70, "delivered", 0, "200", 1, NOW, "", 0)]),
    "deliveries_ours": ("deliveries.position", {"claim": ""}, [(70,), (1510,)]),
    "deliveries_promote": ("heads", {"now": NOW, "claim": "", "until": 0}, [(TARGET, ORDER)]),
    "deliveries_due": ("deliveries_due", {"target": TARGET, "now": NOW, "most": 100}, []),
    "deliveries_claim": ("deliveries_due", {"target": TARGET, "now": NOW, "most": 100, "claim": "c", "until": NOW}, []),
    "deliveries_load": ("deliveries.position|deliveries_due", {"claim": ""}, [(10,), (1510,)]),
    "deliveries_renew": ("deliveries.position", {"until": NOW}, [(10, "prc_1")]),
    "deliveries_targets": ("deliveries_due", {}, []),
    "deliveries_wake": ("deliveries_due", {"target": TARGET, "now": 5, "most": 1000}, []),
    "attempts_of": ("attempts", {"delivery": 70}, []),
    "renderings_get": ("renderings", {}, [("evt_7_0", "thin//")]),
    # what the API asks
    "orders_get": ("orders.id", {"tenant": "main", "id": ORDER}, []),
    **{
        f"{name}{way}": (index, {"tenant": "main", "after": at, "most": 10} | params, told)
        for way, at in (("", 59_000), ("_newest", 1_000))
        for name, (index, params, told) in LISTS.items()
    },
    "deliveries_quiet_targets": ("deliveries_quiet", {}, []),
    "deliveries_list": ("deliveries_event", {"tenant": "main", "after": 0, "event": "evt_7_0", "target": "", "status": "", "order_id": "", "most": 10}, []),
    "events_of_order": ("events_order", {"tenant": "main", "order_id": ORDER, "after": 0, "most": 10}, []),
    "events_get": ("events.id", {"tenant": "main", "id": "evt_7_0"}, []),
    "deliveries_get": ("deliveries.position", {"tenant": "main", "position": 70}, []),
    "calls_get": ("calls", {"tenant": "main", "key": "k7", "since": 0}, []),
    # what retention asks
    "mails_next": ("mails", {"most": 500}, []),
    "mail_keys_next": ("mail_keys_at", {"before": 500, "most": 100}, []),
    "mails_sent_next": ("mails_sent_at", {"before": 500, "most": 100}, []),
    "heads_page": ("heads", {"target": TARGET, "order_id": "old_010000", "most": 500}, []),
    "heads_purge": ("heads", {}, [(TARGET, "old_000000", ""), (TARGET, ORDER, "evt_0_1")]),
    "jobs_page": ("jobs.position", {"after": 100, "most": 100}, []),
    "jobs_purge": ("jobs.position", {"before": NOW}, [(7,), (8,)]),
    "flows_page": ("flows", {"after": "end_1", "most": 100}, []),
    "flows_purge": ("flows", {}, [("end_x",), ("end_y",)]),
    "shares_page": ("shares", {"target": "end_1", "claim": "", "most": 100}, []),
    "shares_purge": ("shares", {"before": NOW}, [("end_x", "prc_1"), ("end_y", "prc_1")]),
    "exceptions_get": ("exceptions.id", {"tenant": "main", "id": "exc_7"}, []),
}  # fmt: skip


async def plans(engine: Engine, statement: Statement, params: dict[str, Any], told: list[Row]) -> list[str]:
    """How the engine would run it: for these values, and for any."""
    fixed = [params[name] for name in statement.params]
    if engine.dialect == "sqlite":
        values = [*fixed, *(value for row in told for value in row)]
        sql = f"EXPLAIN QUERY PLAN {statement.sql(len(told))}"
        return ["\n".join(row[3] for row in await engine._writer.execute_fetchall(sql, values))]
    values = [*fixed, *([list(column) for column in zip(*told, strict=True)] if told else [])]
    found = []
    async with engine._pool.acquire() as connection:
        for how in ("COSTS OFF", "COSTS OFF, GENERIC_PLAN"):
            lines = await connection.fetch(f"EXPLAIN ({how}) {statement.sql(1)}", *values)
            found.append("\n".join(line[0] for line in lines))
    return found


def scanned(engine: Engine, plan: str) -> list[str]:
    """The growing tables that a plan reads from one end to the other."""
    shape = r"Seq Scan on (\w+)" if engine.dialect == "postgres" else r"SCAN (\w+)(?! USING)"
    return [name for name in re.findall(shape, plan) if name in GROWING]


def uses(engine: Engine, plan: str, index: str) -> bool:
    """Whether a plan finds rows by this index: by its name, or as `table.column`, `table` for its key."""
    table, _, column = index.partition(".")
    names = [index, f"{table}_pkey", f"{table}_{column}_key", f"sqlite_autoindex_{table}_"]
    if engine.dialect == "sqlite":
        names += [f"SEARCH {table} USING PRIMARY KEY", f"SEARCH {table} USING INTEGER PRIMARY KEY"]
    if column == "order":
        names += ["facts_order_id_digest_key"]
    return any(re.search(rf"{name}\b|{name}(?=\d)", plan) for name in names)


@pytest.mark.parametrize("name", ASKED)
async def test_what_is_asked_again_and_again_is_found_by_its_index(grown, name):
    index, params, told = ASKED[name]
    if name == "deliveries_claim" and grown.dialect == "sqlite":
        return  # claims live in memory
    statement = grown._statements[name]
    for plan in await plans(grown, statement, params, told):
        assert scanned(grown, plan) == [], plan
        assert any(uses(grown, plan, one) for one in index.split("|")), plan
