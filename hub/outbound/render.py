"""Rendering: an event's body in the shape an endpoint asked for; pure, the same bytes for the same event.

A shape is `payload/format/fields`, and `/mapping@version` where the endpoint has one: bodies of one shape are
rendered once and shared. The allow-list stands before the mapping, so that no mapping shows what it hides.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.errors import HubError
from hub.contract.mapping import Mapping
from hub.contract.message import Headers, Message
from hub.directory import Endpoint, shape
from hub.store.rows import JSON, whole

SPEC = "1.0"


class LeftOut(Exception):
    """The endpoint's mapping makes no document of this event."""


def body_for(
    endpoint: Endpoint, envelope: bytes, doc: bytes | None = None, mapping: Mapping | None = None
) -> bytes:
    """What an endpoint gets of an event, as a webhook and in its feed: `envelope` with the snapshot `doc` in its
    place, `mapping` the endpoint's own where it has one. Raises Unmapped with the mapping's place, or LeftOut."""
    return render(whole(envelope, doc), shape(endpoint, mapping.hash if mapping else ""), mapping)


def render(full: bytes, shape: str, mapping: Mapping | None = None) -> bytes:
    """The body of a shape made from the full one; raises Unmapped or LeftOut where a mapping has the last word."""
    if shape == "full":
        return full
    payload, format_, names, *_ = [*shape.split("/"), "", ""]
    event: dict[str, Any] = msgspec.json.decode(full)
    kept = narrowed(event, payload, names.split(",") if names else [])
    value = kept if mapping is None else mapped(kept, mapping)
    return JSON.encode(cloud_event(event, value) if format_ == "cloudevents" else value)


def narrowed(event: dict[str, Any], payload: str, names: list[str]) -> dict[str, Any]:
    """An event without what this payload and these fields leave out."""
    out = dict(event)
    if payload in ("changes", "thin"):
        out.pop("data", None)
    if payload == "thin":
        out.pop("changes", None)
    if not names:
        return out
    if "data" in out:
        out["data"] = chosen(out["data"], names)
    if "changes" in out:
        out["changes"] = [one for change in out["changes"] if (one := _change(change, names)) is not None]
    return out


def mapped(event: dict[str, Any], mapping: Mapping) -> Any:
    """What a partner's own mapping makes of an event: a document, a list of several; LeftOut where there is none."""
    message = Message(body=JSON.encode(event), headers=Headers([("content-type", "application/json")]))
    found = mapping.apply(mapping.decode(message), message)
    if not found:
        raise LeftOut(mapping.name)
    return found[0] if len(found) == 1 else found


def chosen(data: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Only these fields of a snapshot: dotted paths, through lists."""
    out: dict[str, Any] = {}
    for name in names:
        _copy(data, out, name.split("."))
    return out


def _copy(source: Any, out: Any, path: list[str]) -> None:
    head, rest = path[0], path[1:]
    if not isinstance(source, dict) or head not in source:
        return
    value = source[head]
    if not rest:
        out[head] = value
    elif isinstance(value, list):
        held = out.setdefault(head, [{} for _ in value])
        for one, into in zip(value, held, strict=True):
            _copy(one, into, rest)
    else:
        _copy(value, out.setdefault(head, {}), rest)


def _change(change: dict[str, Any], names: list[str]) -> dict[str, Any] | None:
    """A change as far as the fields allow: whole, narrowed where it is wider than they are, or none."""
    path = ".".join(part.partition("[")[0] for part in change["path"].split("."))
    if any(path == name or path.startswith(f"{name}.") for name in names):
        return change
    inner = [name.removeprefix(f"{path}.") for name in names if name.startswith(f"{path}.")]
    if not inner:
        return None
    return {**change, **{end: _narrow(change[end], inner) for end in ("from", "to") if end in change}}


def _narrow(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_narrow(one, names) for one in value]
    return chosen(value, names) if isinstance(value, dict) else None


def cloud_event(event: dict[str, Any], value: Any) -> dict[str, Any]:
    """An event in the structured form of CloudEvents 1.0, with this value as its data."""
    order = {"sequence": str(event["sequence"])} if event.get("sequence") is not None else {}
    return {
        "specversion": SPEC,
        "id": event["id"],
        "type": event["type"],
        "source": f"/orderhub/{event['tenant']}",
        "subject": event.get("order") or event["subject"]["id"],
        "time": event["occurred_at"],
        "datacontenttype": "application/json",
        **order,
        "data": value,
    }


def told(error: HubError) -> str:
    """A mapping's fault as a delivery shows it: its place and what is wrong there."""
    return str(error)[:1000]
