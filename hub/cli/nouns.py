"""What the commands of every noun share: list, show, remove, and the question before what cannot be undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.show import AsJson, Most

if TYPE_CHECKING:
    from hub.cli.client import Client

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Name = Annotated[str, typer.Argument(help="Its name or id.")]
Sets = Annotated[list[str] | None, typer.Option("--set", "-s", help="A setting as NAME=VALUE. Repeatable.")]


def group(about: str) -> typer.Typer:
    """The commands of one noun."""
    return typer.Typer(help=about, no_args_is_help=True, pretty_exceptions_enable=False)


def lists(app: typer.Typer, path: str, columns: Mapping[str, str], none: str) -> None:
    """`list`: all of a noun, oldest first."""

    @app.command("list")
    def _list(limit: Most = 1000, json: AsJson = False) -> None:
        from hub.cli.client import hub

        with hub() as line:
            show.rows(line.pages(path, most=limit), columns, json_lines=json, none=none)

    _list.__doc__ = f"List them: {', '.join(columns)}."


def shows(app: typer.Typer, path: str) -> None:
    """`show`: one, by its name or id."""

    @app.command("show")
    def _show(name: Name, json: AsJson = False) -> None:
        """Show one with all that is known of it."""
        from hub.cli.client import hub

        with hub() as line:
            show.one(line.get(f"{path}/{quoted(name)}"), json_form=json)


def removes(app: typer.Typer, path: str, noun: str, loses: str) -> None:
    """`remove`: take one away, after a question."""

    @app.command("remove")
    def _remove(name: Name, yes: Yes = False, json: AsJson = False) -> None:
        from hub.cli.client import hub

        sure(f"Remove {noun} {name}? {loses}", yes=yes)
        with hub() as line:
            answer = line.delete(f"{path}/{quoted(name)}")
        dropped = (answer or {}).get("dropped")
        more = f"; {dropped} deliveries that it was still owed were dropped" if dropped else ""
        show.said(f"{noun} {name} is removed{more}", json_form=json, doc=answer or {"removed": name})

    _remove.__doc__ = f"Take one away. {loses}"


def verbs(app: typer.Typer, path: str, noun: str, sayings: Mapping[str, tuple[str, str]]) -> None:
    """Commands that are one POST each: name → (what it does, how that is told)."""
    for verb, (about, told) in sayings.items():
        _verb(app, path, noun, verb, about, told)


def _verb(app: typer.Typer, path: str, noun: str, verb: str, about: str, told: str) -> None:
    def run(name: Name, json: AsJson = False) -> None:
        from hub.cli.client import hub

        with hub() as line:
            answer = line.post(f"{path}/{quoted(name)}/{verb}")
        show.said(f"{noun} {name} {told}", json_form=json, doc=answer)

    run.__doc__ = about
    app.command(verb)(run)


def sure(question: str, *, yes: bool) -> None:
    """Ask before what cannot be undone; without a terminal `--yes` has to say it."""
    import sys

    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(question, hint="Say --yes to do it without being asked.", code=USAGE)
    typer.confirm(question, abort=True)


def quoted(name: str) -> str:
    """A name as a part of a path."""
    from urllib.parse import quote

    return quote(name, safe="")


def pairs(given: list[str] | None, option: str = "--set") -> dict[str, str]:
    """NAME=VALUE pairs; `NAME=@file` reads the value from a file."""
    from pathlib import Path

    out: dict[str, str] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise Failure(f"{option} {text}: not NAME=VALUE", code=USAGE)
        if value.startswith("@"):
            try:
                value = Path(value[1:]).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise Failure(f"{option} {text}: {error.strerror}", code=USAGE) from error
        if name.strip() in out:
            raise Failure(f"{option} {name.strip()}: it is given twice", code=USAGE)
        out[name.strip()] = value
    return out


def file_bytes(path: str) -> bytes:
    """What a file holds."""
    from pathlib import Path

    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}", code=USAGE) from error


def typed(value: str) -> Any:
    """A value as JSON where it is JSON that is no plain text: true, 5, [..], {..}; else the text."""
    import json

    try:
        found = json.loads(value)
    except ValueError:
        return value
    return value if isinstance(found, str) else found


def fields(given: list[str] | None) -> dict[str, Any]:
    """The fields that `--set` gives: values as JSON where they are, `NAME.PART=VALUE` as a part, always a text."""
    whole, parts = _parted(given)
    return {**whole, **parts}


def together(given: dict[str, Any], options: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """These fields with those that options give, field → (how it is typed, what was given, None where nothing was):
    Failure where one is given both ways."""
    told = {name: (word, value) for name, (word, value) in options.items() if value is not None}
    for name, (word, _) in told.items():
        if name in given:
            raise Failure(f"{name} is given twice, by {word} and by --set {name}=…: give it once", code=USAGE)
    return {**given, **{name: value for name, (_, value) in told.items()}}


def changes(line: Client, path: str, given: list[str] | None) -> dict[str, Any]:
    """What a PATCH of the thing at this path says: fields whole as they are given; parts are put into the field as it
    stands, and one with an empty value is taken out of it."""
    whole, parts = _parted(given)
    if not whole and not parts:
        raise Failure("nothing to change is given", hint="Say what: --set NAME=VALUE.", code=USAGE)
    held = line.get(path) if parts else {}
    return {**whole, **{name: _put(name, held.get(name), some) for name, some in parts.items()}}


def _put(field: str, held: Any, parts: dict[str, str]) -> dict[str, str]:
    if not isinstance({} if held is None else held, dict):
        raise Failure(f"--set {field}.{next(iter(parts))}: {field} has no parts", code=USAGE)
    out: dict[str, str] = dict(held or {})
    if field == "auth" and parts.get("type", out.get("type")) != out.get("type"):
        return parts  # nothing of one kind is of use to another
    for name, value in parts.items():
        # two headers whose names differ in their capitals are one
        known = next((one for one in out if field == "headers" and one.lower() == name.lower()), name)
        if not value and known not in out:
            there = f"there is {', '.join(out)}" if out else "it is empty"
            raise Failure(f"--set {field}.{name}: nothing to take away, {there}", code=USAGE)
        out.pop(known, None)
        out |= {name: value} if value else {}
    return out


def _parted(given: list[str] | None) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """What `--set` gives: whole fields, and fields of which parts are given."""
    whole: dict[str, Any] = {}
    parts: dict[str, dict[str, str]] = {}
    for name, value in pairs(given).items():
        head, dot, part = name.partition(".")
        if head in whole or (not dot and head in parts):
            raise Failure(f"--set {name}: {head} is set as a whole already, or in parts", code=USAGE)
        if dot:
            parts.setdefault(head, {})[part] = value
        else:
            whole[head] = typed(value)
    return whole, parts


def changing(app: typer.Typer, path: str, noun: str, about: str) -> None:
    """`set`: change fields of one, by its name or id."""

    @app.command("set")
    def _set(name: Name, sets: Sets = None, json: AsJson = False) -> None:
        from hub.cli.client import hub

        with hub() as line:
            place = f"{path}/{quoted(name)}"
            answer = line.patch(place, changes(line, place, sets))
        show.said(f"{noun} {answer['name']} is changed", json_form=json, doc=answer)

    _set.__doc__ = about
