"""Files on a shelf: taken when they stand still, once, whole or by their good rows; and nothing is lost when a process
dies in between."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hub.contract.errors import Postponed
from hub.files.folder import FolderShelf
from hub.inbound.files import cut
from hub.inbound.files.watch import EVERY
from tests.path.test_bad_input import replay
from tests.path.town import Town

HEAD = "order_ref,currency,sku,quantity,unit_price\n"


def rows(*orders: str, sku: str = "A") -> str:
    return HEAD + "".join(f"{order},EUR,{sku},1,9.90\n" for order in orders)


async def connect(town: Town, folder: Path, **settings: Any):
    return await town.connect(
        "csv", settings={"folder": str(folder), **settings}, sweep=True, time_zone="Asia/Shanghai"
    )


async def look(town: Town, times: int = 2) -> None:
    for _ in range(times):
        town.hub.world.move(EVERY / 1_000_000)
        await town.hub.watcher.step()
    await town.hub.settle()


async def numbers(town: Town) -> list[str]:
    return sorted(one["number"] for one in await town.orders())


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


async def test_a_file_becomes_orders_and_is_moved_away(town: Town, inbox: Path):
    partner = await town.partner(events=["order.created"])
    await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1", "2"))
    await look(town)

    assert await numbers(town) == ["1", "2"]
    assert names(inbox) == ["done/a.csv"]
    assert partner.told() == ["order.created"] * 2
    ((_, id_, *_),) = await town.messages()
    (row,) = await town.hub.engine.fetch("messages_get", tenant="main", id=id_)
    assert bytes(row[7]).decode() == rows("1", "2")
    assert b'"x-file","a.csv"' in bytes(row[6])
    assert b"utf-8 (all ASCII)" in bytes(row[6]), "the decision is shown"


async def test_a_file_that_is_written_on_is_left_alone_until_it_stands_still(town: Town, inbox: Path):
    await connect(town, inbox)
    file = inbox / "a.csv"
    file.write_text(HEAD)
    await look(town, times=1)
    file.write_text(rows("1"))
    await look(town, times=1)
    assert names(inbox) == ["a.csv"]
    os.utime(file, (1, 1))
    await look(town, times=1)
    assert await town.messages() == []
    await look(town, times=1)

    assert await numbers(town) == ["1"]
    assert names(inbox) == ["done/a.csv"]


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.tmp", ".a.csv", "~a.csv", "a.csv.filepart", "a.pdf"])
async def test_what_is_not_ready_or_not_meant_is_left_where_it_is(town: Town, inbox: Path, name: str):
    await connect(town, inbox)
    (inbox / name).write_text(rows("1"))
    (inbox / "link.csv").symlink_to(inbox / name)
    (inbox / "folder.csv").mkdir()
    await look(town, times=3)

    assert await town.messages() == []
    assert (inbox / name).exists()


async def test_the_same_content_again_is_a_duplicate_under_any_name(town: Town, inbox: Path):
    await connect(town, inbox)
    for name in ("a.csv", "a.csv", "b.csv"):
        (inbox / name).write_text(rows("1"))
        await look(town)

    assert names(inbox) == ["done/a.1.csv", "done/a.csv", "done/b.csv"]
    assert await town.statuses() == ["processed"]


async def test_another_content_under_the_same_name_is_another_file(town: Town, inbox: Path):
    await connect(town, inbox)
    for sku in ("A", "B"):
        (inbox / "a.csv").write_text(rows("1", sku=sku))
        await look(town)

    assert await town.statuses() == ["processed"] * 2
    assert [line["sku"] for line in (await town.order())["lines"] if line.get("status") != "removed"] == ["B"]


async def test_a_wrong_row_in_the_middle_is_named_and_the_others_go_in(town: Town, inbox: Path):
    await connect(town, inbox)
    text = rows("1", "2", "3").replace("2,EUR,A,1,9.90", "2,EUR,A,one,9.90")
    (inbox / "a.csv").write_text(text)
    await look(town)

    assert await numbers(town) == ["1", "3"]
    assert names(inbox) == ["done/a.csv"]
    (trouble,) = await town.exceptions()
    assert trouble["title"].startswith("csv orders cannot be read: a.csv, row 3, column quantity: ")
    assert trouble["place"]["source"] == {"file": "a.csv", "row": 3, "column": "quantity", "value": "one"}
    failed = [row for row in await town.messages() if row[8] == "failed"]
    assert [row[1] for row in failed] == [trouble["subject"]]
    (row,) = await town.hub.engine.fetch("messages_get", tenant="main", id=trouble["subject"])
    assert bytes(row[7]).decode() == HEAD + "2,EUR,A,one,9.90\n", "its own row and the row of names"


async def test_a_wrong_row_is_repaired_by_a_setting_and_read_again(town: Town, inbox: Path):
    connection = await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1", "2").replace("2,EUR,A,1,9.90", '2,EUR,A,1,"9,90"'))
    await look(town)
    assert await numbers(town) == ["1"]

    connection.settings = {**connection.settings, "decimal": ","}
    await town.put(connection)
    await replay(town.hub)

    assert await numbers(town) == ["1", "2"]
    assert await town.exceptions() == []
    assert await town.statuses() == ["processed"] * 2


async def test_the_whole_that_is_read_again_keeps_its_failed_part_once(town: Town, inbox: Path):
    await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1", "2").replace("2,EUR,A,1", "2,EUR,A,one"))
    await look(town)
    whole = next(row[1] for row in await town.messages() if row[8] == "processed")

    async def again(unit) -> None:
        unit.add("messages_reopen", [("main", whole)], until=0)

    await town.hub.engine.transact(again)
    town.hub.inbox.spilled = True
    await town.hub.settle()

    assert sorted(await town.statuses()) == ["failed", "processed"]
    assert await numbers(town) == ["1"]
    (trouble,) = await town.exceptions()
    assert trouble["place"]["source"]["row"] == 3


async def test_rows_of_one_order_that_stand_apart_are_one_order(town: Town, inbox: Path, monkeypatch):
    monkeypatch.setattr(cut, "ORDERS", 2)
    await connect(town, inbox)
    (inbox / "a.csv").write_text(
        HEAD + "1,EUR,A,1,1.00\n2,EUR,B,1,1.00\n3,EUR,C,1,1.00\n4,EUR,D,1,1.00\n1,EUR,E,1,1.00\n"
    )
    await look(town)

    orders = {one["number"]: [line["sku"] for line in one["lines"]] for one in await town.orders()}
    assert orders == {"1": ["A", "E"], "2": ["B"], "3": ["C"], "4": ["D"]}
    assert len(await town.messages()) == 2


async def test_a_file_that_cannot_be_read_at_all_is_put_aside_and_told(town: Town, inbox: Path):
    await connect(town, inbox)
    (inbox / "a.csv").write_text("sku,quantity\nA,1\n")
    await look(town)

    assert names(inbox) == ["failed/a.csv"]
    (trouble,) = await town.exceptions()
    assert "a.csv cannot be read: row 1: there is no column order_ref" in trouble["title"]
    assert trouble["place"]["file"] == "a.csv"
    (inbox / "a.csv").write_text(rows("1"))
    await look(town)
    assert await town.exceptions() == [], "a file of its name that can be read mends it"


async def test_a_place_that_is_not_there_is_told_until_it_is(town: Town, inbox: Path):
    await connect(town, inbox / "later")
    await look(town)
    (trouble,) = await town.exceptions()
    assert "its files cannot be read" in trouble["title"]

    (inbox / "later").mkdir()
    await look(town)
    assert await town.exceptions() == []


async def test_a_process_that_dies_between_storing_and_moving_loses_and_doubles_nothing(
    town: Town, inbox: Path, monkeypatch
):
    await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1", "2"))

    async def dies(self, name: str, folder: str) -> str:
        raise Postponed("the process died here")

    with monkeypatch.context() as patch:
        patch.setattr(FolderShelf, "move", dies)
        await look(town)
    assert names(inbox) == ["a.csv"]
    assert await numbers(town) == ["1", "2"]
    await look(town)

    assert names(inbox) == ["done/a.csv"]
    assert await town.statuses() == ["processed"]
    assert await town.exceptions() == []


@pytest.mark.parametrize("named", ["keep", "remember"])
async def test_a_process_that_dies_between_two_batches_goes_on_with_the_next(
    town: Town, inbox: Path, monkeypatch, named: str
):
    monkeypatch.setattr(cut, "ORDERS", 1)
    await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1", "2", "3"))
    taker, calls = type(town.hub.watcher.taker), []
    plain = taker._remember

    async def dies(self, connection, digest, known):
        calls.append(known.batches)
        if len(calls) == 2:
            if named == "remember":
                await plain(self, connection, digest, known)
            raise Postponed("the process died here")
        await plain(self, connection, digest, known)

    with monkeypatch.context() as patch:
        patch.setattr(taker, "_remember", dies)
        await look(town)
    assert names(inbox) == ["a.csv"]
    assert len(await town.messages()) == 2
    await look(town)

    assert await numbers(town) == ["1", "2", "3"]
    assert await town.statuses() == ["processed"] * 3
    assert names(inbox) == ["done/a.csv"]


async def test_a_file_that_is_cut_otherwise_after_a_death_begins_anew(town: Town, inbox: Path, monkeypatch):
    await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1", "2", "3", "4"))
    taker, plain = type(town.hub.watcher.taker), type(town.hub.watcher.taker)._remember

    async def dies(self, connection, digest, known):
        await plain(self, connection, digest, known)
        if known.batches == 2:
            raise Postponed("the process died here")

    with monkeypatch.context() as patch:
        patch.setattr(cut, "ORDERS", 1)
        patch.setattr(taker, "_remember", dies)
        await look(town)
    assert await numbers(town) == ["1", "2"]
    monkeypatch.setattr(cut, "ORDERS", 2)  # another version of the hub, or other settings
    await look(town)

    assert await numbers(town) == ["1", "2", "3", "4"]
    assert names(inbox) == ["done/a.csv"]


async def test_one_folder_may_hold_several_tables(town: Town, inbox: Path):
    await connect(town, inbox, tables={"ship*.csv": "shipments"})
    (inbox / "orders.csv").write_text(rows("1"))
    await look(town)
    (inbox / "ship-1.csv").write_text(
        "订单号,快递公司,快递单号,发货状态\n1,顺丰,SF1234567890,已发货\n", encoding="gbk"
    )
    await look(town)

    (shipment,) = (await town.order())["shipments"]
    assert (shipment["tracking_number"], shipment["status"]) == ("SF1234567890", "shipped")


async def test_a_warehouse_speaks_of_the_orders_of_a_shop(town: Town, inbox: Path):
    shop = await town.connect("shopify")
    await town.say(shop, "orders-create.plain")
    await connect(town, inbox, table="shipments", orders_of="shopify")
    (inbox / "out.csv").write_text("order_ref,tracking_number,status\n6120110011001,JD01,shipped\n")
    await look(town)

    assert "JD01" in [one.get("tracking_number") for one in (await town.order())["shipments"]]


async def test_where_a_value_came_from_is_known_though_its_file_has_a_wrong_row(town: Town, inbox: Path):
    from hub.repair.provenance import provenance  # noqa: PLC0415

    await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1", "2").replace("2,EUR,A,1", "2,EUR,A,one"))
    await look(town)
    order = await town.order()
    found = await provenance(town.hub, "main", order["id"])

    told = str(found)
    assert "csv.order.yaml" in told
    assert "unit_price" in told
