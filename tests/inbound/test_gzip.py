"""A gzip body is opened before anyone has proved anything: it may cost little."""

from __future__ import annotations

import gzip

import pytest

from hub.contract.errors import TooLarge
from hub.inbound.intake import inflate

CAP = 1 << 20


def test_a_body_of_several_parts_is_read_whole() -> None:
    assert inflate(b"".join(gzip.compress(bytes([65 + n])) for n in range(20)), CAP) == bytes(range(65, 85))


def test_a_body_of_thousands_of_empty_parts_is_refused() -> None:
    with pytest.raises(TooLarge, match="64 gzip parts"):
        inflate(gzip.compress(b"") * 50_000, CAP)
