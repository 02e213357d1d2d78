"""A test that asks for `channel`, `case` or `push` runs for every channel, every fixture, or every fixture
that is pushed and proved."""

from __future__ import annotations

import pytest

from hub.contract import Forged, Misconfigured
from tests.channels.case import Case, cases, registry


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = {"channel", "case", "push", "signed_push"} & set(metafunc.fixturenames)
    for name in asked:
        if name == "channel":
            values = sorted(registry().channels)
        else:
            values = [case for case in cases(registry()) if name == "case" or _proved(case, name)]
        metafunc.parametrize(name, values, ids=str)


def _proved(case: Case, name: str) -> bool:
    wanted = {
        "push": ("bearer_only", "body_signed", "body_signed_with_time"),
        "signed_push": ("body_signed", "body_signed_with_time"),
    }
    try:
        return case.pushed and case.proof.authenticity in wanted[name]
    except (Misconfigured, Forged):
        return False
