"""What becomes of letters: orders, drafts, changes, and nothing twice; through the whole stage, on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from hub.http.app import build
from tests.engines import ADMIN
from tests.mail.corpus.files import pdf
from tests.mail.corpus.forms import (
    carrier,
    forwarded,
    reply_changing,
    reply_of_words,
    rules,
    subject,
    text_by_rules,
    ubl,
)
from tests.mail.corpus.letters import letter
from tests.mail.corpus.people import EN, Buyer, Item
from tests.mail.village import Village, publish

DOMAIN = EN.mail.partition("@")[2]


class Desk:
    """A village with a buyer, and the desk that speaks to its hub over HTTP."""

    def __init__(self, village: Village, http: httpx.AsyncClient) -> None:
        self.village, self.http = village, http

    async def buyer(self, **fields: Any) -> Any:
        """The English buyer as a partner."""
        publish(self.village.zone, DOMAIN)
        known = {"senders": [DOMAIN], "locale": "en-GB", "time_zone": "Europe/London", "currency": "GBP"}
        return await self.village.partner("Marlowe & Finch Ltd", **(known | fields))

    async def post(self, raw: bytes, **kinds: Any) -> tuple[str, str]:
        self.village.hub.world.move(1)
        return await self.village.post(raw, **({"mail_from": EN.mail} | kinds))

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        self.village.hub.world.move(1)
        return await self.http.request(method, path, json=body, headers={"authorization": f"Bearer {ADMIN}"})

    async def orders(self) -> list[dict[str, Any]]:
        return (await self.call("GET", "/v1/orders")).json()["data"]

    async def order(self) -> dict[str, Any]:
        """The one order that there is."""
        (one,) = await self.orders()
        return one

    async def events(self, path: str = "") -> list[str]:
        found = (await self.call("GET", f"/v1/events{path}")).json()["data"]
        return [one["type"] for one in found]


@pytest.fixture
async def desk(village: Village) -> AsyncIterator[Desk]:
    transport = httpx.ASGITransport(app=build(village.hub))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as http:
        yield Desk(village, http)


def sent(buyer: Buyer = EN, number: str = "") -> bytes:
    """A letter with the order as UBL; the same order may be sent under another number of the letter's own."""
    return letter(
        buyer, f"{subject(buyer)} {number}", "see attached", files=(("order.xml", "text/xml", ubl(buyer)),)
    )


def more(buyer: Buyer = EN) -> Buyer:
    """The same order with more of its first line."""
    first = buyer.items[0]
    return replace(buyer, items=(Item(first.sku, first.name, "25", first.price), *buyer.items[1:]))


async def test_a_trusted_and_clean_letter_is_an_open_order(desk: Desk):
    partner = await desk.buyer()

    status, _ = await desk.post(sent())
    order = await desk.order()

    assert status == "processed"
    assert (order["state"], order["channel"], order["number"]) == ("open", "email", EN.po)
    assert order["ref"] == f"{partner.id}:{EN.po}"
    assert order["buyer"] == {"company": "Marlowe & Finch Ltd", "email": EN.mail, "ref": partner.id}
    assert order["entry"]["form"] == "ubl"
    assert order["entry"]["fields"]["lines[0].quantity.ordered"]["confidence"] == "1"
    assert [one["sku"] for one in order["lines"]] == ["DL-100", "DL-205"]
    assert {"order.created", "email.received"} <= {*await desk.events()}


async def test_the_same_order_in_another_letter_is_no_second_order(desk: Desk):
    await desk.buyer()

    await desk.post(sent())
    status, reason = await desk.post(sent(number="again"))

    assert (status, reason) == ("processed", "it says what is known already")
    assert (await desk.order())["version"] == 1


async def test_the_same_number_with_other_content_asks_for_a_change(desk: Desk):
    await desk.buyer()
    await desk.post(sent())

    await desk.post(sent(more(), "corrected"))
    order = await desk.order()
    path = f"/v1/orders/{order['id']}"
    (change,) = (await desk.call("GET", f"{path}/changes")).json()["data"]
    done = (await desk.call("POST", f"{path}/changes/confirm")).json()

    assert order["lines"][0]["quantity"]["ordered"] == "20"
    assert [one["kind"] for one in change["actions"]] == ["set_quantity", "set_total"]
    assert change["preview"]["due"] == {"amount": "124.50", "currency": "GBP"}
    assert done["lines"][0]["quantity"]["ordered"] == "25"
    assert "anomalies" not in done
    assert [one for one in await desk.events() if one.startswith("order_change")] == [
        "order_change.requested",
        "order_change.confirmed",
    ]
    assert (await desk.post(sent(more(), "and again")))[1] == "it says what is known already"


async def test_a_reply_to_a_known_number_asks_for_a_change_of_what_it_names(desk: Desk):
    await desk.buyer()
    await desk.post(sent())

    await desk.post(reply_changing(EN).raw)
    order = await desk.order()

    assert order["changes"][0]["actions"] == [
        {"kind": "set_quantity", "quantity": "25", "line": "1", "sku": "DL-100"}
    ]
    assert order["lines"][1]["quantity"]["ordered"] == "1500"


async def test_a_reply_in_words_is_a_note_to_its_order(desk: Desk):
    await desk.buyer()
    await desk.post(sent())
    raw = reply_of_words(EN).raw.replace(b"Subject: Re: x", f"Subject: Re: {EN.po}".encode())

    await desk.post(raw)

    assert (await desk.order())["notes"][0]["text"] == "OK"


async def test_words_of_a_partner_without_rules_wait_as_a_draft_until_a_person_confirms(desk: Desk):
    await desk.buyer()
    raw = letter(EN, subject(EN), "Hello,\nplease send 20x DL-100 by next Friday.")

    status, reason = await desk.post(raw)
    draft = await desk.order()
    path = f"/v1/orders/{draft['id']}"
    completed = await desk.call("PATCH", f"{path}/draft", {"requested_delivery": {"date": "2027-01-20"}})
    confirmed = (await desk.call("POST", f"{path}/confirm")).json()

    assert status == "processed"
    assert draft["state"] == "draft"
    assert [one["field"] for one in draft["entry"]["reasons"]] == ["requested_delivery.date", "order"]
    assert "without rules of the partner" in reason
    assert [one["field"] for one in completed.json()["entry"]["reasons"]] == ["order"]
    assert confirmed["state"] == "confirmed"
    types = await desk.events()
    assert "email.draft_created" in types
    assert types.index("order.draft_created") < types.index("order.created")


async def test_words_by_the_partners_own_rules_are_an_order(desk: Desk):
    manner = msgspec.to_builtins(rules(EN, skus={one.name: one.sku for one in EN.items}).manner)
    await desk.buyer(manner=manner)

    await desk.post(text_by_rules(EN).raw)

    assert (await desk.order())["state"] == "open"


async def test_a_clean_letter_after_a_draft_of_the_same_number_opens_it(desk: Desk):
    await desk.buyer()
    await desk.post(letter(EN, subject(EN), "please send 20x DL-100"))
    assert (await desk.order())["state"] == "draft"

    await desk.post(sent())

    order = await desk.order()
    assert (order["state"], len(order["lines"])) == ("open", 2)


async def test_what_a_person_put_right_is_not_read_over(desk: Desk):
    await desk.buyer()
    await desk.post(letter(EN, subject(EN), "please send 20x DL-100"))
    draft = await desk.order()
    await desk.call("PATCH", f"/v1/orders/{draft['id']}/draft", {"lines": [{"sku": "DL-100", "qty": 7}]})

    await desk.post(letter(EN, subject(EN) + " again", "please send 21x DL-100"))

    order = await desk.order()
    assert [one["quantity"]["ordered"] for one in order["lines"] if one["status"] != "removed"] == ["7"]
    assert order["changes"][0]["status"] == "requested"


async def test_more_than_the_partners_limit_is_a_draft(desk: Desk):
    await desk.buyer(max_order_value="1000.00")

    await desk.post(sent())

    reasons = (await desk.order())["entry"]["reasons"]
    assert reasons == [{"field": "totals.total", "reason": "more than 1000.00 at once"}]


async def test_an_address_that_is_not_in_the_partners_book_holds_the_order(desk: Desk):
    book = [{"lines": ["14 Imaginary Row"], "postal_code": "LS1 4XX", "city": "Leeds", "country": "GB"}]
    await desk.buyer(address_book=book)

    await desk.post(sent())
    await desk.post(sent(replace(EN, po="PO-2", street="1 Elsewhere")))

    holds = {one["number"]: [hold["reason"] for hold in one.get("holds", ())] for one in await desk.orders()}
    assert holds == {EN.po: [], "PO-2": ["address"]}


async def test_a_partner_who_is_no_buyer_and_a_stranger_get_drafts(desk: Desk):
    await desk.buyer(roles=["supplier"])
    publish(desk.village.zone, "strange.example")
    stranger = replace(EN, mail="eve@strange.example")

    await desk.post(sent())
    await desk.post(sent(stranger), mail_from="eve@strange.example")

    drafts = await desk.orders()
    assert [one["state"] for one in drafts] == ["draft", "draft"]
    assert len({one["ref"] for one in drafts}) == 2
    assert all(one["entry"]["reasons"][0]["field"] == "sender" for one in drafts)


async def test_a_strangers_letter_takes_no_number_of_a_partner(desk: Desk):
    await desk.buyer()
    publish(desk.village.zone, "strange.example")
    await desk.post(sent(replace(more(), mail="eve@strange.example")), mail_from="eve@strange.example")

    await desk.post(sent())

    found = {one["state"]: one for one in await desk.orders()}
    assert found["open"]["lines"][0]["quantity"]["ordered"] == "20"
    assert "changes" not in found["open"]


async def test_a_forwarded_letter_of_somebody_else_is_a_draft(desk: Desk):
    await desk.buyer()
    other = replace(EN, mail="ada@elsewhere.example")
    raw = forwarded(other).raw.replace(b"colleague@hub.example", EN.mail.encode())

    await desk.post(raw)

    fields = {one["field"]: one["reason"] for one in (await desk.order())["entry"]["reasons"]}
    assert "forwarded for somebody" in fields["sender"]


async def test_a_locked_file_of_a_buyer_is_a_draft_with_the_reason(desk: Desk):
    await desk.buyer()
    file = ("PO.pdf", "application/pdf", pdf(["PO 1"], password="x"))

    await desk.post(letter(EN, "order", "attached", files=(file,)))

    reasons = [one["reason"] for one in (await desk.order())["entry"]["reasons"]]
    assert any("it is encrypted" in one for one in reasons)


async def test_parcels_are_told_by_suppliers_and_by_nobody_else(desk: Desk):
    await desk.buyer(roles=["supplier", "buyer"])
    publish(desk.village.zone, "parcels.example")
    news = carrier(EN).raw

    status, reason = await desk.post(news, mail_from="noreply@parcels.example")
    told = await desk.post(
        news.replace(b"noreply@parcels.example", EN.mail.encode()).replace(
            b"Message-ID: <", b"Message-ID: <2"
        )
    )

    assert (status, "suppliers and warehouses" in reason) == ("ignored", True)
    assert told[0] == "processed"


async def test_a_scan_in_a_letter_finds_its_shipment(desk: Desk):
    await desk.buyer(roles=["supplier", "buyer"])
    await desk.post(sent())
    order = await desk.order()
    parcel = {"tracking_number": "1Z5R89390357567127", "status": "shipped"}
    await desk.call("POST", f"/v1/orders/{order['id']}/shipments", parcel)

    await desk.post(carrier(EN).raw.replace(b"noreply@parcels.example", EN.mail.encode()))

    assert (await desk.order())["shipments"][0]["status"] == "delivered"


async def test_two_letters_with_one_number_at_once_are_one_order(desk: Desk):
    await desk.buyer()
    for raw in (sent(), sent(more(), "corrected")):
        await desk.village.arrive(raw, mail_from=EN.mail)

    await desk.village.hub.post.step()
    desk.village.hub.world.move(120)
    await desk.village.hub.post.step()

    order = await desk.order()
    assert [one["status"] for one in order["changes"]] == ["requested"]


async def test_a_poisonous_letter_among_honest_ones_stops_none(desk: Desk):
    await desk.buyer()
    poison = b"\r\n".join([f"From: {EN.mail}".encode(), b"To: orders@hub.example", b"Subject: x", b"Message-ID: <p@x>",
                           b'Content-Type: multipart/mixed; boundary="b"', b"", b"--b\r\n\r\nx\r\n" * 50_000])  # fmt: skip
    letters = [sent(replace(EN, po="PO-1")), poison, sent(replace(EN, po="PO-2"))]

    for raw in letters:
        await desk.village.arrive(raw, mail_from=EN.mail)
    while await desk.village.hub.post.step():
        pass

    assert {one["number"] for one in await desk.orders()} == {"PO-1", "PO-2"}
    messages = (await desk.call("GET", "/v1/messages")).json()["data"]
    assert sorted(one["status"] for one in messages) == ["processed", "processed", "quarantined"]


async def test_a_letter_that_is_judged_once_more_says_what_it_said(desk: Desk):
    await desk.buyer()
    await desk.post(sent())
    await desk.post(sent(more(), "corrected"))
    before = await desk.order()
    messages = (await desk.call("GET", "/v1/messages")).json()["data"]

    for one in messages:
        answer = await desk.call("POST", f"/v1/messages/{one['id']}/replay")
        assert answer.is_success, answer.text
    while await desk.village.hub.post.step():
        pass

    after = await desk.order()
    same = ("lines", "state", "changes", "entry", "ref", "totals")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


async def test_a_newer_request_takes_the_place_of_one_that_waits(desk: Desk):
    await desk.buyer()
    await desk.post(sent())
    await desk.post(sent(more(), "corrected"))

    await desk.post(sent(replace(more(), wanted="2027-02-01"), "corrected again"))

    order = await desk.order()
    assert [one["status"] for one in order["changes"]] == ["cancelled", "requested"]
    assert [one["kind"] for one in order["changes"][1]["actions"]] == [
        "set_quantity",
        "set_delivery",
        "set_total",
    ]


async def test_a_currency_that_is_not_the_partners_is_a_draft(desk: Desk):
    await desk.buyer(currency="EUR")

    await desk.post(sent())

    assert (await desk.order())["entry"]["reasons"] == [
        {"field": "currency", "reason": "GBP, and Marlowe & Finch Ltd orders in EUR"}
    ]


async def test_nobody_of_a_letter_is_left_when_they_are_forgotten(desk: Desk):
    await desk.buyer()
    await desk.post(sent())
    await desk.post(sent(replace(EN, street="9 New Row"), "moved"))
    order = await desk.order()
    assert order["changes"][0]["actions"][0]["kind"] == "set_address"

    answer = await desk.call("POST", "/v1/redactions", {"email": EN.mail, "reason": "asked", "apply": True})

    assert answer.is_success, answer.text
    after = (await desk.call("GET", f"/v1/orders/{order['id']}")).text
    for word in ("Ada Marlowe", "Imaginary Row", "New Row", EN.mail):
        assert word not in after
