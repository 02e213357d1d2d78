"""Mail: letters of fifty kilobytes through the whole stage, one poisonous among them; how many a second, and in how
much memory, ours and that of the children that read.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path

from hub.bench.figures import Figure
from hub.config import Config
from hub.contract.letter import TOPIC, Envelope, Letter, letter_message
from hub.directory import Connection, Partner
from hub.inbound.intake import head
from hub.inbound.keep import MAIL, Letter as Kept, body_key
from hub.inbound.mail.mailbox import tag_digest
from hub.run import Hub, open_hub
from hub.serve import tune
from hub.store.engine import Unit

BOX, TAG, BUYER = "orders@hub.example", "benchbenchbench", "ada@buyer.example"
POISON = b"--b\r\n\r\nx\r\n" * 50_000


class Nowhere(asyncio.DatagramProtocol):
    """A name server that knows no name, so that no letter waits for one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Kept, to answer on."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """The question given back, with the answer that there is no such name."""
        end = data.index(b"\0", 12) + 5
        answer = data[:2] + b"\x81\x83" + data[4:6] + bytes(6) + data[12:end]
        self.transport.sendto(answer, addr)  # type: ignore[attr-defined]


def letter(number: int, size: int) -> bytes:
    """A letter with an order as a sheet, and a picture that makes it as large as that."""
    rows = "".join(f"W-{n:03},Lamp {n},{n + 1},19.90\r\n" for n in range(10))
    sheet = base64.encodebytes(f"SKU,Description,Qty,Unit price\r\n{rows}".encode())
    picture = base64.encodebytes(b"\xff\xd8\xff" + random.Random(number).randbytes(size * 70 // 100))  # noqa: S311
    return b"".join([
        f"From: Ada Bench <{BUYER}>\r\nTo: {BOX}\r\nSubject: Purchase order PO-{number}\r\nDate: Tue, 05 Jan 2027 10:00:00 +0000\r\n".encode(),
        f"Message-ID: <{number}@buyer.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".encode(),
        b"--b\r\nContent-Type: text/plain\r\n\r\nPlease see attached.\r\n--b\r\nContent-Type: text/csv; name=order.csv\r\n",
        b"Content-Disposition: attachment; filename=order.csv\r\nContent-Transfer-Encoding: base64\r\n\r\n", sheet,
        b"--b\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n", picture, b"--b--\r\n",
    ])  # fmt: skip


def poison() -> bytes:
    """A letter of fifty thousand parts."""
    return (
        f"From: {BUYER}\r\nTo: {BOX}\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".encode()
        + POISON
    )


async def mail_figures(
    database: str, keys: tuple[bytes, ...], count: int = 1000, size: int = 50_000
) -> list[Figure]:
    """Letters kept first, then settled by the stage alone."""
    async with _mailbox(database, keys) as (hub, box):
        begun = time.perf_counter()
        for number in range(count):
            await _keep(hub, box, poison() if number == count // 2 else letter(number, size))
        kept = time.perf_counter() - begun
        begun, settled = time.perf_counter(), 0
        while done := await hub.post.step():
            settled += done
        took = time.perf_counter() - begun
        orders = len(
            await hub.engine.fetch(
                "orders_list",
                tenant="main",
                after=0,
                most=count,
                state="open",
                connection="",
                updated_after=0,
            )
        )
        children = sum(_peak(one.process.pid) for one in hub.post.cell._living)  # noqa: SLF001  its children's memory is asked for
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure(f"letters of {size / 1000:g} kB made durable", count / kept, "/s"),
        Figure(f"letters settled ({orders} orders of {count}, one letter poisonous)", settled / took, "/s"),
        Figure("RSS at most, the hub", ours, "MB"),
        Figure("RSS at most, its reading children together", children, "MB"),
    ]


@contextlib.asynccontextmanager
async def _mailbox(database: str, keys: tuple[bytes, ...]) -> AsyncIterator[tuple[Hub, Connection]]:
    tune()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Nowhere, local_addr=("127.0.0.1", 0))
    dns = f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    try:
        async with open_hub(Config(database=database, keys=keys, dns=dns)) as hub:
            box = Connection(
                id=hub.world.new_id("con"),
                name="orders",
                channel="email",
                key="bench",
                settings={"address": BOX},
            )
            partner = Partner(id=hub.world.new_id("par"), name="Bench Buyer", roles=["buyer"], senders=[BUYER], proof="known_address",
                              locale="en-GB", time_zone="Europe/London", currency="GBP")  # fmt: skip
            partner.addresses = [{"digest": tag_digest(hub.vault, partner.tenant, TAG)}]

            async def make(unit: Unit) -> None:
                await hub.directory.put(unit, box, hub.world.now())
                await hub.directory.put(unit, partner, hub.world.now())

            await hub.engine.transact(make)
            await hub.directory.refresh()
            yield hub, box
    finally:
        transport.close()


async def _keep(hub: Hub, box: Connection, raw: bytes) -> None:
    to = BOX.replace("@", f"+{TAG}@")
    envelope = Envelope(mail_from=BUYER, rcpt_to=(to,), client_ip="192.0.2.7", helo="mx.buyer.example")
    one = Letter(transport="smtp", envelope=envelope, raw=raw, received_at=hub.world.now())
    await hub.keeper.keep(Kept(
        tenant=box.tenant, connection=box.id, transport=MAIL, topic=TOPIC, key=body_key(raw), head=head(letter_message(one)),
        body=raw, received_at=one.received_at,
    ))  # fmt: skip


def _peak(pid: int | None) -> float:
    """The most memory that a process had, in megabytes; 0 where its system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").split("\n")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
