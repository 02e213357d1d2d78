"""Every mail of the corpus means what its buyer meant."""

import re

import msgspec
import pytest

from hub.contract.canon import Order, Tracking
from hub.inbound.mail.reading import read
from tests.mail.corpus.forms import Case, corpus

CASES = list(corpus())


def test_the_corpus_has_sixty_mails_and_more_in_three_languages():
    assert len(CASES) >= 60
    assert {case.name[:2] for case in CASES} == {"zh", "en", "de"}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_mail_means_what_its_buyer_meant(case: Case):
    reading = read(case.raw, case.rules)

    assert reading.kind == case.kind, reading
    assert [one.doc for one in reading.orders] == [*case.orders]
    assert [_bare(one.doc) for one in reading.shipments] == [*case.shipments]
    assert {doubt.field for one in reading.orders for doubt in one.doubts} == case.doubts
    assert all(one.form == case.form for one in (*reading.orders, *reading.shipments))
    assert all(one.partial == case.partial for one in reading.orders)
    assert case.ruled is None or [one.ruled for one in reading.orders] == [case.ruled] * len(reading.orders)
    for note in case.notes:
        assert any(note in told for told in reading.notes), reading.notes
    assert case.inner in (reading.inner.sender if reading.inner else "")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_read_is_canonical_and_every_value_says_where_it_stood(case: Case):
    reading = read(case.raw, case.rules)

    for one in reading.orders:
        msgspec.convert(one.doc, Order)
        assert all(0 < origin.confidence <= 1 and origin.part for origin in one.fields.values())
        for n, line in enumerate(one.doc["lines"]):
            told = [name for name in one.fields if name.startswith(f"lines[{n}]")]
            assert told or not line.get("sku")
    for one in reading.shipments:
        msgspec.convert(one.doc, Tracking)
    assert msgspec.json.decode(msgspec.json.encode(reading), type=type(reading)) == reading


def test_both_readings_of_a_doubtful_number_and_date_are_shown():
    case = next(case for case in CASES if case.name == "en-ambiguous")

    doubts = {doubt.field: doubt for doubt in read(case.raw, case.rules).orders[0].doubts}

    assert set(doubts["lines[0].quantity"].readings) == {"1500", "1.500"}
    assert set(doubts["requested_delivery.date"].readings) == {"2027-01-02", "2027-02-01"}


def test_the_place_of_a_value_can_be_found_again():
    reading = read(*next((case.raw, case.rules) for case in CASES if case.name == "de-xlsx"))

    origin = reading.orders[0].fields["lines[1].quantity"]

    assert re.fullmatch(r"1\.\d/a\.bin", origin.part)
    assert origin.place == "Sheet1!C12"


def _bare(doc):
    return {
        name: [{k: one[k] for k in ("status", "at")} for one in value] if name == "scans" else value
        for name, value in doc.items()
    }
