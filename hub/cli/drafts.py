"""A drafted mapping: kept as a file that is the operator's own, put into force, and named in its connection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import Failure
from hub.cli.nouns import Name, quoted
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client

Doc = dict[str, Any]

Into = Annotated[
    Path | None, typer.Option("--file", help="Where to write it; NAME.yaml in this folder unless said.")
]
Use = Annotated[
    bool, typer.Option("--activate", help="Put it into force, and have the connection read with it.")
]


def draft(name: Name, file: Into = None, activate: Use = False, json: AsJson = False) -> None:
    """Draft a mapping from how the account itself is set up (a form's fields), as a file to look at and edit."""
    from hub.cli.client import hub

    with hub(timeout=120) as line:
        drafted = line.post(f"/v1/connections/{quoted(name)}/draft")
        if drafted["faults"]:
            raise Failure("\n".join(drafted["faults"]), hint="The draft does not hold; it was not written.")
        path = written(drafted, file)
        if activate:
            put_in_force(line, name, drafted)
    told = f"{drafted['name']} is drafted into {path}" + (f", and {name} reads with it" if activate else "")
    if not activate:
        told += f"\nNext: look at it, then orderhub connections draft {name} --activate"
    show.said(told, json_form=json, doc={"name": drafted["name"], "file": str(path), "active": activate})


def drafted_at_connect(line: Client, made: Doc) -> None:
    """What `connect` does of itself: draft, keep the file, put it into force; a draft that fails keeps nothing up."""
    drafted = line.post(f"/v1/connections/{made['id']}/draft")
    out = show.console()
    if drafted["faults"]:
        out.print(f"✗ mapping        {'; '.join(drafted['faults'])}", style="red")
        return
    path = written(drafted, None)
    put_in_force(line, made["id"], drafted)
    left = unread(drafted["text"])
    more = f"; not understood, and there as comments: {len(left)} of its fields" if left else ""
    out.print(f"✓ mapping        {drafted['name']} is drafted into {path} and in force{more}", style="green")
    out.print(f"  Look at every line. After an edit: orderhub map activate {path}")


def written(drafted: Doc, file: Path | None) -> Path:
    """The file; one that is there and says something else is never written over."""
    path = file or _free(Path(f"{drafted['name']}.yaml"), drafted["text"])
    try:
        if file is None or not file.exists():
            path.write_text(drafted["text"], encoding="utf-8")
        elif path.read_text(encoding="utf-8") != drafted["text"]:
            raise Failure(f"{path} is there already", hint="Name another with --file, or take it away.")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    return path


def _free(path: Path, text: str) -> Path:
    """The path, or the first of its kind that is free or says the same."""
    candidates = [path, *(path.with_name(f"{path.stem}-{n}.yaml") for n in range(2, 1000))]
    return next(one for one in candidates if not one.exists() or one.read_text(encoding="utf-8") == text)


def put_in_force(line: Client, connection: str, drafted: Doc) -> None:
    """Activate the text, then have the connection read with it."""
    line.post("/v1/mappings/activate", {"text": drafted["text"], "name": drafted["name"]})
    line.patch(f"/v1/connections/{quoted(connection)}", {"mappings": {"*": drafted["name"]}})


def unread(text: str) -> list[str]:
    """The names of what the draft did not understand."""
    return [row.split()[1] for row in text.splitlines() if row.startswith("  #   ")]
