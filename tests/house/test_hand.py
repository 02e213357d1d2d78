"""The hand: what our Python never does, and what it always says."""

from __future__ import annotations

import ast
import re
import tokenize
from io import StringIO

import pytest

from tests.house.tree import ROOT, Module, modules, product, public_definitions, tracked

PURE = ("hub/contract/", "hub/orders/")


@pytest.mark.parametrize("module", [m for m in product() if str(m).startswith(PURE)], ids=str)
def test_the_contract_and_the_orders_await_nothing(module: Module):
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)

    assert [node.lineno for node in ast.walk(module.tree) if isinstance(node, waiting)] == []


@pytest.mark.parametrize("module", [m for m in product() if str(m).startswith(PURE)], ids=str)
def test_the_contract_and_the_orders_ask_no_clock_and_no_chance(module: Module):
    assert (
        imported(module) & {"time", "random", "secrets", "asyncio", "httpx", "aiohttp", "socket", "os"}
        == set()
    )


@pytest.mark.parametrize("module", product(), ids=str)
def test_whatever_is_public_says_what_it_is(module: Module):
    silent = [name for name, node in public_definitions(module.tree) if not ast.get_docstring(node)]
    if module.text.strip() and not ast.get_docstring(module.tree):
        silent.append("the module")

    assert silent == []


def test_nothing_is_mocked():
    everything = [*product(), *modules("tests")]
    tests = [path for path in tracked() if path.suffix == ".py" and path.name.startswith("test_")]
    texts = {str(module): module.text for module in everything} | {str(p): p.read_text() for p in tests}
    pattern = re.compile(r"^\s*(from unittest|import unittest)|\b(MagicMock|mocker)\b", re.MULTILINE)

    assert [name for name, text in texts.items() if name != __file__ and pattern.search(text)] == []


def test_nothing_is_left_to_do():
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")

    assert [str(module) for module in product() if unfinished.search(module.text)] == []


def test_comments_say_why_and_are_few():
    comments = lines = 0
    for module in product():
        lines += len(module.text.splitlines())
        tokens = tokenize.generate_tokens(StringIO(module.text).readline)
        comments += sum(token.type == tokenize.COMMENT and not is_pragma(token.string) for token in tokens)

    assert comments <= 0.04 * lines


def test_nothing_names_the_machine_it_was_written_on():
    home, tree = "/" + "root/", "/" + "work/"
    texts = [
        path for path in tracked() if path.suffix in {".py", ".md", ".toml", ".yaml", ".sql", ".json", ""}
    ]

    assert [
        str(p.relative_to(ROOT)) for p in texts if re.search(f"{home}|{tree}", p.read_text("utf-8", "ignore"))
    ] == []


def is_pragma(comment: str) -> bool:
    return comment.startswith(("# type:", "# noqa", "# fmt:", "# pragma"))


def imported(module: Module) -> set[str]:
    """The first part of every absolute import."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names
