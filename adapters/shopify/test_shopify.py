"""What the contract suite cannot know of Shopify: its two ways to tell one order, its samples, its addresses."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.shopify import channel
from adapters.shopify.settings import ShopifySettings, shop_url
from hub.contract import Fact, Headers, Message, Misconfigured, Rejected
from hub.contract.proof import Check
from hub.registry import Registry, load_registry

SAMPLES = Path(__file__).parents[3] / "shared" / "payloads" / "storefronts"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


# ── one order, told twice ────────────────────────────────────────────────────────────────────────────


def golden(name: str) -> list[Any]:
    found: list[Any] = json.loads((Path(__file__).parent / "fixtures" / f"{name}.json").read_bytes())
    return found


def test_a_swept_order_means_leaf_for_leaf_what_its_webhook_means():
    [pushed], [swept] = golden("orders-updated.twin"), golden("poll-orders.twin")
    payments = swept["doc"].pop("payments")

    assert swept["doc"] == pushed["doc"]
    assert (swept["ref"], swept["revision"], swept["full"]) == (
        pushed["ref"],
        pushed["revision"],
        pushed["full"],
    )
    assert [one["ref"] for one in payments] == ["7701002003001"]


def test_a_swept_business_order_means_what_its_webhook_means():
    [pushed], [swept] = golden("orders-create.business"), golden("poll-orders.business")

    assert swept["doc"] == pushed["doc"]
    assert pushed["doc"]["source_payment_status"] == "on_credit"


def test_the_parts_of_an_order_mean_what_they_mean_alone():
    [order], [sale] = golden("orders-updated.twin"), golden("order_transactions-create.sale")
    [first], [second] = (
        golden("fulfillments-create.plain"),
        golden("fulfillments-update.two_parcels_delivered"),
    )
    [refund], [swept] = golden("refunds-create.goods_back"), golden("poll-orders.twin")

    assert order["doc"]["shipments"] == [first["doc"], second["doc"]]
    assert order["doc"]["refunds"] == [refund["doc"]]
    assert swept["doc"]["payments"] == [sale["doc"]]


# ── addresses ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", ["acme", "acme.myshopify.com", "https://acme.myshopify.com/"])
def test_a_shop_is_named_in_three_ways(given: str):
    assert shop_url(ShopifySettings(base_url=given)) == "https://acme.myshopify.com"


@pytest.mark.parametrize(
    "given", ["", "ftp://acme.example", "https://user@acme.example", "https://acme.example?x=1"]
)
def test_what_is_no_address_of_a_shop_is_told(given: str):
    with pytest.raises(Misconfigured, match="base_url"):
        shop_url(ShopifySettings(base_url=given))


# ── proof ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not here")
@pytest.mark.parametrize("setting", ["webhook_secret", "client_secret"])
@pytest.mark.parametrize("name", ["X-Shopify-Hmac-SHA256", "shopify-hmac-sha256"])
def test_the_published_vector_holds_under_either_secret_and_header(setting: str, name: str):
    found = json.loads((SAMPLES / "SIGNATURE_VECTORS.json").read_bytes())["vectors"]
    vector = next(one for one in found if one["platform"] == "shopify")
    settings = ShopifySettings(**{setting: vector["secret"]})
    message = Message(body=vector["body_utf8"].encode(), headers=Headers({name: vector["signature"]}))
    proof = channel.proof_for(settings)

    proof.check(Check(message=message, settings=settings, now=0, keys={}))
    spoiled = msgspec.structs.replace(message, body=message.body + b" ")
    with pytest.raises(Rejected):
        proof.check(Check(message=spoiled, settings=settings, now=0, keys={}))


# ── Shopify's own samples ────────────────────────────────────────────────────────────────────────────

OBJECTS = {
    "order": "orders/updated",
    "fulfillment": "fulfillments/update",
    "refund": "refunds/create",
    "transaction": "order_transactions/create",
}
REASONS = {
    "goshopify-lineitem-properties_invalid0.json": "body: not JSON",
    "pyapi-refund_calculate.json": "ref: required value is missing",
    "refunds_calculate.json": "ref: required value is missing",
    "json_fields=id_2Cline_items_2Cname_2Ctotal_.json": "@cur: required value is missing",
}
"""The samples that mean nothing, by the end of their name, and why: broken JSON, a refund that is only
calculated, an order asked for four of its fields."""


def sampled() -> list[Message]:
    files = sorted((SAMPLES / "shopify").glob("*.json"))
    return [message for file in files for message in messages(file)]


def messages(file: Path) -> Iterator[Message]:
    """The webhooks that a sample holds: a capture is one, a REST answer one for each object within."""
    raw = file.read_bytes()
    try:
        tree = json.loads(raw)
    except ValueError:
        yield Message(body=raw, topic="orders/create", path=file.name)
        return
    if "headers" in tree:
        yield told(tree["topic"], tree["body"], file)
    elif any("fulfillment_order" in name for name in tree):
        yield told("fulfillment_orders/moved", tree, file)
    elif found := [(name, value) for name, value in tree.items() if name.rstrip("s") in OBJECTS]:
        for name, value in found:
            for one in value if isinstance(value, list) else [value]:
                yield told(OBJECTS[name.rstrip("s")], one, file)
    else:
        line = {"id": 2, "quantity": 1, "price": "1.00", **tree}
        yield told("orders/create", {"id": 1, "currency": "EUR", "line_items": [line]}, file)


def told(topic: str, body: Any, file: Path) -> Message:
    return Message(body=json.dumps(body).encode(), topic=topic, path=file.name, received_at=1)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not here")
def test_every_sample_of_shopify_means_facts_or_says_why_not(registry: Registry):
    outcomes: Counter[str] = Counter()
    for message in sampled():
        try:
            reading = registry.read("shopify", message)
        except Rejected as error:
            reason = next(reason for end, reason in REASONS.items() if message.path.endswith(end))
            assert reason in str(error), message.path
            outcomes["rejected"] += 1
        else:
            assert reading is not None, message.path
            outcomes.update(kind(read) for read in reading.facts or [None])

    assert outcomes["order"] >= 40
    assert outcomes["shipment"] >= 15
    assert outcomes["rejected"] == 5


def kind(read: Any) -> str:
    return read.subject if isinstance(read, Fact) else type(read).__name__.lower() if read else "nothing"
