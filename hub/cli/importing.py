"""`orderhub import`: a table becomes orders, shipments or scans, up to 500 in a call, each row told what became of it.

A run is known by its file and by how it is read: started again, it goes on, and what was taken is a duplicate.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import OPERATOR, USAGE, Failure
from hub.cli.kinds import Emit, Kind
from hub.cli.nouns import quoted
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client
    from hub.cli.documents import Found

Doc = dict[str, Any]

File = Annotated[Path, typer.Argument(help="A table: CSV in any encoding, or XLSX.")]
Table = Annotated[Kind, typer.Option("--table", "-t", help="What its rows are.")]
Whose = Annotated[
    str,
    typer.Option("--connection", "-c", help="The connection whose orders these are; the API's own if none."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would come, and send nothing.")]
Tell = Annotated[
    Emit, typer.Option(help="none: imported history is told to nobody; changes: as if it came now.")
]
Zone = Annotated[str, typer.Option("--time-zone", help="Where its times are; the connection's if none.")]
Money = Annotated[str, typer.Option("--currency", help="Of amounts without one; the connection's if none.")]
Encoding = Annotated[str, typer.Option(help="gbk, utf-8, latin-1 …; found out if none.")]
Delimiter = Annotated[str, typer.Option(help="What parts the cells; found out if none.")]
Decimal = Annotated[str, typer.Option(help="`,` for 1.009,95, `.` for 1,009.95.")]
Dates = Annotated[str, typer.Option("--date-format", help="How times are written, such as '%d.%m.%Y %H:%M'.")]
Sheet = Annotated[str, typer.Option(help="The sheet of a workbook; the first if none.")]
Named = Annotated[
    list[str] | None,
    typer.Option("--column", help="YOURS=OURS: a column that goes by another name. Repeatable."),
]

PATHS = {"orders": "/v1/orders", "shipments": "/v1/shipments", "scans": "/v1/scans"}


def import_file(
    file: File, table: Table = Kind.orders, connection: Whose = "", dry_run: DryRun = False, emit: Tell = Emit.none,
    time_zone: Zone = "", currency: Money = "", encoding: Encoding = "", delimiter: Delimiter = "",
    decimal: Decimal = "", date_format: Dates = "", sheet: Sheet = "", column: Named = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Take a table's orders, shipments or scans; `orderhub template` writes one to fill in. What cannot be read is told
    with its row and column, the others go in. Run it again to go on, or to send the rows that were mended."""
    from hub.cli.client import hub
    from hub.cli.documents import documents
    from hub.cli.nouns import pairs

    told = {
        "table": table.value, "encoding": encoding, "delimiter": delimiter.replace("\\t", "\t"), "decimal": decimal,
        "date_format": date_format, "columns": pairs(column, "--column"),
    }  # fmt: skip
    if not file.is_file():
        raise Failure(f"{file}: there is no such file", code=USAGE)
    with hub(timeout=300) as line:
        zone, cur = _ground(line, connection, time_zone, currency)
        with documents(file, told, zone=zone, currency=cur, connection=connection, sheet=sheet) as found:
            if dry_run:
                results: Iterable[Doc] = (_shown(one) for one in found.all())
            else:
                results = _sent(line, found, table.value, emit.value, _run(file, told, connection))
            counts = _tell(found, results, json_lines=json)
    _end(found, counts, dry_run=dry_run, json_lines=json)


def _ground(line: Client, connection: str, zone: str, currency: str) -> tuple[str, str]:
    """The zone and the currency of what says neither: told, or the connection's."""
    if not connection:
        return zone, currency
    its = line.get(f"/v1/connections/{quoted(connection)}")
    return zone or its.get("time_zone", ""), currency or its.get("currency", "")


def _run(file: Path, told: Doc, connection: str) -> str:
    digest = hashlib.sha256(repr((sorted(told.items()), connection)).encode())
    with file.open("rb") as content:
        while chunk := content.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()[:24]


def _sent(line: Client, found: Found, table: str, emit: str, run: str) -> Iterator[Doc]:
    """What became of each document, call by call."""
    for batch in found.batches():
        good = [one for one in batch if not one.fault]
        answers: list[Doc] = []
        if good:
            path = f"{PATHS[table]}?emit={emit}&run={run}"
            answers = line.post(path, [one.row for one in good])["data"]
        by_index = {answer["index"]: answer for answer in answers}
        for n, one in enumerate(good):
            yield {"rows": one.rows, "ref": one.ref, **{k: v for k, v in by_index[n].items() if k != "index"}}
        yield from (_shown(one) for one in batch if one.fault)


def _shown(one: Any) -> Doc:
    if one.fault:
        return {"rows": one.rows, "status": "rejected", **one.place, "reason": one.fault}
    return {"rows": one.rows, "ref": one.ref, "status": "readable", "says": one.row}


def _tell(found: Found, results: Iterable[Doc], *, json_lines: bool) -> Counter[str]:
    """Each result as a line for programs; for people a bar, and a line for what went wrong."""
    counts: Counter[str] = Counter()
    for one in _with_bar(found, results, quiet=json_lines):
        counts[one["status"]] += 1
        if json_lines:
            show.line(one)
        elif one["status"] == "rejected":
            column = one.get("column") or one.get("field") or ""
            at = f"row {one.get('row') or one['rows']}{f', column {column}' if column else ''}"
            show.console().print(f"{found.name} {at}: {one.get('reason', '')}", style="red")
        elif one["status"] == "readable" and counts["readable"] <= 5:
            show.console().print(f"rows {one['rows']}: {one['ref']} {_brief(one['says'])}")
    return counts


def _brief(doc: Doc) -> str:
    total = (doc.get("totals") or {}).get("total") or {}
    lines = f"{len(doc['lines'])} lines" if doc.get("lines") else ""
    scans = f"{len(doc['scans'])} scans" if doc.get("scans") else ""
    return " ".join(
        filter(None, (lines, scans, doc.get("tracking_number"), total.get("amount"), total.get("currency")))
    )


def _with_bar(found: Found, results: Iterable[Doc], *, quiet: bool) -> Iterator[Doc]:
    if quiet or not sys.stderr.isatty():
        yield from results
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(found.name, total=max(found.lines, 1))
        for one in results:
            last = str(one["rows"]).rpartition(",")[2].rpartition("-")[2]
            bar.update(task, completed=int(last or 0))
            yield one


def _end(found: Found, counts: Counter[str], *, dry_run: bool, json_lines: bool) -> None:
    words = {
        "accepted": "taken",
        "duplicate": "taken before",
        "readable": "can be read",
        "rejected": "rejected",
    }
    said = (
        ", ".join(f"{counts[status]} {word}" for status, word in words.items() if counts[status])
        or "nothing in it"
    )
    if not json_lines:
        show.said(f"{found.name} ({found.written}): {said}" + (": nothing was sent" if dry_run else ""))
    if counts["rejected"]:
        hint = "Mend those rows and run it again: what was taken is not taken twice."
        raise Failure(f"{counts['rejected']} rejected", hint=hint, code=OPERATOR)
