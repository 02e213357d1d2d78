"""A pattern that ends with `$` also takes a line break after its end, which then stands in a header, a name or an id."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.tree import ROOT

_LOOSE = re.compile(r"(?<!\\)\$(?!\(\?!\\n\))\Z")


def patterns() -> Iterator[tuple[str, str]]:
    """Every pattern by which a value that comes in is judged, with its place."""
    for folder in ("hub", "adapters"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Meta":
                    for one in node.keywords:
                        parts = one.value.values if isinstance(one.value, ast.JoinedStr) else [one.value]
                        if one.arg == "pattern" and isinstance(parts[-1], ast.Constant):
                            yield f"{path.relative_to(ROOT)}:{one.value.lineno}", str(parts[-1].value)


@pytest.mark.parametrize(("place", "pattern"), list(patterns()))
def test_no_pattern_takes_a_line_break_after_its_end(place: str, pattern: str):
    assert not _LOOSE.search(pattern), f"{place}: end it with $(?!\\n), which JSON Schema reads too"
