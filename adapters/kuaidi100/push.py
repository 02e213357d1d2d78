"""A push: a form whose `param` holds JSON, signed with the salt of its subscription, and the exact reply to it."""

from __future__ import annotations

import msgspec

from adapters.kuaidi100.settings import Kuaidi100Settings
from hub.contract import Headers, Message, Response, Unreadable, Verdict
from hub.contract.proof import NOBODY, Digest, Parts, Proof

PUSH = "push"
"""The only topic that is pushed."""

TAKEN = '{"result":true,"returnCode":"200","message":"成功"}'
"""快递100 docs: the reply to a push that was taken; any other has it sent again after 30 minutes, three times."""

_SIGNED = Digest("form:sign", Parts("{form:param}{secret}"), encoding="HEX")
_FAILED = {
    "forged": (401, "签名错误"),
    "too_large": (413, "报文过大"),
    "unavailable": (503, "服务暂不可用,请重试"),
}


def proof(settings: Kuaidi100Settings) -> Proof:
    """快递100 docs: `sign` = MD5(param + salt), and none where the subscription carried no salt."""
    return _SIGNED if settings.webhook_secret else NOBODY


def unwrapped(message: Message, _settings: Kuaidi100Settings) -> Message:
    """The JSON within the form, its value decoded exactly once (`+` is a space, `%2B` a plus)."""
    if message.transport != "webhook":
        return message
    try:
        param = message.form().get("param", "")
    except Unreadable:
        return message
    return msgspec.structs.replace(message, body=param.encode("utf-8", "surrogatepass"))


def answer(verdict: Verdict, _message: Message) -> Response:
    """What 快递100 wants to hear."""
    if verdict not in _FAILED:
        return _reply(200, TAKEN)
    status, reason = _FAILED[verdict]
    return _reply(status, f'{{"result":false,"returnCode":"500","message":"{reason}"}}')


def _reply(status: int, text: str) -> Response:
    return Response(status=status, headers=Headers({"content-type": "application/json"}), body=text.encode())
