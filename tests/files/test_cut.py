"""Tables are cut between their orders, however large they are, in bounded memory."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from adapters.csv import channel
from adapters.csv.settings import CsvSettings
from hub.contract.errors import Unreadable
from hub.contract.sheet.numbering import numbers, written
from hub.inbound.files import cut

HEAD = b"order_ref,sku,quantity\n"


class Long(io.RawIOBase):
    """A file of very many orders that stands nowhere: each has two lines."""

    def __init__(self, orders: int) -> None:
        self.orders, self.at, self.rest = orders, 0, b""

    def line(self, n: int) -> bytes:
        return HEAD if n == 0 else b"SO-%07d,LAMP-%d,1\n" % ((n - 1) // 2, n % 2)

    def read(self, size: int = -1) -> bytes:
        out, self.rest = self.rest, b""
        while len(out) < size and self.at <= 2 * self.orders:
            out += self.line(self.at)
            self.at += 1
        out, self.rest = out[:size], out[size:]
        return out

    def seek(self, place: int, whence: int = 0) -> int:
        self.at, self.rest = 0, b""
        return place


def cutting(file, settings: CsvSettings = CsvSettings()) -> cut.Cutting:
    return cut.cutting(file, "a.csv", channel.files, settings)


def test_a_huge_file_is_cut_without_ever_being_held():
    tracemalloc.start()
    try:
        found = cutting(Long(20_000))
        tracemalloc.reset_peak()
        batches = rows = 0
        for batch in found.batches:
            batches, rows = batches + 1, rows + batch.count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (batches, rows) == (40, 40_000)
    assert peak < 8 << 20


def test_a_batch_ends_between_two_orders(monkeypatch):
    monkeypatch.setattr(cut, "ORDERS", 2)
    text = HEAD + b"1,A,1\n1,B,1\n2,C,1\n3,D,1\n3,E,1\n"
    batches = list(cutting(io.BytesIO(text)).batches)

    assert [batch.rows for batch in batches] == ["2-4", "5-6"]
    assert batches[1].body == HEAD + b"3,D,1\n3,E,1\n"


def test_more_orders_than_are_remembered_are_laid_on_heaps_and_none_is_lost(monkeypatch):
    monkeypatch.setattr(cut, "_KNOWN", 3)
    text = HEAD + b"".join(b"%d,A,1\n" % (n % 50) for n in range(200))
    batches = list(cutting(io.BytesIO(text)).batches)
    found = sorted(row for batch in batches for row in numbers(batch.rows))

    assert found == list(range(2, 202))
    orders = [line.split(b",")[0] for batch in batches for line in batch.body.splitlines()[1:]]
    assert len({order for n, order in enumerate(orders) if n == 0 or orders[n - 1] != order}) == 50
    assert sum(n == 0 or orders[n - 1] != order for n, order in enumerate(orders)) == 50, (
        "each stands together"
    )


def test_one_order_that_is_too_large_is_told_by_its_row(monkeypatch):
    monkeypatch.setattr(cut, "_LARGEST", 100)
    with pytest.raises(Unreadable, match="the rows of one document are more than"):
        list(cutting(io.BytesIO(HEAD + b"1,A,1\n" * 50)).batches)


def test_a_file_that_is_not_in_the_encoding_that_was_told_says_where():
    with pytest.raises(Unreadable, match="line 4: is not utf-8: bytes b2"):
        list(
            cutting(
                io.BytesIO(HEAD + b"1,A,1\n2,B,1\n" + b"3,\xb2\xe8,1\n" * 9000), CsvSettings(encoding="utf-8")
            ).batches
        )


def test_numbers_of_rows_are_a_short_text():
    assert written([2, 3, 4, 9]) == "2-4,9"
    assert list(numbers("2-4,9")) == [2, 3, 4, 9]
    assert list(numbers("x")) == []
