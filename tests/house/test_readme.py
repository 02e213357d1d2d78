"""The README: its two commands are the ones that are run, its ten-line path is the tree's own."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT

SPINE = [
    "hub/inbound/intake.py",
    "hub/inbound/normalise.py",
    "hub/orders/book.py",
    "hub/orders/events.py",
    "hub/outbound/deliver.py",
]
"""The path as the folders show it; the README's ten lines pass these in this order."""


@pytest.fixture
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_continuous_integration_runs_the_readme_s_test_command(readme):
    command = (ROOT / ".ci" / "run").read_text().strip().splitlines()[-1]

    assert ".venv/bin/pytest" in command
    assert command in readme


def test_the_path_has_ten_lines_each_naming_a_file(readme):
    lines = path_lines(readme)

    assert [number for number, _ in lines] == list(range(1, 11))
    assert [file for _, file in lines if not (ROOT / file).is_file()] == []


def test_the_path_runs_as_the_folders_do(readme):
    files = [file for _, file in path_lines(readme)]

    assert [file for file in files if file in SPINE] == SPINE


def test_every_file_the_readme_links_to_is_there(readme):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", readme)

    assert [link for link in links if not (ROOT / link).exists()] == []


def path_lines(text: str) -> list[tuple[int, str]]:
    """The numbered lines of the section "The path", each with the first file it names."""
    section = re.search(r"^#+ The path\b.*?$(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, "README.md has no section named The path"
    lines = re.findall(r"^(\d+)\. [^`\n]*`([^`\n]+)`", section[1], re.MULTILINE)
    return [(int(number), file) for number, file in lines]
