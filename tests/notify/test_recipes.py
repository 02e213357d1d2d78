"""The signed recipes of bots and short messages, against vectors that are not ours where there are any."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
from standardwebhooks import Webhook

from hub.contract.message import Headers
from hub.outbound.notify.accounts import RECIPES
from hub.outbound.notify.bots import (
    DingTalkSettings,
    FeishuSettings,
    WeComSettings,
    dingtalk_sign,
    feishu_sign,
)
from hub.outbound.notify.hook import HookSettings
from hub.outbound.notify.notice import Notice, Stamp, cut
from hub.outbound.notify.sms import (
    AliyunSettings,
    TencentSettings,
    TwilioSettings,
    aliyun_signature,
    mainland,
    tencent_canonical,
    tencent_signature,
)
from hub.outbound.sender import Answer
from hub.outbound.signing import new_secret

SHARED = Path(__file__).resolve().parents[3] / "shared" / "payloads" / "china"
STAMP = Stamp(1_700_000_000_000_000, "n-1")


def vectors(system: str) -> list[dict]:
    file = SHARED / "vectors.json"
    return [one for one in json.loads(file.read_text()) if one["system"] == system] if file.exists() else []


def sms(**more) -> Notice:
    given = {"id": "ntc_1", "text": "On its way", "to": ("+8613000000000",), "code": "SMS_1", "params": {"no": "SO-1001"},
             "back": "ord_1/ntc_1"}  # fmt: skip
    return Notice(**{**given, **more})


def says(kind: str, status: int, doc) -> str:
    receipt = RECIPES[kind].judge(Answer(status=status, body=json.dumps(doc).encode()))
    return receipt.status


def test_a_dingtalk_signature_is_that_of_its_recipe():
    assert (
        quote(dingtalk_sign("SEC000", 1_700_000_000_000), safe="")
        == "ltBBey5eZrWKh1cPzFIdz3v3xpkc4Tjx4lLsPSHqdtA%3D"
    )


def test_a_feishu_signature_has_the_empty_message():
    assert feishu_sign("demo", 1_599_360_473) == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


def test_aliyuns_own_example_is_reproduced():
    params = {
        "AccessKeyId": "testId", "Action": "SendSms", "Format": "XML", "OutId": "123", "PhoneNumbers": "15300000001",
        "RegionId": "cn-hangzhou", "SignName": "阿里云短信测试专用", "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466", "SignatureVersion": "1.0",
        "TemplateCode": "SMS_71390007", "TemplateParam": '{"customer":"test"}', "Timestamp": "2017-07-12T02:42:19Z",
        "Version": "2017-05-25",
    }  # fmt: skip

    assert aliyun_signature("testSecret", "GET", params) == "zJDF+Lrzhj/ThnlvIToysFRq6t4="


@pytest.mark.parametrize("one", vectors("dingtalk") + vectors("feishu"), ids=lambda one: one["system"])
def test_the_recorded_vectors_of_bots_fit(one):
    given = one["inputs"]
    if one["system"] == "dingtalk":
        found = quote(dingtalk_sign(given["secret"], int(given["timestamp"])), safe="")
    else:
        found = feishu_sign(given["secret"], int(given["timestamp"]))

    assert found == one["signature"]


@pytest.mark.parametrize("one", vectors("aliyun") + vectors("aliyun_sms"), ids=lambda one: one["what"])
def test_the_recorded_vectors_of_aliyun_fit(one):
    given = one["inputs"]

    assert aliyun_signature(given["secret"], given["http_method"], given["params"]) == one["signature"]


@pytest.mark.parametrize("one", vectors("tencent_sms"), ids=lambda one: one["what"])
def test_the_recorded_vector_of_tencent_fits(one):
    given = one["inputs"]
    canonical = tencent_canonical("sms.tencentcloudapi.com", "SendSms", given["payload"].encode())

    assert tencent_signature(given["secret_key"], "sms", given["timestamp"], canonical) == one["signature"]


@pytest.mark.parametrize("one", vectors("tencent_tc3"), ids=lambda one: one["what"])
def test_tencents_canonical_request_is_the_documented_one(one):
    given = one["inputs"]
    canonical = tencent_canonical("cvm.tencentcloudapi.com", "DescribeInstances", given["payload"].encode())

    assert canonical == given["canonical_request"]
    assert hashlib.sha256(canonical.encode()).hexdigest() == one["signature"]


def test_a_tencent_signature_is_of_its_day():
    canonical = tencent_canonical("sms.tencentcloudapi.com", "SendSms", b'{"TemplateId":"100"}')

    assert tencent_signature("SK", "sms", 1_700_000_000, canonical) != tencent_signature(
        "SK", "sms", 1_700_086_400, canonical
    )


def test_a_dingtalk_message_is_signed_markdown_with_its_title():
    settings = DingTalkSettings(access_token="tok", secret="SEC000")
    post = RECIPES["dingtalk"].ask(settings, Notice(id="n", title="Two orders", text="look"), STAMP)
    query = parse_qs(urlsplit(post.url).query)

    assert query == {
        "access_token": ["tok"], "timestamp": ["1700000000000"],
        "sign": ["ltBBey5eZrWKh1cPzFIdz3v3xpkc4Tjx4lLsPSHqdtA="],
    }  # fmt: skip
    assert json.loads(post.body) == {
        "msgtype": "markdown", "markdown": {"title": "Two orders", "text": "#### Two orders\n\nlook"},
    }  # fmt: skip


def test_a_feishu_message_carries_its_signature_in_the_body():
    settings = FeishuSettings(url="https://open.feishu.cn/open-apis/bot/v2/hook/t", secret="demo")
    doc = json.loads(RECIPES["feishu"].ask(settings, Notice(id="n", title="T", text="**b**"), STAMP).body)

    assert doc["timestamp"] == "1700000000"
    assert doc["sign"] == feishu_sign("demo", 1_700_000_000)
    assert doc["msg_type"] == "interactive"
    assert doc["card"]["elements"] == [{"tag": "markdown", "content": "**b**"}]


def test_a_wecom_message_never_grows_beyond_what_the_robot_takes():
    post = RECIPES["wecom"].ask(
        WeComSettings(key="k 1"), Notice(id="n", title="标题", text="长" * 3000), STAMP
    )
    content = json.loads(post.body)["markdown"]["content"]

    assert post.url == "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k+1"
    assert len(content.encode()) <= 4096
    assert content.endswith("…")


@pytest.mark.parametrize(
    ("kind", "status", "doc", "expected"),
    [
        ("dingtalk", 200, {"errcode": 0, "errmsg": "ok"}, "sent"),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}, "later"),
        ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, "later"),
        ("feishu", 200, {"code": 0, "msg": "success"}, "sent"),
        ("feishu", 200, {"StatusCode": 0, "StatusMessage": "success"}, "sent"),
        ("feishu", 200, {"code": 19021, "msg": "sign match fail"}, "later"),
        ("wecom", 200, {"errcode": 93000, "errmsg": "invalid webhook url"}, "later"),
        ("wecom", 502, {}, "later"),
        ("wecom", 200, ["not", "an", "object"], "later"),
        ("aliyun_sms", 200, {"Code": "OK", "BizId": "1^0"}, "sent"),
        ("aliyun_sms", 200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, "failed"),
        ("aliyun_sms", 200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}, "later"),
        ("aliyun_sms", 404, {"Code": "InvalidAccessKeyId.NotFound"}, "later"),
        ("tencent_sms", 200, {"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "s"}]}}, "sent"),
        ("tencent_sms", 200, {"Response": {"Error": {"Code": "AuthFailure.SignatureFailure"}}}, "later"),
        (
            "tencent_sms",
            200,
            {"Response": {"SendStatusSet": [{"Code": "InvalidParameterValue.IncorrectPhoneNumber"}]}},
            "failed",
        ),
        ("tencent_sms", 200, {"Response": {"SendStatusSet": []}}, "later"),
        ("twilio_sms", 201, {"sid": "SM1", "status": "queued"}, "sent"),
        ("twilio_sms", 400, {"code": 21211, "message": "not a valid phone number"}, "failed"),
        ("twilio_sms", 401, {"code": 20003}, "later"),
        ("twilio_sms", 429, {}, "later"),
        ("webhook", 204, {}, "sent"),
        ("webhook", 404, {}, "later"),
    ],
)
def test_an_answer_means_what_its_body_says(kind, status, doc, expected):
    assert says(kind, status, doc) == expected


@pytest.mark.parametrize("kind", sorted(RECIPES))
def test_nobody_there_is_unreachable_and_garbage_is_no_success(kind):
    assert RECIPES[kind].judge(Answer(error="connect", reason="refused")).status == "unreachable"
    assert RECIPES[kind].judge(Answer(status=200, body=b"<html>")).status in (
        ("sent",) if kind in ("webhook", "twilio_sms") else ("later",)
    )


def test_a_person_who_said_stop_is_known_by_the_providers_code():
    twilio = RECIPES["twilio_sms"].judge(Answer(status=400, body=b'{"code":21610,"message":"STOP"}'))
    doc = {"Response": {"SendStatusSet": [{"Code": "FailedOperation.PhoneNumberInBlacklist"}]}}
    tencent = RECIPES["tencent_sms"].judge(Answer(status=200, body=json.dumps(doc).encode()))

    assert (twilio.status, twilio.stop, tencent.stop) == ("failed", True, True)


def test_an_aliyun_request_carries_the_template_and_what_its_receipt_brings_back():
    settings = AliyunSettings(access_key_id="id", access_key_secret="key", sign_name="灯笼")
    post = RECIPES["aliyun_sms"].ask(settings, sms(), STAMP)
    fields = dict(parse_qsl(post.body.decode()))
    signature = fields.pop("Signature")

    assert fields["PhoneNumbers"] == "13000000000"
    assert (fields["OutId"], fields["TemplateCode"]) == ("ord_1/ntc_1", "SMS_1")
    assert json.loads(fields["TemplateParam"]) == {"no": "SO-1001"}
    assert fields["Timestamp"] == "2023-11-14T22:13:20Z"
    assert signature == aliyun_signature("key", "POST", fields)


def test_a_tencent_request_is_signed_over_the_very_bytes_it_sends():
    settings = TencentSettings(
        secret_id="AKIDTEST", secret_key="SKTEST", app_id="1400000000", sign_name="TEST"
    )
    post = RECIPES["tencent_sms"].ask(settings, sms(code="100"), STAMP)
    canonical = tencent_canonical("sms.tencentcloudapi.com", "SendSms", post.body)

    assert post.headers["authorization"].endswith(
        f"Signature={tencent_signature('SKTEST', 'sms', 1_700_000_000, canonical)}"
    )
    assert json.loads(post.body)["TemplateParamSet"] == ["SO-1001"]


def test_a_twilio_request_asks_for_receipts_and_hides_nothing_in_its_url():
    settings = TwilioSettings(account_sid="AC1", auth_token="tok", sender="+15005550006")
    post = RECIPES["twilio_sms"].ask(settings, sms(callback="https://hub.example/in/k?n=ntc_1"), STAMP)

    assert post.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert dict(parse_qsl(post.body.decode())) == {
        "To": "+8613000000000", "From": "+15005550006", "Body": "On its way",
        "StatusCallback": "https://hub.example/in/k?n=ntc_1",
    }  # fmt: skip


def test_a_webhook_is_signed_so_that_other_peoples_libraries_verify_it():
    secret = new_secret()
    stamp = Stamp(time.time_ns() // 1000, "n")
    post = RECIPES["webhook"].ask(
        HookSettings(url="https://x.example/a", webhook_secret=secret), sms(data={"a": 1}), stamp
    )

    assert Webhook(secret).verify(post.body, dict(post.headers))["data"] == {"a": 1}
    assert Headers(list(post.headers.items())).get("webhook-id") == "ntc_1"


def test_numbers_of_the_mainland_go_without_their_country():
    assert [mainland(one) for one in ("+8613000000000", "+85251234567", "13000000000")] == [
        "13000000000", "85251234567", "13000000000",
    ]  # fmt: skip


def test_a_text_is_cut_between_characters():
    assert cut("长长长", 8) == "长…"
    assert cut("short", 8) == "short"
