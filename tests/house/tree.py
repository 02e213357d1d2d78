"""The tree as the house tests walk it: our modules, their syntax, and the definitions in them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    path: Path
    text: str
    tree: ast.Module

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is, or would be, in the repository; of an unpacked archive, every file."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        return tuple(path for path in ROOT.rglob("*") if path.is_file())
    names = sorted(name for name in listed.stdout.decode().split("\0") if name)
    return tuple(path for path in (ROOT / name for name in names) if path.exists())


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The Python modules under these folders, tests and templates aside."""
    out = []
    for path in tracked():
        inside = path.relative_to(ROOT).parts
        if path.suffix == ".py" and inside[0] in folders and not path.name.startswith("test_"):
            text = path.read_text(encoding="utf-8")
            out.append(Module(path, text, ast.parse(text)))
    return tuple(out)


def product() -> tuple[Module, ...]:
    return modules("hub", "adapters", "mappings")


def functions(module: Module) -> Iterator[Function]:
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    """Lines from `def` to the end, its docstring left out."""
    first = function.body[0]
    total = (function.end_lineno or 0) - function.lineno + 1
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        total -= (first.end_lineno or 0) - first.lineno + 1
    return total


def public_definitions(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Public functions, classes and methods by dotted name; what stands inside a function is its own business."""
    for child in node.body:
        if isinstance(child, Definition) and not child.name.startswith("_"):
            name = prefix + child.name
            yield name, child
            if isinstance(child, ast.ClassDef) and not is_protocol(child):
                yield from public_definitions(child, f"{name}.")


def is_protocol(node: ast.ClassDef) -> bool:
    return any("Protocol" in ast.unparse(base) for base in node.bases)
