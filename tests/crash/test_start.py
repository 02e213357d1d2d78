"""Processes that start at the same moment on one database agree."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from hub.config import Config
from hub.directory import Token
from hub.run import open_hub
from hub.tokens import token_hash


@pytest.fixture
def postgres_template() -> str:
    """Nothing has run yet."""
    return ""


@pytest.mark.parametrize("told", ["", "oh_an_admin_token_that_was_told"])
async def test_processes_that_start_together_make_one_schema_one_canary_and_one_admin_token(
    told: str, postgres_url: str
):
    config = Config(database=postgres_url, keys=(bytes(32),), admin_token=told)
    async with AsyncExitStack() as stack:
        hubs = await asyncio.gather(*(stack.enter_async_context(open_hub(config)) for _ in range(4)))
        shown = [hub.admin_token for hub in hubs]
        for hub in hubs:
            await hub.directory.refresh()
            [token] = hub.directory.all(Token)
            assert token.hash in {token_hash(one) for one in shown}

    assert shown == [told] * 4 if told else sorted(map(bool, shown)) == [False, False, False, True]
