"""The guide for new channels: one page, and it names all that a channel can declare."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec

from hub import fixtures, inspection
from hub.contract import Channel, proof
from hub.contract.channel import Kind
from hub.contract.fact import Freshness

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "adapters" / "README.md").read_text(encoding="utf-8")


def test_it_names_every_field_of_a_channel():
    assert [field.name for field in msgspec.structs.fields(Channel) if f"`{field.name}`" not in GUIDE] == []


def test_it_names_every_kind_every_freshness_and_every_rule():
    words = [*get_args(Kind), *get_args(Freshness), *inspection.QUALITY]

    assert [word for word in words if not re.search(rf"\b{word}\b", GUIDE)] == []


def test_it_names_every_stock_proof():
    stock = [
        name for name in proof.__all__ if hasattr(getattr(proof, name), "sign") and not name.endswith("Proof")
    ]

    assert stock
    assert [name for name in stock if name not in ("Proof", "Nobody") and f"`{name}" not in GUIDE] == []


def test_it_is_one_page():
    assert len(GUIDE.splitlines()) <= 160
    assert not re.search(r"hub/(?!contract)", GUIDE)


def test_its_sample_request_is_one():
    sample = re.search(r"^    POST .*?(?=^\S)", GUIDE, re.MULTILINE | re.DOTALL)
    message = fixtures.parse_request(
        re.sub(r"^    ", "", sample[0], flags=re.MULTILINE).encode(), "README.md"
    )

    assert message.headers["x-topic"] == "orders/create"
    assert message.query == "shop=17"
    assert message.body.startswith(b'{"id": 17')
