"""The story: nine things that happen to orders every day, one after the other, each of them checked."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from hub.contract.errors import HubError
from hub.contract.settings import secrets
from hub.demo import orders, parcels
from hub.demo.hosts import Running, hosted, hub_process, told
from hub.demo.partner import Partner, Verify, signed_by_hub
from hub.demo.scene import SHOP, Scene, set_up
from hub.demo.shop import Shop
from hub.demo.voice import Voice

DOMAIN = "kite-and-kettle.myshopify.com"
Step = Callable[[Scene], Awaitable[object]]


async def play(
    *,
    end: bool,
    port: int = 0,
    record: Path | None = None,
    voice: Voice | None = None,
    verify: Verify = signed_by_hub,
) -> int:
    """Tell the whole story; leave the hub running until Ctrl-C unless it is to `end`. 0 when all of it was so."""
    voice = voice or Voice()
    partner, shop = Partner(verify, record), Shop(DOMAIN)
    with tempfile.TemporaryDirectory(prefix="orderhub-demo-") as folder:
        async with (
            hub_process(Path(folder), port) as hub,
            hosted(partner) as partner_url,
            hosted(shop) as shop_url,
        ):
            voice.plain(
                f"A hub runs at {hub.url}, a shop at {shop_url}, a partner at {partner_url}; all on this machine."
            )
            scene = await _tell(hub, partner, partner_url, shop, shop_url, voice)
            _sum_up(voice, partner)
            if not end:
                await _leave(hub, voice, scene)
    return 1 if voice.faults else 0


async def _tell(
    hub: Running, partner: Partner, partner_url: str, shop: Shop, shop_url: str, voice: Voice
) -> Scene | None:
    """The set-up and the steps; the scene, where it could be set."""
    scene = None
    headers = {"authorization": f"Bearer {hub.token}"}
    async with (
        httpx.AsyncClient(base_url=hub.url, headers=headers, timeout=30, trust_env=False) as api,
        httpx.AsyncClient(timeout=30, trust_env=False) as sender,
    ):
        try:
            scene = await set_up(api, sender, voice, partner, partner_url, shop, shop_url)
            await _steps(scene)
        except (HubError, httpx.HTTPError) as error:
            voice.check(False, "the story", "", otherwise=f"cannot go on: {error or type(error).__name__}")
            voice.plain(told(hub.log), "dim")
    return scene


async def _steps(scene: Scene) -> None:
    title = scene.voice.title
    title(1, "A signed order arrives, and the partner hears of it")
    message = await orders.signed_order(scene)
    title(2, "An edit arrives before its order")
    await orders.early_edit(scene)
    title(3, "The shop sends the same message twice")
    await orders.duplicate(scene, message)
    rest: list[tuple[str, Step]] = [
        ("A forged message is refused", orders.forged),
        ("A body that cannot be read, and its repair", orders.unreadable),
        ("An order comes by telephone", orders.phone_order),
        ("A parcel's scans arrive out of order", parcels.scans),
        ("The shop is told its tracking number", parcels.shop_told),
        ("The partner is down and comes back", parcels.partner_away),
    ]
    for number, (text, step) in enumerate(rest, start=4):
        title(number, text)
        await step(scene)


def _sum_up(voice: Voice, partner: Partner) -> None:
    voice.plain()
    believed = sum(one.verified for one in partner.heard)
    refused = sum(one.answered == 503 for one in partner.heard)
    voice.check(
        believed == len(partner.heard) > 0, "all in all",
        f"{len(partner.heard)} webhooks reached the partner, {believed} verified, {refused} refused while it was down",
        otherwise=f"{len(partner.heard) - believed} of {len(partner.heard)} webhooks could not be verified",
    )  # fmt: skip
    if voice.faults:
        voice.plain(
            f"{len(voice.faults)} of {voice.checks} checks failed, in {voice.elapsed:.1f} s:", "bold red"
        )
        for fault in voice.faults:
            voice.plain(f"  {fault}", "red")
    else:
        voice.plain(f"All {voice.checks} checks hold, in {voice.elapsed:.1f} s.", "bold green")


async def _leave(hub: Running, voice: Voice, scene: Scene | None) -> None:
    """Leave the hub, the shop and the partner running until Ctrl-C."""
    orderhub = _command()
    voice.plain()
    voice.plain("The hub is yours to play with. In another terminal:", "bold")
    voice.plain(f"  export ORDERHUB_URL={hub.url} ORDERHUB_TOKEN={hub.token}")
    voice.plain(f"  {orderhub} orders show {orders.ORDER}")
    voice.plain(f"  {orderhub} events follow")
    if scene is not None:
        secret = next(secrets(scene.store.settings, "webhook_secret")).decode()
        voice.plain(f"  {orderhub} simulate shopify --connection {SHOP} --set webhook_secret={secret}")
    voice.plain(f"Its log is {hub.log}. Ctrl-C ends it and takes everything away.")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    with contextlib.suppress(asyncio.CancelledError):
        done = {asyncio.ensure_future(stopped.wait()), asyncio.ensure_future(hub.process.wait())}
        await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.cancel()


def _command() -> str:
    """How the command was called, so that it can be called again."""
    called = Path(sys.argv[0])
    if called.name != "orderhub":
        return "python -m hub"
    return "orderhub" if shutil.which("orderhub") == str(called) else str(called)
