"""The channel as one connection's settings make it."""

from __future__ import annotations

from typing import get_args

import msgspec

from adapters.generic.places import pick
from adapters.generic.settings import GenericSettings
from hub.contract import Channel, Headers, Message, Response, header
from hub.contract.channel import Verdict
from hub.contract.fact import Freshness, Subject
from hub.contract.pick import NOTHING, Pick
from hub.contract.proof import Jwt

TAKEN = frozenset({"accepted", "duplicate", "ignored"})


def shaped(given: GenericSettings) -> Channel:
    """Topic, delivery id, freshness and reply as told; without a delivery id no push is held for another."""
    from adapters.generic import channel  # noqa: PLC0415  the declaration that is shaped names this function

    freshness: dict[str, Freshness] = dict.fromkeys(get_args(Subject), given.freshness)
    return msgspec.structs.replace(
        channel,
        topic=pick(given.topic),
        dedupe=_dedupe(given),
        freshness={**freshness, "*": "arrival"},
        open=_open if given.proof == "jwt" and not given.header else None,
        answer=_answer(given.reply) if given.reply else None,
        shaped=None,
    )


def _dedupe(given: GenericSettings) -> Pick:
    if given.dedupe:
        return pick(given.dedupe, hashed=True)
    return header("webhook-id", "svix-id") if given.proof == "standard_webhooks" else NOTHING


def _open(message: Message, given: GenericSettings) -> Message:
    return Jwt(algorithm=given.algorithm).open(message, given)


def _answer(reply: str) -> object:
    kind = "application/json" if reply.lstrip()[:1] in ("{", "[") else "text/plain; charset=utf-8"
    said = Response(status=200, headers=Headers({"content-type": kind}), body=reply.encode())

    def answer(verdict: Verdict, _: Message) -> Response | None:
        return said if verdict in TAKEN else None

    return answer
