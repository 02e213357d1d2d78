"""`orderhub template`: a table with the columns that are known, and an example under each."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.kinds import Kind

if TYPE_CHECKING:
    from hub.contract.sheet import Column

Table = Annotated[Kind, typer.Argument(help="What the rows are.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="FILE.csv or FILE.xlsx; the terminal if none.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]

MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


def template(table: Table = Kind.orders, output: Output = None, force: Force = False) -> None:
    """Write a table to be filled in, as `orderhub import` and the channel `csv` read it: CSV, or XLSX with every column
    explained."""
    from hub.contract.sheet import COLUMNS

    columns = COLUMNS[table.value]
    if output is None:
        typer.echo(as_csv(columns), nl=False)
        return
    if output.exists() and not force:
        raise Failure(f"{output} is there already", hint="--force writes over it.", code=USAGE)
    if output.suffix.lower() == ".xlsx":
        output.write_bytes(as_xlsx(table.value, columns))
    elif output.suffix.lower() == ".csv":
        output.write_text(MARK + as_csv(columns), encoding="utf-8", newline="")
    else:
        raise Failure(f"{output}: a template is .csv or .xlsx", code=USAGE)
    show.said(
        f"{output} is written. Fill it in, then: orderhub import {output} --table {table.value} --dry-run"
    )


def as_csv(columns: tuple[Column, ...]) -> str:
    """The row of names and an example."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.name for column in columns)
    writer.writerow(column.example for column in columns)
    return text.getvalue()


def as_xlsx(name: str, columns: tuple[Column, ...]) -> bytes:
    """A workbook: the table, its cells texts so that nothing is turned into a date or loses its zeros, and a sheet that
    explains each column."""
    try:
        from xlsxwriter import Workbook
    except ImportError as error:
        raise Failure("XLSX needs `pip install 'orderhub[xlsx]'`", hint="A .csv does without.") from error
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold, text = (
            book.add_format({"bold": True, "bg_color": "#DDEBF7"}),
            book.add_format({"num_format": "@"}),
        )
        sheet, about = book.add_worksheet(name), book.add_worksheet("columns")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns) - 1, 18, text)
        about.set_column(0, 2, 40)
        about.write_row(0, 0, ["column", "meaning", "also called"], bold)
        for n, column in enumerate(columns):
            sheet.write_string(0, n, column.name, bold)
            sheet.write_string(1, n, column.example, text)
            needed = " (required)" if column.required else ""
            about.write_row(n + 1, 0, [column.name + needed, column.about, column.also.replace("|", ", ")])
    return out.getvalue()
