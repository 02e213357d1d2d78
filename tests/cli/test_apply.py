from __future__ import annotations

import pytest

from hub.cli.failures import Failure
from hub.cli.wanted import read_wanted

WANTED = """
[[partners]]
name = "North 3PL"
roles = ["warehouse"]

[[connections]]
name = "shop"
channel = "shopify"
time_zone = "Europe/Lisbon"
cutover_at = 2026-01-10T16:00:00Z
settings = { webhook_secret = { env = "SHOP_SECRET" }, base_url = "kite-and-kettle" }

[[endpoints]]
name = "wms"
url = "http://127.0.0.1:9/hook"
events = ["order.ready", "shipment.*"]
partner = "North 3PL"
connections = ["shop"]
rate = 20

[[routes]]
name = "tell the shop"
event = "shipment.shipped"
connection = "shop"
write = "fulfillment.create"
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    path = tmp_path / "hub.toml"
    path.write_text(WANTED)
    return path


def test_a_file_is_applied_once_and_then_there_is_nothing_to_change(at_hub, file):
    dry = at_hub("apply", str(file), "--dry-run")
    assert dry.out.count("+ ") == 4
    assert at_hub("connections", "list", "--json").out == ""

    first = at_hub("apply", str(file), "--yes")
    assert first.code == 0, first.err
    assert "whsec_" in first.out
    assert "/in/" in first.out
    again = at_hub("apply", str(file), "--yes")
    assert "nothing to change" in again.out

    file.write_text(WANTED.replace("rate = 20", "rate = 50").replace("Lisbon", "Madrid"))
    changed = at_hub("apply", str(file), "--yes", "--json").lines()
    assert [one["fields"] for one in changed if "fields" in one] == [
        {"time_zone": {"from": "Europe/Lisbon", "to": "Europe/Madrid"}}, {"rate": {"from": 20.0, "to": 50}},
    ]  # fmt: skip
    assert at_hub("endpoints", "show", "wms", "--json").json()["rate"] == 50

    file.write_text(WANTED.replace("shipment.shipped", "shipment.created"))
    route = at_hub("apply", str(file), "--yes")
    assert "± route tell the shop" in route.out
    secrets = at_hub("apply", str(file), "--dry-run", "--secrets")
    assert "settings.webhook_secret" in secrets.out
    assert "s3cret" not in secrets.out


def test_without_a_terminal_it_does_not_go_on_unasked(at_hub, file):
    file.write_text('[[partners]]\nname = "Unasked"\n')

    said = at_hub("apply", str(file))

    assert said.code == 2
    assert "+ partner Unasked" in said.out
    assert at_hub("partners", "show", "Unasked").code == 1


def test_every_fault_of_a_file_is_told_at_once(file, tmp_path):
    file.write_text(
        '[[connection]]\nname = "x"\n[[endpoints]]\nurl = "http://x"\n[[partners]]\nname = "a"\n[[partners]]\nname = "a"\n'
    )

    with pytest.raises(Failure) as told:
        read_wanted(file)

    lines = told.value.reason.splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
        "connection",
        "endpoints[1]",
        "partners[2]",
    ]


def test_a_secret_that_is_not_there_is_told_with_its_place(file, monkeypatch):
    monkeypatch.delenv("SHOP_SECRET")

    with pytest.raises(
        Failure, match=r"connections\.shop\.settings\.webhook_secret: the environment has no SHOP_SECRET"
    ):
        read_wanted(file)


def test_a_secret_may_stand_in_a_file_beside(file, tmp_path):
    (tmp_path / "secret.txt").write_text("from a file\n")
    file.write_text(WANTED.replace('{ env = "SHOP_SECRET" }', '{ file = "secret.txt" }'))

    assert read_wanted(file)["connections"][0]["settings"]["webhook_secret"] == "from a file"


def test_what_is_no_toml_is_told_with_its_line(file, at_hub):
    file.write_text("[[partners]]\nname = \n")

    said = at_hub("apply", str(file))

    assert said.code == 2
    assert "line 2" in said.err


def test_a_connection_does_not_change_its_channel(at_hub, file):
    file.write_text('[[connections]]\nname = "fixed"\nchannel = "shopify"\n')
    at_hub("apply", str(file), "--yes")
    file.write_text('[[connections]]\nname = "fixed"\nchannel = "aftership"\n')

    said = at_hub("apply", str(file), "--yes")

    assert said.code == 1
    assert "cannot become 'aftership'" in said.err


def test_a_change_that_cannot_be_made_is_told_with_the_thing_and_the_field(at_hub, tmp_path):
    file = tmp_path / "hub.toml"
    file.write_text('[[endpoints]]\nname = "late"\nurl = "http://127.0.0.1:9/in"\npayload = "slim"\n')

    told = at_hub("apply", str(file), "--yes")

    assert told.code == 1
    assert "endpoint late: payload: 'slim' is none of changes, full, thin" in told.err
    assert "apply it again" in told.err


def test_a_field_that_there_is_not_is_told_before_anything_is_made(at_hub, tmp_path):
    file = tmp_path / "hub.toml"
    file.write_text(
        '[[partners]]\nname = "early"\nroles = ["warehouse"]\n\n'
        '[[endpoints]]\nname = "late"\nurl = "http://127.0.0.1:9/in"\norderin = "none"\nzebra = 1\n'
    )

    for way in ("--dry-run", "--yes"):
        told = at_hub("apply", str(file), way)
        assert told.code == 2
        assert "endpoints.late.orderin: no such field, is ordering meant?" in told.err
        assert "endpoints.late.zebra: no such field" in told.err
    assert "early" not in at_hub("partners", "list").out
