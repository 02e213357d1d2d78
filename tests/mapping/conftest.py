"""What the tests of the mapping language share: small mappings, made and run in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.contract import Message, Misconfigured
from hub.contract.mapping import Mapping, compile_mapping


@pytest.fixture
def compiled() -> Callable[..., Mapping]:
    """A mapping to json whose fields are given as YAML text, or a whole one that begins with `map:`."""

    def make(text: str, **options: Any) -> Mapping:
        whole = (
            text if text.lstrip().startswith("map:") else f"map: t\ntarget: json\nfields:\n{_indented(text)}"
        )
        return compile_mapping(whole, file="t.yaml", **options)

    return make


@pytest.fixture
def mapped(compiled: Callable[..., Mapping]) -> Callable[..., Any]:
    """The one document of a payload, checked to be the same however the mapping is run."""

    def run(text: str, payload: Any, **context: Any) -> Any:
        mapping = compiled(text)
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        message = Message(body=body, **context)
        tree = mapping.decode(message)
        documents = mapping.apply(tree, message)
        assert [doc for doc, _ in mapping.engine.read(message, []) if doc is not None] == documents
        assert [doc for doc, _, _ in mapping.engine.traced(tree, message, []) if doc is not None] == documents
        return documents[0] if len(documents) == 1 else documents

    return run


@pytest.fixture
def faults() -> Callable[..., list[str]]:
    """The faults of a mapping's text, without the file's name."""

    def find(text: str, **options: Any) -> list[str]:
        with pytest.raises(Misconfigured) as caught:
            compile_mapping(text, file="t.yaml", **options)
        return [fault.removeprefix("t.yaml:") for fault in caught.value.faults]

    return find


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip("\n").split("\n"))
