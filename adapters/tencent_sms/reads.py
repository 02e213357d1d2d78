"""Receipts of 腾讯云短信: a list, each of one message to one phone, found by its sid."""

from hub.contract.receipts import Receipts

read = Receipts(
    channel="tencent_sms",
    id="sid",
    at="user_receive_time",
    arrived=lambda one: one.get("report_status") == "SUCCESS",
    reasons=("errmsg", "description"),
)
"""Its stamps carry no zone; they are China's."""
