"""A village of mail on each engine in turn."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.config import Config
from tests.mail.village import Village, village as opened


@pytest.fixture
async def village(config: Config) -> AsyncIterator[Village]:
    async with opened(config) as one:
        yield one
