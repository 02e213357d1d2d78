"""The hub's log: on stderr, lines for people at a terminal, JSON for whatever collects it.

A log that cannot be written (its disk is full, its reader went) ends no stage and changes no answer: the lines are
counted, and told of when there is room again.
"""

from __future__ import annotations

import sys
import threading
from typing import TextIO

import structlog


class Lines:
    """Where log lines go; what cannot be written is missed, and its writer goes on."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._turn = threading.Lock()
        self._missed = 0

    def msg(self, line: str) -> None:
        """Write a line, if it can be."""
        with self._turn:
            try:
                if self._missed:
                    print(
                        f'{{"event": "the log could not be written", "lines": {self._missed}}}',
                        file=self._file,
                    )
                print(line, file=self._file, flush=True)
            except OSError:  # who logs has something to do beyond it: to answer 503, to try again
                self._missed += 1
            else:
                self._missed = 0

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def to_stderr() -> None:
    """Send the log there; stdout belongs to what the commands answer."""
    people = sys.stderr.isatty()
    # Plain tracebacks: the pretty ones show local variables, and with them people.
    shown = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    lines = Lines(sys.stderr)
    renderer = shown if people else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(() if people else (structlog.processors.format_exc_info,)),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=lambda *_: lines,
    )
