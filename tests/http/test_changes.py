"""Drafts are completed and confirmed; changes are asked for, looked at, and confirmed or declined."""

from __future__ import annotations

import pytest

from tests.http.conftest import House

LINE = {"sku": "A", "qty": 2, "unit_price": "10.00"}
ORDER = {"ref": "1", "channel": "phone", "currency": "EUR", "lines": [LINE]}


@pytest.fixture
async def path(house: House) -> str:
    return f"/v1/orders/{(await house.post('/v1/orders', ORDER))['data'][0]['order']}"


@pytest.fixture
async def draft(house: House) -> str:
    told = await house.post("/v1/orders", {"ref": "2", "draft": True, "channel": "phone", "currency": "EUR"})
    return f"/v1/orders/{told['data'][0]['order']}"


async def types(house: House, path: str) -> list[str]:
    return [event["type"] for event in (await house.get(f"{path}/timeline"))["data"]]


async def test_a_draft_is_completed_and_confirmed(house: House, draft: str):
    refused = await house.say("POST", f"{draft}/confirm")
    done = await house.say("PATCH", f"{draft}/draft", {"lines": [LINE], "purchase_order": "PO-9"})
    confirmed = await house.post(f"{draft}/confirm")

    assert refused.status_code == 409
    assert "no lines" in refused.json()["detail"]
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "draft"
    assert (confirmed["state"], confirmed["purchase_order"]) == ("confirmed", "PO-9")
    assert await types(house, draft) == [
        "order.draft_created",
        "order.edited",
        "order.created",
        "order.confirmed",
    ]


async def test_lines_given_to_a_draft_replace_those_that_were_read(house: House, draft: str):
    await house.say("PATCH", f"{draft}/draft", {"lines": [LINE, {"sku": "B", "qty": 1}]})
    done = await house.say("PATCH", f"{draft}/draft", {"lines": [{"sku": "B", "qty": 4}]})

    assert [
        (one["sku"], one["quantity"]["ordered"]) for one in done.json()["lines"] if one["status"] != "removed"
    ] == [("B", "4")]


async def test_only_a_draft_is_completed_and_only_with_what_it_may_be_told(
    house: House, path: str, draft: str
):
    opened = await house.say("PATCH", f"{path}/draft", {"purchase_order": "x"})
    nothing = await house.say("PATCH", f"{draft}/draft", {})
    foreign = await house.say("PATCH", f"{draft}/draft", {"ref": "other"})
    wrong = await house.say("PATCH", f"{draft}/draft", {"lines": [{"sku": "A", "qty": "many"}]})

    assert (opened.status_code, opened.json()["code"]) == (409, "invalid_transition")
    assert (nothing.status_code, foreign.status_code, wrong.status_code) == (422, 422, 422)
    assert wrong.json()["field"] == "lines[0].qty"


async def test_a_change_is_previewed_and_confirmed(house: House, path: str):
    asked = await house.post(
        f"{path}/changes",
        {"actions": [{"kind": "set_quantity", "sku": "A", "quantity": "5"}], "reason": "more"},
    )
    waiting = (await house.get(f"{path}/changes"))["data"][0]
    done = await house.post(f"{path}/changes/confirm", {"reason": "fine"})

    assert asked["lines"][0]["quantity"]["ordered"] == "2"
    assert waiting["preview"]["due"] == {"amount": "30.00", "currency": "EUR"}
    assert {one["path"] for one in waiting["preview"]["difference"]} == {"lines[0].quantity", "totals.total"}
    assert done["lines"][0]["quantity"]["ordered"] == "5"
    assert "preview" not in done["changes"][0]
    assert await types(house, path) == [
        "order.created",
        "order_change.requested",
        "order_change.confirmed",
        "order.edited",
    ]


async def test_a_declined_change_leaves_the_order_as_it_was(house: House, path: str):
    await house.post(f"{path}/changes", {"actions": [{"kind": "remove_line", "line": "A"}]})
    one = (await house.get(f"{path}/changes"))["data"][0]
    done = await house.post(f"{path}/changes/decline", {"change": one["id"], "reason": "sent already"})
    again = await house.say("POST", f"{path}/changes/confirm", {"change": one["id"]})
    none = await house.say("POST", f"{path}/changes/confirm")

    assert done["changes"][0]["status"] == "declined"
    assert done["lines"][0]["quantity"]["ordered"] == "2"
    assert (again.status_code, none.status_code) == (409, 409)
    assert "declined already" in again.json()["detail"]


async def test_one_change_of_an_order_waits_at_a_time(house: House, path: str):
    action = {"actions": [{"kind": "note", "text": "ring twice"}]}
    await house.post(f"{path}/changes", action)
    second = await house.say("POST", f"{path}/changes", action)

    assert second.status_code == 409
    assert "waits for a decision" in second.json()["detail"]


async def test_an_action_that_says_too_little_is_named(house: House, path: str):
    for action, field in (
        ({"kind": "set_quantity", "line": "A"}, "actions[0].quantity"),
        ({"kind": "set_quantity", "line": "Z", "quantity": "1"}, "actions[0].line"),
        (
            {"kind": "set_price", "line": "A", "unit_price": {"amount": "1,5", "currency": "EUR"}},
            "actions[0].unit_price.amount",
        ),
        ({"kind": "melt"}, "actions[0].kind"),
    ):
        answer = await house.say("POST", f"{path}/changes", {"actions": [action]})
        assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_change_that_is_not_there_is_missing(house: House, path: str):
    assert (await house.say("POST", f"{path}/changes/confirm", {"change": "chg_1"})).status_code == 404


async def test_a_reader_changes_nothing(house: House, path: str, draft: str):
    token = await house.token("read")
    assert (await house.say("POST", f"{path}/changes", {"actions": []}, token)).status_code == 403
    assert (await house.say("PATCH", f"{draft}/draft", {}, token)).status_code == 403
