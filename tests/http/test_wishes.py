"""What an endpoint may be told: every field over the API, and every refusal with its field and its reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import House, on_sqlite

URL = {"url": "https://partner.example/hooks"}
OAUTH = {
    "type": "oauth2_client",
    "token_url": "https://id.example/token",
    "client_id": "us",
    "client_secret": "hush",
}

REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"url": "partner.example"}, "url", "begin with"),
    ({"url": "https://user:pw@partner.example/"}, "url", "credentials"),
    ({"url": "http://169.254.169.254/latest"}, "url", "link-local"),
    ({"url": "http://[::ffff:10.0.0.1]/"}, "url", "private"),
    ({"url": "https://partner.example:70000/"}, "url", "port"),
    ({**URL, "events": ["shipmnt.*"]}, "events[0]", "no event matches"),
    ({**URL, "events": ["order.*", "order.teleported"]}, "events[1]", "no event matches"),
    ({**URL, "filter": "data.totals >"}, "filter", "filter:1:"),
    ({**URL, "accept": "body.code = 0"}, "accept", "accept:1:"),
    ({**URL, "accept": "body.code | mony"}, "accept", "unknown"),
    ({**URL, "accept": "code == 0"}, "accept", "there is no 'code'; there are status and body"),
    ({**URL, "accept": "status == 200 and ($.code ?? body.x) == 0"}, "accept", "there is no 'code'"),
    ({**URL, "capture": "data.no"}, "capture", "there is no 'data'"),
    ({**URL, "filter": "channel == 'pos'"}, "filter", "there are type and data"),
    ({**URL, "filter": "type == 'order.paid' and data.chanel == 'pos'"}, "filter", "filter:1:26 an order has no field 'chanel', is channel"),
    ({**URL, "capture": "body..id"}, "capture", "capture:1:"),
    ({**URL, "mapping": "shopify.ordr"}, "mapping", "no mapping"),
    ({**URL, "mapping": "shopify.order"}, "mapping", "target: json"),
    ({**URL, "fields": ["number", "lines.prize"]}, "fields[1]", "no field"),
    ({**URL, "fields": ["totals.total.amount.more"]}, "fields[0]", "no field"),
    ({**URL, "fields": ["a b"]}, "fields[0]", "a field of the order"),
    ({**URL, "headers": {"Host": "x"}}, "headers.Host", "the hub says it"),
    ({**URL, "headers": {"content-length": "1"}}, "headers.content-length", "the hub says it"),
    ({**URL, "headers": {"Webhook-Id": "1"}}, "headers.Webhook-Id", "the hub says it"),
    ({**URL, "headers": {"orderhub-previous": "1"}}, "headers.orderhub-previous", "the hub says it"),
    ({**URL, "headers": {"Authorization": "Bearer x"}}, "headers.Authorization", "auth"),
    ({**URL, "headers": {"X-A": "1", "x-a": "2"}}, "headers.X-A", "twice"),
    ({**URL, "headers": {"a b": "1"}}, "headers.a b", "a header's name"),
    ({**URL, "headers": {"x-shop\n": "1"}}, "headers.x-shop\\n", "a header's name"),
    ({**URL, "headers": {"x-shop": "1\n"}}, "headers.x-shop", "printable"),
    ({**URL, "auth": {"type": "bearer", "token": "secret\n"}}, "auth.token", "printable"),
    ({**URL, "auth": {"type": "basic", "username": "us\n", "password": "pw"}}, "auth.username", "no control character"),
    ({**URL, "auth": {"type": "basic", "username": "us", "password": "pw\n"}}, "auth.password", "none of them a control character"),
    ({**URL, "name": "lamps\n"}, "name", "none of them a control character"),
    ({**URL, "schedule": []}, "schedule", ""),
    ({**URL, "schedule": [0, -5]}, "schedule[1]", ""),
    ({**URL, "schedule": [0, "soon"]}, "schedule[1]", ""),
    ({**URL, "schedule": [0] * 51}, "schedule", ""),
    ({**URL, "schedule": [700_000]}, "schedule[0]", ""),
    ({**URL, "timeout": 0.5}, "timeout", ""),
    ({**URL, "timeout": 31}, "timeout", ""),
    ({**URL, "rate": -1}, "rate", ""),
    ({**URL, "concurrency": 0}, "concurrency", ""),
    ({**URL, "payload": "half"}, "payload", "'half' is none of changes, full, thin"),
    ({**URL, "format": "xml"}, "format", "is none of cloudevents, orderhub"),
    ({**URL, "ordering": "global"}, "ordering", ""),
    ({**URL, "block_for": -1}, "block_for", ""),
    ({**URL, "disable_after": -1}, "disable_after", ""),
    ({**URL, "signing": []}, "signing", ""),
    ({**URL, "signing": ["v2"]}, "signing[0]", "'v2' is none of v1, v1a"),
    ({**URL, "signing": ["v1", "v1"]}, "signing", "twice"),
    ({**URL, "auth": {"type": "magic"}}, "auth.type", "'magic' is none of basic, bearer, none, oauth2_client"),
    ({**URL, "auth": {"type": "basic", "username": "a:b", "password": "c"}}, "auth.username", ""),
    ({**URL, "auth": {"type": "bearer"}}, "auth.token", "is required"),
    ({**URL, "auth": {"type": "bearer", "token": "a\nb"}}, "auth.token", ""),
    ({**URL, "auth": {"type": "bearer", "token": "***"}}, "auth.token", "stands for"),
    ({**URL, "auth": {**OAUTH, "token_url": "http://10.0.0.1/token"}}, "auth.token_url", "private"),
    ({**URL, "auth": {**OAUTH, "colour": 1}}, "auth.colour", "no such field; there are "),
    ({**URL, "evnts": ["order.*"]}, "evnts", "no such field, is events meant?"),
    ({**URL, "connections": ["nobody"]}, "connections[0]", "no connection"),
    ({**URL, "partner": "nobody"}, "partner", "no partner"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "field", "reason"), REFUSED, ids=[f"{n}-{one[1]}" for n, one in enumerate(REFUSED)]
)
@on_sqlite
async def test_what_cannot_be_is_refused_with_the_field_and_the_reason(
    house: House, body: dict[str, Any], field: str, reason: str
):
    answer = await house.say("POST", "/v1/endpoints", body)

    assert answer.status_code == 422, answer.text
    told = answer.json()
    assert told["field"] == field
    assert reason in told["detail"]
    assert (await house.get("/v1/endpoints"))["data"] == []


@on_sqlite
async def test_tests_within_lists_speak_of_their_own_items(house: House):
    made = await house.post("/v1/endpoints", {**URL, "filter": "(data.lines[?sku == 'LAMP'] | count) > 0"})

    assert made["filter"].startswith("(data.lines")


@on_sqlite
async def test_whoever_hears_of_the_hub_itself_may_filter_by_what_an_order_has_not(house: House):
    asked = {**URL, "events": ["exception.*"], "filter": "data.severity == 'critical'"}

    assert (await house.post("/v1/endpoints", asked))["filter"] == asked["filter"]


@on_sqlite
async def test_the_api_says_of_each_wish_what_it_means(house: House):
    schemas = (await house.get("/openapi.json"))["components"]["schemas"]

    for name in ("NewEndpoint", "EndpointPatch"):
        fields = schemas[name]["properties"]
        assert [field for field, told in fields.items() if not told.get("description")] == []


@on_sqlite
async def test_a_fault_in_an_expression_is_told_with_its_place(house: House):
    answer = await house.say("POST", "/v1/endpoints", {**URL, "accept": "status == 200 and body.code | mony"})

    [fault] = answer.json()["faults"]
    assert fault.startswith("accept:1:")
    assert "mony" in fault


WHOLE: dict[str, Any] = {
    "name": "erp", "description": "the ERP", "accept": "status == 200 and body.code == 0", "capture": "body.data.no",
    "events": ["order.*", "shipment.delivered"], "ordering": "none", "schedule": [0, 60], "timeout": 5.0, "rate": 20.0,
    "concurrency": 3, "payload": "changes", "format": "cloudevents", "fields": ["number", "lines.quantity.ordered", "attributes.x"],
    "filter": "data.channel == 'marketplace'", "locations": ["leipzig"], "headers": {"x-desk": "7"},
    "signing": ["v1", "v1a"], "include_test": True, "block_for": 60.0, "disable_after": 86_400.0, "metadata": {"a": "b"},
}  # fmt: skip


async def test_every_field_is_kept_shown_and_changed_one_by_one(house: House):
    made = await house.post("/v1/endpoints", {**URL, **WHOLE})
    shown = await house.get("/v1/endpoints/erp")

    assert {name: shown[name] for name in WHOLE} == WHOLE
    assert "secret" not in shown or shown["secret"] is None
    for name, value in (
        ("rate", 5.0),
        ("fields", []),
        ("accept", ""),
        ("locations", []),
        ("payload", "thin"),
    ):
        changed = await house.say("PATCH", "/v1/endpoints/erp", {name: value})
        assert changed.status_code == 200, changed.text
        shown[name] = value
        now = await house.get("/v1/endpoints/erp")
        rest = {*WHOLE, "url"} - {"rate", "fields", "accept", "locations", "payload"}
        assert {one: now[one] for one in rest} == {one: shown[one] for one in rest}, (
            f"only {name} was changed"
        )
    assert made["secret"].startswith("whsec_")


@on_sqlite
async def test_the_secrets_of_an_auth_are_sealed_masked_and_stay_when_the_mask_comes_back(house: House):
    await house.post("/v1/endpoints", {**URL, "name": "erp", "auth": OAUTH})
    shown = (await house.get("/v1/endpoints/erp"))["auth"]
    again = await house.say("PATCH", "/v1/endpoints/erp", {"auth": {**shown, "scope": "hooks"}})

    assert shown == {**OAUTH, "client_secret": "***", "credentials_in": "header"}
    assert again.json()["auth"] == {**shown, "scope": "hooks"}
    [row] = await house.hub.engine.fetch("things_all", kind="endpoint")
    audit = (await house.get("/v1/audit"))["data"]
    assert b"hush" not in row[8]
    assert "hush" not in str(audit)
    assert "sealed" not in str(audit)
    assert audit[-1]["detail"]["auth_changed"] is True
    other = await house.say("PATCH", "/v1/endpoints/erp", {"auth": {"type": "bearer", "token": "***"}})
    assert (other.status_code, other.json()["field"]) == (422, "auth.token")
    none = await house.say("PATCH", "/v1/endpoints/erp", {"auth": {"type": "none"}})
    assert none.json()["auth"] == {"type": "none"}


@on_sqlite
async def test_the_public_keys_are_for_everyone_and_the_private_ones_for_no_one(house: House):
    made = await house.post("/v1/endpoints", {**URL, "name": "erp", "signing": ["v1a"]})
    open_ = await house.http.get(f"/v1/endpoints/{made['id']}/keys")
    turned = await house.post("/v1/endpoints/erp/rotate", {"overlap_hours": 1})
    both = (await house.http.get(f"/v1/endpoints/{made['id']}/keys")).json()["keys"]

    assert made.get("secret") is None
    assert "whsk_" not in str(made) + str(turned)
    [key] = open_.json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert len(both) == 2
    assert both[1] == key
    assert turned["public_keys"][1:] == made["public_keys"]
    by_name = await house.http.get("/v1/endpoints/erp/keys")
    assert (by_name.status_code, "with the id 'erp'" in by_name.json()["detail"]) == (404, True), (
        "by its id only"
    )
    assert (await house.http.get("/v1/endpoints/end_nothing/keys")).status_code == 404


@on_sqlite
async def test_a_signature_is_added_and_taken_away(house: House):
    made = await house.post("/v1/endpoints", {**URL, "name": "erp", "signing": ["v1a"]})
    more = (await house.say("PATCH", "/v1/endpoints/erp", {"signing": ["v1", "v1a"]})).json()
    less = (await house.say("PATCH", "/v1/endpoints/erp", {"signing": ["v1"]})).json()

    assert more["secret"].startswith("whsec_"), "a new shared secret is shown this once"
    assert more["public_keys"] == made["public_keys"]
    assert "public_keys" not in less
    assert less.get("secret") is None


@pytest.mark.parametrize(("body", "field"), [
    ({"signing": "v1a"}, "signing"), ({"secret": "whsk_AAAA"}, "secret"), ({"secret": "whsec_AAAA"}, "secret"),
    ({"secret": "hello"}, "secret"), ({"overlap_hours": 169}, "overlap_hours"), ({"overlap_hours": -1}, "overlap_hours"),
    ({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "signing": "v1a"}, "secret"),
])  # fmt: skip
@on_sqlite
async def test_a_rotation_that_cannot_be_is_refused(house: House, body: dict[str, Any], field: str):
    await house.post("/v1/endpoints", {**URL, "name": "erp"})

    answer = await house.say("POST", "/v1/endpoints/erp/rotate", body)

    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


@on_sqlite
async def test_a_change_of_the_url_is_in_the_audit_with_both(house: House):
    made = await house.post("/v1/endpoints", {**URL, "name": "erp"})
    await house.say("PATCH", "/v1/endpoints/erp", {"url": "https://other.example/in"})

    rows = (await house.get(f"/v1/audit?subject={made['id']}"))["data"]
    assert rows[-1]["action"] == "endpoint.changed"
    assert rows[-1]["detail"] == {"before": URL, "after": {"url": "https://other.example/in"}}


@on_sqlite
async def test_only_so_many_secrets_sign_at_once_and_it_is_said_how_to_go_on(house: House):
    await house.post("/v1/endpoints", {**URL, "name": "erp", "signing": ["v1", "v1a"]})
    for _ in range(4):
        await house.post("/v1/endpoints/erp/rotate", {"overlap_hours": 2})
    before = (await house.get("/v1/endpoints/erp"))["public_keys"]
    for signing in ("v1", "v1a"):
        answer = await house.say("POST", "/v1/endpoints/erp/rotate", {"overlap_hours": 2, "signing": signing})
        assert answer.status_code == 409, answer.text
        assert "overlap_hours 0" in answer.json()["detail"]
        assert "wait until 20" in answer.json()["detail"]

    assert (await house.get("/v1/endpoints/erp"))["public_keys"] == before
    await house.post("/v1/endpoints/erp/rotate", {"overlap_hours": 0})
    await house.post("/v1/endpoints/erp/rotate", {"overlap_hours": 2})
    assert len((await house.get("/v1/endpoints/erp"))["public_keys"]) == 2
