"""`orderhub demo`: the hub's work in one terminal, without any set-up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

End = Annotated[
    bool, typer.Option("--exit", help="End with a summary; the exit code is 0 only if every step was so.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The hub's port; 0 takes any free one.")]
Record = Annotated[
    Path | None,
    typer.Option(
        help="Write each webhook that the partner gets here, a line of JSON each (its body in base64), to verify it yourself."
    ),
]


def demo(end: End = False, port: Port = 0, record: Record = None) -> None:
    """Watch a day of orders in a minute: a real hub, a shop, a partner and a parcel service on this machine."""
    import asyncio

    from hub.demo.story import play

    raise typer.Exit(asyncio.run(play(end=end, port=port, record=record)))
