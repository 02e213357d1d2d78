"""What people and systems report: whole orders, parts of them, shipments, scans; each row for itself."""

from __future__ import annotations

import asyncio

from tests.http.conftest import House, on_sqlite

PHONE = {
    "ref": "tel-1", "number": "T-1", "channel": "phone", "currency": "EUR",
    "buyer": {"name": "Ada Beispiel", "email": "ada@example.org"},
    "ship_to": {"name": "Ada Beispiel", "lines": ["Lindenweg 7"], "city": "Bonn", "country": "DE"},
    "lines": [{"sku": "TEA", "qty": 2, "unit_price": "9.95"}, {"sku": "POT", "quantity": "1.5", "unit_price": 10}],
    "totals": {"total": "34.90"},
}  # fmt: skip


async def test_a_single_new_order_is_201_and_the_same_again_202(house: House):
    first = await house.say("POST", "/v1/orders", PHONE)
    again = await house.say("POST", "/v1/orders", PHONE | {"customer_note": "ring"})

    assert first.status_code == 201, first.text
    assert again.status_code == 202
    [row] = first.json()["data"]
    assert row["status"] == "accepted"
    assert first.headers["location"] == f"/v1/orders/{row['order']}"
    assert again.json()["data"][0]["order"] == row["order"]
    order = await house.get(f"/v1/orders/{row['order']}")
    assert order["state"] == "open"
    assert order["channel"] == "phone"
    assert {line["sku"]: line["quantity"]["ordered"] for line in order["lines"]} == {"TEA": "2", "POT": "1.5"}
    assert order["totals"]["total"] == {"amount": "34.90", "currency": "EUR"}
    assert order["customer_note"] == "ring"


async def test_the_connection_of_the_api_is_made_by_the_first_call(house: House):
    assert (await house.get("/v1/connections"))["data"] == []

    await asyncio.gather(*(house.post("/v1/orders", PHONE | {"ref": f"r{n}"}) for n in range(5)))

    [one] = (await house.get("/v1/connections"))["data"]
    assert (one["name"], one["channel"]) == ("api", "api")


async def test_an_own_website_s_order_counts_as_confirmed_and_a_draft_waits(house: House):
    web = await house.post("/v1/orders", {"ref": "w-1", "lines": [{"sku": "A", "qty": 1}]})
    draft = await house.post("/v1/orders", {"ref": "w-2", "draft": True, "lines": [{"sku": "A", "qty": 1}]})

    assert (await house.get(f"/v1/orders/{web['data'][0]['order']}"))["state"] == "confirmed"
    assert (await house.get(f"/v1/orders/{draft['data'][0]['order']}"))["state"] == "draft"


async def test_a_wrong_row_is_told_with_its_field_and_the_others_go_in(house: House):
    answer = await house.say("POST", "/v1/orders", [
        {"ref": "a", "currency": "EUR", "lines": [{"sku": "A", "qty": 1}]},
        {"ref": "b", "lines": [{"sku": "A", "qty": 1}, {"sku": "B", "qty": "1,5"}]},
        {"ref": "c", "state": "completed"},
        "no object",
        {"ref": "d", "order": "ord_01JHZX0000000000000000000A"},
        {"ref": "e", "connection": "nobody"},
        {"ref": "f"},
    ])  # fmt: skip

    assert answer.status_code == 202, answer.text
    rows = answer.json()["data"]
    assert [row["status"] for row in rows] == ["accepted", *["rejected"] * 5, "accepted"]
    assert [row["index"] for row in rows] == list(range(7))
    assert (rows[1]["field"], rows[1]["reason"]) == ("lines[1].qty", "is not a decimal number")
    assert rows[2]["field"] == "state"
    assert rows[3]["field"] == "body"
    assert "there is no order" in rows[4]["reason"]
    assert rows[5]["field"] == "connection"
    assert len((await house.get("/v1/orders"))["data"]) == 2


async def test_a_single_row_that_cannot_be_read_is_a_problem(house: House):
    wrong = await house.say("POST", "/v1/orders", {"ref": "b", "lines": [{"sku": "A", "qty": "many"}]})
    broken = await house.http.post(
        "/v1/orders", content=b'{"ref": ', headers={"authorization": f"Bearer {house.admin}"}
    )

    assert (wrong.status_code, wrong.json()["field"]) == (422, "lines[0].qty")
    assert (broken.status_code, broken.json()["code"]) == (400, "bad_request")


@on_sqlite
async def test_more_than_five_hundred_rows_are_too_many(house: House):
    answer = await house.say("POST", "/v1/orders", [{"ref": str(n)} for n in range(501)])

    assert answer.status_code == 413
    assert (await house.get("/v1/orders"))["data"] == []


async def test_a_whole_order_takes_away_what_it_leaves_out_and_a_partial_one_does_not(house: House):
    [row] = (await house.post("/v1/orders", PHONE))["data"]
    path = f"/v1/orders/{row['order']}"

    await house.post("/v1/orders?partial=1", {"ref": "tel-1", "customer_note": "ring"})
    partial = await house.get(path)
    await house.post("/v1/orders", {**PHONE, "lines": PHONE["lines"][:1]})
    whole = await house.get(path)

    assert {line["sku"]: line["quantity"]["ordered"] for line in partial["lines"]} == {
        "TEA": "2",
        "POT": "1.5",
    }
    assert partial["customer_note"] == "ring"
    assert {line["sku"]: line["quantity"]["ordered"] for line in whole["lines"]} == {"TEA": "2", "POT": "0"}
    assert {line["sku"]: line["status"] for line in whole["lines"]} == {"TEA": "open", "POT": "removed"}


async def test_rows_of_one_order_in_one_call_count_in_their_order(house: House):
    rows = (await house.post("/v1/orders", [{"ref": "x", "customer_note": str(n)} for n in range(20)]))[
        "data"
    ]

    order = await house.get(f"/v1/orders/{rows[0]['order']}")
    assert order["customer_note"] == "19"
    assert "anomalies" not in order


async def test_a_shipment_and_its_scans_find_the_order_in_any_order(house: House):
    [row] = (await house.post("/v1/orders", PHONE))["data"]
    number = "00340434161094042557"

    early = await house.post(
        f"/v1/shipments/{number}/scans", {"status": "in_transit", "at": "2027-01-11T10:00:00Z"}
    )
    assert early["data"][0].get("order") is None
    assert [one["number"] for one in (await house.get("/v1/facts/unmatched"))["data"]] == [number]
    told = await house.post("/v1/shipments", {
        "order": row["order"], "carrier": "dhl", "tracking_number": number, "lines": [{"sku": "TEA", "qty": 2}],
    })  # fmt: skip
    assert told["data"][0]["order"] == row["order"]
    order = await house.get(f"/v1/orders/{row['order']}")
    [shipment] = order["shipments"]
    assert shipment["tracking"]["status"] == "in_transit"
    assert order["fulfillment_status"] == "partially_fulfilled"

    scans = [{"status": "delivered", "at": "2027-01-12T10:00:00Z"}, {"at": "2027-01-12T09:00:00Z"}]
    late = await house.post(f"/v1/shipments/{shipment['id']}/scans", scans)

    assert [one["status"] for one in late["data"]] == ["accepted", "rejected"]
    found = await house.get(f"/v1/shipments/{shipment['id']}")
    assert (found["status"], found["order"]) == ("delivered", row["order"])
    assert (await house.get("/v1/facts/unmatched"))["data"] == []


async def test_a_shipment_of_an_order_that_is_not_there_is_404(house: House):
    answer = await house.say(
        "POST", "/v1/orders/ord_01JHZX0000000000000000000A/shipments", {"tracking_number": "1"}
    )
    lost = await house.say("GET", "/v1/shipments/shp_01JHZX0000000000000000000A")

    assert (answer.status_code, lost.status_code) == (404, 404)


async def test_someone_else_s_order_is_addressed_by_its_connection_and_ref(house: House):
    await house.post("/v1/connections", {"name": "shop", "channel": "shopify", "account": "shop.example",
                                         "settings": {"webhook_secret": "s"}})  # fmt: skip

    [row] = (
        await house.post("/v1/shipments", {"connection": "shop", "order": "1001", "tracking_number": "A1"})
    )["data"]

    order = await house.get(f"/v1/orders/{row['order']}")
    assert order["state"] == "stub"
    [found] = (await house.get("/v1/orders?ref=1001&connection=shop"))["data"]
    assert found["id"] == row["order"]


async def test_the_same_key_reports_once_and_another_body_is_refused(house: House):
    first = await house.say("POST", "/v1/orders", PHONE, idempotency_key="k1")
    again = await house.say("POST", "/v1/orders", PHONE, idempotency_key="k1")
    other = await house.say("POST", "/v1/orders", PHONE | {"number": "T-2"}, idempotency_key="k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert len((await house.get("/v1/messages"))["data"]) == 1


async def test_the_same_key_at_the_same_moment_reports_once(house: House):
    answers = await asyncio.gather(
        *(house.say("POST", "/v1/orders", PHONE, idempotency_key="k2") for _ in range(8))
    )

    assert len({answer.text for answer in answers}) == 1
    assert len((await house.get("/v1/messages"))["data"]) == 1


async def test_a_list_under_a_key_is_answered_the_same_again(house: House):
    rows = [{"ref": "a"}, {"ref": "b", "state": "open"}]
    first = await house.say("POST", "/v1/orders", rows, idempotency_key="k3")
    again = await house.say("POST", "/v1/orders", rows, idempotency_key="k3")
    other = await house.say("POST", "/v1/orders", rows[:1], idempotency_key="k3")

    assert again.json() == first.json()
    assert other.status_code == 422


async def test_exact_numbers_stay_exact(house: House):
    body = b'{"ref": 9007199254740995, "currency": "EUR", "lines": [{"sku": "A", "qty": 0.1, "unit_price": 0.30}]}'
    answer = await house.http.post(
        "/v1/orders", content=body, headers={"authorization": f"Bearer {house.admin}"}
    )

    order = await house.get(f"/v1/orders/{answer.json()['data'][0]['order']}")
    assert order["ref"] == "9007199254740995"
    assert order["lines"][0]["quantity"]["ordered"] == "0.1"
    assert order["lines"][0]["unit_price"]["amount"] == "0.30"


async def test_a_row_of_a_run_is_told_once_and_a_changed_one_again(house: House):
    rows = [{"ref": "run-1", "currency": "EUR"}, {"ref": "run-2", "currency": "EUR"}]
    first = (await house.post("/v1/orders?run=july", rows))["data"]
    mended = [rows[0], {**rows[1], "customer_note": "ring"}]
    again = (await house.post("/v1/orders?run=july", mended))["data"]
    other = (await house.post("/v1/orders?run=august", rows))["data"]

    assert [one["status"] for one in first] == ["accepted", "accepted"]
    assert [one["status"] for one in again] == ["duplicate", "accepted"]
    assert [one["order"] for one in again] == [one["order"] for one in first]
    assert [one["status"] for one in other] == ["accepted", "accepted"]


async def test_history_is_told_to_nobody_and_what_comes_later_is(house: House):
    await house.post("/v1/endpoints", {"name": "far", "url": "https://partner.example/hooks"})
    [told] = (await house.post("/v1/orders?emit=none", [{"ref": "h-1", "currency": "EUR"}]))["data"]
    assert (await house.get("/v1/deliveries"))["data"] == []
    message = await house.get(f"/v1/messages/{told['message']}")
    assert message["quiet"] is True
    await house.post("/v1/orders", [{"ref": "h-1", "currency": "EUR", "customer_note": "ring"}])

    assert {one["order"] for one in (await house.get("/v1/deliveries"))["data"]} == {told["order"]}
    refused = await house.say("POST", "/v1/orders?emit=some", [{"ref": "h-2"}])
    assert (refused.status_code, refused.json()["field"]) == (422, "emit")


async def test_scans_of_many_parcels_are_told_in_one_call(house: House):
    answer = await house.post("/v1/scans", [
        {"number": "P-1", "scans": [{"at": "2026-02-03T09:12:00Z", "status": "delivered"}]},
        {"scans": [{"at": "2026-02-03T09:12:00Z", "status": "delivered"}]},
    ])  # fmt: skip

    assert [one["status"] for one in answer["data"]] == ["accepted", "rejected"]
    assert answer["data"][1]["field"] == "number"


@on_sqlite
async def test_an_idempotency_key_that_is_too_long_is_refused_for_reports_and_decisions_too(house: House):
    made = await house.post(
        "/v1/orders", {"ref": "k", "lines": [{"sku": "A", "qty": 1}]}, idempotency_key="k" * 200
    )
    order = made["data"][0]["order"]
    paths = ["/v1/orders", "/v1/shipments", "/v1/scans", f"/v1/orders/{order}/hold", "/v1/partners"]
    told = [await house.say("POST", path, {}, idempotency_key="k" * 201) for path in paths]

    assert [(one.status_code, one.json().get("field")) for one in told] == [(422, "Idempotency-Key")] * len(
        paths
    )


@on_sqlite
async def test_a_partner_s_idempotency_key_may_be_as_long_as_anybody_s(house: House):
    await house.post("/v1/partners", {"name": "depot", "roles": ["warehouse"]})
    token = (await house.post("/v1/tokens", {"name": "d", "scopes": ["partner"], "partner": "depot"}))[
        "token"
    ]

    answer = await house.say("POST", "/v1/orders/ord_1/shipments", {}, token, idempotency_key="k" * 200)

    assert answer.status_code == 404, answer.text
