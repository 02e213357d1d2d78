"""What an operator gave, as a channel's settings and back: read with every fault at once, masked for eyes,
plain for the vault, and as the JSON Schema that forms and manuals are made from.

Why not `msgspec.convert`: it stops at the first fault, and a `Secret` that may also be a list of them
(rotation) is a union of its own types that it refuses.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from hub.contract.errors import Misconfigured
from hub.contract.settings import Secret, Settings

S = TypeVar("S", bound=Settings)

MASK = "***"
_SECRET_TEXT = Annotated[str, msgspec.Meta(extra_json_schema={"format": "password", "writeOnly": True})]


def read_settings(kind: type[S], given: Mapping[str, Any]) -> S:
    """The settings in what was given; Misconfigured names every missing, unknown and ill-typed one."""
    fields = msgspec.structs.fields(kind)
    hints = _hints(kind)
    faults = [_unknown(name, list(hints)) for name in given if name not in hints]
    values: dict[str, Any] = {}
    for field in fields:
        if field.name in given:
            try:
                plain = msgspec.convert(given[field.name], _plain(hints[field.name]))
            except msgspec.ValidationError as error:
                faults.append(f"{field.name}: {error}")
            else:
                values[field.name] = _wrapped(plain, hints[field.name])
        elif field.required:
            faults.append(f"{field.name}: required")
    if faults:
        raise Misconfigured(faults)
    return kind(**values)


def plain_settings(settings: Settings) -> dict[str, Any]:
    """What was given, secrets in the clear: for the vault alone. Settings left at their default are left out."""
    return {name: msgspec.to_builtins(_bare(value)) for name, value in _stated(settings)}


def masked_settings(settings: Settings) -> dict[str, Any]:
    """What was given, with every secret masked: for the API, logs and terminals."""
    secret = set(secret_names(type(settings)))
    return {
        name: MASK if name in secret else msgspec.to_builtins(_bare(value))
        for name, value in _stated(settings)
    }


def secret_names(kind: type[Settings]) -> tuple[str, ...]:
    """The names of the fields that hold secrets."""
    return tuple(name for name, hint in _hints(kind).items() if _has_secret(hint))


def rotates(kind: type[Settings], name: str) -> bool:
    """Whether a secret may be several at once."""
    return name in _hints(kind) and any(get_origin(one) is list for one in _options(_hints(kind)[name]))


def settings_schema(kind: type[Settings]) -> dict[str, Any]:
    """JSON Schema of the settings, `writeOnly` where secret."""
    hints = _hints(kind)
    fields: list[Any] = [
        (field.name, _plain(hints[field.name]), *_default(field)) for field in msgspec.structs.fields(kind)
    ]
    shape = msgspec.defstruct(kind.__name__, fields, kw_only=True, forbid_unknown_fields=True)
    (_ref,), parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    whole = parts.pop(kind.__name__)
    return {**whole, "$defs": parts} if parts else whole


@cache
def _hints(kind: type[Settings]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _stated(settings: Settings) -> list[tuple[str, Any]]:
    fields = msgspec.structs.fields(type(settings))
    pairs = [(field, getattr(settings, field.name)) for field in fields]
    return [(field.name, value) for field, value in pairs if (value,) != _default(field)]


def _default(field: msgspec.structs.FieldInfo) -> tuple[Any, ...]:
    """The default in a tuple, an empty one where there is none."""
    if field.default_factory is not msgspec.NODEFAULT:
        return (field.default_factory(),)
    return () if field.required else (field.default,)


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{name}: no such setting" + (f", is {near[0]} meant?" if near else "")


def _options(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the type alone; annotations aside."""
    if get_origin(hint) is Annotated:
        return _options(get_args(hint)[0])
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _has_secret(hint: Any) -> bool:
    return hint is Secret or any(_has_secret(part) for part in get_args(hint))


def _plain(hint: Any) -> Any:
    """The type with `str` in the place of Secret, wherever it stands."""
    if hint is Secret:
        return _SECRET_TEXT
    parts = get_args(hint)
    if not parts or not _has_secret(hint):
        return hint
    if get_origin(hint) is Annotated:
        return Annotated[(_plain(parts[0]), *parts[1:])]
    plain = tuple(_plain(part) for part in parts)
    if get_origin(hint) in (Union, types.UnionType):
        return Union[plain]  # noqa: UP007  the members are known only now
    return get_origin(hint)[plain if len(plain) > 1 else plain[0]]


def _wrapped(value: Any, hint: Any) -> Any:
    if not _has_secret(hint):
        return value
    return [Secret(one) for one in value] if isinstance(value, list) else value and Secret(value)


def _bare(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    return [_bare(one) for one in value] if isinstance(value, list) else value
