"""News written out as files for warehouses that live on them: by a route, one file each, whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from hub.contract import Context, Put, Refused, Task
from hub.things import Route
from tests.files.test_watch import names
from tests.path.town import Town


async def ordered(
    town: Town, settings: dict[str, Any], event: str = "order.created", write: str = "order.create"
):
    """A shop whose news goes to a warehouse's files, and an order of it."""
    warehouse = await town.connect("csv", name="warehouse", settings=settings)
    shop = await town.connect("shopify")
    await town.put(
        Route(
            id=town.hub.world.new_id("rou"),
            name="to the warehouse",
            event=event,
            connection=warehouse.id,
            write=write,
        )
    )
    await town.say(shop, "orders-create.plain")
    return shop


def table(file: Path, **form: Any) -> list[dict[str, str]]:
    with file.open(newline="", encoding=form.pop("encoding", "utf-8")) as text:
        return list(csv.DictReader(text, **form))


async def test_an_order_is_a_file_with_a_row_for_each_line(town: Town, inbox: Path):
    await ordered(town, {"out_folder": str(inbox)})
    order = await town.order()
    (name,) = names(inbox)
    found = table(inbox / name)

    assert [row["sku"] for row in found] == [line.get("sku", "") for line in order["lines"]]
    assert found[0]["order_number"] == order["number"]
    assert found[0]["ship_city"] == order["ship_to"]["city"]
    assert found[0]["unit_price"] == order["lines"][0]["unit_price"]["amount"]


async def test_a_shipment_is_a_file_with_its_number_and_lines(town: Town, inbox: Path):
    shop = await ordered(town, {"out_folder": str(inbox)}, "shipment.shipped", "shipment.create")
    assert names(inbox) == []
    await town.say(shop, "fulfillments-create.plain")
    (name,) = names(inbox)
    found = table(inbox / name)

    (shipment,) = (await town.order())["shipments"]
    assert name.startswith("shipment-")
    number = shipment.get("tracking_number") or shipment["packages"][0]["tracking_number"]
    assert {row["tracking_number"] for row in found} == {number}
    assert all(row["quantity"] for row in found)


async def test_it_is_written_as_the_warehouse_reads_it(town: Town, inbox: Path):
    told = {"out_folder": str(inbox), "out_delimiter": ";", "out_decimal": ",", "out_encoding": "gb18030"}
    await ordered(town, told)
    (name,) = names(inbox)
    found = table(inbox / name, delimiter=";", encoding="gb18030")

    assert "," in found[0]["unit_price"]


async def test_a_folder_that_is_away_is_tried_again_and_then_has_the_file_once(town: Town, inbox: Path):
    await ordered(town, {"out_folder": str(inbox / "later")})
    (inbox / "later").mkdir()
    for _ in range(3):
        town.hub.world.move(4000)
        await town.hub.settle()

    assert len(names(inbox)) == 1


def write(order: dict[str, Any], **given: Any) -> Put:
    """What the order is written as, driven by hand."""
    from adapters.csv import channel  # noqa: PLC0415
    from adapters.csv.settings import CsvSettings  # noqa: PLC0415

    told = CsvSettings(out_folder="/srv", **given)
    task = Task(event="order.created", order=order, key="evt_1")
    return next(channel.writes["order.create"].do(Context(settings=told), task))


def test_the_same_news_has_the_same_name_at_every_try_and_no_path_in_it():
    order = {"id": "ord_1", "number": "../../etc/passwd", "lines": []}

    assert write(order).name == write(order).name == "order-etc-passwd-evt_1.csv"


def test_a_cell_that_a_spreadsheet_would_run_is_a_text():
    put = write(
        {
            "number": "1",
            "customer_note": "=cmd|'/c calc'!A0",
            "lines": [{"ref": "1", "sku": "-7"}],
            "ship_to": {"phone": "+49 30 901820"},
        }
    )

    assert b",'=cmd|" in put.body
    assert b",+49 30 901820," in put.body
    assert b",-7," in put.body


def test_a_sign_that_the_encoding_lacks_is_told_and_never_lost():
    with pytest.raises(Refused, match="has no '茶'"):
        write({"number": "1", "lines": [{"ref": "1", "name": "茶"}]}, out_encoding="latin-1")
