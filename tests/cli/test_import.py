"""Importing a table: what would come, what came, what went wrong and where, and again without doubling."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from hub.cli import workbook
from hub.cli.failures import Failure
from tests.cli.conftest import until

HEAD = "order_ref,currency,sku,quantity,unit_price\n"


def written(path: Path, text: str, encoding: str = "utf-8") -> str:
    path.write_bytes(text.encode(encoding))
    return str(path)


def numbers(at_hub) -> set[str]:
    return {one["number"] for one in at_hub("orders", "list", "--json").lines()}


def test_a_dry_run_shows_what_would_come_and_sends_nothing(at_hub, tmp_path):
    file = written(tmp_path / "a.csv", HEAD + "D-1,EUR,A,1,9.90\nD-1,EUR,B,2,1.00\nD-2,EUR,A,1,9.90\n")
    said = at_hub("import", file, "--dry-run")

    assert said.code == 0, said.err
    assert "rows 2-3: D-1 2 lines" in said.out
    assert "utf-8 (all ASCII)" in said.out
    assert "2 can be read: nothing was sent" in said.out
    assert not numbers(at_hub) & {"D-1", "D-2"}


def test_the_template_goes_in_as_it_is_written_and_adds_up(at_hub, tmp_path):
    file = tmp_path / "orders.csv"
    assert at_hub("template", "orders", "-o", str(file)).code == 0
    said = at_hub("import", str(file))

    assert said.code == 0, said.out + said.err
    made = at_hub("orders", "show", "SO-1001", "--json").json()
    assert made["computed_totals"]["total"] == made["totals"]["total"]
    assert "anomaly" not in at_hub("orders", "show", "SO-1001").out


def test_good_rows_go_in_and_the_wrong_one_is_named(at_hub, tmp_path):
    file = written(tmp_path / "a.csv", HEAD + "I-1,EUR,A,1,9.90\nI-2,EUR,A,two,9.90\nI-3,EUR,A,1,9.90\n")
    said = at_hub("import", file)

    assert said.code == 1
    assert "a.csv row 3, column quantity: 'two' is not a decimal number" in said.out
    assert "2 taken, 1 rejected" in said.out
    assert {"I-1", "I-3"} <= numbers(at_hub)
    assert "I-2" not in numbers(at_hub)


def test_run_again_it_takes_nothing_twice_and_a_mended_file_goes_on(at_hub, tmp_path):
    file = written(tmp_path / "a.csv", HEAD + "R-1,EUR,A,1,9.90\nR-2,EUR,A,1,9.90\n")
    first = at_hub("import", file, "--json").lines()
    again = at_hub("import", file, "--json").lines()

    assert [one["status"] for one in first] == ["accepted"] * 2
    assert [one["status"] for one in again] == ["duplicate"] * 2
    assert [one["order"] for one in again] == [one["order"] for one in first]
    assert [one["rows"] for one in first] == ["2", "3"]


def test_imported_history_is_told_to_nobody_unless_it_is_said(at_hub, tmp_path):
    quiet = written(tmp_path / "a.csv", HEAD + "Q-1,EUR,A,1,9.90\n")
    loud = written(tmp_path / "b.csv", HEAD + "L-1,EUR,A,1,9.90\n")
    made = at_hub("endpoints", "add", "http://127.0.0.1:9/hooks", "--event", "order.*", "--json")
    assert made.code == 0, made.err
    at_hub("import", quiet)
    at_hub("import", loud, "--emit", "changes")

    orders = {one["number"]: one["id"] for one in at_hub("orders", "list", "--json").lines()}
    owed = until(lambda: at_hub("deliveries", "list", "--json").lines())
    assert orders["L-1"] in {one["order"] for one in owed}
    assert orders["Q-1"] not in {one["order"] for one in owed}


def test_shipments_and_scans_find_the_orders_of_a_connection(at_hub, tmp_path):
    orders = written(tmp_path / "o.csv", HEAD + "S-1,EUR,A,1,9.90\n")
    shipments = written(
        tmp_path / "s.csv", "order_ref,carrier,tracking_number,status\nS-1,DHL,JD9001,shipped\n"
    )
    scans = written(tmp_path / "t.csv", "tracking_number,time,status\nJD9001,2026-02-03 09:12,delivered\n")
    for table, file in (("orders", orders), ("shipments", shipments), ("scans", scans)):
        said = at_hub("import", file, "--table", table, "--time-zone", "Europe/Berlin")
        assert said.code == 0, said.err + said.out

    order = next(one for one in at_hub("orders", "list", "--json").lines() if one["number"] == "S-1")
    whole = at_hub("orders", "show", order["id"], "--json").json()
    assert whole["shipments"][0]["tracking_number"] == "JD9001"
    assert whole["shipments"][0]["status"] == "delivered"


def test_a_table_of_an_office_is_read_as_it_is_written(at_hub, tmp_path):
    text = "Beleg;Bestelldatum;Artikel;Menge;Einzelpreis\nG-1;01.02.2026;Tür;1;1.009,95\n"
    file = written(tmp_path / "a.csv", text, "latin-1")
    said = at_hub(
        "import", file, "--column", "Beleg=order_ref", "--decimal", ",", "--date-format", "%d.%m.%Y",
        "--time-zone", "Europe/Berlin", "--currency", "EUR", "--encoding", "latin-1", "--dry-run", "--json",
    )  # fmt: skip

    (one,) = said.lines()
    assert one["says"]["placed_at"] == "2026-01-31T23:00:00.000Z"
    assert one["says"]["lines"][0]["sku"] == "Tür"
    assert one["says"]["lines"][0]["unit_price"] == {"amount": "1009.95", "currency": "EUR"}


@pytest.mark.parametrize("table", ["orders", "shipments", "scans"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_template_is_read_as_it_is_written(at_hub, tmp_path, table, form):
    file = tmp_path / f"{table}.{form}"
    made = at_hub("template", table, "-o", str(file))
    again = at_hub("template", table, "-o", str(file))
    said = at_hub(
        "import", str(file), "--table", table, "--time-zone", "Europe/Berlin", "--dry-run", "--json"
    )

    assert made.code == 0, made.err
    assert again.code == 2
    (one,) = said.lines()
    assert one["status"] == "readable", one


def test_a_workbook_keeps_its_numbers_and_times(at_hub, tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["订单号", "下单时间", "商品编码", "数量", "单价"])
        sheet.write_row(2, 0, [1001.0, "", "A", 2.0, 19.95])
        sheet.write_datetime(2, 1, datetime(2026, 2, 1, 10, 30))  # noqa: DTZ001  a workbook knows no zone
    (one,) = at_hub(
        "import", str(path), "--currency", "CNY", "--time-zone", "Asia/Shanghai", "--dry-run", "--json"
    ).lines()

    assert (one["ref"], one["rows"]) == ("1001", "3")
    assert one["says"]["placed_at"] == "2026-02-01T02:30:00.000Z"
    assert one["says"]["lines"][0]["quantity"] == {"ordered": "2"}
    assert one["says"]["lines"][0]["unit_price"]["amount"] == "19.95"


def bomb(path: Path, entries: int, size: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(entries):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", b"\0" * size)
    return path


@pytest.mark.parametrize(
    ("entries", "size", "reason"),
    [(201, 1, "201 files in it"), (2, 30 << 20, "inflates to"), (1, 1 << 20, "times its size")],
)
def test_a_workbook_that_would_blow_up_is_not_opened(tmp_path, entries, size, reason):
    with pytest.raises(Failure, match=reason):
        workbook.as_table(bomb(tmp_path / "a.xlsx", entries, size), "")


def test_what_is_no_table_is_refused_in_a_line(at_hub, tmp_path):
    said = at_hub("import", written(tmp_path / "a.csv", "sku,qty\nA,1\n"))
    book = at_hub("import", written(tmp_path / "b.xlsx", "no workbook"))
    gone = at_hub("import", str(tmp_path / "c.csv"))

    assert (said.code, book.code, gone.code) == (1, 1, 2)
    assert "a.csv: row 1: there is no column order_ref" in said.err
    assert "it is no workbook" in book.err
    assert "there is no such file" in gone.err
