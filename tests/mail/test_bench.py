"""The figures of mail are measured on the real stage."""

from __future__ import annotations

import os

from hub.bench.mail import mail_figures


async def test_the_bench_settles_every_letter_and_the_poisonous_one_stops_none(tmp_path):
    found = await mail_figures(f"sqlite:{tmp_path / 'bench.db'}", (os.urandom(32),), count=6, size=5000)

    assert "5 orders of 6" in found[1].name
    assert all(one.value > 0 for one in found)
