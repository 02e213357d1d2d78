"""What is said: each fixture means its golden facts, in canonical words, under a key that stays."""

from __future__ import annotations

import re

import msgspec
import pytest

from hub.contract import Rejected
from hub.contract.fact import Fact, Read
from hub.fixtures import plain_read, plain_reads, slug
from tests.channels.case import Case, assert_canonical, cases, registry


def test_a_fixture_is_named_for_its_topic(case: Case):
    assert case.fixture.topic == slug(case.topic)


def test_a_fixture_means_its_golden_facts(case: Case, request: pytest.FixtureRequest):
    outcome = outcome_of(case)
    if request.config.getoption("--write-golden", default=False) and not meets(case, outcome):
        write_golden(case, outcome)

    expected = case.fixture.expected()

    if isinstance(expected, dict):
        assert expected["error"] in outcome["error"]
    else:
        assert outcome == (expected and [plain_read(read) for read in expected])


def test_every_fact_is_canonical(case: Case):
    for read in facts_of(case):
        assert_canonical(read)


def test_a_fact_has_a_name_and_says_something(case: Case):
    for read in facts_of(case):
        if isinstance(read, Fact):
            assert read.ref or read.subject == "tracking"
            assert read.doc


def test_the_same_bytes_mean_the_same_and_have_the_same_key(case: Case):
    assert case.dedupe_key() == case.dedupe_key()
    assert outcome_of(case) == outcome_of(case)


@pytest.mark.parametrize("name", sorted(registry().channels))
def test_different_messages_have_different_keys(name: str):
    mine = [case for case in cases(registry()) if case.channel.name == name]
    bodies = {(case.topic, case.fixture.message.body, case.fixture.message.query) for case in mine}
    keys = {case.dedupe_key() for case in mine}

    assert len(keys) >= len(bodies)


def test_a_fixture_of_no_topic_is_kept_as_ignored_only_where_it_says_so(case: Case):
    ignored = case.channel.reader(case.topic) is None

    assert ignored == (case.fixture.expected() is None)


def facts_of(case: Case) -> list[Read]:
    try:
        return case.read(case.opened()) or []
    except Rejected:
        return []


def outcome_of(case: Case) -> object:
    """The facts, or the error, as the golden file has them."""
    try:
        return plain_reads(case.read(case.opened()))
    except Rejected as error:
        return {"error": str(error)}


def meets(case: Case, outcome: object) -> bool:
    if not case.fixture.golden.exists():
        return False
    expected = case.fixture.expected()
    if isinstance(expected, dict) and isinstance(outcome, dict):
        return expected["error"] in outcome["error"]
    return isinstance(expected, list) and outcome == [plain_read(read) for read in expected]


def write_golden(case: Case, outcome: object) -> None:
    """An error is written without the place in the mapping file, which moves with every line above it."""
    if isinstance(outcome, dict):
        outcome = {"error": re.sub(r"^\S+:\d+:\d+: ", "", outcome["error"])}
    text = msgspec.json.format(msgspec.json.encode(outcome, order="sorted"), indent=2)
    case.fixture.golden.write_bytes(text + b"\n")
