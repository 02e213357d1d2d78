"""What an operator tells a channel: a typed struct whose descriptions become the manual."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta

Secret = Annotated[
    str, Meta(extra={"secret": True}, extra_json_schema={"format": "password", "writeOnly": True})
]
"""A text that is encrypted at rest and masked wherever settings are shown."""

MASK = "***"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every channel's settings: unknown keys are refused, secrets never show in its repr.

    Annotate secret fields `Secret | None`, rotating ones `Secret | list[Secret] | None`, and describe each
    field with `Annotated[..., msgspec.Meta(description=...)]`.
    """

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in masked(self).items())
        return f"{type(self).__name__}({shown})"


def secrets(settings: Settings, field: str) -> Iterator[bytes]:
    """Every value of a secret field as UTF-8 bytes: none, one, or several while rotating."""
    value = getattr(settings, field, None)
    for one in value if isinstance(value, list) else [value]:
        if one:
            yield one.encode()


@cache
def secret_fields(type_: type[Settings]) -> frozenset[str]:
    """The names of the fields that hold secrets."""
    hints = get_type_hints(type_, include_extras=True)
    return frozenset(name for name, hint in hints.items() if _secret(hint))


def masked(settings: Settings) -> dict[str, Any]:
    """Settings as they may be shown: the secrets that are set are masked."""
    hidden = secret_fields(type(settings))
    return {
        field: MASK if field in hidden and getattr(settings, field) else getattr(settings, field)
        for field in settings.__struct_fields__
    }


def _secret(hint: Any) -> bool:
    marks = getattr(hint, "__metadata__", ())
    if any(isinstance(mark, Meta) and (mark.extra or {}).get("secret") for mark in marks):
        return True
    return any(_secret(part) for part in get_args(hint) if not isinstance(part, Meta))
