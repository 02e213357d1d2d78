"""The words of notices: templates by name and language, in a sandbox; an operator's own stand over ours.

A template is one file `<name>.<language>.j2` with four blocks: subject, text, html, sms. HTML escapes what is put
into it; the others are plain.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub.contract.errors import Misconfigured

Doc = dict[str, Any]
_MOST = 200_000
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "requested": "requested", "approved": "approved", "rejected": "not possible", "label_ready": "label ready",
        "in_transit": "on its way to us", "received": "arrived", "inspected": "checked", "completed": "completed",
        "cancelled": "cancelled", "expired": "expired", "until": "by", "between": "{0} to {1}",
    },
    "zh": {
        "requested": "已申请", "approved": "已通过", "rejected": "未通过", "label_ready": "面单已生成",
        "in_transit": "退回途中", "received": "已收到", "inspected": "已验收", "completed": "已完成",
        "cancelled": "已取消", "expired": "已过期", "until": "", "between": "{0} 至 {1}",
    },
}  # fmt: skip


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A template filled: what a mail, a chat and a short message would say."""

    subject: str
    text: str
    html: str
    sms: str


class Words:
    """The templates of the package, and those of a folder of the operator's own (`ORDERHUB_TEMPLATES`)."""

    def __init__(self, folder: str = "") -> None:
        """`folder` "" for ours alone."""
        packaged = files("hub.outbound.notify").joinpath("templates")
        self._texts = {one.name: one.read_text("utf-8") for one in packaged.iterdir() if _is(one.name)}
        self._folder = Path(folder) if folder else None

    def _source(self, name: str) -> str | None:
        own = self._folder / name if self._folder and Path(name).name == name else None
        try:
            return own.read_text("utf-8") if own and own.is_file() else self._texts.get(name)
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"{name}: the template cannot be read: {error}") from error

    @cached_property
    def _plain(self) -> jinja2.Environment:
        return _environment(self._source, escape=False)

    @cached_property
    def _marked(self) -> jinja2.Environment:
        return _environment(self._source, escape=True)

    def known(self) -> list[str]:
        """The names of all templates."""
        own = {one.name for one in self._folder.glob("*.j2")} if self._folder else set()
        return sorted({name.partition(".")[0] for name in own | self._texts.keys()})

    def fill(self, name: str, language: str, fallback: str, doc: Doc) -> Said:
        """The template in the language, else in the fallback, else in English; Misconfigured where there is none
        or it cannot be filled."""
        for one in dict.fromkeys((language, language.partition("-")[0], fallback, "en")):
            file = f"{name}.{one}.j2"
            if self._source(file) is not None:
                return self._filled(file, doc)
        raise Misconfigured(f"template: there is no template {name!r}; there are {', '.join(self.known())}")

    def _filled(self, file: str, doc: Doc) -> Said:
        try:
            plain, marked = self._plain.get_template(file), self._marked.get_template(file)
            return Said(
                subject=" ".join(_block(plain, "subject", doc).split()), text=_block(plain, "text", doc).strip() + "\n",
                html=_block(marked, "html", doc).strip(), sms=" ".join(_block(plain, "sms", doc).split()),
            )  # fmt: skip
        except jinja2.TemplateSyntaxError as error:
            raise Misconfigured(f"{file}:{error.lineno}: {error.message}") from error
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise Misconfigured(f"{file}: it cannot be filled: {error}") from error


def _is(name: str) -> bool:
    return name.endswith(".j2")


def _environment(source: Any, *, escape: bool) -> jinja2.Environment:
    made = ImmutableSandboxedEnvironment(
        loader=jinja2.FunctionLoader(source), autoescape=escape, undefined=jinja2.ChainableUndefined,
        trim_blocks=False, lstrip_blocks=False, auto_reload=True,
    )  # fmt: skip
    made.globals.pop("cycler", None)
    return made


def _block(template: jinja2.Template, name: str, doc: Doc) -> str:
    block = template.blocks.get(name)
    if block is None:
        return ""
    out: list[str] = []
    size = 0
    for part in block(template.new_context(doc)):
        size += len(part)
        if size > _MOST:
            raise ValueError(f"it grows beyond {_MOST} characters")
        out.append(part)
    return "".join(out)


def language(wanted: str, doc: Doc) -> str:
    """The language of a person: told, or by what the order says of the buyer."""
    if wanted != "auto":
        return wanted
    locale = str((doc.get("buyer") or {}).get("locale") or "").replace("_", "-").lower()
    if locale:
        return locale
    country = (doc.get("ship_to") or {}).get("country") or (doc.get("bill_to") or {}).get("country")
    return "zh" if country == "CN" else ""


def context(order: Doc, subject: Mapping[str, str], words: str, brand: str, *, answers: bool) -> Doc:
    """What a template may speak of: the order and what the event is about, and the usual phrases made of them."""
    known = _WORDS["zh" if words.startswith("zh") else "en"]
    about = _about(order, subject)
    person = order.get("buyer") or {}
    place = order.get("ship_to") or {}
    shipment = about if subject.get("type") == "shipment" else None
    step = str(about.get("status", "")) if subject.get("type") == "return" else ""
    return {
        "order": order, "subject": about, "number": order.get("number") or order.get("hub_number") or "",
        "name": person.get("name") or place.get("name") or "", "brand": brand, "answers": answers,
        "lines": [_line(one) for one in order.get("lines", ()) if one.get("status") != "removed"],
        "total": _money((order.get("totals") or {}).get("total")), "eta": _eta(order, shipment, known),
        "parcels": _parcels([shipment] if shipment else order.get("shipments", ())),
        "step": step, "status": known.get(step, step), "rma": about.get("rma") or "",
    }  # fmt: skip


def _about(order: Doc, subject: Mapping[str, str]) -> Doc:
    if subject.get("type") in (None, "order"):
        return order
    parts = order.get(f"{subject['type']}s", ())
    return next((one for one in parts if one.get("id") == subject.get("id")), {})


def _line(line: Doc) -> Doc:
    quantity = (line.get("quantity") or {}).get("ordered") or (line.get("quantity") or {}).get("original")
    return {**line, "quantity": quantity or "1", "name": line.get("name") or line.get("sku") or ""}


def _money(money: Doc | None) -> str:
    return f"{money['amount']} {money['currency']}" if money else ""


def _parcels(shipments: Any) -> list[Doc]:
    found = []
    for shipment in shipments:
        for one in shipment.get("packages") or (shipment,):
            if one.get("tracking_number"):
                carrier = one.get("carrier_name") or one.get("carrier") or shipment.get("carrier_name") or ""
                found.append({"carrier": carrier, "number": one["tracking_number"], "url": _web(one)})
    return found


def _web(parcel: Doc) -> str:
    """Its tracking page, where that is one: a link is put before a customer's eyes."""
    url = str(parcel.get("tracking_url") or "")
    return url if url.startswith(("https://", "http://")) and len(url) <= 500 else ""


def _eta(order: Doc, shipment: Doc | None, known: Mapping[str, str]) -> str:
    """When it is to arrive, as days: by its parcels, else as the buyer was promised or wished."""
    shipments = [shipment] if shipment else order.get("shipments", ())
    windows = [(one.get("tracking") or {}).get("eta") for one in shipments]
    wish = order.get("requested_delivery") or {}
    window = next((one for one in windows if one), None) or wish
    first, last = (str(window.get(name) or "")[:10] for name in ("earliest", "latest"))
    last = last or str(window.get("date") or "")[:10]
    if first and last and first != last:
        return known["between"].format(first, last)
    return f"{known['until']} {last or first}".strip() if last or first else ""
