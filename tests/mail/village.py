"""A village of mail: a name server of its own, senders with keys, a hub with a mailbox."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import dkim
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dnslib import QTYPE, RCODE, RR
from dnslib.server import BaseResolver, DNSLogger, DNSServer

from hub.contract.letter import Envelope, Letter, letter_message
from hub.directory import Connection, Partner
from hub.inbound.intake import head
from hub.inbound.keep import MAIL, Kept, Letter as Message, body_key
from hub.inbound.mail.mailbox import tag_digest
from hub.world import World
from tests.path.town import Town

BOX = "orders@hub.example"
HEADERS = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]
TEXT = "Please send 20 x W-001 by Friday.\r\n"


class Zone(BaseResolver):
    """A name server's records: name → type → texts; a name in `silent` is never answered."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.silent = False
        self.asked: list[str] = []

    def put(self, name: str, kind: str, *values: str) -> None:
        self.records[name.lower(), kind] = [*values]

    def resolve(self, request: Any, handler: Any) -> Any:
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        self.asked.append(name)
        reply = request.reply()
        if self.silent:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        values = self.records.get((name, kind), [])
        if not values and not any(known == name for known, _ in self.records):
            reply.header.rcode = RCODE.NXDOMAIN
        for value in values:
            reply.add_answer(*RR.fromZone(f"{name}. 60 {kind} {zone_text(kind, value)}"))
        return reply


def zone_text(kind: str, value: str) -> str:
    if kind != "TXT":
        return value
    return " ".join(f'"{value[at : at + 200]}"' for at in range(0, len(value), 200))


@contextlib.contextmanager
def name_server() -> Iterator[tuple[Zone, str]]:
    """A real name server on a port of its own."""
    zone = Zone()
    server = DNSServer(
        zone, port=0, address="127.0.0.1", logger=DNSLogger(log="-request,-reply,-truncated,-error")
    )
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield zone, f"127.0.0.1:{server.server.server_address[1]}"
    finally:
        server.server.shutdown()
        server.server.server_close()
        thread.join()


@cache
def keys() -> tuple[bytes, str]:
    """A private key in PEM and its public half as a DKIM record."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    lines = (
        made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().splitlines()
    )
    return pem, f"v=DKIM1; k=rsa; p={''.join(lines[1:-1])}"


def publish(
    zone: Zone, domain: str, *, spf: str = "v=spf1 ip4:192.0.2.0/24 -all", dmarc: str = "v=DMARC1; p=reject"
) -> None:
    """A domain with a key, a list of hosts and a policy."""
    zone.put(f"s1._domainkey.{domain}", "TXT", keys()[1])
    zone.put(domain, "TXT", spf)
    if dmarc:
        zone.put(f"_dmarc.{domain}", "TXT", dmarc)


def mail(sender: str = "Ada Quill <ada@lamps.example>", *, text: str = TEXT, subject: str = "Order 4711",
         number: str = "4711", **fields: str) -> bytes:  # fmt: skip
    """A plain letter; `fields` are put in or, where empty, left out: `reply_to` is Reply-To."""
    domain = sender.rpartition("@")[2].rstrip(">")
    known = {
        "From": sender, "To": BOX, "Subject": subject, "Date": "Mon, 02 Feb 2026 09:00:00 +0000",
        "Message-ID": f"<{number}@{domain}>", "MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8",
    } | {name.replace("_", "-").title().replace("-Id", "-ID"): value for name, value in fields.items()}  # fmt: skip
    lines = [f"{name}: {value}" for name, value in known.items() if value]
    return "\r\n".join([*lines, "", text]).encode()


def signed(
    raw: bytes, domain: str = "lamps.example", *, length: bool = False, headers: list[bytes] | None = None
) -> bytes:
    """A letter with a DKIM signature of this domain."""
    field_ = dkim.sign(raw, b"s1", domain.encode(), keys()[0], canonicalize=(b"relaxed", b"relaxed"),
                       include_headers=headers or HEADERS, length=length)  # fmt: skip
    return field_ + raw


@dataclass
class Village:
    """A hub with a mailbox, and the zone of its name server."""

    town: Town
    zone: Zone
    box: Connection
    sent: int = field(default=0)

    @property
    def hub(self) -> Any:
        return self.town.hub

    async def partner(self, name: str = "Lamps Ltd", *, tag: str = "", **fields: Any) -> Partner:
        """A partner that orders by mail."""
        one = Partner(**{"id": self.hub.world.new_id("par"), "name": name, "roles": ["buyer"],
                         "senders": ["lamps.example"], **fields})  # fmt: skip
        if tag:
            one.addresses = [{"digest": tag_digest(self.hub.vault, one.tenant, tag)}]
        await self.town.put(one)
        return one

    async def arrive(self, raw: bytes, *, to: str = BOX, ip: str = "192.0.2.7", mail_from: str | None = "ada@lamps.example",
                     transport: Any = "smtp") -> Kept:  # fmt: skip
        """A letter is durable, as from our own SMTP server."""
        envelope = Envelope(mail_from=mail_from, rcpt_to=(to,), client_ip=ip, helo="mx.lamps.example")
        letter = Letter(transport=transport, envelope=envelope, raw=raw, received_at=self.hub.world.now())
        return await self.hub.keeper.keep(Message(
            tenant=self.box.tenant, connection=self.box.id, transport=MAIL, topic="mail",
            key=body_key(to.encode() + raw), head=head(letter_message(letter)), body=raw, received_at=letter.received_at,
        ))  # fmt: skip

    async def post(self, raw: bytes, **kinds: Any) -> tuple[str, str]:
        """A letter comes and is settled: its status, and why."""
        kept = await self.arrive(raw, **kinds)
        await self.hub.post.step()
        return await self.became(kept.id)

    async def became(self, id_: str) -> tuple[str, str]:
        rows = await self.hub.engine.fetch("messages_get", tenant=self.box.tenant, id=id_)
        doc = await self.hub.engine.fetch("mails_get", tenant=self.box.tenant, message=id_)
        reasons = msgspec.json.decode(doc[0][2])["reasons"] if doc else []
        return rows[0][8], "; ".join(reasons)

    async def verdict(self, id_: str) -> dict[str, Any]:
        """The verdict on the letter of this id."""
        rows = await self.hub.engine.fetch("mails_get", tenant=self.box.tenant, message=id_)
        return msgspec.json.decode(rows[0][2])["verdict"]


@contextlib.asynccontextmanager
async def village(config: Any, **settings: Any) -> AsyncIterator[Village]:
    """A village on this store."""
    from hub.run import open_hub  # noqa: PLC0415  a hub is costly to import

    async with contextlib.AsyncExitStack() as stack:
        zone, server = stack.enter_context(name_server())
        config = msgspec.structs.replace(config, dns=server)
        hub = await stack.enter_async_context(open_hub(config, World.still(time.time_ns() // 1000)))
        town = Town(hub, stack)
        box = await town.connect("email", name="orders", settings={"address": BOX, **settings})
        publish(zone, "lamps.example")
        yield Village(town, zone, box)
