"""Drafting at the command line: `connect` reads the form, writes the mapping as a file and has the connection read with it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from hub.demo.hosts import hosted
from tests.cli.conftest import plain_environment

APP, FORM = "66a0000000000000000000a1", "66a0000000000000000000e1"
WIDGETS = [
    {"name": "_widget_1", "label": "销售订单号", "type": "sn"},
    {"name": "kunde", "label": "客户名称", "type": "text"},
    {"name": "_widget_3", "label": "产品明细", "type": "subform", "items": [
        {"name": "_widget_31", "label": "产品编码", "type": "text"}, {"name": "_widget_32", "label": "数量", "type": "number"},
    ]},
    {"name": "_widget_4", "label": "质检照片", "type": "image"},
]  # fmt: skip
ROW = {
    "_id": "66b000000000000000000001", "entryId": FORM, "_widget_1": "SO-7", "kunde": "远山茶业",
    "createTime": "2026-01-10T16:00:00.000Z", "updateTime": "2026-01-10T16:00:00.000Z",
    "_widget_3": [{"_id": "d1", "_widget_31": "T-1", "_widget_32": 2.5}],
}  # fmt: skip


class Form:
    """A form with widgets and one row."""

    def __init__(self, form: str = FORM) -> None:
        self.form = form
        self.key = "KEY"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = json.loads((await receive())["body"])
        status, told = (
            200,
            {"widgets": WIDGETS} if scope["path"].endswith("/widget/list") else {"data": [ROW]},
        )
        if dict(scope["headers"])[b"authorization"] != f"Bearer {self.key}".encode():
            status, told = 400, {"code": 8301, "msg": "API Key 无效"}
        assert asked["entry_id"] == self.form
        body = json.dumps(told).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-length", b"%d" % len(body))],
            }
        )
        await send({"type": "http.response.body", "body": body})


async def command(served: Any, folder: Any, *args: str) -> tuple[int, str, str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", *args, cwd=folder,
        env=plain_environment(ORDERHUB_URL=served.url, ORDERHUB_TOKEN=served.token),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await child.communicate()
    return child.returncode or 0, out.decode(), err.decode()


def sets(url: str, form: str = FORM, key: str = "KEY") -> list[str]:
    given = [
        f"base_url={url}/api",
        f"api_key={key}",
        f"app_id={APP}",
        f"entry_id={form}",
        "webhook_secret=s3cret",
    ]
    return [part for one in given for part in ("--set", one)]


async def test_connecting_a_form_writes_its_mapping_and_reads_its_rows_with_it(served, tmp_path):
    async with hosted(Form()) as url:
        code, out, err = await command(served, tmp_path, "connect", "jiandaoyun", "--name", "Sales-2026", "--cutover",
                                       "none", *sets(url))  # fmt: skip
        assert code == 0, err
        file = tmp_path / "jiandaoyun.sales_2026.yaml"
        text = file.read_text(encoding="utf-8")
        found = await command(served, tmp_path, "connections", "show", "Sales-2026", "--json")
        again = await command(served, tmp_path, "connections", "draft", "Sales-2026", "--json")

    assert (
        "is drafted into jiandaoyun.sales_2026.yaml and in force; not understood, and there as comments: 1"
        in out
    )
    assert '  number: "_widget_1 | str"' in text
    assert "  #   _widget_4  (image: 质检照片)" in text
    assert json.loads(found[1])["mappings"] == {"*": "jiandaoyun.sales_2026"}
    assert json.loads(found[1])["account"] == FORM
    assert json.loads(found[1])["sweep"] is True
    assert json.loads(again[1]) == {"name": "jiandaoyun.sales_2026", "file": file.name, "active": False}
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert "SO-7" in out, "the newest order is shown, read with the drafted mapping"
    assert (await command(served, tmp_path, "map", "test", file.name))[0] == 0


async def test_a_file_of_the_operator_is_never_written_over(served, tmp_path):
    form = FORM[:-1] + "2"
    mine = tmp_path / "jiandaoyun.mine.yaml"
    mine.write_text("# mine\n", encoding="utf-8")
    async with hosted(Form(form)) as url:
        code, out, err = await command(
            served, tmp_path, "connect", "jiandaoyun", "--name", "mine", *sets(url, form)
        )
        assert code == 0, err
        told = await command(served, tmp_path, "connections", "draft", "mine", "--file", mine.name)

    assert "drafted into jiandaoyun.mine-2.yaml" in out
    assert mine.read_text(encoding="utf-8") == "# mine\n"
    assert told[0] == 1
    assert "is there already" in told[2]


async def test_a_key_that_is_refused_is_told_and_drafts_nothing(served, tmp_path):
    form = FORM[:-1] + "3"
    async with hosted(Form(form)) as url:
        code, out, _ = await command(served, tmp_path, "connect", "jiandaoyun", "--name", "locked",
                                     *sets(url, form, "WRONG"))  # fmt: skip

    assert code == 0
    assert "8301 API Key 无效" in out
    assert (
        json.loads((await command(served, tmp_path, "connections", "show", "locked", "--json"))[1])["sweep"]
        is True
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("channel", "settings", "told"),
    [
        ("aftership", ["--set", "webhook_secret=a"], "nothing is to be drafted"),
        ("jiandaoyun", ["--set", "webhook_secret=a"], "without api_key and app_id and entry_id"),
    ],
)
def test_what_cannot_be_drafted_says_why(at_hub, channel, settings, told):
    name = f"bare-{channel}"
    assert at_hub("connect", channel, "--name", name, *settings).code == 0
    said = at_hub("connections", "draft", name)

    assert said.code == 1
    assert told in said.err
