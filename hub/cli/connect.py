"""`orderhub connect`: a new connection, asked for setting by setting, with the steps at the far side."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.connections import cutover as moment, lacks, tell_trial
from hub.cli.drafts import drafted_at_connect
from hub.cli.failures import Failure
from hub.cli.nouns import Sets, pairs, quoted, typed
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client

Doc = dict[str, Any]

ChannelName = Annotated[str, typer.Argument(help="The channel, such as shopify; without one, what there is.")]
Called = Annotated[
    str | None, typer.Option("--name", help="What to call the connection; the channel's name if none.")
]
Mode = Annotated[str, typer.Option(help="live, or observe: fold everything and tell nobody.")]
Cutover = Annotated[
    str,
    typer.Option(
        help="Orders placed before it are told to nobody: now, none, or a time. Asked at a terminal."
    ),
]
Zone = Annotated[
    str, typer.Option("--time-zone", help="Where its times without an offset are, such as Asia/Shanghai.")
]
Mappings = Annotated[
    list[str] | None,
    typer.Option(
        "--mapping",
        help="TOPIC=MAPPING: read a topic (* for all) with a mapping of your own, activated before. Repeatable.",
    ),
]

_PAGE = 110
"""Columns of a page of prose, whose lines are broken: where nobody looks a long step would be cut otherwise."""
_HEADING = re.compile(r"^(#+) .*(set[ -]?up|设置|接入|配置).*$", re.IGNORECASE | re.MULTILINE)


def connect(
    channel: ChannelName = "", sets: Sets = None, name: Called = None, mode: Mode = "live", cutover: Cutover = "",
    time_zone: Zone = "", mappings: Mappings = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Connect an account of a channel: asks for its settings, or takes them by --set; then says what is next."""
    from hub.cli.client import hub

    with hub(timeout=600) as line:
        if not channel:
            columns = {
                "channel": "name",
                "title": "title",
                "kind": "kind",
                "reads": "polls",
                "writes": "writes",
            }
            return show.rows(line.pages("/v1/channels"), columns, json_lines=json, none="No channels.")
        about = _channel(line, channel)
        talk = sys.stdin.isatty() and not json
        given = pairs(sets)
        settings = _settings(about["settings"], given, talk=talk)
        body: Doc = {
            "name": name or _free_name(line, channel),
            "channel": channel,
            "settings": settings,
            "mode": mode,
        }
        body |= {"time_zone": time_zone, "cutover_at": _cutover(cutover, talk=talk)}
        body |= {"mappings": pairs(mappings, "--mapping")} if mappings else {}
        drafts = about["drafts"] and not mappings and not json
        body |= (
            {"sweep": False} if drafts else {}
        )  # nothing is read before there is a mapping to read it with
        made = line.post("/v1/connections", body)
        return show.as_json(made) if json else _tell(line, made, about)


def _channel(line: Client, name: str) -> Doc:
    there = [one["name"] for one in line.pages("/v1/channels")]
    if name not in there:
        raise Failure(f"there is no channel {name!r}", hint=f"There are {', '.join(there)}.")
    found: Doc = line.get(f"/v1/channels/{quoted(name)}")
    return found


def _settings(schema: Doc, given: Mapping[str, str], *, talk: bool) -> Doc:
    """What was given, and, at a terminal, what is asked for besides."""
    told = {name: typed(value) for name, value in given.items()}
    return {**told, **dict(_asked(schema, told))} if talk and not told else told


def _asked(schema: Doc, told: Doc) -> Iterator[tuple[str, Any]]:
    properties, required = fields(schema)
    said = dict(told)
    for name, about in properties.items():
        if name in told or not wanted(about, properties, said):
            continue
        show.console().print(f"\n{name}: {about.get('description', '')}")
        default = about.get("default")
        value = _answer(name, about, default, needed=name in required)
        if value not in ("", default):
            said[name] = value
            yield name, value


def wanted(about: Doc, properties: Mapping[str, Doc], said: Doc) -> bool:
    """Whether a setting is asked for: `x-asked` is false where its default nearly always does, or the answers to
    other settings with which it matters (a list of them, or whether there is one)."""
    when = about.get("x-asked", True)
    if not isinstance(when, dict):
        return bool(when)
    answers = {name: said.get(name, properties[name].get("default")) for name in when}
    return all(
        answers[name] in values if isinstance(values, list) else bool(answers[name]) == values
        for name, values in when.items()
    )


def _answer(name: str, about: Doc, default: Any, *, needed: bool) -> Any:
    """What a person says to one setting: a secret is not echoed, a choice of two is yes or no."""
    if isinstance(default, bool):
        return typer.confirm(f"  {name}", default=default)
    shown = "" if default in (None, [], {}) else default
    text = f"  {name}{'' if needed else ', Enter to leave it'}"
    value = typer.prompt(text, default=shown, show_default=bool(shown), hide_input=secret(about))
    return value if secret(about) else typed(str(value))


def fields(schema: Doc) -> tuple[dict[str, Doc], frozenset[str]]:
    """The properties of a JSON Schema of settings, and which of them are required."""
    found = schema
    while "$ref" in found:
        found = schema["$defs"][found["$ref"].rpartition("/")[2]]
    return found.get("properties", {}), frozenset(found.get("required", ()))


def secret(about: Doc) -> bool:
    """Whether a property is a secret."""
    return about.get("format") == "password" or any(secret(one) for one in about.get("anyOf", ()))


def _free_name(line: Client, channel: str) -> str:
    taken = {one["name"] for one in line.pages("/v1/connections")}
    return next(
        name for name in [channel, *(f"{channel}-{n}" for n in range(2, 10_000))] if name not in taken
    )


def _cutover(given: str, *, talk: bool) -> str | None:
    if not given and talk:
        given = (
            "now"
            if typer.confirm(
                "\nAre orders placed before now handled elsewhere (tell nobody of them)?", default=True
            )
            else "none"
        )
    found: str | None = moment(given or "now")
    return found


def _tell(line: Client, made: Doc, about: Doc) -> None:
    out = show.console()
    out.print(f"connection {made['name']} ({made['channel']}) is made, {made['mode']}", style="bold")
    if made.get("cutover_at"):
        out.print(
            f"orders placed before {show.time(made['cutover_at'])} UTC are kept and told to nobody (--cutover none tells all)"
        )
    for lack in lacks(made.get("cannot", ())):
        out.print(f"  {lack}", style="yellow")
    out.print(f"its far side pushes to  {made['intake_url']}", style="bold")
    try:
        _try(line, made, about)
    finally:
        if about["drafts"] and not made["sweep"]:
            line.patch(f"/v1/connections/{made['id']}", {"sweep": True})
    steps = set_up(about["manual"])
    if steps:
        from rich.markdown import Markdown

        out.print("\nAt the far side:")
        out.print(Markdown(steps), width=min(out.width, _PAGE), soft_wrap=False)
    out.print(
        f"\nNext: orderhub simulate {made['channel']} --connection {quoted(made['name'])}, orderhub orders follow"
    )


def _try(line: Client, made: Doc, about: Doc) -> None:
    """With credentials: check them, register the pushes, draft a mapping, read the source, show the newest order."""
    from hub.cli.sheet import sheet

    path = f"/v1/connections/{made['id']}"
    if about["needs"] and any(
        lack.startswith(("cannot be polled", "cannot register")) for lack in made.get("cannot", ())
    ):
        return
    trial = line.post(f"{path}/test")
    tell_trial(trial)
    if trial["ok"] and about["drafts"] and not made.get("mappings"):
        drafted_at_connect(line, made)
    if not (trial["ok"] and about["polls"]):
        return
    line.post(f"{path}/sweep")
    found = _read_by_now(line, made["name"])
    if found:
        show.console().print(f"\n{len(found)} orders were read; the newest:")
        sheet(found[-1])


def _read_by_now(line: Client, name: str) -> list[Doc]:
    """The orders of a sweep that has just ended: what was read is understood a moment later."""
    for _ in range(10):
        if found := list(line.pages("/v1/orders", connection=name)):
            return found
        time.sleep(0.2)
    return []


def set_up(manual: str) -> str:
    """The section of a channel's manual that says what to do at the far side."""
    heading = _HEADING.search(manual)
    if not heading:
        return ""
    rest = manual[heading.end() :]
    end = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.MULTILINE)
    return (rest[: end.start()] if end else rest).strip()
