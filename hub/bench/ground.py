"""The ground a figure is measured on: a store of its own, so that none pays for what another left behind."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def ground(database: str) -> Iterator[Callable[[str], str]]:
    """Gives a fresh store by name: a SQLite file, or a schema of the PostgreSQL database; all gone at the end."""
    if not database:
        with tempfile.TemporaryDirectory(prefix="orderhub-bench-") as folder:
            yield lambda name: f"sqlite:{Path(folder) / name}.db"
        return
    made: list[str] = []

    def schema(name: str) -> str:
        made.append(f"bench_{name}_{secrets.token_hex(4)}")
        asyncio.run(_run(database, f'CREATE SCHEMA "{made[-1]}"'))
        return f"{database}{'&' if '?' in database else '?'}search_path={made[-1]}"

    try:
        yield schema
    finally:
        for one in made:
            asyncio.run(_run(database, f'DROP SCHEMA "{one}" CASCADE'))


async def _run(database: str, sql: str) -> None:
    import asyncpg  # noqa: PLC0415  an extra

    connection = await asyncpg.connect(database)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
