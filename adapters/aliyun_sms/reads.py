"""Receipts of 阿里云短信 (SmsReport): a list, each of one message to one phone, found by its BizId."""

from hub.contract.receipts import Receipts

read = Receipts(
    channel="aliyun_sms",
    id="biz_id",
    at="report_time",
    arrived=lambda one: one.get("success") is True,
    reasons=("err_code", "err_msg"),
)
"""Its stamps carry no zone; they are China's."""
