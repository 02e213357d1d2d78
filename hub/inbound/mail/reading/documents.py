"""Documents whose form is a standard or a partner's mapping knows: UBL, Order-X and Factur-X, mapped files."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from hub.contract.errors import Rejected
from hub.contract.mapping import Mapping
from hub.contract.mapping.interpret import Trace
from hub.contract.message import Message
from hub.inbound.mail.reading.found import CONFIDENCE, Doubt, Form, Found, Origin
from hub.inbound.mail.reading.parts import Part
from hub.inbound.mail.reading.rules import Rules
from hub.inbound.mail.reading.sheets import rows

_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s>/]")
_FORMS: dict[str, tuple[Form, str]] = {
    "Order": ("ubl", "ubl.order"),
    "SCRDMCCBDACIOMessageStructure": ("orderx", "orderx.order"),
    "CrossIndustryOrder": ("orderx", "orderx.order"),
}
_UBL = b"urn:oasis:names:specification:ubl:schema:xsd:Order-2"


def standard(data: bytes) -> tuple[Form, str] | None:
    """The form and the mapping of an XML document, None where it is another."""
    head = re.sub(rb"<\?.*?\?>|<!--.*?-->", b"", data[:20_000], flags=re.DOTALL)
    match = _ROOT.search(head)
    found = _FORMS.get(match[1].decode("ascii", "replace")) if match else None
    return None if found and found[0] == "ubl" and _UBL not in data[:20_000] else found


def own_mapping(part: Part, rules: Rules) -> str:
    """The partner's mapping for a file, "" where it has none."""
    name = part.name.lower()
    return next(
        (
            mapping
            for glob, mapping in rules.manner.mappings.items()
            if name and fnmatchcase(name, glob.lower())
        ),
        "",
    )


def mapped(part: Part, rules: Rules, mapping: str, form: Form) -> list[Found]:
    """The orders that a mapping finds in a part; a fault of it is a doubt with its place."""
    compiled = rules.mapping(mapping)
    message = Message(body=part.data, zone=rules.zone, currency=rules.currency, topic=part.name)
    if compiled.subject != "order":
        return [_fault(part, form, f"the mapping {mapping} aims at {compiled.target}, not at order")]
    try:
        payload = _payload(part, compiled, message)
        told = compiled.told(payload, message)
    except Rejected as error:
        return [_fault(part, form, str(error))]
    return [_found(part, form, doc, traces, ruled=form == "sheet") for doc, traces in told]


def _payload(part: Part, mapping: Mapping, message: Message) -> Any:
    if part.kind in ("xlsx", "ods"):
        return rows(part)
    if part.text:  # its charset is known by now
        message = msgspec.structs.replace(message, body=part.text.encode())
    return mapping.decode(message)


def _fault(part: Part, form: Form, reason: str) -> Found:
    return Found(form=form, part=part.shown, doc={}, doubts=[Doubt("order", reason)])


def _found(part: Part, form: Form, doc: dict[str, Any], traces: list[Trace], *, ruled: bool) -> Found:
    trust = CONFIDENCE[form]
    fields = {
        one.field: Origin(part.shown, one.source, str(one.value)[:120], trust)
        for one in traces
        if one.value is not None
    }
    doc = {name: value for name, value in doc.items() if name != "ref"} | {
        "purchase_order": doc.get("purchase_order") or doc["ref"]
    }
    doc.setdefault("number", doc["purchase_order"])
    doubts = [] if doc.get("lines") else [Doubt("lines", "no line was found")]
    doubts += _unquantified(doc)
    return Found(form=form, part=part.shown, doc=doc, fields=fields, doubts=doubts, ruled=True)


def _unquantified(doc: dict[str, Any]) -> list[Doubt]:
    return [
        Doubt(f"lines[{n}].quantity", "no quantity was found")
        for n, line in enumerate(doc.get("lines", ()))
        if not (line.get("quantity") or {}).get("ordered")
    ]
