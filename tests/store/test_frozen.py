"""A process that freezes in the middle of a transaction must not hold the lock of positions against all others."""

from __future__ import annotations

import asyncio

import pytest

from hub.store.engine import Unavailable, Unit
from hub.store.postgres import Postgres


async def test_the_server_ends_a_transaction_whose_process_has_frozen(postgres_url: str) -> None:
    frozen, other = Postgres(postgres_url, size=1), Postgres(postgres_url, size=1)
    await frozen.open()
    await other.open()
    holds = asyncio.Event()

    async def hang(unit: Unit) -> None:
        await frozen_settings(unit)
        await unit.positions(1)
        holds.set()
        await other.transact(
            lambda unit: unit.positions(1)
        )  # waits for the lock that we hold and never give back
        await unit.positions(1)

    async def frozen_settings(unit: Unit) -> None:
        told = await unit._connection.fetchval("SHOW idle_in_transaction_session_timeout")  # type: ignore[attr-defined]
        assert told == "1min"
        await unit._connection.execute("SET LOCAL idle_in_transaction_session_timeout = 200")  # type: ignore[attr-defined]

    with pytest.raises(Unavailable):
        await frozen.transact(hang)
    assert holds.is_set()
    assert await frozen.transact(lambda unit: unit.positions(1)) > 0, "a new connection is made"
    await frozen.close()
    await other.close()
