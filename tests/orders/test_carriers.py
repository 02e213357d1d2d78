"""Carriers by name: one code, whatever a platform calls it."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
import yaml

from hub.contract.errors import Misconfigured
from hub.orders.carriers import carriers, parse


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("UPS", "ups"),
        ("United Parcel Service", "ups"),
        ("SF Express", "sf_express"),
        ("sf-express", "sf_express"),
        ("shunfeng", "sf_express"),
        ("顺丰速运", "sf_express"),
        ("dhl", "dhl_express"),
        ("DHL eCommerce", "dhl_ecommerce"),
        ("Österreichische Post", "austrian_post"),
        ("4PX", "4px"),
        ("Yamato (JA)", "yamato"),
        ("royal_mail", "royal_mail"),
    ],
)
def test_any_platform_s_word_finds_our_code(word, code):
    assert carriers().code(word) == code


def test_an_unknown_word_finds_nothing():
    assert carriers().code("Pigeon Post") is None
    assert carriers().code("") is None
    assert carriers().names("pigeon_post") == {}
    assert carriers().url("pigeon_post", "1") is None


def test_a_word_of_two_meanings_is_settled_by_its_platform():
    assert carriers().code("Hermes", "shopify") == "hermes_de"
    assert carriers().code("hermes", "aftership") == "evri"
    assert carriers().code("jtexpress", "kuaidi100") == "jt_express"
    assert carriers().code("jtexpress", "aftership") == "jt_express_my"


def test_the_first_of_several_words_is_the_one_we_say():
    names = carriers().names("amazon_logistics")

    assert names["shopify"] == "Amazon Logistics US"
    assert names["name"] == "Amazon Logistics"
    assert "url" not in names
    assert "also" not in names


def test_a_number_is_quoted_into_its_page():
    assert carriers().url("ups", "1Z/9 9") == "https://www.ups.com/track?tracknum=1Z%2F9%209"
    assert carriers().url("intelcom", "1") is None


def test_the_table_is_large_and_every_name_comes_back_to_its_code():
    table = carriers()

    assert len(table.rows) >= 60
    for code in table.rows:
        names = table.names(code)
        assert table.code(code) == code
        assert table.code(names.pop("name")) == code
        for platform, word in names.items():
            assert table.code(word, platform) == code


def test_every_page_is_safe_and_takes_a_number():
    for code, row in carriers().rows.items():
        for url in row.get("url", ()):
            assert re.fullmatch(r"https://[a-z0-9.-]+/\S*", url), code
            assert url.count("{number}") == 1, code


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- ups", "not a table"),
        ("ups: UPS", "ups: not a row"),
        ("UPS: {name: UPS}", "a code is lower case"),
        ("ups: {shopify: UPS}", "ups: no name"),
        ("ups: {name: UPS, shopify: {a: b}}", "ups.shopify: not a word"),
        ("ups: {name: UPS, url: https://ups.example/}", "no {number} in it"),
        ("a: {name: A, ebay: X}\nb: {name: B, ebay: x}", "b.ebay: 'x' is a already"),
        ("ups: [", "carriers.yaml"),
    ],
)
def test_a_faulty_table_is_told_with_its_place(text, fault):
    with pytest.raises(Misconfigured, match=re.escape(fault)):
        parse(text)


def test_the_mapping_of_aftership_knows_the_same_couriers():
    text = files("mappings").joinpath("aftership.tracking.yaml").read_text(encoding="utf-8")
    table = yaml.load(text, Loader=yaml.BaseLoader)["tables"]["carrier"]
    table.pop("*")
    rows = carriers().rows.items()
    slugs = {slug: code for code, row in rows for slug in row.get("aftership", ())}

    assert table == {slug: code for slug, code in slugs.items() if slug != code}
