"""What has to be made or changed so that a hub is as a file says, without a secret in what is shown of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.cli.failures import Failure
from hub.cli.wanted import KINDS, Doc, Wanted

if TYPE_CHECKING:
    from hub.cli.client import Client
    from hub.cli.shapes import Shape, Shapes

Fields = dict[str, tuple[Any, Any]]

MASK = "***"
SEALED = ("settings", "auth")
"""Fields with secrets among theirs, which the hub never shows."""
ONCE = ("name", "from")
"""Wishes that count when a thing is made, and never again."""
FIXED = {"channel", "account", "kind"}
"""What a connection or a notifier is for good."""
NAMES = {
    "partner": "partners", "connection": "connections", "connections": "connections", "notifier": "notifiers",
    "escalate_to": "alerts",
}  # fmt: skip
"""Fields that name other things, and what those are: a name may be that of a thing of each kind."""
_SHORT = 4
"""A text of fewer characters stands in too many others to be hidden in what a hub says."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to make or change: the fields that differ, old and new, without secrets; and what is sent for it."""

    kind: str
    name: str
    body: Doc
    id: str = ""
    fields: Fields = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    @property
    def noun(self) -> str:
        """Its kind for one."""
        return self.kind.removesuffix("s")

    @property
    def verb(self) -> str:
        """What is done."""
        return "change" if self.id else "make"

    def plain(self) -> Doc:
        """For programs."""
        told = {name: {"from": old, "to": new} for name, (old, new) in self.fields.items()}
        return {"kind": self.noun, "name": self.name, "do": self.verb, "fields": told}

    def bare(self, text: str) -> str:
        """A text of the hub about it without the secrets that were sent."""
        for one in sorted(self.hidden, key=len, reverse=True):
            text = text.replace(one, MASK) if len(one) >= _SHORT else text
        return text


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file beside a hub: what is there by kind and name; `resend` sends the secrets that the hub has anew."""

    wanted: Wanted
    there: dict[str, dict[str, Doc]]
    shapes: Shapes
    resend: bool

    @classmethod
    def of(cls, line: Client, shapes: Shapes, wanted: Wanted, *, resend: bool) -> Comparison:
        """With all that the hub has."""
        there = {kind: {one["name"]: one for one in line.pages(f"/v1/{kind}")} for kind in KINDS}
        return cls(wanted, there, shapes, resend)

    def changes(self) -> Iterator[Change]:
        """What has to be made or changed, in the order in which it can be."""
        for kind in KINDS:
            for one in _in_turn(self.wanted.things.get(kind, [])):
                held = self.there[kind].get(one["name"])
                hidden = self.wanted.secrets | frozenset(self._sealed(one))
                if held is None:
                    yield Change(kind, one["name"], one, hidden=hidden)
                elif found := self._change(kind, one, held):
                    body, fields = found
                    yield Change(kind, one["name"], body, held["id"], fields, hidden)

    def _sealed(self, one: Doc) -> Iterator[str]:
        """The secrets that a thing is told, by its kind."""
        for name in SEALED:
            for part, value in one[name].items() if isinstance(one.get(name), dict) else ():
                if self.shapes.of(name, one).hides(part):
                    yield from (
                        text
                        for text in (value if isinstance(value, list) else [value])
                        if isinstance(text, str) and text
                    )

    def _change(self, kind: str, one: Doc, held: Doc) -> tuple[Doc, Fields] | None:
        """What is sent for what differs, and how that is shown; None where nothing does."""
        body: Doc = {}
        fields: Fields = {}
        for name, value in one.items():
            if name in SEALED and isinstance(value, dict):
                shape = self.shapes.of(name, held)
                parts = dict(self._parts(name, value, held.get(name) or {}, shape))
                fields |= {f"{name}.{part}": shown for part, shown in parts.items()}
                if parts:
                    body[name] = _sent(name, value, held.get(name) or {}, parts.keys(), shape)
            elif name not in ONCE and not self._same(kind, name, value, held):
                fields[name] = _veiled(held.get(name), value, self.wanted.secrets)
                body[name] = value
        for name in FIXED & body.keys() if kind in ("connections", "notifiers") else ():
            old, new = fields[name]
            raise Failure(
                f"{kind.removesuffix('s')} {one['name']}: its {name} is {old!r} and cannot become {new!r}",
                hint="Give the new one another name; remove the old one when it is done.",
            )
        return (body, fields) if body else None

    def _parts(self, field: str, said: Doc, held: Doc, shape: Shape) -> Iterator[tuple[str, tuple[Any, Any]]]:
        """The parts that differ: of settings those that are given, of an auth, which is given whole, all there are."""
        other = field == "auth" and said.get("type") != held.get("type")
        for part in dict.fromkeys([*said, *(held if field == "auth" else ())]):
            new, old = said.get(part, shape.default(part)), held.get(part)
            hides = shape.hides(part)
            if hides and old == MASK and new and not other:
                differs = self.resend  # the hub does not show whether it is the one that it has
            else:
                differs = (
                    new != old
                    and not (_empty(new) and _empty(old))
                    and not (part not in held and new == shape.default(part))
                )
            if differs:
                yield part, (_masked(old), _masked(new)) if hides else _veiled(old, new, self.wanted.secrets)

    def _same(self, kind: str, name: str, value: Any, held: Doc) -> bool:
        """Whether a wanted value is the one that is there. What the hub does not show is empty; what a connection need
        not say it may have found by itself."""
        there = held.get(name)
        if kind == "connections" and name == "account" and not value:
            return True
        if kind == "connections" and name == "confirm" and not value:
            return bool(there == self.shapes.confirm(held["channel"]))
        if name == "cutover_at":
            return bool(_moment(value) == _moment(there))
        if name in NAMES:
            return bool(self._meant(name, value) == self._meant(name, there or type(value)()))
        return bool(value == there or (name not in held and not value))

    def _meant(self, name: str, value: Any) -> Any:
        """The ids of things that are named."""
        if isinstance(value, list):
            return [self._meant(name, one) for one in value]
        found = self.there[NAMES[name]].get(value) if isinstance(value, str) else None
        return found["id"] if found else value


def _in_turn(things: Iterable[Doc]) -> Iterator[Doc]:
    """Alerts after those that they escalate to; all else as it stands."""
    left = {one["name"]: one for one in things}
    while left:
        free = [
            name
            for name, one in left.items()
            if one.get("escalate_to") not in left or one.get("escalate_to") == name
        ]
        for name in free or [*left]:
            yield left.pop(name)


def _sent(field: str, said: Doc, held: Doc, changed: Iterable[str], shape: Shape) -> Doc:
    """What is sent of a field with secrets: settings only as far as they change, so that a secret which was set anew
    since stays; an auth whole, with the mask for each secret that stays."""
    if field == "settings":
        return {part: said[part] for part in changed}
    stays = said.get("type") == held.get("type")
    return {
        part: MASK
        if stays and shape.hides(part) and held.get(part) == MASK and part not in changed
        else value
        for part, value in said.items()
    }


def _veiled(old: Any, new: Any, secrets: frozenset[str]) -> tuple[Any, Any]:
    """Two values as they may be shown: the new without what was read as a secret, the old without what stands there."""
    if isinstance(new, str) and new in secrets:
        return _masked(old), MASK
    if isinstance(new, dict) and isinstance(old, dict | None):
        pairs = {name: _veiled((old or {}).get(name), one, secrets) for name, one in new.items()}
        return (
            None
            if old is None
            else {name: pairs[name][0] if name in pairs else one for name, one in old.items()},
            {name: pair[1] for name, pair in pairs.items()},
        )
    if isinstance(new, list):
        shown = [_veiled(None, one, secrets)[1] for one in new]
        return (_masked(old) if shown != new else old), shown
    return old, new


def _masked(value: Any) -> Any:
    return value if _empty(value) else MASK


def _empty(value: Any) -> bool:
    return value in (None, "", [], {})


def _moment(value: Any) -> Any:
    """A time as the hub shows it, to the millisecond; what is none as it is."""
    from hub.contract.clock import micros

    try:
        return micros(value) // 1000 if value else None
    except (ValueError, TypeError, OverflowError):
        return value
