"""`orderhub why`: where a value came from, and what it was chosen over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import Failure
from hub.cli.orders import Which
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from rich.text import Text

Doc = Mapping[str, Any]
Field = Annotated[
    str, typer.Argument(help="A field, such as ship_to.city or lines[0].sku; all of them if none.")
]


def why(order: Which, field: Field = "", json: AsJson = False) -> None:
    """Say where an order's values came from: message, place in the mapping and in the source, what they overrode."""
    from hub.cli.client import hub
    from hub.cli.orders import find

    with hub() as line:
        found = line.get(f"/v1/orders/{find(line, order)}/provenance", field=field)
    if json:
        return show.as_json(found)
    if not found["leaves"]:
        raise Failure(
            f"the order has no {field or 'values'}",
            hint=f"`orderhub why {order}` shows every field that it has.",
        )
    out = show.console()
    for leaf in found["leaves"]:
        out.print(_leaf(leaf))
    return None


def _leaf(leaf: Doc) -> Text:
    from rich.text import Text

    text = Text.assemble((leaf["path"], "bold"), f"  {leaf['value']}\n")
    given = leaf.get("given")
    text.append(
        f"    {_given(given)}\n" if given else "    counted, named or concluded by the hub itself\n",
        "" if given else "dim",
    )
    for other in leaf.get("overrode", ()):
        text.append(f"    over {other['value']!r}: {_given(other['given'])}\n", "dim")
    text.rstrip()
    return text


def _given(given: Doc) -> str:
    said = f"{given['account']} said so in {given['message']}, {show.time(given['recorded_at'])} UTC"
    source = given.get("source")
    if source:
        said += "; " + ", ".join(f"{one['path']} = {one['value']!r}" for one in source["reads"])
        said += f" by {source['file']}:{source['line']}:{source['column']}"
    elif given.get("mapping"):
        said += f" by {given['mapping']}"
    return said + (f", version {given['hash']}" if given.get("hash") else "")
