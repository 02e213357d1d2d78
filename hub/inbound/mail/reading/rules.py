"""Rules: how a partner writes its orders. They come from its record, never from a guess about a mail."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import msgspec
import re2
from msgspec import Meta

from hub.contract.mapping import Mapping, compile_mapping

Words = dict[str, list[str]]
Pattern = Annotated[str, Meta(max_length=500, description="an RE2 expression")]
NATIVE = ("ubl.order", "orderx.order")
"""The mappings that come with the hub, for documents whose form is a standard."""


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a document of this partner is laid out, line by line. It is used where `match` occurs in the text. A line
    that `row` matches is a line of the order, by its groups `sku`, `quantity`, `name`, `unit`, `unit_price`, `total`;
    `fields` are expressions whose first group is the value of a field. Between `start` and `end` stand the rows."""

    match: Pattern = ""
    row: Pattern = ""
    start: Pattern = ""
    end: Pattern = ""
    fields: dict[str, Pattern] = {}


class Manner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a partner writes: its words for fields and columns, its names of our articles, the layouts of its documents,
    the mappings for its files (by a glob of the file's name, `*` for any), the forms in which it may order."""

    forms: list[str] = []
    labels: Words = {}
    columns: Words = {}
    skus: dict[str, str] = {}
    sku: Pattern = ""
    units: dict[str, str] = {}
    layouts: list[Layout] = []
    mappings: dict[str, str] = {}
    decimal: Annotated[str, Meta(pattern=r"^[.,]?$(?!\n)")] = ""
    dates: Annotated[str, Meta(pattern=r"^(dmy|mdy|ymd)?$(?!\n)")] = ""
    archives: bool = False


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """All that reading needs to know of who wrote: the manner, the locale, zone and currency of the record, and the
    texts of the mappings that its files are read with. A mail of a stranger is read with empty rules."""

    manner: Manner = Manner()
    locale: str = ""
    zone: str = ""
    currency: str = ""
    texts: dict[str, str] = {}

    @property
    def language(self) -> str:
        """The language of the locale, "" where there is none."""
        return self.locale.replace("_", "-").partition("-")[0].lower()

    @property
    def decimal(self) -> str:
        """The decimal sign, "" where the record does not say."""
        return (
            self.manner.decimal
            or _DECIMAL.get(self.locale.replace("_", "-"))
            or _DECIMAL.get(self.language, "")
        )

    @property
    def dates(self) -> str:
        """The order of day, month and year, "" where the record does not say."""
        return self.manner.dates or _DATES.get(self.locale.replace("_", "-")) or _DATES.get(self.language, "")

    def takes(self, form: str) -> bool:
        """Whether this partner may order in this form."""
        return not self.manner.forms or form in self.manner.forms

    def mapping(self, name: str) -> Mapping:
        """The compiled mapping of a name; raises Misconfigured."""
        return _compiled(name, tuple(sorted(self.texts.items())))


_DECIMAL = {
    "de": ",", "fr": ",", "it": ",", "es": ",", "nl": ",", "pl": ",", "pt": ",", "sv": ",", "da": ",", "fi": ",",
    "nb": ",", "cs": ",", "tr": ",", "ru": ",", "en": ".", "zh": ".", "ja": ".", "ko": ".", "he": ".", "th": ".",
    "de-CH": ".", "es-MX": ".", "en-ZA": ",",
}  # fmt: skip
_DATES = {
    "de": "dmy", "fr": "dmy", "it": "dmy", "es": "dmy", "nl": "dmy", "pl": "dmy", "pt": "dmy", "da": "dmy", "fi": "dmy",
    "nb": "dmy", "cs": "dmy", "tr": "dmy", "ru": "dmy", "zh": "ymd", "ja": "ymd", "ko": "ymd", "sv": "ymd",
    "en-US": "mdy", "en-GB": "dmy", "en-AU": "dmy", "en-IE": "dmy", "en-NZ": "dmy", "en-IN": "dmy",
}  # fmt: skip


@lru_cache(maxsize=64)
def _compiled(name: str, texts: tuple[tuple[str, str], ...]) -> Mapping:
    known = dict(texts)
    return compile_mapping(known[name], file=f"{name}.yaml", find=known.__getitem__)


@lru_cache(maxsize=512)
def pattern(text: str) -> re2.Pattern:
    """A compiled expression of an operator: linear time, whatever it says; raises re2.error."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 8 << 20
    return re2.compile(text, options)


def faults(manner: Manner) -> list[tuple[str, str]]:
    """What of a manner cannot work, as (field, reason)."""
    told: list[tuple[str, str]] = []
    asked = [("sku", manner.sku)]
    for index, one in enumerate(manner.layouts):
        asked += [
            (f"layouts[{index}].{name}", getattr(one, name)) for name in ("match", "row", "start", "end")
        ]
        asked += [(f"layouts[{index}].fields.{name}", text) for name, text in one.fields.items()]
    for field, text in asked:
        try:
            groups = pattern(text).groupindex if text else {}
        except re2.error as error:
            told.append((field, f"is no RE2 expression: {error}"))
            continue
        if field.endswith(".row") and text and not {"quantity"} <= set(groups):
            told.append((field, "names no group (?P<quantity>…)"))
    return told
