"""What differs between two versions, as paths a person can read."""

from __future__ import annotations

from hypothesis import given, settings

from hub.orders.diff import diff
from hub.outbound.render import narrowed
from tests.orders.sayings import orders

EUR = {"amount": "5.00", "currency": "EUR"}


def test_the_same_differs_in_nothing() -> None:
    assert diff({"a": 1, "b": [{"id": "x"}]}, {"a": 1, "b": [{"id": "x"}]}) == []


def test_a_leaf_is_named_by_its_path() -> None:
    before = {"lines": [{"id": "lin_1", "quantity": {"ordered": "2"}}]}
    after = {"lines": [{"id": "lin_1", "quantity": {"ordered": "1"}}]}

    assert diff(before, after) == [{"path": "lines[0].quantity.ordered", "from": "2", "to": "1"}]


def test_what_came_has_no_from_and_what_went_no_to() -> None:
    assert diff({}, {"number": "1"}) == [{"path": "number", "to": "1"}]
    assert diff({"number": "1"}, {}) == [{"path": "number", "from": "1"}]


def test_members_are_paired_by_name_wherever_they_stand() -> None:
    before = [{"ref": "a", "n": "1"}, {"ref": "b", "n": "1"}]
    after = [{"ref": "b", "n": "1"}, {"ref": "a", "n": "2"}, {"ref": "c", "n": "3"}]

    assert diff({"x": before}, {"x": after}) == [
        {"path": "x[1].n", "from": "1", "to": "2"},
        {"path": "x[2]", "to": {"ref": "c", "n": "3"}},
    ]


def test_a_member_that_went_is_named_by_its_key() -> None:
    assert diff({"x": [{"ref": "a"}, {"ref": "b"}]}, {"x": [{"ref": "a"}]}) == [
        {"path": "x[b]", "from": {"ref": "b"}}
    ]


def test_no_key_looks_like_a_part_of_a_path() -> None:
    [change] = diff({"lines": [{"ref": "A.1].sku[%", "sku": "T", "price": "9"}]}, {"lines": []})

    assert change["path"] == "lines[A%2E1%5D%2Esku%5B%25]"
    event = {"changes": [change], "data": {}}
    assert narrowed(event, "changes", ["lines.sku"])["changes"] == [
        {"path": change["path"], "from": {"sku": "T"}}
    ]
    assert narrowed(event, "changes", ["number"])["changes"] == []


def test_money_changes_as_a_whole() -> None:
    more = {"amount": "6.00", "currency": "EUR"}

    assert diff({"total": EUR}, {"total": more}) == [{"path": "total", "from": EUR, "to": more}]


def test_lists_of_plain_values_change_as_a_whole() -> None:
    assert diff({"tags": ["a"]}, {"tags": ["a", "b"]}) == [{"path": "tags", "from": ["a"], "to": ["a", "b"]}]


def test_parcels_without_names_are_paired_by_their_number() -> None:
    before = [{"tracking_number": "N1", "status": "a"}, {"tracking_number": "N2", "status": "a"}]
    after = [before[1], {**before[0], "status": "b"}]

    assert diff(before, after, "packages") == [{"path": "packages[1].status", "from": "a", "to": "b"}]


@settings(max_examples=200)
@given(orders, orders)
def test_two_versions_differ_in_something_exactly_when_they_are_not_the_same(
    before: dict, after: dict
) -> None:
    assert diff(before, before) == []
    assert bool(diff(before, after)) == (before != after)
