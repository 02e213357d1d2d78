from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from hub.cli.app import app
from tests.cli.conftest import plain_environment


def commands(group, path=()):
    yield path, group
    for name, one in getattr(group, "commands", {}).items():
        yield from commands(one, (*path, name))


COMMANDS = {path: command for path, command in commands(typer.main.get_command(app)) if path}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(orderhub, path):
    said = orderhub(*path, "--help")

    assert said.code == 0
    assert f"orderhub {' '.join(path)}" in said.out
    first = COMMANDS[path].help.split()[:3]
    assert " ".join(first) in said.out


def test_the_commands_are_those_that_were_promised():
    nouns = {path[0] for path in COMMANDS}

    assert nouns >= {
        "demo", "serve", "connect", "apply", "connections", "endpoints", "partners", "tokens", "routes", "orders",
        "messages", "events", "deliveries", "exceptions", "simulate", "check", "doctor", "schema", "new-channel",
    }  # fmt: skip


WITHOUT_JSON = {
    ("demo",): "a show for eyes, until Ctrl-C",
    ("serve",): "its own lines are the log, which is JSON where it is asked for",
    ("template",): "it writes a table",
    ("messages", "raw"): "the bytes as they came",
}


def test_every_command_that_prints_data_takes_json():
    lacking = {
        path
        for path, command in COMMANDS.items()
        if not hasattr(command, "commands") and not any("--json" in param.opts for param in command.params)
    }

    assert lacking == set(WITHOUT_JSON)


def test_help_brings_in_nothing_that_only_commands_need():
    code = (
        "import sys; sys.argv = ['orderhub', '--help']\n"
        "from hub.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('httpx', 'msgspec', 'aiohttp', 'uvicorn', 'starlette', 'structlog') if name in sys.modules])"
    )

    out = subprocess.run(
        [sys.executable, "-c", code], env=plain_environment(), capture_output=True, text=True, check=True
    )

    assert out.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_ends_with_2(orderhub):
    said = orderhub("ordres")

    assert said.code == 2
    assert "No such command" in said.err


def test_the_version_is_said(orderhub):
    assert orderhub("--version").out.startswith("orderhub 0.")
