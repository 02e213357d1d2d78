"""`orderhub apply`: partners, connections, endpoints, routes, notifiers, notices and alerts from one TOML file, a diff first.

What is in the file is made or changed; what is not in the file is left alone. Things are known by their
name, so that applying a file twice changes nothing the second time. Secrets stand in the environment or
in files of their own:

    [[connections]]
    name = "shop"
    channel = "shopify"
    settings = { webhook_secret = { env = "SHOP_SECRET" }, base_url = "kite-and-kettle" }
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.nouns import Yes, quoted, sure
from hub.cli.show import AsJson
from hub.cli.wanted import KINDS, Doc, read_wanted

if TYPE_CHECKING:
    from hub.cli.client import Client

MASK = "***"
SEALED = ("settings", "auth")
"""Fields with secrets among theirs, which the hub never shows."""
ONCE = ("from",)
"""Wishes that count when a thing is made, and never again."""
FIXED = {"channel", "account", "kind"}
"""What a connection is for good: its orders are known by it."""

File = Annotated[Path, typer.Argument(help="The TOML file.", exists=True, dir_okay=False)]
Dry = Annotated[bool, typer.Option("--dry-run", help="Show the difference and change nothing.")]
Secrets = Annotated[
    bool, typer.Option("--secrets", help="Send the secrets anew: the hub never shows those it has.")
]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to make or change: the fields that differ, old and new, and what is sent for it."""

    kind: str
    name: str
    verb: str
    body: Doc
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def noun(self) -> str:
        """Its kind for one."""
        return self.kind.removesuffix("s")

    def plain(self) -> Doc:
        """For programs."""
        fields = {name: {"from": old, "to": new} for name, (old, new) in self.fields.items()}
        return {"kind": self.noun, "name": self.name, "do": self.verb, "fields": fields}


def apply(
    file: File, dry_run: Dry = False, secrets: Secrets = False, yes: Yes = False, json: AsJson = False
) -> None:
    """Make the hub as a TOML file says: partners, connections, endpoints, routes, alerts …; shows the difference first."""
    from hub.cli.client import hub

    wanted = read_wanted(file)
    with hub() as line:
        _check_fields(line, file, wanted)
        changes = list(differences(line, wanted, secrets=secrets))
        if json:
            for one in changes:
                show.line(one.plain())
        else:
            _tell(changes, sum(map(len, wanted.values())))
        if changes and not dry_run:
            sure(f"Make {len(changes)} changes?", yes=yes)
            for one in changes:
                _done(line, one, json_lines=json)


def _check_fields(line: Client, file: Path, wanted: dict[str, list[Doc]]) -> None:
    """Failure names every field that the hub does not know, before anything is changed."""
    told = line.get("/openapi.json")
    faults = [
        f"{file}: {kind}.{one['name']}.{name}: no such field{_instead(name, known)}"
        for kind, things in wanted.items()
        for known in [_fields_of(told, kind)]
        for one in things
        for name in one
        if known and name not in known
    ]
    if faults:
        raise Failure("\n".join(faults), hint="`/openapi.json` has the fields of each.", code=USAGE)


def _fields_of(told: Doc, kind: str) -> list[str]:
    """The fields with which such a thing is made, as the API describes itself."""
    shape = told["paths"][f"/v1/{kind}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return list(told["components"]["schemas"][shape["$ref"].rpartition("/")[2]].get("properties", ()))


def _instead(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f", is {near[0]} meant?" if near else ""


def differences(line: Client, wanted: dict[str, list[Doc]], *, secrets: bool) -> Iterator[Change]:
    """What has to be made or changed so that the hub is as wanted."""
    there = {kind: {one["name"]: one for one in line.pages(f"/v1/{kind}")} for kind in KINDS}
    ids = {
        name: one["id"]
        for kind in ("partners", "connections", "notifiers")
        for name, one in there[kind].items()
    }
    for kind in KINDS:
        for one in wanted.get(kind, ()):
            held = there[kind].get(one["name"])
            if held is None:
                yield Change(kind, one["name"], "make", one)
                continue
            fields = dict(_unlike(one, held, ids, secrets=secrets))
            if fields:
                yield _change(kind, one, fields)


def _change(kind: str, one: Doc, fields: dict[str, tuple[Any, Any]]) -> Change:
    """A change of what is there; a route, which nothing hangs on, is made anew."""
    for name in FIXED & fields.keys() if kind in ("connections", "notifiers") else ():
        raise Failure(
            f"{kind.removesuffix('s')} {one['name']}: its {name} is {fields[name][0]!r} and cannot become {fields[name][1]!r}",
            hint="Give the new one another name; remove the old one when it is done.",
        )
    body = {name: one[name] for name in {path.partition(".")[0] for path in fields}}
    return (
        Change(kind, one["name"], "replace", one, fields)
        if kind == "routes"
        else Change(kind, one["name"], "change", body, fields)
    )


def _unlike(
    one: Doc, held: Doc, ids: dict[str, str], *, secrets: bool
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name, value in one.items():
        if name in ONCE:
            continue
        if name in SEALED and isinstance(value, dict):
            has = held.get(name) or {}
            for key, said in value.items():
                hidden = has.get(key) == MASK
                if secrets if hidden else said != has.get(key):
                    yield f"{name}.{key}", (has.get(key), MASK if hidden else said)
        elif not _same(value, held.get(name), ids):
            yield name, (held.get(name), value)


def _same(value: Any, held: Any, ids: dict[str, str]) -> bool:
    """Whether a wanted value is the one that is there: names stand for ids, times for moments."""
    if value == held or _named(value, ids) == held:
        return True
    try:
        return datetime.fromisoformat(str(value)) == datetime.fromisoformat(str(held))
    except (ValueError, TypeError):
        return False


def _named(value: Any, ids: dict[str, str]) -> Any:
    return (
        [_named(one, ids) for one in value]
        if isinstance(value, list)
        else ids.get(value, value)
        if isinstance(value, str)
        else value
    )


def _done(line: Client, one: Change, *, json_lines: bool) -> None:
    """Make a change; Failure says which one could not be made."""
    try:
        _do(line, one, json_lines=json_lines)
    except Failure as failure:
        raise Failure(
            "\n".join(f"{one.noun} {one.name}: {fault}" for fault in failure.reason.splitlines()),
            hint=failure.hint
            or "What stands above it is done. Mend the file and apply it again: the rest follows.",
            code=failure.code,
        ) from failure


def _do(line: Client, one: Change, *, json_lines: bool) -> None:
    path = f"/v1/{one.kind}/{quoted(one.name)}"
    if one.verb == "replace":
        line.delete(path)
    answer = line.patch(path, one.body) if one.verb == "change" else line.post(f"/v1/{one.kind}", one.body)
    if json_lines:
        show.line({"kind": one.noun, "name": one.name, "done": one.verb, **_shown_once(answer)})
        return
    more = "".join(f"; {name}, shown this once: {value}" for name, value in _shown_once(answer).items())
    more += (
        f"; its far side pushes to {answer['intake_url']}"
        if one.verb == "make" and "intake_url" in answer
        else ""
    )
    show.said(f"{one.noun} {one.name}: {_DONE[one.verb]}{more}")


_DONE = {"make": "made", "change": "changed", "replace": "made anew"}
_SIGNS = {"make": ("+", "green"), "change": ("~", "yellow"), "replace": ("±", "yellow")}


def _shown_once(answer: Doc) -> Doc:
    return {"secret": answer["secret"]} if answer.get("secret") else {}


def _tell(changes: list[Change], count: int) -> None:
    from rich.text import Text

    out = show.console()
    for one in changes:
        sign, colour = _SIGNS[one.verb]
        out.print(Text(f"{sign} {one.noun} {one.name}", colour))
        for name, (old, new) in one.fields.items():
            out.print(Text(f"    {name}: {old!r} → {new!r}"))
    same = count - len(changes)
    out.print(
        f"{same} of {count} are as the file says"
        if changes
        else f"all {count} are as the file says: nothing to change"
    )
