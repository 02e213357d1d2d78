"""Files on a shelf: taken when they stand still, once, whole or by their good rows; and nothing is lost when a process
dies in between."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hub.contract.errors import Postponed
from hub.contract.sheet import read_anew
from hub.files.folder import FolderShelf
from hub.inbound.files import cut
from hub.inbound.files.watch import EVERY
from hub.repair.replay import replay as replayed
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


def swapped(monkeypatch, kind: type, file: Path, text: str) -> None:
    """Another file of the same name, size and time lies there the moment before the first is moved."""
    plain, left = kind.move, [1]

    async def move(self, *given: Any) -> str:
        if left:
            left.pop()
            about = file.stat()
            fresh = file.with_name(".fresh")
            fresh.write_text(text)
            os.utime(fresh, ns=(about.st_atime_ns, about.st_mtime_ns))
            assert fresh.stat().st_size == about.st_size
            fresh.replace(file)
        return await plain(self, *given)

    monkeypatch.setattr(kind, "move", move)


async def test_a_file_put_in_the_place_of_another_as_that_is_taken_is_taken_itself(
    town: Town, inbox: Path, monkeypatch
):
    await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1"))
    swapped(monkeypatch, FolderShelf, inbox / "a.csv", rows("2"))
    await look(town)
    assert names(inbox) == ["a.csv"]
    await look(town)

    assert await numbers(town) == ["1", "2"]
    assert names(inbox) == ["done/a.csv"]
    assert await town.exceptions() == []


async def test_a_file_put_in_the_place_of_one_that_cannot_be_read_is_not_put_aside_with_it(
    town: Town, inbox: Path, monkeypatch
):
    await connect(town, inbox)
    good = rows("1")
    (inbox / "a.csv").write_text("x" * len(good))
    swapped(monkeypatch, FolderShelf, inbox / "a.csv", good)
    await look(town, times=4)

    assert await numbers(town) == ["1"]
    assert names(inbox) == ["done/a.csv"]
    assert await town.exceptions() == []


async def test_what_a_dead_process_left_aside_comes_back_beside_a_new_file_of_its_name(
    town: Town, inbox: Path
):
    await connect(town, inbox)
    (inbox / "taking").mkdir()
    (inbox / "taking" / "a.csv").write_text(rows("1"))
    (inbox / "a.csv").write_text(rows("2"))
    await look(town, times=1)
    town.hub.world.move(300)
    await look(town, times=3)

    assert await numbers(town) == ["1", "2"]
    assert names(inbox) == ["done/a.1.csv", "done/a.csv"]


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


async def test_messages_of_a_file_that_was_read_under_wrong_settings_are_read_again_under_those_of_now(
    town: Town, inbox: Path
):
    connection = await connect(town, inbox, encoding="latin-1")
    text = rows("1").replace("unit_price", "unit_price,Anmerkung").replace("9.90", "9.90,請在五點前送到")
    (inbox / "a.csv").write_bytes(text.encode("gbk"))
    await look(town)
    assert "customer_note" not in await town.order()

    connection.settings = {**connection.settings, "encoding": "gbk", "columns": {"Anmerkung": "note"}}
    await town.put(connection)
    ids = [row[1] for row in await town.messages()]
    await replayed(town.hub, "main", ids)

    assert (await town.order())["customer_note"] == "請在五點前送到"
    assert await town.statuses() == ["processed"]


async def test_a_row_that_failed_in_a_wrong_encoding_is_read_in_the_right_one(town: Town, inbox: Path):
    connection = await connect(town, inbox, encoding="latin-1")
    (inbox / "a.csv").write_bytes((HEAD + "1,EUR,A,1,9.90\n2,EUR,A,一,9.90\n二,EUR,A,1,9.90\n").encode("gbk"))
    await look(town)
    (failed,) = [row[1] for row in await town.messages() if row[8] == "failed"]

    connection.settings = {**connection.settings, "encoding": "gbk"}
    await town.put(connection)
    await replay(town.hub)

    (trouble,) = await town.exceptions()
    assert (trouble["subject"], trouble["place"]["source"]["value"]) == (failed, "一")


def test_a_text_reads_anew_only_where_its_bytes_may_have_been_of_the_encoding_that_is_told():
    chinese = "订单".encode("gbk")
    guessed = f"{chinese.decode('latin-1')}"

    assert read_anew(guessed, "iso8859-1 (told)", "gb18030") == ("订单", "gb18030 (told)")
    assert read_anew("订单", "utf-8 (every byte fits)", "latin-1") == ("订单", "utf-8 (every byte fits)")
    assert read_anew("订单", "gb18030 (its high bytes come in pairs)", "utf-8")[0] == "订单"
    assert read_anew("订单", "gb18030 (told)", "gbk") == ("订单", "gb18030 (told)")
    assert read_anew("订单", "", "gbk") == ("订单", "")
