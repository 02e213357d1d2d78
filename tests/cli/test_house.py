from __future__ import annotations

import json
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator

from hub.cli.simulate import plainest
from hub.registry import load_registry
from tests.cli.conftest import plain_environment


def test_check_is_content_with_what_is_shipped(orderhub):
    said = orderhub("check")

    assert said.code == 0, said.err
    assert "no fault" in said.out


def test_check_tells_every_fault_of_an_operators_mapping_with_its_place(orderhub, tmp_path):
    (tmp_path / "my.order.yaml").write_text(
        "map: my.order\ntarget: order/1\nfields:\n  ref: id | mony\n  nummer: x\n"
    )

    said = orderhub("check", "--mappings", str(tmp_path))

    assert said.code == 1
    assert f"{tmp_path}/my.order.yaml:4:" in said.err
    assert f"{tmp_path}/my.order.yaml:5:" in said.err
    programs = orderhub("check", "--mappings", str(tmp_path), "--json")
    assert programs.code == 1
    assert programs.json()["faults"] == said.err.splitlines()


def test_serve_does_not_start_with_a_faulty_mapping_and_lists_all_faults(tmp_path):
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "shopify.order.yaml").write_text(
        "map: shopify.order\ntarget: order/1\nfields:\n  ref: id | mony\n"
    )

    said = subprocess.run(
        [sys.executable, "-m", "hub", "check"], cwd=tmp_path, env=plain_environment(ORDERHUB_MAPPINGS=str(folder)),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert said.returncode == 1
    assert "shopify.order.yaml:4:" in said.stderr


def test_a_new_channel_is_written_into_a_checkout(orderhub, tmp_path):
    for name in ("adapters", "mappings"):
        (tmp_path / name).mkdir()

    said = orderhub("new-channel", "acme", "--folder", str(tmp_path))
    again = orderhub("new-channel", "acme", "--folder", str(tmp_path))

    assert said.code == 0, said.err
    assert (tmp_path / "adapters" / "acme" / "__init__.py").exists()
    assert again.code == 1
    assert "is there already" in again.err


def test_a_channel_that_cannot_be_is_told_with_every_reason(orderhub, tmp_path):
    said = orderhub("new-channel", "Acme-2", "--kind", "shop", "--folder", str(tmp_path), "--title", "Acme")

    assert said.code == 1
    assert len(said.err.splitlines()) >= 3


def test_schemas_are_json_schema(orderhub):
    names = orderhub("schema").out.split()

    assert {"order", "shipment", "settings.shopify"} <= set(names)
    for name in names:
        Draft202012Validator.check_schema(orderhub("schema", name).json())


def test_an_unknown_schema_is_told_with_those_there_are(orderhub):
    said = orderhub("schema", "ordre")

    assert said.code == 1
    assert "order, shipment" in said.err


def test_a_sample_is_sent_signed_and_becomes_a_message(at_hub, shop):
    sent = at_hub("simulate", "shopify", "orders-create.plain", "--connection", "sim", "--json").json()
    again = at_hub("simulate", "shopify", "orders-create.plain", "--connection", "sim")

    assert sent["status"] == 202
    assert json.loads(sent["answer"])["message"].startswith("msg_")
    assert "sent before" in again.out


def test_a_sample_signed_with_another_secret_is_refused_with_what_to_do(at_hub, shop):
    said = at_hub(
        "simulate",
        "shopify",
        "orders-create.plain",
        "-c",
        "sim",
        "--set",
        "webhook_secret=guess",
        "--set",
        "client_secret=guess",
    )

    assert said.code == 1
    assert "--set webhook_secret" in said.err


def test_the_samples_of_a_channel_are_listed(at_hub, shop):
    assert "orders-create.plain" in at_hub("simulate", "shopify", "--list").out
    said = at_hub("simulate", "shopify", "orders-create.none", "-c", "sim")
    assert said.code == 1
    assert "no fixture 'orders-create.none'" in said.err


@pytest.mark.parametrize(
    ("channel", "sample"), [("shopify", "orders-create.plain"), ("aftership", "tracking_update.delivered")]
)
def test_without_a_name_the_plainest_sample_is_sent(channel, sample):
    assert plainest(load_registry().samples(channel)) == sample
