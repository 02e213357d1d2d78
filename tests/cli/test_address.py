from __future__ import annotations

import json

import pytest

from hub.cli.address import Address, find_address, read_run, run_path, write_run
from hub.cli.failures import Failure


def test_the_environment_names_the_hub():
    told = {
        "ORDERHUB_URL": "http://hub.example:8080/",
        "ORDERHUB_TOKEN": "oh_1",
        "ORDERHUB_ADMIN_TOKEN": "oh_2",
    }

    assert find_address(told) == Address("http://hub.example:8080", "oh_1", "ORDERHUB_URL")


def test_the_run_file_beside_the_database_names_it_too(tmp_path):
    database = tmp_path / "shop.db"
    write_run(run_path(str(database)), "http://127.0.0.1:8080", "oh_1")

    found = find_address({"ORDERHUB_DATABASE": f"sqlite:{database}"})

    assert (found.url, found.token) == ("http://127.0.0.1:8080", "oh_1")


def test_the_run_file_is_for_its_own_user_alone(tmp_path):
    file = tmp_path / "hub.db.run"
    file.write_text("{}")
    file.chmod(0o644)

    write_run(file, "http://127.0.0.1:8080", "oh_1")

    assert file.stat().st_mode & 0o777 == 0o600


def test_a_later_start_keeps_the_token_of_the_first(tmp_path):
    file = tmp_path / "hub.db.run"
    write_run(file, "http://127.0.0.1:8080", "oh_1")
    write_run(file, "http://127.0.0.1:9090", "")

    assert read_run(file) == {"url": "http://127.0.0.1:9090", "token": "oh_1"}


def test_a_run_file_that_is_none_says_nothing(tmp_path):
    file = tmp_path / "hub.db.run"
    file.write_text("[1, 2")

    assert read_run(file) == {}
    file.write_text(json.dumps([1]))
    assert read_run(file) == {}


def test_without_any_hub_the_way_to_start_one_is_told(tmp_path):
    with pytest.raises(Failure) as told:
        find_address({"ORDERHUB_DATABASE": f"sqlite:{tmp_path}/none.db"})

    assert told.value.code == 3
    assert "orderhub serve" in told.value.hint


def test_postgres_has_no_run_file_so_the_url_has_to_be_said():
    with pytest.raises(Failure, match="ORDERHUB_URL is not set"):
        find_address({"ORDERHUB_DATABASE": "postgresql://db/hub"})
