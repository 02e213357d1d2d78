"""Mail as a real SMTP server gets it, and what its refusals mean."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from aiosmtpd.smtp import SMTP

from hub.outbound.guard import Guard
from hub.outbound.notify.mail import Smtp, SmtpSettings, address, message_id
from hub.outbound.notify.notice import Notice
from hub.replies import Marks
from hub.world import World
from tests.notify.receivers import Postbox, account, certificate, postbox

MARKS = Marks((bytes(range(32)),))
HERE = Guard.of(("127.0.0.1/32",))


def smtp(port: int, guard: Guard = HERE, **more) -> Smtp:
    given = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "灯与布 <orders@lantern.example>",
    }
    return Smtp(SmtpSettings(**{**given, **more}), guard, MARKS, World.still())


def notice(**more) -> Notice:
    given = {"id": "ntc_1", "to": ("ada@example.com",), "title": "Order 1001 ist unterwegs – 已发货",
             "text": "Dear Ada,\nyour parcel is on its way.\n", "html": "<p>Dear <b>Ada</b></p>"}  # fmt: skip
    return Notice(**{**given, **more})


async def test_a_mail_arrives_whole_with_its_marks_and_on_its_thread():
    async with postbox() as box:
        receipt = await smtp(box.port).send(
            notice(
                follows=("<first@buyer.example>", "<ntc_0@lantern.example>"),
                answer_to=MARKS.reply_address("reply@lantern.example", "ord_01ABC"),
            )
        )

    (mail,) = box.mails
    assert receipt.status == "sent"
    assert receipt.ref == mail["Message-ID"] == "<ntc_1@lantern.example>"
    assert mail["Subject"] == "Order 1001 ist unterwegs – 已发货"
    assert mail["From"].addresses[0].display_name == "灯与布"
    assert mail["In-Reply-To"] == "<ntc_0@lantern.example>"
    assert mail["References"] == "<first@buyer.example> <ntc_0@lantern.example>"
    assert MARKS.order_of(mail["Reply-To"].addresses[0].addr_spec) == "ord_01ABC"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert MARKS.own_mail(mail["X-Hub-Message"]) == "ntc_1"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").startswith("Dear Ada,\nyour parcel")
    assert "<b>Ada</b>" in mail.get_body(("html",)).get_content()
    assert box.envelopes == [("orders@lantern.example", ["ada@example.com"])]


async def test_a_mail_that_is_sent_again_has_the_same_name():
    async with postbox() as box:
        first = await smtp(box.port).send(notice())
        again = await smtp(box.port).send(notice())

    assert first.ref == again.ref
    assert len(box.mails) == 2


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the test's server does not see that TLS came first
@pytest.mark.filterwarnings("ignore:Session.login_data")
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_mail_goes_over_tls_with_an_account(tmp_path, security):
    cert, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    options = {"authenticator": account, "auth_required": True, "auth_require_tls": security == "starttls"}
    options |= {"tls": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    async with postbox(**options) as box:
        login = {"security": security, "username": "orders", "certificate": cert.read_text()}
        good = await smtp(box.port, password="s3cret", **login).send(notice())
        bad = await smtp(box.port, password="wrong", **login).send(notice())
        stranger = await smtp(box.port, security=security, username="orders", password="s3cret").send(
            notice()
        )

    assert good.status == "sent", good
    assert (bad.status, bad.reason[:23]) == ("later", "the account was refused")
    assert stranger.status == "unreachable"
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("answer", "expected"), [("550 no such person", "failed"), ("451 come back", "later")]
)
async def test_a_recipients_refusal_is_for_good_or_for_now(answer, expected):
    async with postbox() as box:
        box.says["ada@example.com"] = answer
        receipt = await smtp(box.port).send(notice())

    assert receipt.status == expected
    assert answer[4:] in receipt.reason


@pytest.mark.parametrize(("answer", "expected"), [("554 spam", "failed"), ("452 full", "later")])
async def test_a_mails_refusal_is_for_good_or_for_now(answer, expected):
    async with postbox() as box:
        box.data = answer
        receipt = await smtp(box.port).send(notice())

    assert receipt.status == expected


async def test_a_server_that_is_not_there_is_unreachable():
    async with postbox() as box:
        port = box.port

    assert (await smtp(port).send(notice())).status == "unreachable"


async def test_what_goes_wrong_after_the_mail_was_taken_sends_it_no_second_time():
    class Curt(SMTP):
        """Takes a mail, and answers no farewell."""

        async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
            self.transport.close()

    box = Postbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Curt(box, hostname="mail.test", loop=loop), "127.0.0.1", 0)
    receipt = await smtp(server.sockets[0].getsockname()[1]).send(notice())
    server.close()

    assert len(box.mails) == 1
    assert (receipt.status, receipt.ref) == ("sent", "<ntc_1@lantern.example>")


async def test_the_guard_judges_the_address_that_is_dialled():
    async with postbox() as box:
        receipt = await smtp(box.port, Guard.of(())).send(notice())

    assert receipt.status == "unreachable"
    assert "not allowed: loopback" in receipt.reason
    assert box.mails == []


async def test_nothing_in_a_notice_becomes_a_header_of_its_own():
    async with postbox() as box:
        receipt = await smtp(box.port).send(
            notice(
                title="Hello\r\nBcc: eve@example.com",
                sender="Shop\nX: y",
                headers={"List-Id": "a\r\nX-Evil: 1"},
            )
        )

    (mail,) = box.mails
    assert receipt.status == "sent"
    assert (mail["Bcc"], mail["X-Evil"], mail["X"]) == (None, None, None)
    assert mail["Subject"] == "Hello Bcc: eve@example.com"


async def test_what_is_no_address_is_told_and_never_sent():
    async with postbox() as box:
        receipt = await smtp(box.port).send(notice(to=("ada at example.com", "x@y, z@w")))

    assert receipt.status == "failed"
    assert box.mails == []


def test_addresses_are_taken_as_smtp_takes_them():
    assert address("ada@bücher.example") == "ada@xn--bcher-kva.example"
    assert [address(one) for one in ("ada", "a b@c.de", "a@b\r\nc", "é@x.de", "<a@b.c>")] == [""] * 5
    assert message_id("ntc_1", "Shop <orders@lantern.example>") == "<ntc_1@lantern.example>"
