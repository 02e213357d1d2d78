"""What the conformance suites ask of the command line; a suite's README says how it is used."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption(
        "--base-url",
        default="",
        help="the address of the hub that is asked; without it the suite starts its own",
    )
    group.addoption("--token", default="", help="an admin token of that hub")
    group.addoption(
        "--hub-command", default="", help="how that hub is started: the suite may kill it and start it again"
    )
