"""腾讯云短信 (Tencent Cloud SMS): what became of the short messages that notices sent."""

from adapters.tencent_sms.reads import read
from adapters.tencent_sms.settings import TencentSmsSettings
from hub.contract import Channel, Headers, Message, Response, Verdict, const
from hub.contract.proof import NOBODY

REPORT = "report"
"""Its one topic."""


def answer(verdict: Verdict, _message: Message) -> Response | None:
    """What 腾讯云 wants to hear."""
    if verdict not in ("accepted", "duplicate", "ignored"):
        return None
    body = b'{"result":0,"errmsg":"OK"}'
    return Response(status=200, headers=Headers({"content-type": "application/json"}), body=body)


channel = Channel(
    name="tencent_sms",
    title="腾讯云短信 Tencent Cloud SMS",
    kind="other",
    settings=TencentSmsSettings,
    proof=NOBODY,
    answer=answer,
    topic=const(REPORT),
    freshness="updated_at",
    reads={REPORT: read},
    quality={
        "fixtures": "exempt: made after the documented field list, no live report was captured",
        "proof": "exempt: 腾讯云 signs no report; the address of the connection is unguessable",
        "limits": "exempt: nothing is asked of it here; notices are sent by a notifier",
    },
)
