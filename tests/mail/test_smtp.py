"""Our own SMTP and LMTP server, fed by two clients that are not ours."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import smtplib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.cli.failures import Failure
from hub.cli.serving import _place
from hub.contract.errors import Misconfigured
from hub.inbound.mail.smtp import Caps, Door, certificate, listening
from hub.replies import Marks
from hub.store.engine import Unavailable
from tests.mail.village import BOX, Village, mail, signed

SENDER = "ada@lamps.example"


@contextlib.asynccontextmanager
async def door(village: Village, *, trust: ssl.SSLContext | None = None, **kinds: Any) -> AsyncIterator[int]:
    hub = village.hub
    one = Door(hub.directory, hub.keeper, hub.vault, hub.metrics, hub.world, **kinds)
    async with listening(one, "127.0.0.1:0", trust=trust) as server:
        yield server.sockets[0].getsockname()[1]


def send(port: int, raw: bytes, to: str | list[str] = BOX, sender: str = SENDER) -> dict[str, Any]:
    """By Python's own client."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="mx.lamps.example", timeout=20) as client:
        return client.sendmail(sender, to, raw)


async def test_a_letter_is_durable_when_it_is_answered_and_kept_to_the_byte(village: Village):
    raw = signed(mail()).replace(b"Friday.", b"Friday.\r\n.a line that begins with a dot")

    async with door(village) as port:
        await asyncio.to_thread(send, port, raw)

    (row,) = await village.town.messages()
    kept = await village.hub.engine.fetch("messages_get", tenant="main", id=row[1])
    assert (row[4], row[8], bytes(kept[0][7])) == ("email", "received", raw)


async def test_a_letter_by_another_client_is_judged_with_its_envelope(village: Village):
    await village.partner()
    village.zone.put("lamps.example", "TXT", "v=spf1 ip4:127.0.0.1 -all")

    async with door(village) as port:
        await aiosmtplib.send(
            mail(), sender=SENDER, recipients=[BOX], hostname="127.0.0.1", port=port, start_tls=False
        )
    await village.hub.post.step()

    (row,) = await village.town.messages()
    verdict = await village.verdict(row[1])
    assert (verdict["spf"], verdict["dmarc"], verdict["trusted"]) == ("pass", "pass", True)


async def test_only_mailboxes_secret_and_reply_addresses_are_written_to(village: Village):
    await village.partner(tag="p7f3secret")
    order = "ord_01KDEADBEEF0000000000000AB"
    reply = Marks(village.hub.vault.keys).reply_address("reply@hub.example", order)
    known = [BOX, BOX.upper(), "orders+p7f3secret@hub.example", reply]
    strange = [
        "sales@hub.example",
        "orders+guess@hub.example",
        "orders@other.example",
        f"{reply[:-14]}0@hub.example",
    ]

    async with door(village) as port:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        async with client:
            await client.ehlo()
            await client.mail(SENDER)
            codes = []
            for address in [*known, *strange]:
                try:
                    codes.append((await client.rcpt(address)).code)
                except aiosmtplib.SMTPRecipientRefused as error:
                    codes.append(error.code)

    assert codes == [250] * 4 + [550] * 4


async def test_the_size_limit_is_announced_and_kept(village: Village):
    async with door(village, caps=Caps(size=20_000)) as port:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        async with client:
            answer = await client.ehlo()
            with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
                await client.sendmail(SENDER, [BOX], mail(text="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 400))

    assert "SIZE 20000" in answer.message
    assert refused.value.code == 552
    assert await village.town.messages() == []


async def test_a_store_that_is_away_is_451_and_the_same_letter_comes_in_later(village: Village):
    keep = village.hub.keeper.keep

    async def away(letter: Any) -> Any:
        raise Unavailable("the disk is full")

    async with door(village) as port:
        village.hub.keeper.keep = away
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await asyncio.to_thread(send, port, mail())
        village.hub.keeper.keep = keep
        await asyncio.to_thread(send, port, mail())

    assert refused.value.smtp_code == 451
    assert len(await village.town.messages()) == 1


async def test_a_letter_that_is_sent_again_for_want_of_an_answer_is_kept_once(village: Village):
    async with door(village) as port:
        for _ in range(3):
            await asyncio.to_thread(send, port, mail())

    assert len(await village.town.messages()) == 1


async def test_a_paused_mailbox_asks_to_come_back(village: Village):
    village.box.status = "paused"
    await village.town.put(village.box)

    async with door(village) as port:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await asyncio.to_thread(send, port, mail())

    assert refused.value.recipients[BOX][0] == 451


async def test_a_slow_client_holds_up_no_other_and_too_many_are_turned_away(village: Village):
    async with door(village, caps=Caps(of_one=2)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        for line in ("EHLO slow", f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{BOX}>", "DATA"):
            writer.write(f"{line}\r\n".encode())
            while (await reader.readline())[3:4] == b"-":
                pass
        writer.write(b"Subject: I take my ti")
        await asyncio.to_thread(send, port, mail())
        second = await asyncio.open_connection("127.0.0.1", port)
        third = await asyncio.open_connection("127.0.0.1", port)
        answers = [await second[0].readline(), await third[0].readline()]
        for one in (writer, second[1], third[1]):
            one.close()
            await one.wait_closed()

    assert len(await village.town.messages()) == 1
    assert answers[0].startswith(b"220")
    assert answers[1].startswith(b"421")


async def test_starttls_is_offered_and_its_use_is_known(village: Village, tmp_path: Path):
    trust = certificate(*make_certificate(tmp_path))
    client_side = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))

    async with door(village, trust=trust) as port:
        await aiosmtplib.send(mail(), sender=SENDER, recipients=[BOX], hostname="localhost", port=port, start_tls=True,
                              tls_context=client_side)  # fmt: skip

    (row,) = await village.town.messages()
    assert b"x-letter-tls" in bytes(row[6])


async def test_lmtp_answers_for_each_recipient(village: Village):
    await village.partner(tag="p7f3secret")

    async with door(village, lmtp=True) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        told = [
            "LHLO mx",
            f"MAIL FROM:<{SENDER}>",
            f"RCPT TO:<{BOX}>",
            "RCPT TO:<orders+p7f3secret@hub.example>",
            "DATA",
        ]
        for line in told:
            writer.write(f"{line}\r\n".encode())
            while (await reader.readline())[3:4] == b"-":
                pass
        writer.write(mail() + b".\r\n")
        answers = [await reader.readline(), await reader.readline()]
        writer.close()
        await writer.wait_closed()

    assert answers == [b"250 2.0.0 kept\r\n"] * 2
    assert len(await village.town.messages()) == 1


async def test_two_hundred_recipients_are_enough(village: Village):
    async with door(village, caps=Caps(recipients=2)) as port:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await asyncio.to_thread(send, port, mail(), ["x@hub.example"])
        told = await asyncio.to_thread(send, port, mail(), [BOX, BOX, BOX.title()])

    assert refused.value.recipients["x@hub.example"][0] == 550
    assert {code for code, _ in told.values()} == {452}


async def test_a_place_that_is_taken_is_told(village: Village):
    async with door(village) as port:
        hub = village.hub
        one = Door(hub.directory, hub.keeper, hub.vault, hub.metrics, hub.world)
        with pytest.raises(Misconfigured, match="cannot listen"):
            async with listening(one, f"127.0.0.1:{port}"):
                pass
    with pytest.raises(Misconfigured, match="SMTP_CERT"):
        certificate("nowhere.pem", "")


def make_certificate(folder: Path) -> tuple[str, str]:
    """A certificate for localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, pem = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(Encoding.PEM))
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(cert), str(pem)


@pytest.mark.parametrize("place", ["nonsense", "127.0.0.1", "127.0.0.1:70000", ":"])
def test_a_place_that_is_none_is_told_before_anything_starts(place: str):
    with pytest.raises(Failure, match="not HOST:PORT"):
        _place(place, "--smtp")
