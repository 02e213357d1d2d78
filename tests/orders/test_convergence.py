"""The same facts in any order, any number of times, in batches of any size, give the same order."""

from __future__ import annotations

from copy import deepcopy

import msgspec
from hypothesis import example, given, settings, strategies as st

from hub.orders import book
from hub.orders.registers import Said
from hub.store.rows import JSON
from hub.world import World
from tests.orders.sayings import SHOP, WAREHOUSE, folded, fresh, said, sayings


def _content(page: book.Page) -> bytes:
    assert page.doc is not None
    return JSON.encode(book.content(page.doc))


@st.composite
def _tellings(draw: st.DrawFn) -> tuple[list[Said], list[list[Said]]]:
    """Facts, and the same facts told another way: permuted, repeated, in batches."""
    facts = draw(st.lists(sayings(), min_size=1, max_size=8))
    told = draw(st.permutations(facts + draw(st.lists(st.sampled_from(facts), max_size=4))))
    cuts = sorted(draw(st.lists(st.integers(0, len(told)), max_size=3)))
    return facts, [
        list(told[start:end])
        for start, end in zip([0, *cuts], [*cuts, len(told)], strict=True)
        if start < end
    ]


@settings(max_examples=500)
@given(_tellings())
def test_any_order_of_arrival_with_repeats_gives_the_same_order(
    tellings: tuple[list[Said], list[list[Said]]],
) -> None:
    facts, batches = tellings

    assert _content(folded(batches)) == _content(folded([[one] for one in facts]))


@settings(max_examples=150)
@given(_tellings())
def test_folding_all_facts_from_nothing_gives_the_same_order(
    tellings: tuple[list[Said], list[list[Said]]],
) -> None:
    facts, batches = tellings
    page = folded(batches)
    held, ids = _content(page), dict(page.state["ids"])
    turned = book.refold(page, facts, World.still(seed=9).new_id)

    assert _content(turned.page) == held
    assert ids.items() <= turned.page.state["ids"].items(), "names given once stay"


@settings(max_examples=150)
@given(_tellings())
def test_what_was_said_before_changes_nothing_and_makes_no_event(
    tellings: tuple[list[Said], list[list[Said]]],
) -> None:
    facts, batches = tellings
    page = folded(batches)
    version, state = page.version, deepcopy(page.state)
    turned = book.turn(page, facts, World.still(seed=9).new_id)

    assert (turned.changed, turned.written, turned.events, turned.page.version) == (False, False, [], version)
    assert not any(turned.used)
    assert turned.page.state == state


@settings(max_examples=100)
@given(st.lists(sayings(), min_size=1, max_size=6))
def test_reading_the_registers_never_writes_them(facts: list[Said]) -> None:
    page = fresh()
    before = msgspec.json.encode(facts)
    page = book.turn(page, facts, World.still().new_id).page
    kept = deepcopy(page.state)
    book.compose(page.state, World.still(seed=3).new_id)

    assert page.state == kept
    assert msgspec.json.encode(facts) == before


@example([said(SHOP, "order", {"ref": "o1", "attributes": {}}, 6, full=frozenset()),
          said(SHOP, "order", {"ref": "o1", "attributes": {"a": "1"}}, 3, full=frozenset()),
          said(SHOP, "order", {"ref": "o1", "number": "LL-1"}, 5)])  # fmt: skip
@given(st.lists(sayings(), min_size=2, max_size=5))
@settings(max_examples=150)
def test_two_sources_of_one_order_may_take_turns(facts: list[Said]) -> None:
    one = [[fact] for fact in facts]

    assert _content(folded(one)) == _content(folded(one[::-1])) == _content(folded([facts]))


def test_a_full_fact_and_a_later_part_meet_in_either_order() -> None:
    whole = said(
        SHOP, "order", {"ref": "o1", "number": "LL-1", "ship_to": {"name": "Ada", "city": "Bonn"}}, 1
    )
    part = said(SHOP, "order", {"ref": "o1", "ship_to": {"city": "Ulm"}}, 2, full=frozenset())

    for batches in ([[whole], [part]], [[part], [whole]], [[whole, part]], [[part, whole, part]]):
        doc = folded(batches).doc
        assert doc is not None
        assert doc["ship_to"] == {"name": "Ada", "city": "Ulm"}


def test_the_source_that_spoke_first_is_the_home_whoever_is_heard_first() -> None:
    shop = said(SHOP, "order", {"ref": "o1", "number": "LL-1"}, 1)
    warehouse = said(WAREHOUSE, "order", {"ref": "w1", "number": "W-77", "customer_note": "fragile"}, 2)

    for facts in ([shop, warehouse], [warehouse, shop]):
        doc = folded([[one] for one in facts]).doc
        assert doc is not None
        assert (doc["number"], doc["customer_note"], doc["account"]) == ("LL-1", "fragile", "lamps")
