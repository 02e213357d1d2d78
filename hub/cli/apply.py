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

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import show
from hub.cli.differences import Change, Comparison
from hub.cli.failures import UNREACHABLE, USAGE, Failure
from hub.cli.nouns import Yes, quoted, sure
from hub.cli.shapes import Shapes
from hub.cli.show import AsJson
from hub.cli.wanted import Doc, Wanted, read_wanted

if TYPE_CHECKING:
    from hub.cli.client import Client

File = Annotated[Path, typer.Argument(help="The TOML file.", exists=True, dir_okay=False)]
Dry = Annotated[bool, typer.Option("--dry-run", help="Show the difference and change nothing.")]
Secrets = Annotated[
    bool, typer.Option("--secrets", help="Send the secrets anew: the hub never shows those it has.")
]


def apply(
    file: File, dry_run: Dry = False, secrets: Secrets = False, yes: Yes = False, json: AsJson = False
) -> None:
    """Make the hub as a TOML file says: partners, connections, endpoints, routes, alerts …; shows the difference first."""
    from hub.cli.client import hub

    wanted = read_wanted(file)
    with hub() as line:
        shapes = Shapes(line)
        _check_fields(shapes, file, wanted)
        changes = list(Comparison.of(line, shapes, wanted, resend=secrets).changes())
        if json:
            for one in changes:
                show.line(one.plain())
        else:
            _tell(changes, sum(map(len, wanted.things.values())))
        if changes and not dry_run:
            sure(f"Make {len(changes)} changes?", yes=yes)
            for one in changes:
                _done(line, one, json_lines=json)


def _check_fields(shapes: Shapes, file: Path, wanted: Wanted) -> None:
    """Failure names every field that the hub does not know, before anything is changed."""
    faults = [
        f"{file}: {kind}.{one['name']}.{name}: no such field{_instead(name, known)}"
        for kind, things in wanted.things.items()
        for known in [shapes.fields(kind)]
        for one in things
        for name in one
        if known and name not in known
    ]
    if faults:
        raise Failure("\n".join(faults), hint="`/openapi.json` has the fields of each.", code=USAGE)


def _instead(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f", is {near[0]} meant?" if near else ""


def _done(line: Client, one: Change, *, json_lines: bool) -> None:
    """Make a change; Failure says which one could not be made."""
    try:
        _do(line, one, json_lines=json_lines)
    except Failure as failure:
        lost = one.kind == "endpoints" and one.verb == "make" and failure.code == UNREACHABLE
        raise Failure(
            "\n".join(f"{one.noun} {one.name}: {one.bare(fault)}" for fault in failure.reason.splitlines()),
            hint="\n".join([one.bare(failure.hint) or _REST, *([_LOST.format(one.name)] if lost else [])]),
            code=failure.code,
        ) from failure


_REST = "What stands above it is done. Mend the file and apply it again: the rest follows."
_LOST = (
    "Should it be there all the same when you apply again: `orderhub endpoints rotate {}` shows a new secret."
)


def _do(line: Client, one: Change, *, json_lines: bool) -> None:
    answer = (
        line.patch(f"/v1/{one.kind}/{quoted(one.id)}", one.body)
        if one.id
        else line.post(f"/v1/{one.kind}", one.body)
    )
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


_DONE = {"make": "made", "change": "changed"}
_SIGNS = {"make": ("+", "green"), "change": ("~", "yellow")}


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
