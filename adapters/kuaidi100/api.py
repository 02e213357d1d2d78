"""How 快递100's API is spoken to: signed forms, and what its codes mean."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

import msgspec

from adapters.kuaidi100.settings import Kuaidi100Settings
from hub.contract import Context, Misconfigured, Postponed, Refused, Request, Response, Unreadable

Account = Context[Kuaidi100Settings]

UNAUTHORIZED = frozenset({"600", "601", "503"})
"""快递100 docs: no lawful subscriber, the key has expired, the sign is wrong."""

LATER = frozenset({"502", "504"})
"""快递100 docs: the server is busy."""

PHONE = ("shunfeng", "shunfengkuaiyun", "shunfenglengyun", "zhongtong", "zhongtongkuaiyun")
"""Carriers that say nothing of a parcel without the last four digits of its receiver's or sender's phone."""


def sign(param: str, key: str, customer: str) -> str:
    """快递100 docs: upper-case MD5 of param + key + customer, over param as it is sent."""
    return hashlib.md5(f"{param}{key}{customer}".encode(), usedforsecurity=False).hexdigest().upper()


def text(value: Any) -> str:
    """A param as it is signed and sent: JSON without spaces, its own letters."""
    return msgspec.json.encode(value).decode()


def form(url: str, fields: dict[str, str], key: str = "") -> Request:
    """A form of ours."""
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    return Request(method="POST", url=url, headers=headers, body=urlencode(fields).encode(), key=key)


def query(ctx: Account, carrier: str, number: str, phone: str) -> Request:
    """快递100 docs: POST /poll/query.do, the newest scan first."""
    settings = ctx.settings
    if not (settings.api_key and settings.customer):
        raise Misconfigured("api_key and customer are not set: queries need both")
    asked = {"com": carrier, "num": number, "phone": phone, "resultv2": settings.resultv2, "order": "desc"}
    param = text({name: value for name, value in asked.items() if value})
    signed = sign(param, settings.api_key, settings.customer)
    url = f"{settings.base_url}/poll/query.do"
    return form(url, {"customer": settings.customer, "sign": signed, "param": param})


def said(answer: Response | None) -> dict[str, Any]:
    """What an answer says; HTTP 200 may carry a refusal. Raises what concerns more than the parcel asked for."""
    if answer is None:
        raise Refused("快递100 gave no answer")
    try:
        found = answer.json()
    except Unreadable as error:
        raise Postponed(f"快递100 answered {answer.status} and no JSON") from error
    if not isinstance(found, dict):
        raise Postponed(f"快递100 answered {answer.status} and no object")
    number = code(found)
    if number in UNAUTHORIZED:
        raise Refused(f"快递100 does not accept the api_key: {reason(found)}", code="unauthorized")
    if number in LATER:
        raise Postponed(f"快递100 is busy: {reason(found)}", after=60.0)
    if answer.status >= 400 and not number:
        raise Refused(f"快递100 answered {answer.status}")
    return found


def code(found: dict[str, Any]) -> str:
    """快递100's own code of an answer; "" where it is no refusal."""
    given = found.get("returnCode")
    number = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    return number or ("refused" if found.get("result") is False else "")


def reason(found: dict[str, Any]) -> str:
    """Why 快递100 said no, in its own words."""
    return f"{code(found)} {found.get('message') or ''}".strip()


def tail(phone: str | None) -> str:
    """The last four digits of a phone, "" where they are hidden or there are none."""
    last = (phone or "").strip()[-4:]
    return last if len(last) == 4 and last.isascii() and last.isdigit() else ""
