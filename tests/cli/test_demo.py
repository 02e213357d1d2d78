from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import standardwebhooks
import svix

from hub.demo.partner import Partner
from hub.demo.senders import sample
from hub.demo.shop import TOKEN, Shop
from hub.demo.voice import Voice
from tests.cli.conftest import plain_environment


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The whole demo, as a child process, with what its partner received."""
    record = tmp_path_factory.mktemp("demo") / "webhooks.ndjson"
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--exit", "--record", str(record)], env=plain_environment(),
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    heard = [json.loads(line) for line in record.read_text().splitlines()]
    return done, [{**one, "body": base64.b64decode(one["body"])} for one in heard]


def test_every_step_of_the_demo_is_so(told):
    done, _ = told

    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert re.findall(r"^ (\d) ", done.stdout, re.MULTILINE) == list("123456789")


def test_the_demos_webhooks_are_verified_by_the_standardwebhooks_package(told):
    for one in told[1]:
        standardwebhooks.Webhook(one["secret"]).verify(one["body"].decode(), one["headers"])

    assert len(told[1]) > 20


def test_the_demos_webhooks_are_verified_by_the_svix_package(told):
    for one in told[1]:
        svix.Webhook(one["secret"]).verify(one["body"], one["headers"])


def test_neither_package_accepts_another_body(told):
    one = told[1][0]

    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(one["secret"]).verify(one["body"].decode() + " ", one["headers"])
    with pytest.raises(svix.WebhookVerificationError):
        svix.Webhook(one["secret"]).verify(one["body"] + b" ", one["headers"])


def test_what_was_acknowledged_came_once_and_in_order_per_order(told):
    orders: dict[str, list[int]] = {}
    for one in told[1]:
        if one["answered"] < 300:
            orders.setdefault(one["order"], []).append(one["sequence"])

    assert len(orders) >= 5
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in orders.values())


def test_the_demo_leaves_a_hub_to_play_with_until_it_is_interrupted():
    command = [sys.executable, "-m", "hub", "demo"]
    running = subprocess.Popen(command, env=plain_environment(), stdout=subprocess.PIPE, text=True)
    said = ""
    while "Ctrl-C" not in said:
        line = running.stdout.readline()
        assert line, said
        said += line
    url, token = re.search(r"ORDERHUB_URL=(\S+) ORDERHUB_TOKEN=(\S+)", said).groups()
    found = httpx.get(f"{url}/v1/orders?number=KK-1001", headers={"authorization": f"Bearer {token}"}).json()
    folder = re.search(r"Its log is (\S+)/hub.log", said)[1]
    running.send_signal(signal.SIGINT)
    running.stdout.read()
    running.stdout.close()

    assert running.wait(60) == 0
    assert found["data"][0]["state"] == "completed"
    assert not Path(folder).exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


async def test_the_partner_believes_nobody_but_the_hub():
    partner = Partner()
    partner.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    transport = httpx.ASGITransport(app=partner)
    async with httpx.AsyncClient(transport=transport, base_url="http://partner") as anyone:
        answer = await anyone.post("/hooks", json={"type": "order.created"}, headers={"webhook-id": "evt_1"})

    assert answer.status_code == 401
    assert partner.accepted == []


async def test_the_shop_ships_what_is_left_and_no_more():
    shop = Shop("demo.example", {"17": {"1": 2}})
    transport = httpx.ASGITransport(app=shop)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as api:

        async def ask(query, **variables):
            body = {"query": query, "variables": variables}
            return (await api.post("/graphql", json=body, headers={"x-shopify-access-token": TOKEN})).json()[
                "data"
            ]

        item = {"id": "gid://shopify/FulfillmentOrderLineItem/1", "quantity": 1}
        taken = [
            {"fulfillmentOrderId": "gid://shopify/FulfillmentOrder/17", "fulfillmentOrderLineItems": [item]}
        ]
        await ask("mutation Fulfill($f: X!) { … }", fulfillment={
            "lineItemsByFulfillmentOrder": taken, "trackingInfo": {"number": "N1", "company": "CTT"},
        })  # fmt: skip
        left = await ask("query Open($id: ID!) { … }", id="gid://shopify/Order/17")
        stranger = await api.post("/graphql", json={"query": "query Shop { shop }"})

    line = left["order"]["fulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]
    assert line["remainingQuantity"] == 1
    assert [one.number for one in shop.told] == ["N1"]
    assert stranger.status_code == 401


def test_a_sample_keeps_what_is_not_changed():
    message = sample("order", {"X-Shopify-Topic": "orders/updated"}, note="another")

    assert message.json()["note"] == "another"
    assert message.json()["name"] == "KK-1001"
    assert message.headers["x-shopify-topic"] == "orders/updated"


def test_what_is_not_so_is_told_and_remembered(capsys):
    voice = Voice()
    voice.title(4, "A forged message is refused")
    voice.check(False, "hub", "nothing is stored", otherwise="an order was stored")

    assert voice.faults == ["4 A forged message is refused: an order was stored"]
    assert "✗ hub" in capsys.readouterr().out
