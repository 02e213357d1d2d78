"""What an operator tells a channel: a typed struct whose docstrings become the manual."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class Secret(str):
    """A text that never shows itself: masked in repr, JSON views and logs, encrypted at rest."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"

    def reveal(self) -> str:
        """The text itself, for the one place that signs or sends it."""
        return str.__str__(self)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every channel's settings: unknown keys are refused.

    Annotate secret fields `Secret`, rotating ones `Secret | list[Secret] | None`, and describe each
    field with `Annotated[..., msgspec.Meta(description=...)]`.
    """


def secrets(settings: Settings, field: str) -> Iterator[bytes]:
    """Every value of a secret field as UTF-8 bytes: none, one, or several while rotating."""
    value = getattr(settings, field, None)
    for one in value if isinstance(value, list) else [value]:
        if one:
            yield str.__str__(one).encode()
