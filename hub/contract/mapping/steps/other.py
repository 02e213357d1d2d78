"""Steps that belong to no other group."""

from __future__ import annotations

import hashlib
import html
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
import re2

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.registry import LIST, OBJECT, SCALAR, TEXT, Parameter, Step, literal
from hub.contract.mapping.steps.scalars import number_of, text_of

_YES = frozenset({"true", "1", "yes", "y", "on", "t"})
_NO = frozenset({"false", "0", "no", "n", "off", "f"})
_TAG = re.compile(r"<[^<>]*>")
_HIDDEN = re.compile(r"<(script|style)\b[^<]*(?:<(?!/\1)[^<]*)*</\1\s*>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def truth(value: Any) -> bool | None:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    word = text_of(value).strip().lower()
    if word == "":
        return None
    if word in _YES or word in _NO:
        return word in _YES
    raise Unfit(value, "is neither true nor false")


def parsed(value: Any) -> Any:
    """The document that a text holds as JSON; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return clean(_decoder.decode(value))
    except (msgspec.DecodeError, ValueError, RecursionError, ArithmeticError):
        raise Unfit(value, "is not JSON") from None


def clean(value: Any) -> Any:
    """A decoded document without NUL and lone surrogates in its texts."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [clean(one) for one in value]
    if isinstance(value, dict):
        return {clean_text(key): clean(one) for key, one in value.items()}
    return value


def clean_text(text: str) -> str:
    """A text without NUL; lone surrogates become the replacement sign."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def xml_text(value: Any) -> str:
    """The text of an element, or of markup in a text."""
    if isinstance(value, dict):
        return " ".join(filter(None, (xml_text(one) for key, one in value.items() if key[:1] != "@")))
    if isinstance(value, list):
        return " ".join(filter(None, map(xml_text, value)))
    return html.unescape(_TAG.sub("", text_of("" if value is None else value))).strip()


def html_text(value: Any) -> str:
    """The words of a piece of HTML, its lines kept."""
    source = _BREAK.sub("\n", _HIDDEN.sub("", text_of(value)))
    lines = (" ".join(line.split()) for line in html.unescape(_TAG.sub("", source)).split("\n"))
    return clean_text("\n".join(line for line in lines if line))


def re_match(value: Any, pattern: Any, group: Any = None) -> str | None:
    """The first match of a regular expression (RE2), or its first group; none is null."""
    found = _pattern(text_of(pattern)).search(text_of(value))
    if found is None:
        return None
    number = min(1, len(found.groups())) if group is None else int(number_of(group) or 0)
    if not 0 <= number <= len(found.groups()):
        raise Unfit(number, "is not a group of the expression")
    match: str | None = found.group(number)
    return match


def sha256(value: Any) -> str:
    """The SHA-256 of the text's UTF-8, in hex."""
    return hashlib.sha256(text_of(value).encode()).hexdigest()


def name_uuid(value: Any, namespace: Any = "orderhub") -> str:
    """A UUID that is the same for the same text: version 5, under a namespace."""
    return str(uuid5(_namespace(text_of(namespace)), text_of(value)))


def keys(value: Any) -> list[str] | None:
    """The names of an object's members."""
    return list(value) if isinstance(value, dict) else None


def values(value: Any) -> list[Any] | None:
    """The members of an object; a list stays a list."""
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None


def entries(value: Any) -> list[dict[str, Any]] | None:
    """The members of an object as `key` and `value`."""
    return [{"key": key, "value": one} for key, one in value.items()] if isinstance(value, dict) else None


def get(value: Any, key: Any) -> Any:
    """A member of an object by a name that may be computed; an item of a list by its number."""
    if key is None:
        return None
    if isinstance(value, dict):
        return value.get(text_of(key))
    number = number_of(key) if isinstance(value, list) else None
    if number is None or not -len(value) <= number < len(value):
        return None
    return value[int(number)]


@lru_cache(maxsize=512)
def _pattern(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise Unfit(text, f"is not a regular expression: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode() if isinstance(reason, bytes) else str(reason)


@lru_cache(maxsize=64)
def _namespace(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMESPACE_URL, text)


def _check_pattern(arguments: tuple[Any, ...]) -> str:
    if not isinstance(arguments[0], str):
        return ""
    try:
        groups = _pattern(arguments[0]).groups
    except Unfit as unfit:
        return str(unfit)
    group = arguments[1] if len(arguments) > 1 else None
    if group is not None and (not isinstance(group, int) or not 0 <= group <= groups):
        return f"the expression has no group {group}"
    return ""


_ALL = SCALAR | LIST | OBJECT
STEPS = (
    Step("bool", "other", truth, "yes or no, from true/false, 1/0, yes/no, on/off in any case", SCALAR, "bool",
         examples=(("'Yes' | bool", "true"), ("0 | bool", "false"))),
    Step("json", "other", parsed, "the document in a text that holds JSON", TEXT | OBJECT | LIST, "any",
         examples=(("'{\"a\": 1}' | json | get('a')", "1"),)),
    Step("xml_text", "other", xml_text, "the text of an element, or of markup", _ALL,
         examples=(("'<b>A &amp; B</b>' | xml_text", "A & B"),)),
    Step("html_text", "other", html_text, "the words of a piece of HTML, line by line",
         examples=(("'<p>Ring <b>twice</b></p>' | html_text", "Ring twice"),)),
    Step("re_match", "other", re_match, "the first match of a regular expression (RE2), or its first group; none is null",
         parameters=(literal("pattern"), literal("group", required=False)), check=_check_pattern,
         examples=(("'Order #1001' | re_match('#([0-9]+)')", "1001"),)),
    Step("sha256", "other", sha256, "the SHA-256 of the text, in hex", SCALAR,
         examples=(("'a' | sha256 | slice(0, 8)", "ca978112"),)),
    Step("uuid5", "other", name_uuid, "a UUID that is the same for the same text, under a namespace", SCALAR,
         parameters=(Parameter("namespace", required=False),),
         examples=(("'a' | uuid5('b') | slice(14, 15)", "5"),)),
    Step("keys", "other", keys, "the names of an object's members", OBJECT | LIST, "list",
         examples=(("'{\"a\": 1}' | json | keys | first", "a"),)),
    Step("values", "other", values, "the members of an object, as a list", OBJECT | LIST, "list",
         examples=(("'{\"a\": 1}' | json | values | first", "1"),)),
    Step("entries", "other", entries, "the members of an object, each as `key` and `value`", OBJECT | LIST, "list",
         examples=(("'{\"a\": 1}' | json | entries | count", "1"),)),
    Step("get", "other", get, "a member of an object by name, an item of a list by number; the name may be computed",
         OBJECT | LIST, "any", (Parameter("key"),), examples=(("['a', 'b'] | get(1)", "b"),)),
)  # fmt: skip
