"""Parcels in carriers' mails: the number beside its label, or one whose form and check digit say whose it is."""

from __future__ import annotations

import re

from hub.inbound.mail.reading.found import Doc, Origin, Parcel
from hub.orders.numbers import carriers_of, normal

_LABEL = re.compile(
    r"(?i)(?:tracking\s*(?:number|no\.?|id|code)|consignment\s*(?:number|no\.?)|waybill(?:\s*(?:number|no\.?))?|"
    r"sendungsnummer|sendungs-?nr\.?|paketnummer|paket-?nr\.?|sendungsverfolgungsnummer|"
    r"运单号码?|快递单号|物流单号|(?<!订)(?<!购)单号|运单编号|邮件号)\s*(?:is|ist|lautet|为|是)?\s*[:：#]?\s*([A-Z0-9](?:[A-Z0-9]|[ -](?=[A-Z0-9])){7,38})"
)
_TOKEN = re.compile(r"(?<![\w./=&?-])(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]*\d)[A-Z0-9]{9,35}(?![\w-])")
_ORDER = re.compile(
    r"(?i)(?:\border(?:\s*(?:number|no\.?|id))?|bestellung|bestellnummer|订单号|订单编号|订单)\s*[#:：]?\s*((?=[A-Z0-9_/-]*\d)[A-Z0-9][A-Z0-9_/-]{2,39})"
)
_STATES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (status, re.compile(words, re.IGNORECASE))
    for status, words in (
        ("returning", r"\breturn(?:ed|ing) to (?:the )?sender|zurück an den absender|rücksendung|退回|退件"),
        ("delivery_attempted", r"(?:delivery|zustell\w*)\s*(?:attempt|versuch)\w*|could not be delivered|nicht zugestellt|missed you|派送失败|投递失败|未妥投"),
        ("out_for_delivery", r"out for delivery|in zustellung|zustellfahrzeug|wird heute zugestellt|派送中|正在派件|派件中|派送途中"),
        ("available_for_pickup", r"ready for (?:pick-?up|collection)|abholbereit|liegt zur abholung|待取件|可取件|已到驿站|已放入"),
        ("delivered", r"\b(?:has been|was|is)\s+delivered\b|\bdelivered\b|zugestellt|已签收|已送达|已妥投|签收成功"),
        ("in_transit", r"in transit|on its way|has shipped|unterwegs|versandt|transport|运输中|已发货|在途|已揽收|已发出"),
    )
)  # fmt: skip
_CARRIERS = {
    "DHL": "dhl", "UPS": "ups", "FedEx": "fedex", "DPD": "dpd", "GLS": "gls", "Hermes": "hermes", "USPS": "usps",
    "Royal Mail": "royal_mail", "顺丰": "sf_express", "SF Express": "sf_express", "中通": "zto", "圆通": "yto",
    "韵达": "yunda", "申通": "sto", "京东": "jd", "极兔": "jtexpress", "EMS": "ems_china",
}  # fmt: skip
MOST = 50


def found(subject: str, lines: list[str], part: str, at: str) -> list[Parcel]:
    """The parcels of a text, with what it says of them."""
    texts = [(0, subject), *((n, line[:1000]) for n, line in enumerate(lines[:3000], 1))]
    whole = "\n".join(line for _, line in texts)
    numbers: dict[str, Origin] = {}
    for n, line in texts:
        for word, trust in _numbers(line):
            numbers.setdefault(word, Origin(part, f"line {n}" if n else "subject", line[:120], trust))
    status = next((status for status, words in _STATES if words.search(whole)), "")
    return [
        _parcel(number, origin, whole, status, part, at) for number, origin in list(numbers.items())[:MOST]
    ]


def _numbers(line: str) -> list[tuple[str, float]]:
    """The parcel numbers of a line: after a label, or told by their own form."""
    out = [
        (normal(match[1]), 0.8)
        for match in _LABEL.finditer(line)
        if sum(sign.isdigit() for sign in match[1]) >= 6
    ]
    known = {number for number, _ in out}
    return out + [
        (match[0], 0.6) for match in _TOKEN.finditer(line) if match[0] not in known and carriers_of(match[0])
    ]


def _parcel(number: str, origin: Origin, whole: str, status: str, part: str, at: str) -> Parcel:
    named = next(
        (
            code
            for word, code in _CARRIERS.items()
            if re.search(rf"(?i)(?<![a-z]){re.escape(word)}(?![a-z])", whole)
        ),
        "",
    )
    carrier = next(iter(carriers_of(number)), "") if origin.confidence < 0.7 or not named else named
    doc: Doc = {"number": number}
    if carrier or named:
        doc["carrier"] = carrier or named
    if match := _ORDER.search(whole):
        doc["order_number"] = match[1]
    if status and at:
        doc["scans"] = [{"status": status, "at": at, "text": origin.text}]
    return Parcel(form="carrier", part=part, doc=doc, fields={"number": origin})
