"""Letters that were spoiled on their way: whatever becomes of their bytes, they are read or turned away."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hub.contract.canon import Order, Tracking
from hub.inbound.mail.reading import Reading, read
from hub.inbound.mail.reading.values import day, money, number
from tests.mail.corpus.forms import corpus

CASES = [case for case in corpus() if len(case.raw) < 20_000]

changes = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True), st.sampled_from(["cut", "byte", "twice", "null", "bracket"])
    ),
    min_size=1,
    max_size=6,
)


def spoiled(raw: bytes, told: list[tuple[float, str]]) -> bytes:
    for where, kind in told:
        at = int(where * len(raw))
        if kind == "cut":
            raw = raw[:at] + raw[at + 7 :]
        elif kind == "twice":
            raw = raw[:at] + raw[at : at + 40] * 2 + raw[at + 40 :]
        else:
            sign = {"byte": b"\xe4", "null": b"\0", "bracket": b"<"}[kind]
            raw = raw[:at] + sign + raw[at + 1 :]
    return raw


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CASES), changes)
def test_a_spoiled_letter_is_read_or_turned_away(case, told):
    reading = read(spoiled(case.raw, told), case.rules)

    assert isinstance(reading, Reading)
    assert reading.kind != "unreadable" or reading.reason
    for one in reading.orders:
        msgspec.convert(one.doc, Order)
    for one in reading.shipments:
        msgspec.convert(one.doc, Tracking)


@given(st.text(max_size=80), st.sampled_from(["", ".", ","]), st.sampled_from(["", "dmy", "mdy", "ymd"]))
def test_any_text_is_a_value_or_none(text, decimal, dates):
    for told in (number(text, decimal), day(text, dates), money(text, decimal, "EUR")[0]):
        assert told.value is None or told.value in told.readings


@pytest.mark.parametrize(
    ("text", "decimal", "value", "readings"),
    [
        ("1.234,50", ",", "1234.50", {"1234.50"}),
        ("1,234.50", ".", "1234.50", {"1234.50"}),
        ("12,500", ".", "12500", {"12500", "12.500"}),
        ("12,500", ",", "12.500", {"12500", "12.500"}),
        ("12,500", "", None, {"12500", "12.500"}),
        ("12,50", ".", None, {"12.50"}),
        ("12.50", "", "12.50", {"12.50"}),
        ("１２", "", "12", {"12"}),
        ("1 234,5", ",", "1234.5", {"1234.5"}),
        ("1'234.50", ".", "1234.50", {"1234.50"}),
        ("007", ".", "7", {"7"}),
        ("-3", ".", "-3", {"-3"}),
        ("12.34.56", ".", None, set()),
        ("twelve", ".", None, set()),
        ("1" * 13, ".", None, set()),
    ],
)
def test_a_number_is_what_the_locale_says(text, decimal, value, readings):
    told = number(text, decimal)

    assert (told.value, set(told.readings)) == (value, readings)


@pytest.mark.parametrize(
    ("text", "dates", "value", "readings"),
    [
        ("10.01.2026", "dmy", "2026-01-10", {"2026-01-10", "2026-10-01"}),
        ("10.01.2026", "mdy", "2026-10-01", {"2026-01-10", "2026-10-01"}),
        ("10.01.2026", "", None, {"2026-01-10", "2026-10-01"}),
        ("31.01.2026", "", "2026-01-31", {"2026-01-31"}),
        ("2026-01-10", "", "2026-01-10", {"2026-01-10"}),
        ("2026年1月10日", "", "2026-01-10", {"2026-01-10"}),
        ("10. Januar 2026", "", "2026-01-10", {"2026-01-10"}),
        ("January 10th, 2026", "", "2026-01-10", {"2026-01-10"}),
        ("26/01/10", "ymd", "2026-01-10", {"2026-01-10"}),
        ("30.02.2026", "dmy", None, set()),
        ("next Friday", "dmy", None, set()),
        ("下周五", "ymd", None, set()),
    ],
)
def test_a_date_is_what_the_locale_says(text, dates, value, readings):
    told = day(text, dates)

    assert (told.value, set(told.readings)) == (value, readings)


@pytest.mark.parametrize(
    ("text", "decimal", "amount", "currency"),
    [
        ("€ 12,50", ",", "12.50", "EUR"),
        ("12.50 GBP", ".", "12.50", "GBP"),
        ("¥199.00", ".", "199.00", "CNY"),
        ("199元", ".", "199", "CNY"),
        ("US$5", ".", "5", "USD"),
        ("$5", ".", "5", "CNY"),
    ],
)
def test_money_names_its_currency_or_has_the_partners(text, decimal, amount, currency):
    told, named = money(text, decimal, "CNY")

    assert (told.value, named) == (amount, currency)
