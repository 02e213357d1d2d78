"""What is declared: the inspector finds nothing, and what it would find it finds."""

from __future__ import annotations

from hub.fixtures import slug
from tests.channels.case import cases, registry


def test_the_inspector_finds_no_fault():
    assert registry().check() == []


def test_every_topic_of_a_fixture_is_declared_or_told_to_be_ignored(channel: str):
    declared = registry().channel(channel).reads
    if "*" in declared:
        return
    for case in cases(registry()):
        if case.channel.name == channel and case.fixture.expected() is not None:
            assert case.fixture.topic in {slug(topic) for topic in declared}
