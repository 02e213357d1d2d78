"""`orderhub check`, `new-channel`, `schema`, `bench`: for those who build and run the hub itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import Failure
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.registry import Registry

ChannelName = Annotated[
    str, typer.Argument(help="The folder's name: lower-case letters, digits, underscores.")
]
Title = Annotated[str | None, typer.Option(help="What people call it; made of the name if none.")]
Kind = Annotated[
    str,
    typer.Option(help="storefront, marketplace, carrier, tracker, erp, wms, form, mail, api, file or other."),
]
Folder = Annotated[Path, typer.Option(help="The checkout to write into.")]
SchemaName = Annotated[str, typer.Argument(help="One of those listed, such as order.")]
BenchDatabase = Annotated[
    str,
    typer.Option(
        "--database", help="A postgresql://… database, for schemas of its own; SQLite files if none."
    ),
]
Mail = Annotated[bool, typer.Option("--mail", help="Measure mail instead: a thousand letters of 50 kB.")]
Deliveries = Annotated[
    bool,
    typer.Option(
        "--deliveries", help="Measure deliveries: many endpoints, bodies, rates, beside a dead endpoint."
    ),
]
Seconds = Annotated[float, typer.Option(min=0.2, max=600, help="How long to measure each figure.")]
Mappings = Annotated[
    Path | None, typer.Option(help="A folder of mapping files of your own, checked over the packaged ones.")
]


def check(mappings: Mappings = None, json: AsJson = False) -> None:
    """Check every channel and mapping: each fault with its file and line. Asks no hub."""
    registry = installed(mappings)
    faults = registry.check()
    found = {"channels": sorted(registry.channels), "mappings": sorted(registry.texts), "faults": faults}
    sentence = f"{len(registry.channels)} channels and {len(registry.texts)} mappings, no fault"
    if json or not faults:
        show.said(sentence, json_form=json, doc=found)
    if faults:
        raise typer.Exit(1) if json else Failure("\n".join(faults))


def installed(mappings: Path | None = None) -> Registry:
    """The channels and mappings of this installation, the operator's own over them."""
    from hub.registry import load_registry

    told = os.environ.get("ORDERHUB_MAPPINGS")
    return load_registry(mappings or (Path(told) if told else None))


def new_channel(
    name: ChannelName,
    title: Title = None,
    kind: Kind = "storefront",
    folder: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Write a new channel, small and whole: it passes the contract suite before a line of it is changed."""
    from hub.scaffold import new_channel as write

    files = write(name, title or name.replace("_", " ").title(), kind, folder)
    if json:
        return show.as_json([str(path) for path in files])
    out = show.console()
    for path in files:
        out.print(f"  {path}")
    out.print(f"Next: pytest tests/channels -k {name}, then adapters/README.md says what to change first.")
    return None


def bench(
    database: BenchDatabase = "", seconds: Seconds = 5.0, deliveries: Deliveries = False, mail: Mail = False,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Measure this machine: intake, mapping, normalising, the whole path; with the ratios that others share."""
    from hub.bench import run_bench

    run_bench(database, seconds=seconds, as_json=json, deliveries=deliveries, mail=mail)


def schema(name: SchemaName = "", json: AsJson = False) -> None:
    """The JSON Schema of what the hub says and takes; without a name, what there is."""
    known = schemas()
    if not name:
        if json:
            return show.as_json(known)
        for one in known:
            show.console().print(one)
        return None
    if name not in known:
        raise Failure(f"there is no schema {name!r}", hint=f"There are {', '.join(known)}.")
    return show.as_json(known[name])


def schemas() -> dict[str, Any]:
    """Every canonical shape as JSON Schema, and the settings of each channel."""
    import msgspec

    from hub.contract.canon import TARGETS

    found = {name: msgspec.json.schema(kind) for name, kind in TARGETS.items()}
    for name, channel in sorted(installed().channels.items()):
        found[f"settings.{name}"] = msgspec.json.schema(channel.settings)
    return found
