"""Notifiers, notices, alerts and action links over the API."""

from __future__ import annotations

import re

import pytest

from hub.replies import Act
from hub.troubles import Trouble, cause
from tests.http.conftest import House, on_sqlite
from tests.notify.receivers import far_side, postbox

SMTP = {"host": "127.0.0.1", "security": "none", "sender": "Lantern <orders@lantern.example>", "password": "s3cret",
        "username": ""}  # fmt: skip


async def bot(house: House, url: str, name: str = "team") -> dict:
    return await house.post(
        "/v1/notifiers", {"name": name, "kind": "feishu", "settings": {"url": url, "secret": "s3cret"}}
    )


async def trouble(house: House, subject: str = "msg_1") -> str:
    hub = house.hub
    one = Trouble(
        tenant="main", cause=cause("x"), subject=subject, title="x <cannot> be read", hint="Mend it."
    )
    await hub.engine.transact(lambda unit: hub.troubles.open(unit, [one]))
    found = await house.get("/v1/exceptions?state=open")
    return found["data"][0]["id"]


def link(house: House, action: str, subject: str, **more) -> str:
    given = {"action": action, "subject": subject, "tenant": "main", "until": 4_000_000_000, "by": "ops"}
    return f"/act/{house.hub.marks.link(Act(**{**given, **more}))}"


async def test_a_notifier_is_made_shown_without_its_secrets_and_tried(house):
    async with postbox() as box:
        made = await house.post(
            "/v1/notifiers", {"name": "mail", "kind": "smtp", "settings": {**SMTP, "port": box.port}}
        )
        done = await house.post("/v1/notifiers/mail/test", {"to": "ada@example.com"})
        lost = await house.say("POST", "/v1/notifiers/mail/test", {})

    assert made["settings"]["password"] == "***"
    assert "s3cret" not in str(await house.get("/v1/notifiers"))
    assert (done["ok"], done["status"]) == (True, "sent")
    assert len(box.mails) == 1
    assert lost.json()["field"] == "to"
    rows = await house.hub.engine.fetch("things_all", kind="notifier")
    assert b"s3cret" not in rows[0][8]


@on_sqlite
@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"kind": "pager"}, "kind", "no notifier of kind 'pager'"),
        ({"kind": "smtp", "settings": {}}, "settings.host", "required"),
        ({"kind": "smtp", "settings": {**SMTP, "pasword": "x"}}, "settings.pasword", "is password meant"),
        ({"kind": "feishu", "settings": {"url": "http://169.254.169.254/"}}, "settings.url", "link-local"),
        ({"kind": "webhook", "settings": {"url": "ftp://x"}}, "settings.url", "does not begin with http"),
        ({"kind": "dingtalk", "settings": {"access_token": "t", "base_url": "http://10.0.0.1"}}, "settings.base_url", "private"),
    ],
)  # fmt: skip
async def test_a_notifier_that_cannot_work_is_refused_with_its_field(house, body, field, said):
    answer = await house.say("POST", "/v1/notifiers", {"name": "n", **body})

    assert answer.status_code in (400, 422)
    assert answer.json()["field"] == field
    assert said in answer.json()["detail"]


@on_sqlite
async def test_a_masked_secret_that_comes_back_stays_and_null_takes_one_away(house):
    async with far_side(lambda _: (200, {"code": 0})) as far:
        made = await bot(house, far.url)
        await house.say("PATCH", "/v1/notifiers/team", {"settings": {**made["settings"]}})
        await house.post("/v1/notifiers/team/test", {})
        await house.say("PATCH", "/v1/notifiers/team", {"settings": {"secret": None}})
        await house.post("/v1/notifiers/team/test", {})

    assert ["sign" in one.json() for one in far.asked] == [True, False]


@on_sqlite
async def test_a_notifier_that_is_used_cannot_be_removed(house):
    async with far_side() as far:
        await bot(house, far.url)
    await house.post("/v1/alerts", {"name": "ops", "notifier": "team"})
    refused = await house.say("DELETE", "/v1/notifiers/team")
    assert refused.status_code == 409
    assert "ops" in refused.json()["detail"]

    assert (await house.say("DELETE", "/v1/alerts/ops")).status_code == 204
    assert (await house.say("DELETE", "/v1/notifiers/team")).status_code == 204


async def test_a_notice_is_made_previewed_changed_and_removed(house):
    await house.post("/v1/notifiers", {"name": "mail", "kind": "smtp", "settings": SMTP})
    made = await house.post(
        "/v1/notices",
        {
            "name": "shipped",
            "event": "shipment.shipped",
            "notifier": "mail",
            "template": "shipped",
            "brand": "Lantern",
        },
    )
    said = await house.post("/v1/notices/shipped/preview", {})
    zh = await house.say("PATCH", "/v1/notices/shipped", {"locale": "zh"})
    chinese = await house.post("/v1/notices/shipped/preview", {})

    assert (made["notifier"], made["status"], made["locale"]) == ("mail", "active", "auto")
    assert said["subject"] == "Your order 1001 is on its way"
    assert zh.status_code == 200
    assert chinese["subject"] == "您的订单 1001 已发货"
    assert (await house.say("DELETE", "/v1/notices/shipped")).status_code == 204
    assert (await house.get("/v1/notices"))["data"] == []


@on_sqlite
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event": "order.creatd"}, "event"),
        ({"notifier": "nobody"}, "notifier"),
        ({"template": "no-such"}, "template"),
        ({"predicate": "data.total >"}, "predicate"),
        ({"consent": "("}, "consent"),
        ({"params": {"no": "data.number |"}}, "params.no"),
        ({"notifier": "sms"}, "code"),
        ({"to": "supplier"}, "to"),
        ({"locale": "english"}, "locale"),
    ],
)
async def test_a_notice_that_cannot_work_is_refused_with_its_field(house, change, field):
    await house.post("/v1/notifiers", {"name": "mail", "kind": "smtp", "settings": SMTP})
    account = {"access_key_id": "a", "access_key_secret": "b", "sign_name": "c"}
    await house.post("/v1/notifiers", {"name": "sms", "kind": "aliyun_sms", "settings": account})
    good = {"event": "order.created", "notifier": "mail", "template": "received"}

    answer = await house.say("POST", "/v1/notices", {**good, **change})

    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field


async def test_who_wants_to_hear_no_more_is_kept_without_a_name(house):
    made = await house.post("/v1/optouts", {"email": "Ada@Example.com", "reason": "asked by phone"})
    assert await house.hub.teller.stopped("main", "smtp", "ada@example.com")
    assert "ada" not in str(await house.get("/v1/optouts")).lower().replace("asked", "")
    await house.post("/v1/optouts", {"phone": "+49 151 123"})
    assert await house.hub.teller.stopped("main", "aliyun_sms", "+49151123")

    assert (await house.say("DELETE", f"/v1/optouts/{made['id']}")).status_code == 204
    assert not await house.hub.teller.stopped("main", "smtp", "ada@example.com")
    assert (await house.say("POST", "/v1/optouts", {})).status_code == 422


@on_sqlite
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"notifier": "nobody"}, "notifier"),
        ({"quiet": "22-7"}, "quiet"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"severity": "loud"}, "severity"),
        ({"connections": ["shop"]}, "connections[0]"),
        ({"escalate_to": "boss"}, "escalate_to"),
        ({"notifier": "mail"}, "to"),
        ({"per_minute": 0}, "per_minute"),
        ({"notifier": "sms", "to": ["+8613000000000"]}, "code"),
    ],
)
async def test_an_alert_that_cannot_work_is_refused_with_its_field(house, change, field):
    async with far_side() as far:
        await bot(house, far.url)
    await house.post("/v1/notifiers", {"name": "mail", "kind": "smtp", "settings": SMTP})
    account = {"access_key_id": "a", "access_key_secret": "b", "sign_name": "c"}
    await house.post("/v1/notifiers", {"name": "sms", "kind": "aliyun_sms", "settings": account})

    answer = await house.say("POST", "/v1/alerts", {"name": "ops", "notifier": "team", **change})

    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field


async def test_an_alert_is_tried_and_its_links_work(house):
    async with far_side(lambda _: (200, {"code": 0})) as far:
        await bot(house, far.url)
        await house.post("/v1/alerts", {"name": "ops", "notifier": "team", "gather": 0})
        assert (await house.post("/v1/alerts/ops/test"))["ok"]
        id_ = await trouble(house)
        await house.hub.watch.step()
        await house.hub.voice.step()

    text = far.asked[1].json()["card"]["elements"][0]["content"]
    path = re.search(r"\[Acknowledge\]\(https?://[^/]+(/act/[^)]+)\)", text)[1]
    page = await house.http.get(path)
    assert page.status_code == 200
    assert (await house.get(f"/v1/exceptions/{id_}"))["state"] == "open"
    assert "x &lt;cannot&gt; be read" in page.text
    assert page.headers["cache-control"] == "no-store"

    assert (await house.http.post(path)).status_code == 200
    assert (await house.get(f"/v1/exceptions/{id_}"))["state"] == "acked"
    audit = await house.get(f"/v1/audit?subject={id_}")
    assert [(row["actor"], row["action"]) for row in audit["data"]] == [("link of ops", "exception.acked")]


@on_sqlite
async def test_a_link_does_its_one_thing_until_its_time_and_for_its_tenant(house):
    id_ = await trouble(house)
    ack = link(house, "ack", id_)

    assert (await house.http.post(link(house, "ack", id_, until=1))).status_code == 410
    assert (await house.http.post(ack[:-1] + "0" if ack[-1] != "0" else ack[:-1] + "1")).status_code == 410
    assert (await house.http.get("/act/none")).status_code == 410
    assert (await house.http.post(link(house, "ack", id_, tenant="second"))).status_code == 404
    assert (await house.http.post(link(house, "optout", id_))).status_code == 410
    assert (await house.get(f"/v1/exceptions/{id_}"))["state"] == "open"

    assert (await house.http.post(link(house, "snooze", id_))).status_code == 200
    assert (await house.get(f"/v1/exceptions/{id_}"))["state"] == "snoozed"
    await house.post(f"/v1/exceptions/{id_}/close")
    assert (await house.http.post(ack)).status_code == 409
    assert "<button" not in (await house.http.get(ack)).text


@on_sqlite
async def test_the_retry_link_tries_all_of_the_cause_again(house):
    hub = house.hub
    id_ = await trouble(house, "dlv_1")

    async def work(unit):
        unit.add(
            "deliveries_add", [(1, "main", "end_1", "evt_1", "", "dead", 0, 0, "", "first", "full", "", 0)]
        )

    await hub.engine.transact(work)

    assert (await house.http.post(link(house, "retry", id_))).status_code == 200
    rows = await hub.engine.fetch("deliveries_targets")
    assert rows == [("end_1",)]


@on_sqlite
async def test_scopes_are_kept(house):
    read = await house.token("read")
    operate = await house.token("operate")

    assert (await house.say("POST", "/v1/notifiers", {"name": "x", "kind": "smtp"}, read)).status_code == 403
    assert (await house.say("POST", "/v1/alerts", {"name": "x", "notifier": "y"}, operate)).status_code == 403
    assert (await house.say("GET", "/v1/notifiers/kinds", None, read)).status_code == 200
    assert (await house.say("POST", "/v1/optouts", {"phone": "+1"}, operate)).status_code == 201


@on_sqlite
async def test_what_a_paused_notifier_is_to_say_waits(house):
    async with far_side(lambda _: (200, {"code": 0})) as far:
        await bot(house, far.url)
        await house.post("/v1/alerts", {"name": "ops", "notifier": "team", "gather": 0})
        await house.say("PATCH", "/v1/notifiers/team", {"status": "paused"})
        await trouble(house)
        await house.hub.watch.step()
        assert await house.hub.voice.step() == 0
        assert far.asked == []
        assert (await house.post("/v1/alerts/ops/test"))["reason"] == "its notifier is gone or paused"
