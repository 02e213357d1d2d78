"""What an operator says of senders, and lets out of quarantine, over the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hub.http.app import build
from tests.engines import ADMIN
from tests.mail.village import Village, mail, publish, signed

Client = httpx.AsyncClient


@pytest.fixture
async def client(village: Village) -> AsyncIterator[Client]:
    transport = httpx.ASGITransport(app=build(village.hub))
    headers = {"authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", headers=headers) as one:
        yield one


async def made(client: Client, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/v1/partners", json={"name": "Lamps Ltd", "roles": ["buyer"], **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_partner_s_senders_and_proof_are_kept_and_changed(client: Client):
    one = await made(client, senders=["lamps.example"], locale="de-DE", time_zone="Europe/Berlin", currency="EUR",
                     max_order_value="5000.00")  # fmt: skip
    answer = await client.patch(f"/v1/partners/{one['id']}", json={"proof": "dkim_domain"})

    assert (one["proof"], one["senders"], one["max_order_value"]) == (
        "dmarc_pass",
        ["lamps.example"],
        "5000.00",
    )
    assert (answer.json()["proof"], answer.json()["time_zone"]) == ("dkim_domain", "Europe/Berlin")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("senders", ["not an address"]),
        ("senders", ["co.uk"]),
        ("senders", ["com"]),
        ("proof", "word of honour"),
        ("locale", "deutsch, bitte"),
        ("time_zone", "Berlin"),
        ("currency", "euro"),
        ("max_order_value", "a lot"),
        ("manner", {"colour": "red"}),
    ],
)
async def test_what_no_mail_could_be_judged_by_is_refused_with_its_field(
    client: Client, field: str, value: Any
):
    answer = await client.post("/v1/partners", json={"name": "Lamps Ltd", field: value})

    assert answer.status_code == 422
    assert field in answer.text


async def test_a_sender_belongs_to_one_partner(client: Client):
    await made(client, senders=["lamps.example"])

    answer = await client.post("/v1/partners", json={"name": "Other", "senders": ["LAMPS.example"]})

    assert (answer.status_code, "Lamps Ltd" in answer.text) == (422, True)


async def test_a_secret_address_is_shown_once_and_rotated_with_an_overlap(client: Client, village: Village):
    one = await made(client, senders=["ada@old.example"], proof="known_address")
    path = f"/v1/partners/{one['id']}/rotate-address"
    first = (await client.post(path, json={})).json()
    second = (await client.post(path, json={"overlap": 60})).json()
    shown = (await client.get(f"/v1/partners/{one['id']}")).json()

    async def status(to: str, number: str) -> str:
        raw = mail("Ada <ada@old.example>", number=number, subject=number)
        return (await village.post(raw, to=to, mail_from="ada@old.example"))[0]

    assert first["addresses"] == [f"orders+{first['tag']}@hub.example"]
    assert shown["secret_addresses"] == 2
    assert first["tag"] not in str(shown)
    assert [await status(each["addresses"][0], each["tag"]) for each in (first, second)] == [
        "processed",
        "processed",
    ]
    village.hub.world.move(61)
    assert await status(first["addresses"][0], "late") == "quarantined"


async def test_a_released_letter_is_read_and_only_a_vouched_one_is_trusted(client: Client, village: Village):
    await made(client, senders=["lamps.example"])
    ids = [
        (await village.arrive(mail(number=number, subject=number), ip="203.0.113.9")).id
        for number in ("1", "2")
    ]
    await village.hub.post.step()
    shown = (await client.get(f"/v1/messages/{ids[0]}")).json()
    assert (shown["status"], shown["mail"]["outcome"]) == ("quarantined", "quarantined")

    answers = [
        await client.post(f"/v1/messages/{id_}/release", json=body)
        for id_, body in zip(ids, ({}, {"vouch": True}), strict=True)
    ]
    await village.hub.post.step()

    assert [answer.status_code for answer in answers] == [202, 202]
    verdicts = [(await village.verdict(id_)).get("trusted", False) for id_ in ids]
    statuses = [(await village.became(id_))[0] for id_ in ids]
    assert (verdicts, statuses) == ([False, True], ["processed", "processed"])
    assert await village.town.exceptions() == []
    audit = (await client.get("/v1/audit")).json()["data"]
    assert [one["subject"] for one in audit if one["action"] == "message.released"] == ids


async def test_what_is_not_quarantined_cannot_be_released(client: Client, village: Village):
    publish(village.zone, "new.example")
    kept = await village.arrive(
        signed(mail("Neo <neo@new.example>"), "new.example"), mail_from="neo@new.example"
    )
    await village.hub.post.step()

    assert (await client.post(f"/v1/messages/{kept.id}/release", json={})).status_code == 409
