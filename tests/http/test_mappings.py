"""Mappings over the API: tried without a trace, activated when they hold, taken back."""

from __future__ import annotations

from typing import Any

from tests.http.conftest import House

OWN = """map: desk.order
target: order/1
source: the desk's own form
fields:
  ref: id | str
  number: id | str
  currency: {const: EUR}
"""


async def test_a_text_is_tried_on_a_body_and_nothing_is_kept(house: House):
    tried = await house.post("/v1/mappings/try", {"mapping": OWN, "body": {"id": 9007199254740995}})
    as_text = await house.post("/v1/mappings/try", {"mapping": OWN, "body": '{"id": "a"}'})

    assert tried["mapping"] == "desk.order"
    assert tried["facts"][0]["doc"]["ref"] == "9007199254740995"
    assert as_text["facts"][0]["ref"] == "a"
    assert (await house.say("GET", "/v1/mappings/desk.order")).status_code == 404
    assert (await house.get("/v1/messages"))["data"] == []


async def test_a_body_that_does_not_fit_names_the_place(house: House):
    tried = await house.post(
        "/v1/mappings/try", {"mapping": OWN + "  placed_at: at | datetime\n", "body": {"id": 1, "at": "soon"}}
    )

    assert "facts" not in tried
    assert tried["error"]
    assert (tried["place"]["line"], tried["place"]["field"], tried["place"]["value"]) == (
        8,
        "placed_at",
        "soon",
    )


async def test_every_fault_of_a_text_is_told_with_line_and_column(house: House):
    wrong = OWN + "  colour: id\n  number: id | strr\n"
    answer = await house.say("POST", "/v1/mappings/activate", {"text": wrong})

    assert answer.status_code == 422
    faults = answer.json()["faults"]
    assert len(faults) >= 2
    assert all(fault.startswith("text.yaml:") for fault in faults)
    assert answer.json()["field"] == "text"


async def test_a_text_whose_own_tests_fail_is_not_put_into_force(house: House):
    failing = OWN + "tests:\n  - name: a number\n    input: {id: 7}\n    expect: {number: '8'}\n"
    answer = await house.say("POST", "/v1/mappings/activate", {"text": failing})

    assert answer.status_code == 422
    assert "a number" in answer.json()["detail"]
    assert (await house.say("GET", "/v1/mappings/desk.order")).status_code == 404


async def test_a_text_that_breaks_another_is_not_put_into_force(house: House):
    await house.post("/v1/mappings/activate", {"text": OWN})
    await house.post(
        "/v1/mappings/activate",
        {"text": "map: kiosk.order\nextends: desk.order\nfields:\n  tags: [{const: kiosk}]\n"},
    )
    answer = await house.say(
        "POST",
        "/v1/mappings/activate",
        {
            "text": OWN.replace("order/1", "shipment/1")
            .replace("  number: id | str\n", "")
            .replace("  currency: {const: EUR}\n", "")
        },
    )

    assert answer.status_code == 422, answer.text


async def test_an_activation_is_seen_at_once_survives_and_is_taken_back(house: House):
    first = await house.post("/v1/mappings/activate", {"text": OWN})
    second = await house.post(
        "/v1/mappings/activate", {"text": OWN.replace("EUR", "USD"), "name": "desk.order"}
    )
    assert await currency(house) == "USD"
    back = await house.post("/v1/mappings/rollback", {"name": "desk.order"})
    assert await currency(house) == "EUR"
    forth = await house.post("/v1/mappings/rollback", {"name": "desk.order", "hash": second["hash"]})
    assert await currency(house) == "USD"

    assert (back["hash"], forth["hash"]) == (first["hash"], second["hash"])
    whole = await house.get("/v1/mappings/desk.order")
    assert [one["hash"] for one in whole["activations"]] == [
        second["hash"],
        first["hash"],
        second["hash"],
        first["hash"],
    ]
    actions = [row["action"] for row in (await house.get("/v1/audit?subject=desk.order"))["data"]]
    assert actions == ["mapping.activated", "mapping.activated", "mapping.rolled_back", "mapping.rolled_back"]


async def currency(house: House) -> Any:
    return (await house.post("/v1/mappings/try", {"name": "desk.order", "body": {"id": 1}}))["facts"][0][
        "doc"
    ]["currency"]


async def test_the_packaged_text_comes_back_when_the_only_activation_is_taken_back(house: House):
    packaged = await house.get("/v1/mappings/shopify.refund")
    text = packaged["text"] + "\n# ours\n"
    ours = await house.post("/v1/mappings/activate", {"text": text})
    back = await house.post("/v1/mappings/rollback", {"name": "shopify.refund"})

    assert ours["hash"] != packaged["hash"]
    assert back["hash"] == packaged["hash"]
    never = await house.say("POST", "/v1/mappings/rollback", {"name": "shopify.order"})
    assert never.status_code == 409


async def test_a_name_that_is_not_the_text_s_own_is_refused(house: House):
    answer = await house.say("POST", "/v1/mappings/activate", {"text": OWN, "name": "other"})

    assert (answer.status_code, answer.json()["field"]) == (422, "name")
