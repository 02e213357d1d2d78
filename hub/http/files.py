"""Files by upload: streamed to the disk up to a cap, cut into messages, durable before the answer."""

from __future__ import annotations

import asyncio
import tempfile

from hub.contract.errors import Refused, Unreadable
from hub.files.shelf import plain_name
from hub.http.ask import Answer, Ask
from hub.http.keep import find
from hub.http.problems import Problem, invalid
from hub.http.table import EMITS, Op, Param
from hub.inbound.files.take import Taken
from hub.things import Connection

CAP = 512 << 20
_SPOOL = 1 << 22


async def upload_file(ask: Ask) -> Answer:
    """Give a connection a file, as its bytes are. A file of the same content was taken before: 200, `duplicate`. What
    of it cannot be read stands in the exceptions with its row, the rest goes in."""
    connection = find(ask, Connection, ask.path())
    channel = ask.hub.directory.channel(connection)
    if channel.files is None:
        raise Problem(409, "conflict", f"a connection of {channel.name} takes no files")
    if connection.status == "paused":
        raise Problem(409, "conflict", f"{connection.name} is paused")
    name = ask.text("name") or "upload.csv"
    try:
        plain_name(name)
    except Refused as error:
        raise invalid(str(error), "name") from error
    with tempfile.SpooledTemporaryFile(_SPOOL) as spool:
        size = 0
        async for chunk in ask.request.stream():
            size += len(chunk)
            if size > CAP:
                raise Problem(413, "too_large", f"a file may have {CAP} bytes")
            await asyncio.to_thread(spool.write, chunk)
        spool.seek(0)
        try:
            taken = await ask.hub.watcher.taker.take(
                connection,
                name,
                spool,
                quiet=ask.text("emit") == "none",
                again=ask.text("again") == "1",
            )
        except Unreadable as error:
            raise invalid(f"{name}: {error}", error.place.field or "file") from error
    return Answer(value=taken, status=200 if taken.status == "duplicate" else 202)


OPS = (
    Op(method="POST", path="/v1/connections/{id}/files", summary="Upload a file", handle=upload_file, scope="write",
       gives=Taken, status=202, also=(200,), exact=True, stream=True,
       query=(Param("name", "What the file is called."), Param("emit", "none: nobody is told of what it says.", words=EMITS),
              Param("again", "1: cut by the settings of now, though it was taken before.", bool))),
)  # fmt: skip
