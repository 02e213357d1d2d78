"""The guard stands before everything that goes out: webhooks, tokens, polls, writes, and what a mapping wrote."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import httpx
import pytest

import hub as product
from hub.config import Config, from_environment
from hub.contract import Misconfigured, Refused, Rejected
from hub.outbound.guard import Guard
from hub.outbound.sender import Post
from hub.run import Hub, open_hub
from tests.outbound.desk import desk, on_one_engine
from tests.outbound.receivers import Names, sender, served

ROOMS = Path(product.__file__).parent
METADATA = "http://169.254.169.254/latest/meta-data/"
PRIVATE = [METADATA, "http://10.0.0.8/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://localhost.:80/",
           "http://2130706433/", "http://0x7f.1/", "http://100.64.0.1/", "http://[2002:a00:1::1]/"]  # fmt: skip


def _calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {ast.unparse(name) for name in names}


def test_connections_are_opened_in_one_place_only():
    """Whoever opened a session of its own would go round the guard."""
    openers = {"aiohttp.ClientSession", "ClientSession", "httpx.AsyncClient", "httpx.Client", "httpx.get", "httpx.post", "urlopen",
               "urllib.request.urlopen", "requests.get", "requests.post"}  # fmt: skip
    kept = {"outbound/dial.py", "run.py"}
    apart = ("cli/", "demo/", "bench/", "scaffold/")  # these speak to a hub, they are none
    found = {str(path.relative_to(ROOMS)) for path in ROOMS.rglob("*.py") if _calls(path) & openers}

    assert {one for one in found if not one.startswith(apart)} <= kept


def test_adapters_open_no_connections():
    import adapters  # noqa: PLC0415  only its folder is looked at

    for path in Path(adapters.__file__).parent.rglob("*.py"):
        if not path.name.startswith("test_"):
            assert not {
                one
                for one in _calls(path)
                if one.startswith(("aiohttp.", "httpx.", "socket.", "urllib.request"))
            }, path


@on_one_engine
@pytest.mark.parametrize("url", PRIVATE)
async def test_polls_writes_and_keys_are_refused_for_good(hub: Hub, url: str):
    """What conversations of adapters speak through, whoever made the URL: settings, a far side's answer, a mapping."""
    with pytest.raises((Refused, Rejected, httpx.InvalidURL)):
        await hub.converser.client.get(url)


@on_one_engine
@pytest.mark.parametrize("url", PRIVATE)
async def test_a_webhook_whose_url_was_slipped_into_the_store_is_not_sent(hub: Hub, url: str):
    real = hub.deliver.sender
    d = await desk(hub)
    hub.deliver.sender = real
    await d.endpoint(url=url)
    await d.tell("A", "1")
    await hub.settle()

    (position,) = await d.deliveries()
    [entry] = await d.attempts(position)
    assert (entry["outcome"], entry["status"]) == ("blocked", None)
    assert entry["reason"]


async def test_a_redirect_into_the_house_is_an_answer_and_is_not_followed():
    from aiohttp import web  # noqa: PLC0415  beside its use

    async def app(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": METADATA})

    async with served(app) as url, sender() as send:
        answer = await send.send(Post(url=url, body=b"{}"))

    assert (answer.status, answer.error) == (302, None)


@pytest.mark.parametrize("answers", [
    [["8.8.8.8", "127.0.0.2"]], [["10.0.0.1"]], [["::ffff:169.254.169.254"]], [["8.8.8.8", "fe80::1"]], [["64:ff9b::a00:1"]],
])  # fmt: skip
async def test_one_refused_address_of_many_refuses_the_name(answers: list[list[str]]):
    async with sender(Guard(), resolver=Names(partner_example=answers)) as send:
        answer = await send.send(Post(url="http://partner.example/", body=b"{}"))

    assert answer.error == "blocked"
    assert "not allowed" in answer.reason


async def test_a_port_that_is_not_allowed_is_not_dialled():
    async def app(request: Any) -> Any:
        raise AssertionError("a request came through")

    async with served(app) as url, sender(Guard.of(["127.0.0.1/32"], [443])) as send:
        answer = await send.send(Post(url=url, body=b"{}"))

    assert answer.error == "blocked"
    assert "port" in answer.reason


async def test_the_ports_are_configured(config: Config):
    told = Config(
        database=config.database, keys=config.keys, admin_token=config.admin_token, allow_ports=(443, 8443)
    )
    async with open_hub(told) as hub:
        assert hub.guard.judge_port(443) is None
        assert hub.guard.judge_port(22) == "port 22 is not allowed"
        with pytest.raises(Rejected, match="port 80 is not allowed"):
            hub.guard.check_url("http://partner.example/")


def test_ports_are_read_from_the_environment_and_the_command_line():
    assert from_environment({"ORDERHUB_ALLOW_PORTS": "80, 443"}).allow_ports == (80, 443)
    assert from_environment({"ORDERHUB_ALLOW_PORTS": "80"}, allow_ports="8443").allow_ports == (8443,)
    assert from_environment({}).allow_ports == ()
    with pytest.raises(Misconfigured) as wrong:
        from_environment({"ORDERHUB_ALLOW_PORTS": "80,http,70000"})
    assert [fault.split(":")[0] for fault in wrong.value.faults] == ["ORDERHUB_ALLOW_PORTS"] * 2
