"""The rooms: what may stand at the top, what a thing may be called, how large it may grow."""

from __future__ import annotations

import re
import statistics

import pytest

from tests.house.tree import ROOT, functions, length, product, public_definitions, tracked

TOP = {
    "adapters",
    "hub",
    "mappings",
    "tests",
    "docker",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
}
NO_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc|services?|stuff)(_|$)")
NO_CLASSES = re.compile(r"(Manager|Helper|Utils?|Service|Mixin|Base)$")


def test_nothing_else_stands_at_the_top():
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}

    assert {name for name in top if not name.startswith(".")} <= TOP


def test_no_module_or_folder_is_a_drawer_for_anything():
    for module in product():
        for part in module.path.relative_to(ROOT).with_suffix("").parts:
            assert not NO_NAMES.search(part), module


def test_no_class_is_a_drawer_for_anything():
    for module in product():
        for name, _ in public_definitions(module.tree):
            assert not NO_CLASSES.search(name), f"{module}: {name}"


@pytest.mark.parametrize("module", product(), ids=str)
def test_a_module_has_at_most_400_lines(module):
    assert len(module.text.splitlines()) <= 400


@pytest.mark.parametrize("module", product(), ids=str)
def test_a_function_has_at_most_60_lines(module):
    assert [f"{f.name}: {length(f)}" for f in functions(module) if length(f) > 60] == []


def test_functions_are_short_as_a_rule():
    lengths = sorted(length(function) for module in product() for function in functions(module))

    assert statistics.median(lengths) <= 7
    assert lengths[len(lengths) * 9 // 10] <= 24


def test_an_adapter_is_a_folder_with_a_manual_and_samples():
    for folder in sorted((ROOT / "adapters").iterdir()):
        if (folder / "__init__.py").exists():
            assert (folder / "README.md").exists(), folder.name
            assert (folder / "fixtures" / "settings.json").exists(), folder.name
