"""The walls: imports run one way. The rules stand in pyproject.toml, this runs them."""

from __future__ import annotations

import ast
import tomllib

from importlinter.cli import lint_imports

from tests.house.tree import ROOT, modules


def test_imports_run_one_way(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)

    kept = lint_imports(config_filename="pyproject.toml", no_cache=True) == 0

    assert kept, capsys.readouterr().out


def test_an_adapter_imports_the_contract_and_nothing_else_of_the_hub():
    for module in modules("adapters"):
        for node in ast.walk(module.tree):
            for name in names_of(node):
                assert not name.startswith(("hub", "mappings")) or name.startswith("hub.contract"), module
                assert not name.startswith("adapters") or name.startswith(own_package(module)), module


def test_no_adapter_brings_a_client_or_a_clock():
    forbidden = {
        "httpx",
        "aiohttp",
        "requests",
        "urllib3",
        "tenacity",
        "asyncio",
        "socket",
        "random",
        "time",
        "sqlite3",
    }
    for module in modules("adapters"):
        for node in ast.walk(module.tree):
            assert not {name.partition(".")[0] for name in names_of(node)} & forbidden, module


def test_every_module_of_the_hub_has_a_floor():
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    assert [rule["name"] for rule in rules if rule.get("exhaustive")] == [
        "imports go down the floors of the hub"
    ]


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        module = node.module or ""
        return [f"{module}.{alias.name}" for alias in node.names] if module == "hub" else [module]
    return []


def own_package(module) -> str:
    return ".".join(module.path.relative_to(ROOT).parts[:2]).removesuffix(".py")
