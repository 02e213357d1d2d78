"""What may not stand somewhere is told with the place and in words."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import inspect

from hub.http.misfit import misfit
from hub.http.routes import operations
from hub.http.words import FITS
from tests.http.conftest import House, on_sqlite

URL = "https://wms.example/hook"
PRINTABLE = "only printable ASCII, up to 2000 characters"
NAMES = "a header's name has letters, digits and !#$%&'*+.^_`|~-, up to 100 of them"


@pytest.mark.parametrize(
    ("wish", "field", "reason"),
    [
        ({"headers": {"Ok": "fine", "Bad-One": "é"}}, "headers.Bad-One", PRINTABLE),
        ({"headers": {f"H{n}": "é" if n == 33 else "x" for n in range(50)}}, "headers.H33", PRINTABLE),
        ({"headers": {"Ok": "fine", "Bäd": "x", "Fine": "x"}}, "headers.Bäd", NAMES),
        ({"headers": {"A": "x", "a b": "é"}}, "headers.a b", NAMES),
        ({"metadata": {"ok": "1", "bad": 2}}, "metadata.bad", "Expected `str`, got `int`"),
        ({"headers": {"x" * 300: "é"}}, f"headers.{'x' * 100}", NAMES),
        ({"fields": ["id", "lines..sku"]}, "fields[1]", "a field of the order, such as number or lines.sku"),
        ({"headers": ["x"]}, "headers", "Expected `object`, got `array`"),
    ],
)
@on_sqlite
async def test_the_one_of_many_that_is_wrong_is_named(
    house: House, wish: dict[str, Any], field: str, reason: str
):
    await house.post("/v1/endpoints", {"url": URL, "name": "wms"})

    answer = await house.say("PATCH", "/v1/endpoints/wms", wish)

    assert (answer.status_code, answer.json()["field"], answer.json()["detail"]) == (422, field, reason)


def test_a_name_in_an_object_of_a_list_of_objects_is_found():
    body = b'[{"counts": {}}, {"counts": {"a": {"x": 1}, "b": {"y": 2, "z": "no"}}}]'
    shape = list[dict[str, dict[str, dict[str, int]]]]
    told = "Expected `int`, got `str` - at `$[1][...][...][...]`"

    assert misfit(told, shape, body).document.field == "[1].counts.b.z"


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b'{"a": {"b": ', b" " * (2 << 20)])
def test_a_body_that_cannot_be_searched_leaves_the_path_as_it_was_told(body: bytes):
    found = misfit("Expected `int`, got `str` - at `$.a[...]`", dict[str, dict[str, int]], body)

    assert found.document.field == "a[...]"


UNSEEN = ["\x00", "\n", "\x1f", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\u202e", "\u2066", "\u2069"]


@on_sqlite
async def test_no_name_holds_what_nobody_sees(house: House):
    for unseen in UNSEEN:
        await _refused(house, f"wms{unseen}x")


async def _refused(house: House, name: str) -> None:
    made = [
        ("/v1/endpoints", {"url": URL, "name": name}),
        ("/v1/partners", {"name": name}),
        ("/v1/tokens", {"name": name, "scopes": ["read"]}),
        ("/v1/notifiers", {"name": name, "kind": "webhook", "settings": {"url": URL}}),
    ]
    for path, body in made:
        answer = await house.say("POST", path, body)
        assert (answer.status_code, answer.json()["field"]) == (422, "name"), path
        assert answer.json()["detail"].endswith("on one line, none of them a control character")
    ends = await house.say("POST", "/v1/endpoints", {"url": URL, "locations": [name]})
    assert (ends.status_code, ends.json()["field"]) == (422, "locations[0]")


@on_sqlite
async def test_names_of_every_tongue_are_taken(house: House):
    for name in ("仓库 一", "Lager Süd – 2", "מחסן", "склад 📦"):
        assert (await house.post("/v1/partners", {"name": name}))["name"] == name


OURS = ["Host", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Keep-Alive",
        "Proxy-Connection", "TE", "Trailer", "Upgrade", "Expect", "Accept-Encoding", "User-Agent"]  # fmt: skip


@on_sqlite
async def test_what_the_hub_says_of_a_request_is_no_header_of_an_endpoint_s_own(house: House):
    for name in OURS:
        answer = await house.say("POST", "/v1/endpoints", {"url": URL, "headers": {name: "gzip"}})
        assert (answer.status_code, answer.json()["field"]) == (422, f"headers.{name}")
        assert "the hub says it" in answer.json()["detail"]


def test_every_pattern_of_a_body_says_in_words_what_fits():
    taken = [op.takes for op in operations() if op.takes is not None]

    assert {shape: found for shape in taken if (found := _mute(inspect.type_info(shape)))} == {}


def _mute(shape: Any) -> set[str]:
    """The patterns below a type that have no words."""
    found, left, seen = set(), [shape], set()
    while left:
        one = left.pop()
        if isinstance(one, inspect.StrType):
            found |= {one.pattern} if one.pattern else set()
        elif not (isinstance(one, inspect.Metadata) and FITS in (one.extra or {})):
            left += _below(one) if getattr(one, "cls", None) not in seen else []
            seen |= {one.cls} if isinstance(one, inspect.StructType) else set()
    return found


def _below(one: Any) -> list[Any]:
    if isinstance(one, inspect.StructType):
        return [field.type for field in one.fields]
    names = ("type", "types", "key_type", "value_type", "item_type", "item_types")
    held = [getattr(one, name) for name in names if hasattr(one, name)]
    return [each for some in held for each in (some if isinstance(some, tuple) else [some])]
