"""The image and the compose files say what the code says. There is no engine to build them with here."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMPOSE = ["compose.yaml", "compose.postgres.yaml"]


def test_the_image_s_python_is_one_that_the_package_is_for():
    versions = {version for name, version in re.findall(r"FROM (python):([\d.]+)-slim", dockerfile())}

    assert len(versions) == 1
    assert f"Programming Language :: Python :: {versions.pop()}" in PROJECT["classifiers"]


def test_everything_copied_into_the_image_is_there_and_not_ignored():
    copied = [name for line in instructions("COPY") for name in line.split()[:-1]]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = {Path(folder).name for folder in ("adapters", "hub", "mappings")}

    assert [name for name in copied if not (ROOT / name).exists() and name != "README.md"] == []
    assert set(copied) == allowed
    assert packages <= set(copied)


def test_the_image_installs_the_package_with_its_extras_postgresql_among_them():
    installed = re.search(r"'orderhub\[([a-z,]+)\]'", dockerfile())

    assert PROJECT["name"] == "orderhub"
    assert installed is not None
    assert "postgres" in installed[1].split(",")
    assert set(installed[1].split(",")) <= set(PROJECT["optional-dependencies"])


def test_the_image_runs_the_command_that_the_package_installs():
    entry, command = json.loads(instructions("ENTRYPOINT")[0]), json.loads(instructions("CMD")[-1])

    assert entry == ["orderhub"]
    assert "orderhub" in PROJECT["scripts"]
    assert command == ["serve", "--host", "0.0.0.0", "--port", "8080"]


def test_the_image_runs_as_no_one_with_rights_and_keeps_its_data_in_a_volume():
    uid = instructions("USER")[-1].partition(":")[0]

    assert int(uid) >= 1000
    assert f"useradd --uid {uid}" in dockerfile()
    assert instructions("VOLUME") == ["/data"]
    assert "ORDERHUB_DATABASE=sqlite:/data/" in dockerfile()


def test_one_port_everywhere():
    port = instructions("EXPOSE")[0]

    assert port in json.loads(instructions("CMD")[-1])
    assert f"127.0.0.1:{port}/healthz" in dockerfile()
    for name in COMPOSE:
        assert compose(name)["services"]["hub"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_the_health_check_needs_nothing_but_python():
    check = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])$", dockerfile(), re.DOTALL | re.MULTILINE)
    program = json.loads(check[1])

    assert program[:2] == ["python", "-c"]
    compile(program[2], "healthcheck", "exec")


@pytest.mark.parametrize("name", COMPOSE)
def test_a_compose_file_builds_this_dockerfile(name):
    build = compose(name)["services"]["hub"]["build"]

    assert (DOCKER / build["context"] / build["dockerfile"]).resolve() == DOCKER / "Dockerfile"


@pytest.mark.parametrize("name", COMPOSE)
def test_every_volume_is_declared_and_used(name):
    used = {
        volume.partition(":")[0]
        for service in compose(name)["services"].values()
        for volume in service.get("volumes", [])
    }

    assert used == set(compose(name)["volumes"])


def test_on_postgresql_the_key_and_the_password_are_asked_for():
    text = (DOCKER / "compose.postgres.yaml").read_text()
    services = compose("compose.postgres.yaml")["services"]

    assert "${ORDERHUB_KEY:?" in text
    assert text.count("${ORDERHUB_DB_PASSWORD:?") == 2
    assert services["hub"]["environment"]["ORDERHUB_DATABASE"].startswith("postgresql://")
    assert services["postgres"]["image"] == "postgres:18"
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"][1]
    assert services["hub"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_every_variable_handed_to_the_hub_is_one_it_reads():
    config = ROOT / "hub" / "config.py"
    handed = set(re.findall(r"ORDERHUB_[A-Z_]+(?==)", dockerfile()))
    for name in COMPOSE:
        environment = compose(name)["services"]["hub"]["environment"]
        handed |= set(environment)

    assert handed <= set(re.findall(r"ORDERHUB_[A-Z_]+", config.read_text()))


def test_the_image_has_no_compiler_and_no_tests():
    final = dockerfile().rpartition("\nFROM ")[2]

    assert "apt-get" not in dockerfile()
    assert "COPY" not in final
    assert "**/test_*.py" in (ROOT / ".dockerignore").read_text()


@cache
def dockerfile() -> str:
    return (DOCKER / "Dockerfile").read_text()


def instructions(word: str) -> list[str]:
    """What follows this instruction, line by line; a continued line is one."""
    joined = dockerfile().replace("\\\n", " ")
    return [line.strip() for line in re.findall(rf"^\s*{word} (.*)$", joined, re.MULTILINE)]


@cache
def compose(name: str) -> dict[str, Any]:
    return yaml.safe_load((DOCKER / name).read_text())
