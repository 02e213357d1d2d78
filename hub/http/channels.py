"""Channels: what can be connected, with the settings each one takes; and the canonical shapes as JSON Schema."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.canon import TARGETS
from hub.contract.channel import Channel
from hub.http.ask import Ask, Page
from hub.http.problems import missing
from hub.http.table import PAGING, Op

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class ChannelOut(msgspec.Struct, kw_only=True):
    """A channel: `settings` is the JSON Schema of what an operator tells it, `authenticity` what its proof of
    pushes vouches for, `polls` whether its source can be read, `surveys` from any moment on, `writes` what can be told there,
    `drafts` whether a mapping can be drafted from the account itself."""

    name: str
    title: str
    kind: str
    topics: list[str]
    settings: dict[str, Any]
    authenticity: str
    confirm: str
    polls: bool
    surveys: bool
    subscribes: bool
    drafts: bool
    writes: list[str]
    needs: list[str]
    quality: dict[str, str]


class ChannelWhole(ChannelOut, kw_only=True):
    """A channel with its manual, in Markdown."""

    manual: str


def _plain(one: Channel) -> dict[str, Any]:
    return {
        "name": one.name, "title": one.title, "kind": one.kind, "topics": sorted(one.reads),
        "settings": msgspec.json.schema(one.settings), "authenticity": _authenticity(one), "confirm": one.confirm,
        "polls": one.poll is not None, "surveys": one.since is not None,
        "subscribes": one.subscription is not None, "drafts": one.draft is not None,
        "writes": sorted(one.writes),
        "needs": list(one.needs), "quality": dict(one.quality),
    }  # fmt: skip


def _authenticity(one: Channel) -> str:
    """Of the proof, or of the one that settings without a word in them choose."""
    required = any(field.required for field in msgspec.structs.fields(one.settings))
    if required and not hasattr(one.proof, "check"):
        return "by settings"
    return one.proof_for(one.settings() if not required else None).authenticity  # type: ignore[arg-type]


async def list_channels(ask: Ask) -> Page[ChannelOut]:
    """Every installed channel, by name."""
    after = ask.text("after")
    known = sorted(name for name in ask.hub.registry.channels if name > after)
    shown = known[: ask.limit]
    cursor = shown[-1] if shown else after
    data = [ChannelOut(**_plain(ask.hub.registry.channels[name])) for name in shown]
    return Page(data, cursor if len(known) > len(shown) else None, cursor)


async def get_channel(ask: Ask) -> ChannelWhole:
    """One channel with its manual."""
    found = ask.hub.registry.channels.get(ask.path())
    if found is None:
        raise missing("channel", ask.path())
    return ChannelWhole(**_plain(found), manual=ask.hub.registry.manual(found.name))


async def get_schema(ask: Ask) -> dict[str, Any]:
    """The canonical shapes, as one JSON Schema: `$defs` has them all, `properties` those that facts are made of."""
    schemas, components = msgspec.json.schema_components([*TARGETS.values()], ref_template="#/$defs/{name}")
    named = dict(zip(TARGETS, schemas, strict=True))
    return {
        "$schema": DIALECT,
        "title": "orderhub",
        "type": "object",
        "properties": named,
        "$defs": components,
    }


OPS = (
    Op(method="GET", path="/v1/channels", summary="List channels", handle=list_channels, gives=Page[ChannelOut],
       query=PAGING),
    Op(method="GET", path="/v1/channels/{id}", summary="Show a channel", handle=get_channel, gives=ChannelWhole),
    Op(method="GET", path="/v1/schema", summary="The canonical shapes", handle=get_schema, gives=dict[str, Any]),
)  # fmt: skip
