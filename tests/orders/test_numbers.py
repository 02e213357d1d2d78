"""Parcel numbers: one spelling, and check digits that hint at the carrier."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from hub.orders import numbers
from hub.orders.carriers import carriers
from hub.orders.numbers import carriers_of, normal

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "payloads" / "carriers" / "tracking_number_data"
NAMES = {
    "Amazon Logistics": "amazon_logistics", "Canada Post": "canada_post", "DHL Express": "dhl_express", "DPD": "dpd",
    "FedEx Express": "fedex", "FedEx Ground": "fedex", "LaserShip": "lasership", "OnTrac": "ontrac",
    "Purolator (12)": "purolator", "UPS": "ups", "USPS": "usps", "Yodel": "yodel", "YunExpress": "yunexpress",
}  # fmt: skip
NOT_TOLD = {"FedEx Ground (SSCC-18)"}


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("1z 999 aa1-0123", "1Z999AA10123"),
        ("RB 123 456 785 gb", "RB123456785GB"),
        (" 1234\u00a05678\t90\r\n", "1234567890"),
        ("12‐34–56\u200b78", "12345678"),
        ("ＳＦ１２３", "SF123"),
        ("", ""),
    ],
)
def test_a_number_has_one_spelling(spelled, expected):
    assert normal(spelled) == expected
    assert normal(normal(spelled)) == normal(spelled)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("1ZCIETST0111111114", "ups"),
        ("1ZCIETST0422222228", "ups"),
        ("RB123456785GB", "royal_mail"),
        ("RB123456785US", "usps"),
        ("EB123456785CN", "ems_china"),
        ("RB123456785CN", "china_post"),
        ("9400111206206406260787", "usps"),
        ("420787459400111206206406260787", "usps"),
        ("986578788855", "fedex"),
        ("3318810025", "dhl_express"),
        ("SF1234567890123", "sf_express"),
        ("YT9693083639795", "yto"),
    ],
)
def test_a_sound_number_hints_at_its_carrier(number, code):
    assert code in carriers_of(number)


@pytest.mark.parametrize(
    "number",
    ["1Z12345E0205271688", "1ZCIETST0111111115", "RB123456786US", "RB123456785XX", "996578788855", "", "ABC"],
)
def test_a_failing_check_digit_hints_at_nobody(number):
    assert carriers_of(number) == ()


def test_one_number_may_fit_several_carriers():
    assert set(carriers_of("320606146993")) >= {"purolator"}
    assert len(carriers_of("RB123456785GB")) == 1


@given(number=st.text(max_size=40))
def test_any_text_gives_codes_we_know(number):
    assert set(carriers_of(number)) <= carriers().rows.keys()


def test_every_code_a_number_may_hint_at_is_in_the_table():
    codes = {code for code, _, _ in numbers._RULES}
    codes |= set(numbers._POSTS.values()) | set(numbers._EXPRESS_POSTS.values())

    assert codes <= carriers().rows.keys()


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not beside this checkout")
def test_the_public_samples_are_told_as_their_lists_say():
    wrong = []
    for name, numbers_of in published():
        code = next((code for start, code in NAMES.items() if name.startswith(start)), None)
        if code is None or name in NOT_TOLD:
            continue
        wrong += [(name, number) for number in numbers_of["valid"] if code not in carriers_of(number)]
        wrong += [(name, number) for number in numbers_of["invalid"] if code in carriers_of(number)]

    assert wrong == []


def published():
    for path in sorted(SAMPLES.glob("*.json")):
        for kind in json.loads(path.read_text(encoding="utf-8")).get("tracking_numbers", ()):
            yield kind["name"], kind["test_numbers"]
