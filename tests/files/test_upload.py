"""A file by upload: streamed, durable before the answer, told what became of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from hub.http import files
from hub.http.app import build
from tests.engines import ADMIN
from tests.files.test_watch import numbers, rows
from tests.path.town import Town


@pytest.fixture
async def api(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=build(town.hub))
    headers = {"authorization": f"Bearer {ADMIN}"}
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://hub", headers=headers)
        )


AT = "/v1/connections/desk/files"


async def test_an_uploaded_file_is_taken_and_told_how_it_was_read(town: Town, api: httpx.AsyncClient):
    await town.connect("csv", name="desk", settings={})
    answer = await api.post(AT, params={"name": "a.csv"}, content=rows("1", "2").replace(",", ";").encode())
    again = await api.post(AT, params={"name": "b.csv"}, content=rows("1", "2").replace(",", ";").encode())
    await town.hub.settle()

    assert (answer.status_code, again.status_code) == (202, 200)
    told = answer.json()
    assert (told["status"], told["rows"], told["messages"], told["delimiter"]) == ("accepted", 2, 1, ";")
    assert told["encoding"] == "utf-8 (all ASCII)"
    assert again.json()["status"] == "duplicate"
    assert await numbers(town) == ["1", "2"]


async def test_an_upload_that_nobody_is_told_of(town: Town, api: httpx.AsyncClient):
    partner = await town.partner()
    await town.connect("csv", name="desk", settings={})
    await api.post(AT, params={"emit": "none"}, content=rows("1").encode())
    await town.hub.settle()

    assert await numbers(town) == ["1"]
    assert partner.got == []


@pytest.mark.parametrize(
    ("content", "params", "status", "said"),
    [
        (b"sku,qty\nA,1\n", {"name": "a.csv"}, 422, "a.csv: row 1: there is no column order_ref"),
        (b"", {}, 422, "there is no row of names"),
        (b"\x00\x01\x02\xff" * 50, {}, 422, ""),
        (rows("1").encode(), {"name": "../a.csv"}, 422, "is no name of a file"),
        (b"x" * 2000, {}, 413, "a file may have 1000 bytes"),
    ],
)
async def test_what_is_no_table_is_refused_with_the_reason(
    town: Town,
    api: httpx.AsyncClient,
    monkeypatch,
    content: bytes,
    params: dict[str, str],
    status: int,
    said: str,
):
    monkeypatch.setattr(files, "CAP", 1000)
    await town.connect("csv", name="desk", settings={})
    answer = await api.post(AT, params=params, content=content)

    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"]
    assert await town.messages() == []


async def test_a_connection_that_takes_no_files_says_so(town: Town, api: httpx.AsyncClient):
    await town.connect("shopify", name="desk")

    assert (await api.post(AT, content=b"a")).status_code == 409
    assert (await api.post("/v1/connections/nobody/files", content=b"a")).status_code == 404


async def test_a_file_that_was_taken_as_a_wrong_table_is_cut_anew_where_it_is_told_so(
    town: Town, api: httpx.AsyncClient
):
    text = b"order_ref,tracking_number,status\n1,SF1234567890,shipped\n"
    connection = await town.connect("csv", name="desk", settings={})
    for content in (rows("1").encode(), text):
        await api.post(AT, params={"name": "out.csv"}, content=content)
    await town.hub.settle()
    assert await town.statuses() == ["processed", "failed"]

    connection.settings = {"table": "shipments"}
    await town.put(connection)
    plain = await api.post(AT, params={"name": "out.csv"}, content=text)
    for _ in range(2):
        again = await api.post(AT, params={"name": "out.csv", "again": "1"}, content=text)
    await town.hub.settle()

    assert (plain.json()["status"], again.json()["status"], again.json()["table"]) == (
        "duplicate",
        "accepted",
        "shipments",
    )
    assert [one["tracking_number"] for one in (await town.order())["shipments"]] == ["SF1234567890"]
    assert [row[5] for row in await town.messages()] == ["orders", "orders", "shipments"]
