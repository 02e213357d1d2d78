"""What the suite cannot know of WooCommerce: its secrets' spellings, its ping, its ids, its plugins' parcels."""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.woocommerce import channel, topics
from adapters.woocommerce.parcels import moment, parcels
from adapters.woocommerce.proof import SIGNATURE, decoded
from adapters.woocommerce.settings import WooCommerceSettings, account_of, shop_url
from hub.contract import Fact, Forged, Headers, Message, Misconfigured, Redaction, Stale, Unmapped
from hub.contract.proof import Check
from tests.channels.case import assert_canonical, registry
from tests.channels.payloads import FOLDER, outcome, payloads

SAMPLES = FOLDER / "storefronts" / "woocommerce"
LINES = [
    {"id": 901, "product_id": 41, "variation_id": 0, "quantity": 2},
    {"id": 902, "product_id": 52, "variation_id": 57, "quantity": 1},
]


def signed(key: bytes, body: bytes = b'{"id":5107}', header: str = SIGNATURE) -> Message:
    mac = base64.b64encode(hmac.digest(key, body, "sha256")).decode()
    return Message(body=body, headers=Headers({header: mac}))


def holds(message: Message, *secrets: str) -> bool:
    settings = WooCommerceSettings(webhook_secret=list(secrets))
    try:
        channel.proof_for(settings).check(Check(message=message, settings=settings, now=0, keys={}))
    except Forged:
        return False
    return True


# ── proof ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", ["a&b\"c'd", "a&amp;b&quot;c&#039;d", "a&b&quot;c&#x27;d"])
def test_a_secret_holds_in_either_spelling(given: str):
    assert holds(signed(b"a&b\"c'd"), given)


def test_a_secret_that_only_looks_like_entities_is_left_alone():
    assert holds(signed(b"x&copy7&lt9&reg;&nbsp;"), "x&copy7&lt9&reg;&nbsp;")
    assert decoded(b"&lt9 &copy; &#65; &amp;lt;") == b"&lt9 &copy; &#65; &lt;"


def test_a_secret_is_decoded_once():
    assert holds(signed(b"&lt;"), "&amp;lt;")
    assert not holds(signed(b"<"), "&amp;lt;")


def test_the_known_vector_holds_and_its_spoiled_twin_does_not():
    body = '{"id":820982911946154508,"name":"#1001","note":"café ✓ \\u00e9\\/","total":"10.00"}'.encode()
    mac = "7AmPJ0riNnOZgoVgVSIwzeNTfNmrxD1fQG5i9N2NKtU="
    message = Message(body=body, headers=Headers({SIGNATURE: mac}))

    assert holds(message, "a&b\"c'd")
    assert holds(message, "another", "a&amp;b&quot;c&#039;d")
    assert not holds(msgspec.structs.replace(message, body=body + b" "), "a&b\"c'd")


# ── the ping, ids and accounts ───────────────────────────────────────────────────────────────────────


def test_the_unsigned_ping_is_answered_200_and_nothing_is_kept():
    ping = Message(
        body=b"webhook_id=12", headers=Headers({"content-type": "application/x-www-form-urlencoded"})
    )
    greeting = topics.greet(ping, WooCommerceSettings())

    assert greeting is not None
    assert (greeting.reply.status, greeting.proven, greeting.then) == (200, False, None)


@pytest.mark.parametrize(
    "body", [b"webhook_id=12&order=5", b"webhook_id=", b'{"id":5107}', b"", b"webhook_id=x"]
)
def test_what_is_no_ping_has_to_be_proved(body: bytes):
    assert topics.greet(Message(body=body), WooCommerceSettings()) is None


def test_two_deliveries_of_one_second_are_two_and_a_repeated_one_is_one():
    one, two = (
        Message(body=body, headers=Headers({"X-WC-Webhook-Delivery-ID": "5f3c"}))
        for body in (b'{"a":1}', b'{"a":2}')
    )

    assert channel.dedupe.find(one) != channel.dedupe.find(two)
    assert channel.dedupe.find(one) == channel.dedupe.find(msgspec.structs.replace(one))


def test_an_order_that_is_trashed_again_says_the_same_in_another_delivery():
    keys = {
        channel.dedupe.find(Message(body=b'{"id":5107}', headers=Headers({"X-WC-Webhook-Delivery-ID": one})))
        for one in ("5f3c", "77aa")
    }

    assert len(keys) == 2


@pytest.mark.parametrize(
    ("address", "account"),
    [
        ("https://Bean.example/", "bean.example"),
        ("http://bean.example", "bean.example"),
        ("https://example.org/shop/", "example.org/shop"),
        ("http://localhost:8080/wordpress/", "localhost:8080/wordpress"),
        ("no address", ""),
        ("", ""),
    ],
)
def test_a_shop_is_known_by_host_and_folder(address: str, account: str):
    assert account_of(address) == account
    assert channel.account.find(Message(headers=Headers({"X-WC-Webhook-Source": address}))) == account


def test_a_base_url_may_be_a_host_a_folder_or_the_rest_address():
    given = {
        "bean.example": "https://bean.example",
        "http://bean.example/": "http://bean.example",
        "https://example.org/shop/": "https://example.org/shop",
        "https://bean.example/wp-json/": "https://bean.example",
    }

    assert {one: shop_url(WooCommerceSettings(base_url=one)) for one in given} == given
    for wrong in ("", "ftp://bean.example", "https://user:pass@bean.example", "https://bean.example?x=1"):
        with pytest.raises(Misconfigured):
            shop_url(WooCommerceSettings(base_url=wrong))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────


def read(body: Any, topic: str = "order.updated", **known: Any) -> list[Any]:
    message = Message(body=json.dumps(body).encode(), topic=topic, **known)
    reading = registry().read("woocommerce", message)
    assert reading is not None
    return reading.facts


def order(**fields: Any) -> dict[str, Any]:
    return {
        "id": 5107,
        "status": "processing",
        "currency": "EUR",
        "total": "10.00",
        "line_items": LINES,
        **fields,
    }


def test_a_push_with_refunds_takes_nothing_away_and_asks_for_the_whole():
    reads = read(order(refunds=[{"id": 8, "reason": "x", "total": "-5.00"}]))

    assert [(one.subject, sorted(one.full)) for one in reads[:2]] == [("order", []), ("refund", [])]
    assert "refunds" not in reads[0].doc
    assert reads[1].doc == {
        "ref": "8",
        "amount": {"amount": "5.00", "currency": "EUR"},
        "reason": "x",
        "status": "succeeded",
    }
    assert reads[2] == Stale(subject="order", ref="5107")


def test_a_reading_with_refunds_carries_all_facets_and_asks_for_nothing():
    reads = read(
        order(refunds=[{"id": 8, "amount": "5.00", "date_created_gmt": "2026-03-14T12:00:00"}]),
        topic="poll/order",
        transport="poll",
    )

    (fact,) = reads
    assert "lines" in fact.full
    assert fact.doc["refunds"][0]["source_revision"] == "2026-03-14T12:00:00.000Z"


def test_an_order_whose_buyer_was_erased_is_redacted():
    reads = read(order(meta_data=[{"key": "_anonymized", "value": "yes"}]))

    assert reads[-1] == Redaction(orders=("5107",), reason="erased in WooCommerce")


def test_a_connection_s_own_mapping_is_taken_though_the_reader_is_code():
    own = "map: bean.order\nextends: woocommerce.order\nfields: {purchase_order: my_field}\n"
    base = registry().texts["woocommerce.order"].text
    mine = registry().with_mappings({"bean.order": own, "woocommerce.order": base})
    message = Message(body=json.dumps(order(my_field="PO 9")).encode(), topic="order.updated")

    reading = mine.read("woocommerce", message, "bean.order")

    assert reading is not None
    assert reading.mapping == "bean.order"
    fact = reading.facts[0]
    assert isinstance(fact, Fact)
    assert fact.doc["purchase_order"] == "PO 9"


# ── parcels ──────────────────────────────────────────────────────────────────────────────────────────


def meta(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def test_one_number_in_two_plugins_is_one_parcel():
    found = parcels(
        order(
            meta_data=meta(
                _wc_shipment_tracking_items=[{"tracking_number": "9400 1", "tracking_id": "t1"}],
                wcshipping_labels=[{"label_id": 3, "tracking": "94001", "status": "PURCHASED"}],
            )
        )
    )

    assert [one["ref"] for one in found] == ["t1"]


def test_a_parcel_of_ours_swallows_what_the_plugin_says_of_its_numbers_old_ones_too():
    note = {
        "packages": [{"number": "A1"}, {"number": "A2"}],
        "gone": ["A0"],
        "lines": [{"line": "901", "quantity": "1"}],
    }
    items = [{"tracking_number": number, "tracking_id": number} for number in ("A0", "A1", "A2", "B1")]
    found = parcels(order(meta_data=meta(_orderhub_shp_1=note, _wc_shipment_tracking_items=items)))

    assert [one["ref"] for one in found] == ["shp_1", "B1"]
    assert [one["number"] for one in found[0]["packages"]] == ["A1", "A2"]


def test_completed_ships_what_no_parcel_names_and_nothing_more():
    whole = [{"tracking_number": "A1", "tracking_id": "t1"}]
    part = [{**whole[0], "products_list": [{"item_id": 901, "qty": 2}]}]
    all_ = [{**whole[0], "products_list": [{"item_id": "901", "qty": "2"}, {"product": 57, "qty": 1}]}]

    def refs(items: Any) -> list[str]:
        told = order(status="completed", meta_data=meta(_wc_shipment_tracking_items=items))
        return [one["ref"] for one in parcels(told)]

    assert refs("") == ["5107-completed"]
    assert refs(whole) == ["t1"]
    assert refs(part) == ["t1", "5107-completed"]
    assert refs(all_) == ["t1"]


def test_items_that_fit_two_lines_name_none():
    twice = [{"id": 1, "product_id": 41, "quantity": 1}, {"id": 2, "product_id": 41, "quantity": 1}]
    items = [{"tracking_number": "A1", "tracking_id": "t1", "products_list": [{"product": 41, "qty": 1}]}]

    (found,) = parcels(order(line_items=twice, meta_data=meta(_wc_shipment_tracking_items=items)))

    assert found["lines"] == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("1773532800", "2026-03-15T00:00:00Z"),
        (1773619200, "2026-03-16T00:00:00Z"),
        ("2026-03-15", "2026-03-15T00:00:00Z"),
        ("2026-03-15T08:00:00.000Z", "2026-03-15T08:00:00Z"),
        ("2026-03-15T09:00:00+01:00", "2026-03-15T08:00:00Z"),
        ("15/03/2026", None),
        ("", None),
        (0, None),
        (None, None),
        ("9" * 30, None),
    ],
)
def test_a_date_of_shipping_has_many_forms(given: Any, told: str | None):
    assert moment(given) == told


# ── the platform's own samples ───────────────────────────────────────────────────────────────────────


def samples(path: Path) -> list[tuple[str, bytes]]:
    """The topics and bodies under which a sample would come: captures and app fixtures wrap it, answers of the API
    are lists and batches, refunds and tracking numbers come with their order."""
    raw = path.read_bytes()
    try:
        body = json.loads(raw)
    except ValueError:
        return [("order.updated", raw)]
    if isinstance(body, dict) and body.keys() >= {"headers", "topic", "body"}:
        return [(str(body["topic"]), json.dumps(body["body"]).encode())]
    inner = body["data"] if isinstance(body, dict) and body.keys() == {"data"} else body
    if isinstance(inner, dict) and inner.keys() <= {"create", "update", "delete"}:
        inner = [one for part in inner.values() for one in part]
    trees = inner if isinstance(inner, list) else [inner]
    if any("refunded_by" in one for one in trees):
        return [("poll/order", json.dumps(order(refunds=trees)).encode())]
    if any("tracking_number" in one for one in trees):
        return [("poll/order", json.dumps(order(meta_data=meta(_wc_shipment_tracking_items=trees))).encode())]
    return [("order.updated", json.dumps(one).encode()) for one in trees]


def outcomes(path: Path) -> list[str]:
    return [
        outcome(
            "woocommerce",
            topic,
            body,
            zone="Europe/London",
            transport="poll" if topic.startswith("poll/") else "webhook",
        )
        for topic, body in samples(path)
    ]


@pytest.mark.parametrize("path", payloads("storefronts", "woocommerce"), ids=lambda path: path.name)
def test_a_sample_of_the_platform_gives_facts_or_a_reason(path: Path):
    assert all(outcomes(path))


def test_every_order_refund_and_tracking_number_among_the_samples_is_understood():
    said = {path.name: outcomes(path) for path in payloads("storefronts", "woocommerce")}
    unread = {name for name, found in said.items() if any(one.startswith("refused") for one in found)}

    assert unread <= {
        "wcios-order-with-deleted-refunds.json",  # no JSON
        "wcios-order-with-line-item-attributes.json",  # no JSON
        "wcios-order-notes.json",  # what writes look through
        "wcios-order-statuses.json",  # the shop's list of its statuses
    }


def test_a_body_of_the_legacy_api_names_the_cure():
    with pytest.raises(Unmapped, match="WP REST API Integration v3"):
        read({"order": {"id": 1}})


def test_every_fact_of_a_whole_order_is_canonical():
    for one in read(order(status="completed", customer_id=7, billing={"first_name": "Ida"})):
        assert_canonical(one)
