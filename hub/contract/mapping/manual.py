"""The manual's table of steps, made from the registry: `python -m hub.contract.mapping.manual [README]`.

Without a file the table is printed; with one, what stands there between the marks is brought up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from hub.contract.mapping.steps import STEPS, Step

BEGIN, END = "<!-- steps: made by python -m hub.contract.mapping.manual -->", "<!-- /steps -->"


def table() -> str:
    """Every step as a row: its signature, what it does, an example with its result."""
    return "\n".join(["| step | gives | example |", "|---|---|---|", *_rows()])


def updated(page: str) -> str:
    """A page whose table of steps is as the registry has it."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def main(arguments: list[str]) -> None:
    """Print the table, or bring the pages up to date that are named."""
    if not arguments:
        sys.stdout.write(table() + "\n")
    for name in arguments:
        page = Path(name)
        page.write_text(updated(page.read_text(encoding="utf-8")), encoding="utf-8")


def _rows() -> Iterator[str]:
    for group, steps in groupby(STEPS.values(), key=lambda step: step.group):
        yield f"| **{group}** | | |"
        for step in steps:
            yield f"| `{step.signature}` | {_cell(step.doc)} | {_example(step)} |"


def _example(step: Step) -> str:
    if not step.examples:
        return ""
    expression, result = step.examples[0]
    return f"`{_cell(expression)}` → `{_cell(result)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main(sys.argv[1:])
