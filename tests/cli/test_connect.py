from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import subprocess
import sys

import httpx
import msgspec
import pytest

from hub.cli.connect import fields, secret, set_up, wanted
from hub.demo.hosts import hosted
from hub.demo.shop import TOKEN, Shop
from hub.registry import load_registry
from tests.cli.conftest import plain_environment


def test_without_a_channel_it_says_what_there_is(at_hub):
    said = at_hub("connect")

    assert "shopify" in said.out
    assert "AfterShip" in said.out


def test_a_connection_is_made_and_the_steps_at_the_far_side_are_told(at_hub):
    said = at_hub("connect", "aftership", "--set", "webhook_secret=s3cret", "--name", "parcels")

    assert said.code == 0, said.err
    assert "/in/" in said.out
    assert "without api_key it cannot be polled" in said.out
    assert "Add webhook URL" in said.out
    assert "s3cret" not in said.out
    shown = at_hub("connections", "show", "parcels", "--json").json()
    assert shown["settings"]["webhook_secret"] == "***"
    assert shown["cutover_at"]


def test_without_a_secret_it_says_that_its_pushes_are_refused(at_hub):
    said = at_hub("connect", "generic", "--name", "unproved", "--set", "topic=fixed:orders")

    assert "without webhook_secret it cannot take its pushes" in said.out
    at_hub("connections", "set", "unproved", "--set", "webhook_secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert at_hub("connections", "show", "unproved", "--json").json()["cannot"] == []


def test_a_shop_that_cannot_be_read_says_which_setting_it_lacks(at_hub):
    at_hub("connect", "shopify", "--name", "pushes-only", "--set", "webhook_secret=s3cret")
    said = at_hub("compare", "pushes-only", "--since", "7d")

    assert said.code == 1
    assert said.err.strip() == "pushes-only cannot be polled without base_url: set it at the connection"


def test_a_second_one_gets_a_name_of_its_own(at_hub):
    first = at_hub("connect", "shopify", "--set", "webhook_secret=a", "--cutover", "none", "--json").json()
    second = at_hub("connect", "shopify", "--set", "webhook_secret=b", "--mode", "observe", "--json").json()

    assert (first["name"], second["name"]) == ("shopify", "shopify-2")
    assert first["cutover_at"] is None
    assert second["mode"] == "observe"


def test_every_fault_of_the_settings_is_told_at_once(at_hub):
    said = at_hub(
        "connect",
        "shopify",
        "--set",
        "webhok_secret=a",
        "--set",
        "notify_customer=perhaps",
        "--time-zone",
        "Lisbon",
    )

    assert said.code == 1
    assert "is webhook_secret meant?" in said.err
    assert "notify_customer" in said.err
    assert "Lisbon" in said.err
    assert len(said.err.splitlines()) == 3


def test_an_unknown_channel_is_told_with_those_there_are(at_hub):
    said = at_hub("connect", "shopfiy")

    assert said.code == 1
    assert "shopify" in said.err


async def test_with_credentials_the_shop_is_asked_and_its_pushes_are_registered(served):
    shop = Shop("kite-and-kettle.myshopify.com")
    async with hosted(shop) as url:
        sets = [f"base_url={url}", f"access_token={TOKEN}", "webhook_secret=s3cret"]
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "connect", "shopify", "--name", "kites", *(part for one in sets for part in ("--set", one)),
            env=plain_environment(ORDERHUB_URL=served.url, ORDERHUB_TOKEN=served.token),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = await child.communicate()

    assert child.returncode == 0, err.decode()
    assert "✓ account        kite-and-kettle.myshopify.com" in out.decode()
    assert "Subscribe" in shop.asked
    assert "Changed" in shop.asked


def test_at_a_terminal_each_setting_is_asked_for_with_its_description(served):
    answers = {
        "webhook_secret, Enter to leave it": "s3cret", "base_url, Enter to leave it": "", "client_id, Enter to leave it": "",
        "client_secret, Enter to leave it": "", "access_token, Enter to leave it": "",
        "api_version, Enter to leave it [2026-07]": "2026-04", "notify_customer [y/N]": "y",
        "restock_on_cancel [Y/n]": "", "refund_on_cancel [y/N]": "", "handled elsewhere (tell nobody of them)? [Y/n]": "n",
    }  # fmt: skip

    code, said = at_terminal(served, answers, "connect", "shopify", "--name", "asked")

    assert code == 0, said
    assert "Proves pushes." in said
    assert "s3cret" not in said
    headers = {"authorization": f"Bearer {served.token}"}
    made = httpx.get(f"{served.url}/v1/connections/asked", headers=headers).json()
    assert made["settings"]["webhook_secret"] == "***"
    assert (made["settings"]["api_version"], made["settings"]["notify_customer"]) == ("2026-04", True)
    assert made["cutover_at"] is None


def at_terminal(served, answers, *command):
    """Run a command at a terminal of its own, and answer each of its questions once it is asked."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "hub", *command], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env=plain_environment(ORDERHUB_URL=served.url, ORDERHUB_TOKEN=served.token, TERM="dumb", COLUMNS="200"),
    )  # fmt: skip
    os.close(theirs)
    said = ""
    for question, answer in answers.items():
        while not said.endswith(f"{question}: "):
            said += os.read(ours, 4096).decode(errors="replace")
        os.write(ours, f"{answer}\n".encode())
    with contextlib.suppress(OSError):  # the terminal is gone when the child is
        while part := os.read(ours, 4096):
            said += part.decode(errors="replace")
    os.close(ours)
    return child.wait(30), said


def test_the_settings_of_every_channel_can_be_asked_for():
    for name, channel in load_registry().channels.items():
        properties, required = fields(msgspec.json.schema(channel.settings))

        assert set(properties) == {field.name for field in msgspec.structs.fields(channel.settings)}, name
        assert required <= set(properties)


def test_secrets_are_known_by_their_schema():
    properties, _ = fields(msgspec.json.schema(load_registry().channels["shopify"].settings))

    assert {name for name, about in properties.items() if secret(about)} == {
        "webhook_secret",
        "client_secret",
        "access_token",
    }


def test_the_set_up_of_every_channel_is_found_in_its_manual():
    registry = load_registry()

    for name in registry.channels:
        assert "1. " in set_up(registry.manual(name)), name


@pytest.mark.parametrize("manual", ["", "# Acme\n\nNothing of it.\n"])
def test_a_manual_without_a_set_up_has_none(manual):
    assert set_up(manual) == ""


def test_only_what_the_answers_so_far_need_is_asked_for(at_hub):
    about = msgspec.json.schema(load_registry().channel("generic").settings)
    properties, _ = fields(about)

    def asked(**said):
        return [name for name, one in properties.items() if wanted(one, properties, said)]

    assert asked() == ["proof", "webhook_secret", "topic", "dedupe"]
    assert asked(proof="none") == ["proof", "topic", "dedupe"]
    assert asked(proof="jwt") == ["proof", "public_key", "algorithm", "topic", "dedupe"]
    assert "time_header" in asked(proof="timed_hmac")
    files, _ = fields(msgspec.json.schema(load_registry().channel("csv").settings))
    assert [name for name, one in files.items() if wanted(one, files, {"folder": "/srv"})] == [
        "folder",
        "table",
    ]
    assert "sftp_host_key" in [
        name for name, one in files.items() if wanted(one, files, {"sftp_host": "far"})
    ]


def test_a_sender_nobody_knows_is_connected_with_its_own_mapping(at_hub):
    sets = ["--set", "proof=hmac", "--set", "header=X-Sign", "--set", "webhook_secret=s3cret"]
    made = at_hub(
        "connect", "generic", "--name", "till", *sets, "--mapping", "*=generic.order", "--json"
    ).json()
    refused = at_hub("connect", "generic", "--set", "proof=hmac", "--set", "topic=nowhere")

    assert (made["mappings"], made["authenticity"]) == ({"*": "generic.order"}, "body_signed")
    assert "settings.header: required for the proof hmac" in refused.err
    assert "settings.topic: 'nowhere' names no place" in refused.err
