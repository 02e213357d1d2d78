"""A letter is tried under a partner's rules: every value with its place, and nothing recorded."""

from __future__ import annotations

from base64 import b64encode

from tests.http.conftest import House, on_sqlite
from tests.mail.corpus.forms import csv_attached, pdf_with_layout
from tests.mail.corpus.people import EN


@on_sqlite
async def test_a_letter_is_tried_and_nothing_is_recorded(house: House):
    await house.post(
        "/v1/partners", {"name": "finch", "roles": ["buyer"], "locale": "en-GB", "currency": "GBP"}
    )

    told = await house.post("/v1/partners/finch/try", {"raw": b64encode(csv_attached(EN).raw).decode()})

    assert (told["kind"], told["orders"][0]["doc"]["purchase_order"]) == ("order", EN.po)
    assert told["orders"][0]["fields"]["lines[0].quantity"]["place"] == "C10"
    assert (await house.get("/v1/orders"))["data"] == (await house.get("/v1/messages"))["data"] == []


@on_sqlite
async def test_what_is_no_letter_is_told(house: House):
    await house.post("/v1/partners", {"name": "finch"})

    answer = await house.say("POST", "/v1/partners/finch/try", {"raw": "§"})

    assert (answer.status_code, answer.json()["field"]) == (422, "raw")


@on_sqlite
async def test_a_manner_that_cannot_work_is_refused_with_its_place(house: House):
    for manner, field in (
        ({"layouts": [{"row": "(("}]}, "manner.layouts[0].row"),
        ({"layouts": [{"row": "no group"}]}, "manner.layouts[0].row"),
        ({"sku": "["}, "manner.sku"),
        ({"mappings": {"*.csv": "no.such"}}, "manner.mappings.*.csv"),
        ({"colums": {}}, "manner"),
    ):
        answer = await house.say("POST", "/v1/partners", {"name": "finch", "manner": manner})
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@on_sqlite
async def test_a_layout_of_the_record_is_used(house: House):
    case = pdf_with_layout(EN)
    layout = {"row": case.rules.manner.layouts[0].row, "fields": case.rules.manner.layouts[0].fields}
    partner = {"name": "finch", "locale": "en-GB", "currency": "GBP", "manner": {"layouts": [layout]}}
    await house.post("/v1/partners", partner)

    told = await house.post("/v1/partners/finch/try", {"raw": b64encode(case.raw).decode()})

    assert told["orders"][0]["ruled"]
    assert told["orders"][0]["doc"]["lines"] == case.orders[0]["lines"]
