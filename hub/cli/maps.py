"""`orderhub map`: what channels' words mean; tried, tested, compared, put into force, taken back."""

from __future__ import annotations

import json as plain_json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.house import installed
from hub.cli.nouns import Yes, group, quoted, sure
from hub.cli.repair import Connection, Since
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client

Doc = dict[str, Any]
PATH = "/v1/mappings"

What = Annotated[str | None, typer.Argument(help="A mapping's file, or the name of one in force.")]
Partner = Annotated[str, typer.Option("--endpoint", help="Show what this endpoint would be sent.")]
Event = Annotated[str, typer.Option(help="Of this event (evt_…); the newest that it hears of if none.")]
Name = Annotated[str, typer.Argument(help="A mapping's name, such as shopify.order.")]
File = Annotated[Path, typer.Argument(help="The mapping's file.", exists=True, dir_okay=False)]
Files = Annotated[list[Path] | None, typer.Argument(help="Mapping files; the packaged mappings if none.")]
Given = Annotated[list[Path], typer.Argument(help="Mapping files.", exists=True, dir_okay=False)]
Body = Annotated[Path | None, typer.Option(help="A file with the body to read; - is stdin.", allow_dash=True)]
Message = Annotated[
    str, typer.Option(help="A message that the hub holds (msg_…), with its topic and headers.")
]
Sample = Annotated[str, typer.Option(help="A channel's sample, such as shopify/orders-create.plain.")]
Hash = Annotated[str, typer.Option("--hash", help="The text with this hash; the one before if none.")]

app = group("What channels' words mean: try, test, compare, activate, roll back.")


@app.command("list")
def list_(json: AsJson = False) -> None:
    """List the mappings in force."""
    from hub.cli.client import hub

    columns = {"name": "name", "means": "target", "version": "hash", "from": "source", "faults": "faults"}
    with hub() as line:
        show.rows(line.pages(PATH), columns, json_lines=json, none="No mappings.")


@app.command("show")
def show_(name: Name, json: AsJson = False) -> None:
    """Show a mapping's text, and when it was put into force before."""
    from hub.cli.client import hub

    with hub() as line:
        found = line.get(f"{PATH}/{quoted(name)}")
    if json:
        return show.as_json(found)
    out = show.console()
    out.print(found["text"].rstrip(), soft_wrap=True)
    out.print(f"# {found['name']}, version {found['hash']}, from {found['source']}", style="dim")
    for one in found["activations"]:
        out.print(
            f"# {show.time(one['at'])} UTC by {one['actor']}: {one['hash'] or 'the packaged one again'}",
            style="dim",
        )
    return None


@app.command("try")
def try_(
    mapping: What = None, body: Body = None, message: Message = "", sample: Sample = "", endpoint: Partner = "",
    event: Event = "", json: AsJson = False,
) -> None:  # fmt: skip
    """Say what a body would mean; nothing is stored. The body is a file, a message of the hub, or a sample.

    With --endpoint: show exactly what that partner would be sent of an event, by the mapping given or its own."""
    from hub.cli.client import hub

    if endpoint or event:
        from hub.cli.preview import preview

        return preview(endpoint, event, mapping, json_form=json)
    if mapping is None:
        raise Failure("say which mapping: its file or its name", code=USAGE)
    with hub() as line:
        tried = line.post(f"{PATH}/try", {**_which(mapping), **_body(line, body, message, sample)})
    if json:
        show.as_json(tried)
    elif not tried.get("error"):
        show.console().print(plain_json.dumps(tried["facts"], ensure_ascii=False, indent=2), soft_wrap=True)
        for word in tried.get("unknown", ()):
            show.console().print(f"unknown: {word}", style="yellow")
    if tried.get("error"):
        raise typer.Exit(1) if json else Failure(_fault(tried, mapping))
    return None


@app.command("test")
def hold(files: Files = None, json: AsJson = False) -> None:
    """Run the tests that stand in mapping files. Asks no hub."""
    from hub.contract.mapping import run_tests

    count, failures = 0, []
    for mapping, folder in _compiled(files or []):
        count += len(mapping.tests)
        failures += [str(one) for one in run_tests(mapping, folder)]
    if json:
        show.as_json({"tests": count, "failures": failures})
    if failures:
        raise (
            typer.Exit(1)
            if json
            else Failure("\n".join(failures), hint=f"{len(failures)} of {count} tests fail.")
        )
    if not json:
        show.said(f"{count} tests hold")


@app.command("diff")
def diff(files: Given, since: Since = "7d", connection: Connection = "", json: AsJson = False) -> None:
    """Say which orders would differ with these files in force: reads the messages since then again, writes nothing."""
    from hub.cli.repair import again

    again(files, since, connection, apply=False, json_lines=json)


@app.command("activate")
def activate(file: File, json: AsJson = False) -> None:
    """Put a mapping into force: it compiles, its tests hold, and so does whatever extends it."""
    from hub.cli.client import hub

    with hub() as line:
        done = line.post(f"{PATH}/activate", {"text": file.read_text(encoding="utf-8")})
        told = f"{done['name']} is in force, version {done['hash']}.\n{_after(line, done)}"
    show.said(told, json_form=json, doc=done)


def _after(line: Client, done: Doc) -> str:
    """What is next for a mapping that is in force: for what comes in to be read again, for what goes out to be used."""
    name = done["name"]
    if done.get("target") == "json":
        users = [one["name"] for one in line.pages("/v1/endpoints") if one.get("mapping") == name]
        first = (
            ""
            if users
            else f"No endpoint tells with it yet: orderhub endpoints set NAME --set mapping={name}\n"
        )
        return f"{first}Next: orderhub map try --endpoint {users[0] if users else 'NAME'}"
    wish = plain_json.dumps({"*": name})
    idle = name not in installed().texts and not _named(line, name)
    first = f"No connection reads with it yet: orderhub connections set NAME --set 'mappings={wish}'\n"
    return f"{first if idle else ''}Next: orderhub messages replay --failed"


@app.command("rollback")
def rollback(name: Name, hash_: Hash = "", yes: Yes = False, json: AsJson = False) -> None:
    """Take an activation back: the text before, the packaged one before the first, or one by its hash."""
    from hub.cli.client import hub

    sure(f"Take {name} back to {hash_ or 'what it was before'}?", yes=yes)
    with hub() as line:
        done = line.post(f"{PATH}/rollback", {"name": name, "hash": hash_})
    told = (
        f"{name} is version {done['hash']} again, from {done['source']}"
        if done
        else f"{name} is not in force any more"
    )
    show.said(told, json_form=json, doc=done)


def _named(line: Client, name: str) -> bool:
    """Whether a connection has this mapping stand in for its channel's."""
    return any(name in (one.get("mappings") or {}).values() for one in line.pages("/v1/connections"))


def _which(mapping: str) -> Doc:
    path = Path(mapping)
    return (
        {"mapping": path.read_text(encoding="utf-8")}
        if path.suffix == ".yaml" or path.is_file()
        else {"name": mapping}
    )


def _body(line: Client, body: Path | None, message: str, sample: str) -> Doc:
    if sum(map(bool, (body, message, sample))) != 1:
        raise Failure("say what to read: one of --body, --message, --sample", code=USAGE)
    if message:
        return _of_message(line, message)
    if sample:
        channel, _, fixture = sample.partition("/")
        found = installed().samples(channel).fixture(fixture).message
        topic = found.topic or installed().channel(channel).topic.find(found)
        return {
            "body": found.body.decode(),
            "headers": dict(found.headers),
            "query": found.query,
            "topic": topic,
        }
    import sys

    return {"body": sys.stdin.read() if str(body) == "-" else (body or Path()).read_text(encoding="utf-8")}


def _of_message(line: Client, id_: str) -> Doc:
    found = line.get(f"/v1/messages/{quoted(id_)}")
    if found.get("body") is None:
        raise Failure(f"the body of {id_} is no longer held")
    its = line.get(f"/v1/connections/{quoted(found['connection'])}")
    about = {name: its.get(name) or "" for name in ("time_zone", "currency", "account")}
    return {
        **about,
        "body": found["body"],
        "headers": found.get("headers") or {},
        "query": found.get("query") or "",
        "topic": found["topic"],
    }


def _fault(tried: Doc, mapping: str) -> str:
    place = tried.get("place") or {}
    file = mapping if Path(mapping).is_file() else place.get("file", "")
    where = ":".join(str(one) for one in (file, place.get("line"), place.get("column")) if one)
    return ": ".join(part for part in (where, place.get("field", ""), tried["error"]) if part)


def _compiled(files: list[Path]) -> Iterator[tuple[Any, Path]]:
    """Each file's mapping with the folder of its fixtures; every packaged one where no file is named."""
    from hub.contract.errors import Misconfigured
    from hub.contract.mapping import compile_mapping
    from hub.fixtures import package_folder

    registry = installed()
    folder = package_folder("mappings")
    for name in () if files else sorted(registry.texts):
        yield registry.mapping(name), folder
    texts = {path.stem: path.read_text(encoding="utf-8") for path in files}

    def find(name: str) -> str:
        if name not in texts and name not in registry.texts:
            raise Misconfigured(f"no mapping {name!r}")
        return texts.get(name) or registry.texts[name].text

    for path in files:
        yield compile_mapping(texts[path.stem], file=str(path), find=find), path.parent
