"""`orderhub simulate`: a sample message, signed as its far side would, sent to a running hub."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import Failure
from hub.cli.house import installed
from hub.cli.nouns import Sets, pairs, quoted, typed
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client
    from hub.contract.message import Message
    from hub.fixtures import Samples

ChannelName = Annotated[str, typer.Argument(help="The channel, such as shopify.")]
Fixture = Annotated[
    str, typer.Argument(help="One of its samples by name, or a topic; a plain order if none.")
]
Connection = Annotated[
    str,
    typer.Option("--connection", "-c", help="The connection to send it to; the channel's only one if none."),
]
Listing = Annotated[bool, typer.Option("--list", help="Show the samples there are and send none.")]

_WANTED = ("order", "shipment", "tracking")


def simulate(
    channel: ChannelName, fixture: Fixture = "", connection: Connection = "", sets: Sets = None, list_: Listing = False,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Send a sample message to a running hub, signed with the connection's secret.

    The hub never gives a secret out: say it with --set webhook_secret=…, or the sample's own is used.
    """
    from hub.cli.client import hub

    found = installed().samples(channel)
    if list_:
        return _list(found, json_lines=json)
    chosen = found.fixture(_named(found, fixture) if fixture else plainest(found))
    message = chosen.message
    if message.transport != "webhook":
        raise Failure(
            f"{chosen.name} is a page that the hub polls, not a message that is pushed",
            hint=f"`orderhub simulate {channel} --list` shows the samples.",
        )
    given = {name: typed(value) for name, value in pairs(sets).items()}
    with hub() as line:
        target = _target(line, channel, connection)
        answer = _send(line, target["intake_url"], _signed(channel, message, {**found.settings, **given}))
    if json:
        return show.as_json(
            {"connection": target["name"], "status": answer.status_code, "answer": answer.text}
        )
    return _tell(answer, target, told=bool(given))


def _list(found: Samples, *, json_lines: bool) -> None:
    rows = [{"sample": one.name, "sent": one.message.transport} for one in found.fixtures]
    show.rows(rows, {"sample": "sample", "sent by": "sent"}, json_lines=json_lines, none="It has no samples.")


def plainest(found: Samples) -> str:
    """The name of the sample that a newcomer wants: a pushed order, not cancelled and no test, of the topic
    that has most samples; else a parcel's news."""
    topics = Counter(one.topic for one in found.fixtures)
    ranked = []
    for one in found.fixtures:
        facts = one.expected() if one.golden.exists() else None
        fact = facts[0] if isinstance(facts, list) and facts else {}
        doc = fact.get("doc") or {}
        if one.message.transport == "webhook" and doc and fact["subject"] in _WANTED:
            odd = bool(doc.get("cancelled_at") or doc.get("test") or doc.get("deleted"))
            plain = one.name.endswith((".plain", ".first"))
            ranked.append((_WANTED.index(fact["subject"]), odd, -topics[one.topic], not plain, one.name))
    return min(ranked)[-1] if ranked else ""


def _named(found: Samples, said: str) -> str:
    """A sample by its name; by its topic, in the platform's own spelling too, the plain one first."""
    from hub.fixtures import slug

    of_topic = [one.name for one in found.fixtures if one.topic in (said, slug(said))]
    plain = [name for name in of_topic if name.endswith((".plain", ".first"))]
    return next(iter(plain + of_topic), said)


def _target(line: Client, channel: str, name: str) -> dict[str, Any]:
    if name:
        found: dict[str, Any] = line.get(f"/v1/connections/{quoted(name)}")
        return found
    there = list(line.pages("/v1/connections", channel=channel))
    if len(there) == 1:
        return there[0]
    if not there:
        raise Failure(f"there is no connection of {channel}", hint=f"`orderhub connect {channel}` makes one.")
    raise Failure(
        f"{channel} has {len(there)} connections",
        hint="Say which: --connection " + " | ".join(one["name"] for one in there),
    )


def _signed(channel: str, message: Message, given: dict[str, Any]) -> Message:
    from hub.contract.given import read_settings
    from hub.contract.proof import Stamp

    found = installed().channel(channel)
    settings = read_settings(found.settings, given)
    stamp = Stamp(now=int(time.time()), nonce=secrets.token_hex(8), id=f"msg_{secrets.token_hex(8)}")
    return found.proof_for(settings).sign(message, settings, stamp)


def _send(line: Client, intake_url: str, message: Message) -> Any:
    headers = [pair for pair in message.headers.pairs if pair[0] not in ("host", "content-length")]
    query = f"?{message.query}" if message.query else ""
    return line.push(message.method, f"{intake_url}{message.path}{query}", headers, message.body)


def _tell(answer: Any, target: dict[str, Any], *, told: bool) -> None:
    out = show.console()
    out.print(f"{target['name']} answered {answer.status_code}: {answer.text.strip()[:200]}")
    if answer.status_code == 401:
        if "the connection has no " in answer.text:
            raise Failure(
                f"{target['name']} has no secret yet by which a push is proved",
                hint=f"`orderhub connections set {quoted(target['name'])} --set webhook_secret=…` gives it one.",
            )
        secret = "the secret that you said" if told else "the sample's own secret, since none was said"
        raise Failure(
            f"it was signed with {secret}, which is not the connection's",
            hint="Say the connection's own: --set webhook_secret=…, or --set webhook_secret=@file.",
        )
    if answer.status_code == 200 and "duplicate" in answer.text:
        out.print(
            "It was sent before: the sample has a delivery id of its own. Another sample is another message."
        )
    elif answer.is_success:
        out.print("Next: orderhub messages list, orderhub orders list")
        _warn(target)


def _warn(target: dict[str, Any]) -> None:
    """A sample is an old order: say so where the connection keeps those to itself."""
    if cutover := target.get("cutover_at"):
        show.console().print(
            f"Orders placed before {show.time(cutover)} UTC are told to nobody, and a sample may be one: "
            f"`orderhub connections set {quoted(target['name'])} --set cutover_at=null` tells all."
        )
