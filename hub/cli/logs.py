"""The hub's log: on stderr, lines for people at a terminal, JSON for whatever collects it."""

from __future__ import annotations

import sys

import structlog


def to_stderr() -> None:
    """Send the log there; stdout belongs to what the commands answer."""
    people = sys.stderr.isatty()
    # Plain tracebacks: the pretty ones show local variables, and with them people.
    shown = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
