"""The README word for word: its commands and options are there, its trial runs, its file is applied."""

from __future__ import annotations

import re
import shlex
import textwrap

import pytest
import typer

from hub.cli.app import app
from tests.cli.conftest import ROOT, until

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines()]
INLINE = [" ".join(one.split()) for one in re.findall(r"`(orderhub [^`]+)`", TEXT)]
COMMANDS = sorted({
    command
    for line in [*LINES, *INLINE]
    for part in line.split("&&")
    if (command := part.strip().removeprefix(".venv/bin/")).startswith("orderhub ")
})  # fmt: skip


def typed(command: str) -> list[str]:
    return [word.strip("[]…") for word in shlex.split(command, comments=True)[1:]]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_is_there_with_its_options(command):
    words = typed(command.replace("add|set", "add"))
    group = typer.main.get_command(app)
    while words and not words[0].startswith("-") and words[0] in getattr(group, "commands", {}):
        group = group.commands[words.pop(0)]
    assert not getattr(group, "commands", None), f"{command!r} names no command"
    known = {name for one in group.params for name in one.opts} | {"--help"}

    assert [word for word in words if word.startswith("--") and word not in known] == []


def block(start: str) -> list[str]:
    """The block of commands that begins so."""
    return next(one for one in BLOCKS if one.startswith(start)).splitlines()


def test_the_trial_shows_an_order_in_three_commands(at_hub):
    connect, simulate, show = map(typed, block("orderhub connect shopify --name trial"))

    assert at_hub(*connect).code == 0
    assert at_hub(*simulate).code == 0
    sheet = until(lambda: found.out if (found := at_hub(*show)).code == 0 else "")
    assert sheet.startswith("LL-2041  confirmed  paid")


def test_the_file_makes_all_of_it_and_changes_nothing_the_second_time(at_hub, tmp_path, monkeypatch):
    monkeypatch.setenv("KITES_SECRET", "any-long-text")
    [found] = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    file = tmp_path / "hub.toml"
    file.write_text(textwrap.dedent(found))

    made = at_hub("apply", str(file), "--yes")
    assert made.code == 0, made.out + made.err
    assert at_hub("connections", "show", "kites", "--json").json()["cutover_at"] is None
    assert "all 5 are as the file says" in at_hub("apply", str(file), "--dry-run").out
