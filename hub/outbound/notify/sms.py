"""Short messages: 阿里云短信, 腾讯云短信 and Twilio, each by its provider's signed recipe.

In mainland China a text is an approved signature and an approved template with variables; Twilio takes free text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Meta

from hub.contract.settings import Secret, Settings
from hub.outbound.notify.notice import Notice, Receipt, Recipe, Stamp, answered, body, cut
from hub.outbound.sender import Answer, Post
from hub.store.rows import PLAIN

_FORM = {"content-type": "application/x-www-form-urlencoded"}


class AliyunSettings(Settings, frozen=True, kw_only=True):
    """阿里云短信服务."""

    access_key_id: Annotated[str, Meta(description="AccessKey ID of a RAM user that may only send SMS.")]
    access_key_secret: Annotated[Secret, Meta(description="Its AccessKey Secret.")]
    sign_name: Annotated[str, Meta(description="The approved signature (短信签名).")]
    region: Annotated[str, Meta(description="RegionId.")] = "cn-hangzhou"
    base_url: Annotated[str, Meta(description="The address of the API.")] = "https://dysmsapi.aliyuncs.com"


class TencentSettings(Settings, frozen=True, kw_only=True):
    """腾讯云短信."""

    secret_id: Annotated[str, Meta(description="SecretId of an API key.")]
    secret_key: Annotated[Secret, Meta(description="Its SecretKey.")]
    app_id: Annotated[str, Meta(description="SmsSdkAppId of the SMS application.")]
    sign_name: Annotated[str, Meta(description="The approved signature (短信签名).")]
    region: Annotated[str, Meta(description="Region.")] = "ap-guangzhou"
    base_url: Annotated[str, Meta(description="The address of the API.")] = "https://sms.tencentcloudapi.com"


class TwilioSettings(Settings, frozen=True, kw_only=True):
    """Twilio Programmable Messaging."""

    account_sid: Annotated[str, Meta(description="Account SID (AC…).", pattern=r"^[A-Za-z0-9]{2,64}$(?!\n)")]
    auth_token: Annotated[Secret, Meta(description="Auth token.")]
    sender: Annotated[str, Meta(description="A number of ours (+…) or a messaging service (MG…).")]
    connection: Annotated[
        str, Meta(description="The twilio_sms connection whose address gets the receipts.")
    ] = ""
    base_url: Annotated[str, Meta(description="The address of the API.")] = "https://api.twilio.com"


def percent(text: str) -> str:
    """RFC 3986, as 阿里云 wants it: a space is %20, ~ stays."""
    return quote(text, safe="-_.~")


def aliyun_signature(secret: str, method: str, params: Mapping[str, str]) -> str:
    """RPC signature V1: base64(HMAC-SHA1(secret + "&", METHOD & %2F & the sorted query, quoted again))."""
    query = "&".join(f"{percent(name)}={percent(params[name])}" for name in sorted(params))
    text = f"{method}&{percent('/')}&{percent(query)}"
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), text.encode(), hashlib.sha1)).decode()


def _aliyun(settings: AliyunSettings, notice: Notice, stamp: Stamp) -> Post:
    params = {
        "AccessKeyId": settings.access_key_id, "Action": "SendSms", "Format": "JSON", "OutId": notice.back,
        "PhoneNumbers": mainland(notice.to[0]), "RegionId": settings.region, "SignName": settings.sign_name,
        "SignatureMethod": "HMAC-SHA1", "SignatureNonce": stamp.nonce, "SignatureVersion": "1.0",
        "TemplateCode": notice.code, "TemplateParam": PLAIN.encode(notice.params).decode(),
        "Timestamp": f"{datetime.fromtimestamp(stamp.seconds, UTC):%Y-%m-%dT%H:%M:%SZ}", "Version": "2017-05-25",
    }  # fmt: skip
    params["Signature"] = aliyun_signature(settings.access_key_secret, "POST", params)
    return Post(url=f"{settings.base_url}/", headers=_FORM, body=urlencode(params, quote_via=quote).encode())


def mainland(phone: str) -> str:
    """A number as 阿里云 takes it: eleven digits of the mainland, others with their country code and no plus."""
    return phone.removeprefix("+86") if phone.startswith("+861") else phone.removeprefix("+")


_ALIYUN_NEVER = (
    "isv.MOBILE_NUMBER_ILLEGAL", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.BLACK_KEY_CONTROL_LIMIT", "isv.PARAM_LENGTH_LIMIT",
    "isv.PARAM_NOT_SUPPORT_URL", "isv.TEMPLATE_MISSING_PARAMETERS", "isv.TEMPLATE_PARAMS_ILLEGAL",
    "isv.INVALID_PARAMETERS", "isv.INVALID_JSON_PARAM",
)  # fmt: skip


def _aliyun_says(answer: Answer) -> Receipt:
    said = body(answer)
    code = str(said.get("Code", ""))
    if code == "OK":
        return Receipt(status="sent", ref=str(said.get("BizId", "")))
    if not code and (told := answered(answer)) is not None:
        return told
    reason = f"{code}: {said.get('Message', '')}"
    if code in _ALIYUN_NEVER:
        return Receipt(status="failed", reason=reason)
    after = 60.0 if code.startswith(("isv.BUSINESS_LIMIT", "isv.DAY_LIMIT", "Throttling")) else None
    return Receipt(status="later", reason=reason, after=after)


def tencent_signature(secret: str, service: str, seconds: int, canonical: str) -> str:
    """TC3-HMAC-SHA256 over a canonical request."""
    day = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    scope = f"{day}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{seconds}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{secret}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()


def tencent_canonical(host: str, action: str, payload: bytes) -> str:
    """The canonical request of a POST: content type, host and action are signed with the payload's hash."""
    head = f"content-type:application/json; charset=utf-8\nhost:{host}\nx-tc-action:{action.lower()}\n"
    return f"POST\n/\n\n{head}\ncontent-type;host;x-tc-action\n{hashlib.sha256(payload).hexdigest()}"


def _tencent(settings: TencentSettings, notice: Notice, stamp: Stamp) -> Post:
    payload = PLAIN.encode({
        "PhoneNumberSet": [notice.to[0]], "SmsSdkAppId": settings.app_id, "SignName": settings.sign_name,
        "TemplateId": notice.code, "TemplateParamSet": list(notice.params.values()), "SessionContext": notice.back,
    })  # fmt: skip
    host = urlsplit(settings.base_url).netloc
    seconds = stamp.seconds
    signature = tencent_signature(
        settings.secret_key, "sms", seconds, tencent_canonical(host, "SendSms", payload)
    )
    scope = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}/sms/tc3_request"
    headers = {
        "content-type": "application/json; charset=utf-8", "x-tc-action": "SendSms", "x-tc-version": "2021-01-11",
        "x-tc-region": settings.region, "x-tc-timestamp": str(seconds),
        "authorization": f"TC3-HMAC-SHA256 Credential={settings.secret_id}/{scope}, "
                         f"SignedHeaders=content-type;host;x-tc-action, Signature={signature}",
    }  # fmt: skip
    return Post(url=f"{settings.base_url}/", headers=headers, body=payload)


def _tencent_says(answer: Answer) -> Receipt:
    found = body(answer).get("Response")
    said: dict[str, Any] = found if isinstance(found, dict) else {}
    if not said and (told := answered(answer)) is not None:
        return told
    one = next(iter(said.get("SendStatusSet") or ()), None) or said.get("Error") or {}
    code = str(one.get("Code", ""))
    if code == "Ok":
        return Receipt(status="sent", ref=str(one.get("SerialNo", "")))
    reason = f"{code}: {one.get('Message', f'it answered {answer.status}')}"
    if code == "FailedOperation.PhoneNumberInBlacklist":
        return Receipt(status="failed", reason=reason, stop=True)
    if code.startswith(("InvalidParameterValue.", "FailedOperation.Template", "FailedOperation.Contain")):
        return Receipt(status="failed", reason=reason)
    after = 60.0 if code.startswith(("LimitExceeded.", "RequestLimitExceeded")) else None
    return Receipt(status="later", reason=reason, after=after)


def _twilio(settings: TwilioSettings, notice: Notice, stamp: Stamp) -> Post:
    sender = "MessagingServiceSid" if settings.sender.startswith("MG") else "From"
    fields = {"To": notice.to[0], sender: settings.sender, "Body": cut(notice.text, 1600)}
    if notice.callback:
        fields["StatusCallback"] = notice.callback
    user = base64.b64encode(f"{settings.account_sid}:{settings.auth_token}".encode()).decode()
    url = f"{settings.base_url}/2010-04-01/Accounts/{settings.account_sid}/Messages.json"
    return Post(url=url, headers={**_FORM, "authorization": f"Basic {user}"}, body=urlencode(fields).encode())


def _twilio_says(answer: Answer) -> Receipt:
    if (told := answered(answer)) is not None:
        return told
    said = body(answer)
    if answer.status in (200, 201):
        return Receipt(status="sent", ref=str(said.get("sid", "")))
    reason = f"{said.get('code', answer.status)}: {said.get('message', '')}"
    if answer.status in (401, 403):
        return Receipt(status="later", reason=reason)
    return Receipt(status="failed", reason=reason, stop=said.get("code") == 21610)


ALIYUN = Recipe(AliyunSettings, "sms", _aliyun, _aliyun_says)
TENCENT = Recipe(TencentSettings, "sms", _tencent, _tencent_says)
TWILIO = Recipe(TwilioSettings, "sms", _twilio, _twilio_says)
