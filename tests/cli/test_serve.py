from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys

import httpx

from tests.cli.conftest import plain_environment, start, stop


def test_the_first_start_prints_the_admin_token_once(tmp_path):
    first = start(tmp_path)
    code = stop(first)
    second = start(tmp_path)
    stop(second)

    assert code == 0
    assert first.token in first.greeting
    assert "shown this once" not in second.greeting
    assert second.token == first.token


def test_the_commands_find_the_hub_of_their_folder_by_themselves(tmp_path):
    hub = start(tmp_path)
    said = subprocess.run(
        [sys.executable, "-m", "hub", "tokens", "list", "--json"], cwd=tmp_path, env=plain_environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    stop(hub)

    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["scopes"] == ["admin"]


def test_a_token_that_was_told_is_not_printed(tmp_path):
    hub = start(tmp_path, ORDERHUB_ADMIN_TOKEN="oh_fixed_by_the_operator")
    answer = httpx.get(f"{hub.url}/v1/tokens", headers={"authorization": "Bearer oh_fixed_by_the_operator"})
    stop(hub)

    assert "oh_fixed" not in hub.greeting
    assert answer.status_code == 200


def test_sigterm_ends_it_in_order(tmp_path):
    assert stop(start(tmp_path)) == 0


def test_a_database_without_its_key_is_refused_with_what_to_do(tmp_path):
    stop(start(tmp_path))
    (tmp_path / "orderhub.db.key").unlink()

    said = failed(tmp_path)

    assert said.returncode == 1
    assert "orderhub.db.key is missing" in said.stderr
    assert "Traceback" not in said.stderr


def test_postgres_without_its_driver_says_what_to_install(orderhub, monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "hub.store.postgres", raising=False)
    monkeypatch.setenv("ORDERHUB_KEY", base64.b64encode(bytes(32)).decode())
    said = orderhub("serve", "--port", "0", "--database", "postgresql://127.0.0.1/x")

    assert said.code == 1
    assert said.err.startswith("PostgreSQL needs the extra `postgres`\n`pip install 'orderhub[postgres]'`")


def test_every_fault_of_the_configuration_is_told_at_once(tmp_path):
    said = failed(tmp_path, "--database", "mysql:x", ORDERHUB_KEY="short", ORDERHUB_PUBLIC_URL="hub.example")

    assert said.returncode == 1
    assert {line.partition(":")[0] for line in said.stderr.splitlines()} == {
        "ORDERHUB_DATABASE", "ORDERHUB_KEY", "ORDERHUB_PUBLIC_URL",
    }  # fmt: skip


def test_a_second_hub_on_the_same_file_is_refused(tmp_path):
    hub = start(tmp_path)
    said = failed(tmp_path)
    stop(hub)

    assert said.returncode == 1
    assert "Traceback" not in said.stderr


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = failed(tmp_path, "--port", str(taken.getsockname()[1]))

    assert said.returncode == 1
    assert "cannot listen on" in said.stderr


def test_several_processes_need_postgres(orderhub):
    for args in (("--processes", "2"), ("--only", "http")):
        said = orderhub("serve", *args)

        assert said.code == 2
        assert "need PostgreSQL" in said.err


def test_a_role_that_is_none_is_told(orderhub, monkeypatch):
    monkeypatch.setenv("ORDERHUB_KEY", base64.b64encode(b"k" * 32).decode())

    said = orderhub("serve", "--database", "postgresql://localhost/none", "--only", "inbound,outbond")

    assert said.code == 2
    assert "outbond" in said.err


def failed(folder, *args, **environment):
    return subprocess.run(
        [sys.executable, "-m", "hub", "serve", "--port", "0", *args], cwd=folder, env=plain_environment(**environment),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
