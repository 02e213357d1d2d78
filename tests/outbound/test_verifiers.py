"""What goes over the wire is believed by other people's verifiers: PyPI's, npm's, and anyone with the public keys.

npm's are taken from where Node finds packages (NODE_PATH, or a `node_modules` over this folder); where there is
no Node, or it finds none, the test says so.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.http.conftest import House, house  # noqa: F401  the fixture is taken by its name
from tests.outbound.desk import on_one_engine
from tests.outbound.receivers import served

SCRIPT = Path(__file__).with_name("verify.mjs")


async def sent(house: House, **wishes: Any) -> tuple[dict[str, Any], dict[str, str], bytes]:  # noqa: F811
    """An endpoint, and one webhook that it received."""
    heard: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response()

    async with served(take) as url:
        made = await house.post(
            "/v1/endpoints", {"url": url, "events": ["order.created"], "name": "p", **wishes}
        )
        if wishes.get("signing") == ["v1", "v1a"]:
            turned = await house.post("/v1/endpoints/p/rotate")
            made |= {"secret": turned["secret"], "old": made["secret"]}
        await house.post("/v1/orders", {"ref": "1", "number": "Größe ✓"})
        await house.hub.settle()
    [(headers, body)] = heard
    return made, headers, body


@pytest.mark.parametrize(
    "verifier", [standardwebhooks.Webhook, svix.webhooks.Webhook], ids=["standardwebhooks", "svix"]
)
async def test_the_verifiers_of_pypi_believe_every_signature_of_a_rotation(house: House, verifier: Any):  # noqa: F811
    made, headers, body = await sent(house, signing=["v1", "v1a"])

    assert json.loads(body)["data"]["number"] == "Größe ✓"
    kinds = [part.split(",")[0] for part in headers["webhook-signature"].split()]
    assert kinds == ["v1", "v1", "v1a", "v1a"]
    for secret in (made["secret"], made["old"]):
        verifier(secret).verify(body, headers)
        with pytest.raises(Exception, match=r"[Ss]ignature"):
            verifier(secret).verify(body + b" ", headers)


@on_one_engine
async def test_whoever_has_the_public_keys_believes_v1a(house: House):  # noqa: F811
    made, headers, body = await sent(house, signing=["v1a"])
    listed = (await house.http.get(f"/v1/endpoints/{made['id']}/keys")).json()["keys"]

    [signature] = headers["webhook-signature"].split()
    assert signature.startswith("v1a,")
    key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(listed[0]["x"] + "="))
    signed = b"%b.%b.%b" % (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
    key.verify(base64.b64decode(signature[4:]), signed)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature[4:]), signed + b" ")


@on_one_engine
async def test_the_verifiers_of_npm_believe_us(house: House):  # noqa: F811
    made, headers, body = await sent(house, signing=["v1", "v1a"])
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node here: the npm packages were not asked")
    said = _asked(node, made["secret"], headers, body)
    if set(said.values()) == {"absent"}:
        pytest.skip("Node finds neither `standardwebhooks` nor `svix`: npm install them and set NODE_PATH")

    assert set(said.values()) <= {"believed", "absent"}, said
    forged = _asked(node, made["secret"], headers, body + b" ")
    assert "believed" not in forged.values(), forged


def _asked(node: str, secret: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    place = os.environ.get("NODE_PATH", str(SCRIPT.parent)) + "/verify.js"
    asked = json.dumps({"secret": secret, "headers": headers, "body": body.decode()})
    done = subprocess.run(
        [node, SCRIPT, place], input=asked, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    return said
