"""What people decide: judged by the order's state and version, then a fact, an event and an audit row."""

from __future__ import annotations

import asyncio

import pytest

from tests.http.conftest import House, on_sqlite

ORDER = {"ref": "1", "channel": "phone", "lines": [{"sku": "A", "qty": 1}]}


@pytest.fixture
async def path(house: House) -> str:
    return f"/v1/orders/{(await house.post('/v1/orders', ORDER))['data'][0]['order']}"


async def test_an_order_is_confirmed_held_released_and_noted(house: House, path: str):
    confirmed = await house.post(f"{path}/confirm")
    held = await house.post(f"{path}/hold", {"reason": "address", "note": "no street"})
    noted = await house.post(f"{path}/notes", {"text": "called, no answer"})
    released = await house.post(f"{path}/release", {"hold": held["holds"][0]["id"]})

    assert confirmed["state"] == "confirmed"
    assert held["holds"][0]["reason"] == "address"
    assert noted["notes"][0]["text"] == "called, no answer"
    assert "holds" not in released
    types = [event["type"] for event in (await house.get(f"{path}/timeline"))["data"]]
    assert types == [
        "order.created",
        "order.confirmed",
        "order.on_hold",
        "order.note_added",
        "order.released",
    ]


async def test_what_the_state_forbids_is_409_with_what_it_allows(house: House, path: str):
    await house.post(f"{path}/cancel", {"reason": "customer"})
    answer = await house.say("POST", f"{path}/confirm")

    problem = answer.json()
    assert answer.status_code == 409
    assert (problem["code"], problem["allowed"]) == ("invalid_transition", ["note"])
    assert (await house.get(path))["cancel_reason"] == "customer"
    actions = [
        row["action"] for row in (await house.get("/v1/audit"))["data"] if row["subject"].startswith("ord_")
    ]
    assert actions == ["order.cancel", "order.confirm.refused"]
    kinds = [fact["subject"] for fact in (await house.get(f"{path}/facts"))["data"]]
    assert kinds == ["order", "decision"]


async def test_a_refused_decision_under_a_key_may_be_taken_later(house: House, path: str):
    stale = await house.say("POST", f"{path}/confirm", idempotency_key="d1", if_match='"99"')
    taken = await house.say("POST", f"{path}/confirm", idempotency_key="d1")

    assert stale.status_code == 412
    assert taken.status_code == 200
    message = (await house.get(f"{path}/facts"))["data"][-1]["message"]
    assert (await house.get(f"/v1/messages/{message}"))["status"] == "processed"


async def test_a_decision_on_a_version_that_is_gone_is_refused(house: House, path: str):
    seen = await house.say("GET", path)
    await house.post(f"{path}/hold")
    late = await house.say("POST", f"{path}/confirm", if_match=seen.headers["etag"])
    now = await house.say("GET", path)
    timely = await house.say("POST", f"{path}/confirm", if_match=now.headers["etag"])

    assert (late.status_code, late.json()["code"]) == (412, "stale_version")
    assert late.headers["etag"] == now.headers["etag"]
    assert timely.status_code == 200
    assert timely.headers["etag"] != now.headers["etag"]


async def test_of_two_at_once_on_one_version_one_wins(house: House, path: str):
    etag = (await house.say("GET", path)).headers["etag"]
    answers = await asyncio.gather(
        *(house.say("POST", f"{path}/{verb}", if_match=etag) for verb in ("confirm", "cancel", "reject"))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]


async def test_the_same_key_on_another_order_is_another_request(house: House, path: str):
    other = f"/v1/orders/{(await house.post('/v1/orders', ORDER | {'ref': '2'}))['data'][0]['order']}"
    await house.post(f"{path}/confirm", idempotency_key="d2")
    answer = await house.say("POST", f"{other}/confirm", idempotency_key="d2")

    assert answer.status_code == 422
    assert (await house.get(other))["state"] == "open"


async def test_an_order_with_its_etag_is_304_where_it_is_known(house: House, path: str):
    etag = (await house.say("GET", path)).headers["etag"]
    answer = await house.say("GET", path, if_none_match=etag)

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(("verb", "body", "field"), [
    ("cancel", {"reason": "boredom"}, "reason"), ("hold", {"reason": 7}, "reason"), ("notes", {"text": ""}, "text"),
    ("confirm", {"sure": True}, "sure"),
])  # fmt: skip
@on_sqlite
async def test_a_decision_that_makes_no_sense_is_422(
    house: House, path: str, verb: str, body: dict, field: str
):
    answer = await house.say("POST", f"{path}/{verb}", body)

    assert answer.status_code == 422
    assert answer.json().get("field", "") == field
