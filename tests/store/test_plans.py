"""What is asked again and again finds its rows by an index: tables grow, the work of a step does not."""

from __future__ import annotations

import asyncpg
import pytest

from hub.store.postgres import Postgres
from hub.store.sqlite import SQLite
from hub.store.statements import load


async def test_orders_that_are_blocked_are_found_from_what_is_due_and_not_from_every_order_there_ever_was(tmp_path):
    store = SQLite(str(tmp_path / "hub.db"))
    await store.open()
    statement = load("sqlite")["heads_blocked"]
    plan = [row[3] for row in await store._writer.execute_fetchall(
        f"EXPLAIN QUERY PLAN {statement.sql()}", [None] * len(statement.params))]  # fmt: skip
    await store.close()

    assert plan[0] == "SEARCH deliveries USING INDEX deliveries_due (target=?)"
    assert not [step for step in plan if step.startswith("SCAN")]


@pytest.mark.parametrize("name", ["deliveries_claim", "deliveries_load", "heads_blocked", "deliveries_renew"])
async def test_on_postgresql_no_lease_is_taken_or_read_by_looking_at_every_delivery(postgres_url, name):
    store = Postgres(postgres_url, size=1)
    await store.open()
    statement = load("postgres")[name]
    told = {"target": "''::text", "claim": "''::text"}
    sql = statement.sql(1)
    for place, param in reversed(list(enumerate(statement.params, 1))):
        sql = sql.replace(f"${place}", told.get(param, "0::bigint"))
    for place, (_, type_) in enumerate(statement.columns, len(statement.params) + 1):
        sql = sql.replace(f"${place}::", f"ARRAY[{'0' if type_ == 'int' else repr('')}]::")
    await store.close()
    base = await asyncpg.connect(postgres_url)
    await base.execute("SET enable_seqscan = off")
    plan = "\n".join(row[0] for row in await base.fetch(f"EXPLAIN {sql}"))
    await base.close()

    assert "Seq Scan on deliveries" not in plan, plan
