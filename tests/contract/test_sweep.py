"""Sweeps: where one begins, and that a cursor in the middle of one loses nothing and skips nothing."""

from __future__ import annotations

import pytest

from hub.contract import Page
from hub.contract.clock import micros
from hub.contract.sweep import Stretch, beginning, stretches

NOW = micros("2026-03-14T12:00:00Z")
FORM = "%Y-%m-%dT%H:%M:%SZ"


def pages(count: int) -> list[Page]:
    return [Page(topic="t", body=b"%d" % n) for n in range(count)]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("", "2026-03-13T12:00:00Z"),
        ("2026-03-14T11:00:00Z", "2026-03-14T10:30:00Z"),
        ("2026-03-14T11:00:00", "2026-03-14T10:30:00Z"),
        ("2026-03-14T12:00:00+01:00", "2026-03-14T10:30:00Z"),
    ],
)
def test_a_sweep_begins_the_overlap_behind_the_last_change_or_a_day_ago(last: str, expected: str):
    assert beginning(last, NOW).strftime(FORM) == expected


def test_the_first_sweep_is_one_stretch_whose_end_is_where_the_next_begins():
    [one] = stretches("", NOW, FORM)
    told = [*one.told(pages(2), "", "")]
    [following] = stretches(told[-1].cursor, NOW + 3_600_000_000, FORM)

    assert one == Stretch("2026-03-13T12:00:00Z", "2026-03-14T12:00:00Z")
    assert [page.cursor for page in told] == ["2026-03-13T12:00:00Z", "2026-03-14T12:00:00Z"]
    assert following == Stretch("2026-03-14T11:30:00Z", "2026-03-14T13:00:00Z")


def test_a_sweep_that_was_cut_off_goes_on_at_its_page_and_is_followed_by_what_changed_meanwhile():
    [one] = stretches("", NOW, FORM)
    first = [*one.told(pages(3), "", "p2")]
    rest, after = stretches(first[-1].cursor, NOW + 60_000_000, FORM)
    second = [*rest.told(pages(2), "p2", "p3")]

    assert {page.cursor for page in first[:-1]} == {one.since}
    assert rest == Stretch(one.since, one.started, "p2")
    assert second[0].cursor == first[-1].cursor, "its page is read again until all of it is durable"
    assert second[-1].cursor == f"{one.since}|{one.started}|p3"
    assert [page.cursor for page in rest.told(pages(1), "p3", "")] == [one.started]
    assert after.since == "2026-03-14T11:30:00Z"


def test_a_stretch_without_a_change_has_no_cursor_to_tell():
    [one] = stretches("", NOW, FORM)

    assert [*one.told([], "", "")] == []
