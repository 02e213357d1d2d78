"""The statements: one text for both engines, each prepares on its engine and is used by the hub."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.store.statements import load

HUB = Path(__file__).parents[2] / "hub"
SQL = sorted((HUB / "store" / "sql").glob("*.sql"))
DIALECTS = ("sqlite", "postgres")


def code() -> str:
    """All the hub's Python."""
    return "\n".join(path.read_text() for path in HUB.rglob("*.py"))


async def test_every_statement_prepares_on_its_engine(engine):
    for name, statement in load(engine.dialect).items():
        for rows in (1, 4) if statement.columns else (0,):
            try:
                await prepare(
                    engine, statement.sql(rows), rows * len(statement.columns) + len(statement.params)
                )
            except Exception as error:
                raise AssertionError(f"{name}: {error}\n{statement.sql(rows)}") from error


async def prepare(engine, sql: str, places: int) -> None:
    """Have the engine read a statement without running it."""
    if engine.dialect == "sqlite":
        await engine._writer.execute_fetchall(f"EXPLAIN {sql}", [None] * places)
        return
    async with engine._pool.acquire() as connection:
        await connection.prepare(sql)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_statement_is_unused(dialect):
    text = code()
    names = {f'"{name}"': f'"{name.removesuffix("_newest")}"' for name in load(dialect)}
    assert [name for name, both in names.items() if name not in text and both not in text] == []


def test_no_statement_is_asked_for_that_there_is_not():
    asked = set(re.findall(r'\b(?:unit|engine|_engine|store)\.(?:fetch|add|claim)\(\s*"(\w+)"', code()))
    assert len(asked) > 80
    assert asked <= set(load("sqlite")) & set(load("postgres"))


def test_both_engines_know_the_same_statements_with_the_same_parameters():
    one, other = load("sqlite"), load("postgres")
    assert sorted(one) == sorted(other)
    for name, statement in one.items():
        assert statement.columns == other[name].columns, name
        if _overridden(name) and statement.text.startswith("SELECT 1 "):
            continue  # what one process alone need not ask
        extra = set(statement.params) ^ set(other[name].params)
        assert extra <= {"until"}, name


def _overridden(name: str) -> bool:
    return any(f"-- name: {name} [" in path.read_text() for path in SQL)


def test_a_name_stands_once_for_each_dialect():
    heads = [line for path in SQL for line in path.read_text().splitlines() if line.startswith("-- name: ")]
    assert len(heads) == len(set(heads))


def test_only_what_has_to_differ_differs():
    """One SQL text: each statement of one engine's own is a decision, made here once more."""
    own = {
        line.split()[2]
        for path in SQL
        for line in path.read_text().splitlines()
        if re.search(r"\[\w+\]$", line)
    }
    assert own == {
        "deliveries_claim",  # claims live in the rows where several processes share them
        "heads_lock",
        "jobs_claim",  # as deliveries_claim
        "mails_open",  # as messages_open
        "memories_take",
        "messages_open",
        "numbers_lock",
        "orders_lock",
    }


def test_every_table_of_the_business_has_its_tenant_in_the_row():
    text = "".join(path.read_text() for path in (HUB / "store" / "migrations").glob("*.sql"))
    tables = dict(re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", text, re.DOTALL))
    # What hangs on a row that has one, or belongs to the store itself.
    hanging = {"snapshots", "heads", "attempts", "renderings", "memories", "mappings"}
    hanging |= {"health", "flows", "shares"}  # of a target
    hanging |= {"sweeps", "hints", "readings", "pulses"}  # of a connection
    hanging |= {"alarm_turns"}  # of an alert
    without = {name for name, columns in tables.items() if "tenant TEXT NOT NULL" not in columns}
    assert without == hanging


@pytest.mark.parametrize("word", ["json_extract", "jsonb", "->>", "executemany", "SELECT *", "OFFSET"])
def test_what_is_slow_or_one_engines_own_is_in_no_statement(word):
    assert [path.name for path in SQL if word in path.read_text()] == []
