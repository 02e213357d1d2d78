"""OpenAPI 3.1 of the route table: what runs is what is written here, since both are made of the same rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

import hub as product
from hub.contract.canon import TARGETS
from hub.http.problems import MEDIA, Document
from hub.http.table import Op, Param

Doc = dict[str, Any]

_REF = "#/components/schemas/{name}"
_TYPES: dict[type, Doc] = {
    str: {"type": "string"}, int: {"type": "integer", "minimum": 0}, bool: {"type": "string", "enum": ["0", "1"]},
}  # fmt: skip
_REFUSALS = {
    "400": "The request cannot be read.", "401": "No valid token.", "403": "The token lacks the scope.",
    "404": "There is no such thing.", "409": "It stands against what is.", "410": "It is no longer kept.",
    "412": "The order has changed.", "413": "Too much at once.", "422": "Something in the request is not valid.",
    "503": "Try again.",
}  # fmt: skip
_NOTE = """Bearer tokens with scopes: `read` looks, `write` reports and decides, `operate` repairs, `admin` configures;
`partner` sees and repairs its own deliveries. Lists are pages: `?after=` takes the `next` of the page before.
Every POST takes an `Idempotency-Key`. Refusals are problems (RFC 9457) with a `code`."""


def document(table: Iterable[Op]) -> Doc:
    """The whole description."""
    ops = tuple(table)
    schemas, components = _schemas(ops)
    paths: dict[str, Doc] = {}
    for op in ops:
        paths.setdefault(op.path, {})[op.method.lower()] = _operation(op, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "orderhub", "version": product.__version__, "description": _NOTE},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": {
                "description": "A problem.", "content": {MEDIA: {"schema": {"$ref": _REF.format(name="Problem")}}},
            }},
        },
    }  # fmt: skip


@cache
def _schemas(ops: tuple[Op, ...]) -> tuple[dict[Any, Doc], Doc]:
    """The schema of every type that goes in or out, and the components that they are made of."""
    types = list(dict.fromkeys(type_ for op in ops for type_ in (op.takes, op.gives) if type_ is not None))
    shapes = [*types, *TARGETS.values(), Document]
    found, components = msgspec.json.schema_components(shapes, ref_template=_REF)
    components["Problem"] = components.pop("Document")
    return dict(zip(types, found, strict=False)), dict(sorted(components.items()))


def _operation(op: Op, schemas: dict[Any, Doc]) -> Doc:
    doc: Doc = {
        "operationId": op.name, "summary": op.summary, "tags": [op.tag], "description": op.handle.__doc__ or "",
        "parameters": [*_path(op), *(_query(one) for one in op.query), *_headers(op)],
        "responses": _responses(op, schemas),
    }  # fmt: skip
    if op.scope:
        doc["security"] = [{"token": []}]
        doc["x-scopes"] = [op.scope, *(["partner"] if op.partner else [])]
    if op.takes is not None:
        doc["requestBody"] = {"content": {"application/json": {"schema": schemas[op.takes]}}}
    if op.stream:
        doc["requestBody"] = {
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        }
    return doc


def _path(op: Op) -> list[Doc]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", op.path)
    ]


def _query(one: Param) -> Doc:
    words: Doc = {"enum": list(one.words)} if one.words else {}
    return {
        "name": one.name,
        "in": "query",
        "description": one.description,
        "schema": _TYPES[one.type] | words,
    }


def _headers(op: Op) -> list[Doc]:
    known = [("If-Match", "The version (ETag) on which this was decided.")] if op.guarded else []
    known += [("Idempotency-Key", "The same request under it happens once.")] if op.method == "POST" else []
    return [
        {"name": name, "in": "header", "description": told, "schema": {"type": "string"}}
        for name, told in known
    ]


def _responses(op: Op, schemas: dict[Any, Doc]) -> Doc:
    answer: Doc = {"description": op.summary}
    if op.gives is not None:
        answer["content"] = {"application/json": {"schema": schemas[op.gives]}}
    elif op.media != "application/json":
        answer["content"] = {op.media: {"schema": {"type": "string"}}}
    statuses = [op.status, *op.also]
    shown = {
        str(status): answer if status < 300 and status != 204 else {"description": op.summary}
        for status in statuses
    }
    open_ = ("404", "503") if "{" in op.path else ("503",)
    refused = _REFUSALS if op.scope else {status: _REFUSALS[status] for status in open_}
    return shown | {
        status: {"description": told, "content": {MEDIA: {"schema": {"$ref": _REF.format(name="Problem")}}}}
        for status, told in refused.items()
    }
