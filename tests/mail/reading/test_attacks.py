"""Letters that are made to break their reader: through the child process with its limits, as every letter goes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from hub.inbound.mail.cell import Blown, Bounds, Cell
from hub.inbound.mail.reading import Layout, Manner, Reading, Rules, read
from hub.inbound.mail.reading.kinds import bomb
from tests.mail.corpus.attacks import (
    FAULTS,
    NOTED,
    OPEN,
    READ,
    REFUSED,
    SCRIPT,
    attached,
    html,
    sheet_lie,
    text,
)
from tests.mail.corpus.forms import NATIVE, csv_attached
from tests.mail.corpus.people import EN

RULES = Rules(texts=NATIVE, locale="en-GB", currency="GBP")


@pytest.fixture(scope="module")
async def cell() -> AsyncIterator[Cell]:
    one = Cell(size=1, bounds=Bounds(memory=1 << 30, cpu=15, wall=60.0))
    yield one
    one.close()


async def honest(cell: Cell) -> bool:
    """Whether an honest letter is read after all."""
    case = csv_attached(EN)
    return [one.doc for one in (await cell.run(read, case.raw, case.rules)).orders] == [*case.orders]


@pytest.mark.parametrize("name", REFUSED)
async def test_what_breaks_a_limit_is_turned_away_with_the_reason(cell: Cell, name: str):
    make, reason = REFUSED[name]

    reading = await cell.run(read, make(), RULES)

    assert (reading.kind, reason in reading.reason) == ("unreadable", True), reading.reason


@pytest.mark.parametrize("name", READ)
async def test_what_is_strange_but_within_limits_is_read(cell: Cell, name: str):
    reading = await cell.run(read, READ[name](), RULES)

    assert isinstance(reading, Reading)
    assert reading.kind != "unreadable", reading.reason


@pytest.mark.parametrize("name", NOTED)
async def test_what_is_not_opened_is_noted(cell: Cell, name: str):
    make, reason = NOTED[name]

    reading = await cell.run(read, make(), RULES)

    assert any(reason in note for note in reading.notes), reading.notes
    assert not any(one.doc for one in reading.orders)


@pytest.mark.parametrize("name", FAULTS)
async def test_xml_that_is_no_order_is_a_doubt_with_its_reason(cell: Cell, name: str):
    data, reason = FAULTS[name]

    (found,) = (await cell.run(read, attached("o.xml", data), RULES)).orders

    assert found.doc == {}
    assert reason in found.doubts[0].reason


def test_a_directory_that_lies_is_found_out_or_read_in_the_cell():
    assert bomb(sheet_lie()) == "" or "inflates" in bomb(sheet_lie())


async def test_a_sheet_that_lies_about_its_size_ends_in_the_cell_at_worst(cell: Cell):
    try:
        reading = await cell.run(read, attached("a.xlsx", sheet_lie()), RULES)
        assert not any(one.doc for one in reading.orders)
    except Blown:
        assert await honest(cell)


async def test_what_needs_too_long_is_ended_and_the_next_letter_is_read():
    tight = Cell(size=1, bounds=Bounds(memory=1 << 30, cpu=2, wall=20.0))
    try:
        assert await honest(tight)
        with contextlib.suppress(Blown):
            await tight.run(read, html(OPEN), RULES)
        assert await honest(tight)
    finally:
        tight.close()


async def test_an_expression_of_an_operator_cannot_hang_on_what_somebody_writes(cell: Cell):
    evil = Layout(row=r"^(?P<sku>(a+)+)(?P<quantity>(a|aa)+)$", fields={"total": r"(x+x+)+y"})
    rules = Rules(texts=NATIVE, manner=Manner(layouts=[evil], sku=r"(a*)*b"))

    reading = await cell.run(read, text((b"a" * 900 + b"!\r\n") * 200 + b"x" * 900), rules)

    assert reading.kind == "nothing"


async def test_nothing_of_a_page_is_fetched_or_run(cell: Cell):
    reading = await cell.run(read, html(SCRIPT), RULES)

    assert [line["sku"] for line in reading.orders[0].doc["lines"]] == ["DL-100"]
    assert "evil" not in str(reading.orders)
