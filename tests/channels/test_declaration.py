"""What is declared: the inspector finds nothing wrong with any channel, and every mapping file holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.contract.mapping import run_tests
from hub.fixtures import slug
from hub.inspection import channel_faults
from tests.channels.case import cases, registry

FIXTURES = Path(__file__).resolve().parents[2] / "adapters"


def test_every_channel_can_be_loaded():
    assert registry().faults == ()


def test_the_inspector_finds_no_fault(channel: str):
    known = registry()

    assert channel_faults(known.channel(channel), known.packages[channel], known.texts.keys()) == []


def test_every_topic_of_a_fixture_is_declared_or_told_to_be_ignored(channel: str):
    declared = registry().channel(channel).reads
    if "*" in declared:
        return
    for case in cases(registry()):
        if case.channel.name == channel and case.fixture.expected() is not None:
            assert case.fixture.topic in {slug(topic) for topic in declared}


@pytest.mark.parametrize("name", sorted(registry().texts))
def test_a_mapping_file_compiles_and_its_own_tests_hold(name: str):
    assert [str(failure) for failure in run_tests(registry().mapping(name), FIXTURES)] == []


@pytest.mark.parametrize("name", sorted(registry().texts))
def test_a_mapping_is_named_as_its_file(name: str):
    assert registry().mapping(name).name == name
