"""Exact sums: text in, integers between, text out; judged by Decimal."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from hub.orders import amounts, money

texts = st.one_of(
    st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=6).map(lambda one: format(one, "f")),
    st.integers(-(10**15) + 1, 10**15 - 1).map(str),
    st.from_regex(r"\A-?[0-9]{1,15}(\.[0-9]{1,9})?\Z"),
)


@settings(max_examples=500)
@given(texts)
def test_an_amount_is_what_decimal_says_to_the_millionth(text: str) -> None:
    exact = (Decimal(text) * amounts.MICRO).quantize(Decimal(1), rounding=ROUND_DOWN)

    assert amounts.units(text) == int(exact)


@settings(max_examples=500)
@given(st.integers(-(10**21), 10**21), st.integers(0, 6))
def test_a_number_comes_back_as_it_went(number: int, places: int) -> None:
    text = amounts.text(number, places)

    assert amounts.units(text) == number
    assert Decimal(text) == Decimal(number).scaleb(-6)
    assert len(text.partition(".")[2]) >= places
    assert "e" not in text.lower()
    assert text not in ("-0", "-0.0", "-0.00")


@settings(max_examples=300)
@given(st.lists(texts, max_size=12))
def test_sums_are_exact(parts: list[str]) -> None:
    exact = sum(
        ((Decimal(one) * amounts.MICRO).quantize(Decimal(1), rounding=ROUND_DOWN) for one in parts), Decimal()
    )

    assert sum(map(amounts.units, parts)) == int(exact)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-0", 0),
        ("0.1", 100_000),
        ("-0.5", -500_000),
        ("19.95", 19_950_000),
        ("0.0000019", 1),
        ("-0.0000019", -1),
    ],
)
def test_what_lies_below_a_millionth_is_dropped_towards_nought(text: str, number: int) -> None:
    assert amounts.units(text) == number


def test_money_shows_the_two_places_that_people_expect_and_more_where_there_are_more() -> None:
    assert amounts.money(19_900_000, "EUR") == {"amount": "19.90", "currency": "EUR"}
    assert amounts.money(1_234_500, "EUR") == {"amount": "1.2345", "currency": "EUR"}
    assert amounts.money(-500_000, "JPY") == {"amount": "-0.50", "currency": "JPY"}


def test_money_of_another_currency_does_not_count() -> None:
    assert amounts.amount({"amount": "5.00", "currency": "CHF"}, "EUR") == 0
    assert amounts.amount({"amount": "5.00", "currency": "CHF"}) == 5_000_000
    assert amounts.amount(None) == 0


def _order(**more: object) -> dict[str, object]:
    line = {
        "ref": "l1",
        "unit_price": {"amount": "9.99", "currency": "EUR"},
        "quantity": {"original": "3", "ordered": "3"},
    }
    return {"lines": [line], "shipping": [{"price": {"amount": "4.90", "currency": "EUR"}}], **more}


def test_stated_shipping_counts_where_no_shipping_line_says_it() -> None:
    stated = {"shipping": {"amount": "5.00", "currency": "EUR"}}
    line = {"ref": "l1", "unit_price": {"amount": "10.00", "currency": "EUR"}, "quantity": {"ordered": "1"}}
    lines: dict[str, Any] = {"lines": [line], "totals": stated}

    assert money.computed(lines, "EUR")["total"]["amount"] == "15.00"  # type: ignore[index]
    lines["shipping"] = [{"price": {"amount": "4.00", "currency": "EUR"}}]
    assert money.computed(lines, "EUR")["total"]["amount"] == "14.00"  # type: ignore[index]


def test_the_computed_total_adds_what_the_lines_say() -> None:
    totals = money.computed(_order(discounts=[{"amount": {"amount": "1.00", "currency": "EUR"}}]), "EUR")

    assert totals == {
        "subtotal": {"amount": "29.97", "currency": "EUR"},
        "total": {"amount": "33.87", "currency": "EUR"},
    }


def test_tax_is_added_unless_prices_include_it() -> None:
    tax = {"tax": {"amount": "6.00", "currency": "EUR"}}
    without, within = _order(totals=tax), _order(totals=tax, prices_include_tax=True)

    assert money.computed(without, "EUR")["total"]["amount"] == "40.87"  # type: ignore[index]
    assert money.computed(within, "EUR")["total"]["amount"] == "34.87"  # type: ignore[index]


def test_a_quantity_may_be_a_fraction() -> None:
    line = {"ref": "l1", "unit_price": {"amount": "8.00", "currency": "EUR"}, "quantity": {"ordered": "2.5"}}
    totals = money.computed({"lines": [line]}, "EUR")

    assert totals is not None
    assert totals["total"]["amount"] == "20.00"


def test_a_line_without_a_price_leaves_nothing_to_compute() -> None:
    assert money.computed({"lines": [{"ref": "l1", "quantity": {"ordered": "1"}}]}, "EUR") is None


@pytest.mark.parametrize(
    ("payments", "refunds", "status"),
    [
        ([], [], "unpaid"),
        ([("authorized", "20.00")], [], "authorized"),
        ([("captured", "10.00")], [], "partially_paid"),
        ([("captured", "20.00")], [], "paid"),
        ([("captured", "12.00"), ("captured", "8.00")], [], "paid"),
        ([("captured", "25.00")], [], "overpaid"),
        ([("captured", "20.00")], [("succeeded", "5.00")], "partially_refunded"),
        ([("captured", "20.00")], [("succeeded", "5.00"), ("succeeded", "15.00")], "refunded"),
        ([("captured", "20.00")], [("pending", "20.00"), ("failed", "20.00")], "paid"),
        ([("voided", "20.00")], [], "voided"),
        ([("expired", "20.00")], [], "expired"),
        ([("failed", "20.00")], [], "unpaid"),
        ([("failed", "20.00"), ("captured", "20.00")], [], "paid"),
    ],
)
def test_the_payment_status_follows_from_the_sums(
    payments: list[tuple[str, str]], refunds: list[tuple[str, str]], status: str
) -> None:
    doc = {
        "totals": {"total": {"amount": "20.00", "currency": "EUR"}},
        "payments": [
            {"status": word, "amount": {"amount": text, "currency": "EUR"}} for word, text in payments
        ],
        "refunds": [
            {"status": word, "amount": {"amount": text, "currency": "EUR"}} for word, text in refunds
        ],
    }

    assert money.payment_status(doc, "EUR") == status


def test_terms_without_a_payment_are_credit_and_the_sources_own_word_stands_over_ours() -> None:
    assert money.payment_status({"payment_terms": "net 30"}, "EUR") == "on_credit"
    assert money.payment_status({"source_payment_status": "paid"}, "EUR") == "paid"
