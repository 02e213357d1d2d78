"""阿里云短信 (Alibaba Cloud SMS): what became of the short messages that notices sent."""

from adapters.aliyun_sms.reads import read
from adapters.aliyun_sms.settings import AliyunSmsSettings
from hub.contract import Channel, Headers, Message, Response, Verdict, const
from hub.contract.proof import NOBODY

REPORT = "report"
"""Its one topic."""


def answer(verdict: Verdict, _message: Message) -> Response | None:
    """What 阿里云 wants to hear; anything else has it push again after 1, 5 and 10 minutes."""
    if verdict not in ("accepted", "duplicate", "ignored"):
        return None
    body = '{"code":0,"msg":"接收成功"}'.encode()
    return Response(status=200, headers=Headers({"content-type": "application/json"}), body=body)


channel = Channel(
    name="aliyun_sms",
    title="阿里云短信 Alibaba Cloud SMS",
    kind="other",
    settings=AliyunSmsSettings,
    proof=NOBODY,
    answer=answer,
    topic=const(REPORT),
    freshness="updated_at",
    reads={REPORT: read},
    quality={
        "fixtures": "exempt: made after the documented field list, no live report was captured",
        "proof": "exempt: 阿里云 signs no report; the address of the connection is unguessable",
        "limits": "exempt: nothing is asked of it here; notices are sent by a notifier",
    },
)
