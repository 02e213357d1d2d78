"""Rendering: an event's body in the shape an endpoint asked for; pure, the same bytes for the same event."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.store.rows import JSON

SPEC = "1.0"


def render(full: bytes, shape: str) -> bytes:
    """The body of a shape (`payload/format/fields`) made from the full one."""
    if shape == "full":
        return full
    payload, format_, names = [*shape.split("/"), "", ""][:3]
    event: dict[str, Any] = msgspec.json.decode(full)
    if payload == "changes":
        event.pop("data", None)
    elif payload == "thin":
        for name in ("data", "changes"):
            event.pop(name, None)
    elif names:
        event["data"] = chosen(event["data"], names.split(","))
        event["changes"] = [one for one in event["changes"] if _allowed(one["path"], names.split(","))]
    return JSON.encode(cloud_event(event) if format_ == "cloudevents" else event)


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


def _allowed(path: str, names: list[str]) -> bool:
    plain = ".".join(part.partition("[")[0] for part in path.split("."))
    return any(plain == name or plain.startswith(f"{name}.") for name in names)


def cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """An event in the structured form of CloudEvents 1.0."""
    return {
        "specversion": SPEC,
        "id": event["id"],
        "type": event["type"],
        "source": f"/orderhub/{event['tenant']}",
        "subject": event.get("order") or event["subject"]["id"],
        "time": event["occurred_at"],
        "datacontenttype": "application/json",
        "sequence": str(event["sequence"]) if event.get("sequence") is not None else "",
        "data": event,
    }
