"""Bots of group chats: 钉钉, 飞书 and 企业微信, each with its own signature.

All of them answer HTTP 200 to what they refuse; the code in the body says so (their open-platform docs).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from msgspec import Meta

from hub.contract.settings import Secret, Settings
from hub.outbound.notify.notice import Notice, Receipt, Recipe, Stamp, answered, body, cut
from hub.outbound.sender import Answer, Post
from hub.store.rows import PLAIN

_JSON = {"content-type": "application/json; charset=utf-8"}


class DingTalkSettings(Settings, frozen=True, kw_only=True):
    """A 钉钉 custom robot (自定义机器人) with signing (加签)."""

    access_token: Annotated[Secret, Meta(description="The access_token of the robot's webhook address.")]
    secret: Annotated[
        Secret | None, Meta(description="The key of 加签 (SEC…); none where a keyword protects it.")
    ] = None
    base_url: Annotated[str, Meta(description="The address of the open platform.")] = (
        "https://oapi.dingtalk.com"
    )


class FeishuSettings(Settings, frozen=True, kw_only=True):
    """A 飞书 or Lark custom bot (自定义机器人)."""

    url: Annotated[Secret, Meta(description="The bot's webhook address.")]
    secret: Annotated[Secret | None, Meta(description="The key of 签名校验, where it is on.")] = None


class WeComSettings(Settings, frozen=True, kw_only=True):
    """A 企业微信 group robot (群机器人): its key is its only secret."""

    key: Annotated[Secret, Meta(description="The key in the robot's webhook address.")]
    base_url: Annotated[str, Meta(description="The address of the API.")] = "https://qyapi.weixin.qq.com"


def dingtalk_sign(secret: str, milliseconds: int) -> str:
    """base64(HMAC-SHA256(secret, timestamp + newline + secret)), to be quoted in the URL."""
    text = f"{milliseconds}\n{secret}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()


def feishu_sign(secret: str, seconds: int) -> str:
    """base64(HMAC-SHA256(timestamp + newline + secret, nothing)): key and message the other way round."""
    key = f"{seconds}\n{secret}".encode()
    return base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()


def _dingtalk(settings: DingTalkSettings, notice: Notice, stamp: Stamp) -> Post:
    query = {"access_token": settings.access_token}
    if settings.secret:
        now = stamp.now // 1000
        query |= {"timestamp": str(now), "sign": dingtalk_sign(settings.secret, now)}
    text = cut(f"#### {notice.title}\n\n{notice.text}" if notice.title else notice.text, 18_000)
    doc = {"msgtype": "markdown", "markdown": {"title": cut(notice.title or "orderhub", 100), "text": text}}
    url = f"{settings.base_url}/robot/send?{urlencode(query, quote_via=quote)}"
    return Post(url=url, headers=_JSON, body=PLAIN.encode(doc))


def _feishu(settings: FeishuSettings, notice: Notice, stamp: Stamp) -> Post:
    signed = {}
    if settings.secret:
        signed = {"timestamp": str(stamp.seconds), "sign": feishu_sign(settings.secret, stamp.seconds)}
    card: dict[str, Any] = {
        "header": {"title": {"tag": "plain_text", "content": cut(notice.title or "orderhub", 200)}},
        "elements": [{"tag": "markdown", "content": cut(notice.text, 18_000)}],
    }
    doc = {**signed, "msg_type": "interactive", "card": card}
    return Post(url=settings.url, headers=_JSON, body=PLAIN.encode(doc))


def _wecom(settings: WeComSettings, notice: Notice, stamp: Stamp) -> Post:
    text = cut(f"**{notice.title}**\n{notice.text}" if notice.title else notice.text, 4096)
    doc = {"msgtype": "markdown", "markdown": {"content": text}}
    url = f"{settings.base_url}/cgi-bin/webhook/send?{urlencode({'key': settings.key})}"
    return Post(url=url, headers=_JSON, body=PLAIN.encode(doc))


_TOO_MANY = {130101: 600.0, 660026: 600.0, 45009: 60.0, 9499: 60.0, 11232: 60.0}
"""Codes that mean "too fast": 钉钉 (20 a minute, then ten minutes of silence), 企业微信, 飞书."""


def _judge(answer: Answer) -> Receipt:
    if (told := answered(answer)) is not None:
        return told
    said = body(answer)
    code = said.get("errcode", said.get("code", said.get("StatusCode")))
    if answer.status == 200 and code == 0:
        return Receipt(status="sent")
    reason = f"{code}: {said.get('errmsg') or said.get('msg') or f'it answered {answer.status}'}"
    # A bad signature, a missing keyword, a removed bot: an operator mends these, the message is fine.
    return Receipt(
        status="later", reason=reason, after=_TOO_MANY.get(code) if isinstance(code, int) else None
    )


DINGTALK = Recipe(DingTalkSettings, "chat", _dingtalk, _judge)
FEISHU = Recipe(FeishuSettings, "chat", _feishu, _judge)
WECOM = Recipe(WeComSettings, "chat", _wecom, _judge)
