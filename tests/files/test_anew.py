"""Files that were read under wrong settings are read anew under those of now."""

from __future__ import annotations

from pathlib import Path

from hub.contract.sheet import read_anew
from hub.repair.replay import replay as replayed
from tests.files.test_watch import HEAD, connect, look, rows
from tests.path.test_bad_input import replay
from tests.path.town import Town


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
