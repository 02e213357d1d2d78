"""What every test stands on.

`async def test_…` simply works: anyio's pytest plugin runs it (`anyio_mode = "auto"` in pyproject.toml), on
asyncio, each test in a loop of its own; an `async` fixture shares the loop of its test. No marker is needed.

Hypothesis draws the same examples in every run, without a database of its own and without a deadline, so
that a red test stays red and a slow machine is no failure.

`--write-golden` writes the golden facts that channel fixtures lack or no longer meet, to be read and
committed like any other change.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings

from tests.engines import (  # noqa: F401  fixtures of every test
    config,
    database,
    engine,
    hub,
    postgres_server,
    postgres_template,
    postgres_url,
    sqlite_template,
)

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a shell's background job hands its deafness on to our children
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "house",
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-golden", action="store_true", help="write the golden facts of channel fixtures")


def _plain() -> None:
    """Tracebacks as Python writes them: in colours, with every local, one takes seconds."""
    structlog.reset_defaults()
    *before, _ = structlog.get_config()["processors"]
    shown = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, shown])


_plain()


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """A command that a test runs in this process sends the log where that test looks, and no longer than it does."""
    yield
    _plain()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
