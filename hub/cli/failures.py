"""What the command line says when it cannot do what it was asked, and the code that it exits with."""

from __future__ import annotations

import sys
from typing import NoReturn

OPERATOR = 1
"""Something is wrong with what was asked, or with the hub."""
USAGE = 2
"""The command itself is wrong."""
UNREACHABLE = 3
"""No hub answers."""


class Failure(Exception):
    """A command that could not be done: the reason in a line, what to do next, the exit code."""

    def __init__(self, reason: str, *, hint: str = "", code: int = OPERATOR) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.code = code


def give_up(error: Exception) -> NoReturn:
    """Tell an error and exit; one that is no one's on purpose is a bug and keeps its traceback."""
    failure = as_failure(error)
    if failure is None:
        raise error
    tell(failure)
    sys.exit(failure.code)


def as_failure(error: Exception) -> Failure | None:
    """A failure as it is, the hub's own errors and what is not there as failures, None for anything else."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, OSError) and isinstance(error.filename, str):
        return Failure(f"{error.filename}: {error.strerror}", code=USAGE)
    if isinstance(error, ModuleNotFoundError) and error.name == "asyncpg":
        return Failure(
            "PostgreSQL needs the extra `postgres`",
            hint="`pip install 'orderhub[postgres]'`, or '.[postgres]' in the folder of the source.",
        )
    from hub.contract.errors import HubError

    return Failure(str(error)) if isinstance(error, HubError) else None


def tell(failure: Failure) -> None:
    """One red line for each fault on stderr, then what to do next."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=True)
    for line in failure.reason.splitlines() or ["failed"]:
        console.print(Text(line, style="bold red"))
    for line in failure.hint.splitlines():
        console.print(Text(line))
