"""The mail's pure parts: marks within their limits, machines, what is known again, budgets, likeness, SPF."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import binary, text

from hub.contract.errors import Rejected, TooLarge, Unreadable
from hub.directory import Connection
from hub.inbound.mail import again, budget
from hub.inbound.mail.dmarc import Policy, aligned, judge, organisation
from hub.inbound.mail.likeness import impostor, mixed
from hub.inbound.mail.loops import machine
from hub.inbound.mail.mailbox import Mailbox, parted
from hub.inbound.mail.marks import Address, addresses, marks
from hub.inbound.mail.resolver import Silent
from hub.inbound.mail.spf import spf
from hub.inbound.mail.thread import numbers
from hub.inbound.mail.trust import relayed, said_by
from hub.inbound.mail.verdict import Seal
from tests.mail.village import BOX, mail

OURS = Mailbox(connection=Connection(id="con_1", name="orders", channel="email", key="k"), address=BOX)


# ── marks ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ada@lamps.example", [Address("ada@lamps.example")]),
        ("Ada <Ada@LAMPS.example>", [Address("Ada@lamps.example", "Ada")]),
        ('"Quill, Ada" <ada@lamps.example>', [Address("ada@lamps.example", "Quill, Ada")]),
        ("Ada (of (the) lamps) <ada@lamps.example>", [Address("ada@lamps.example", "Ada")]),
        ("a@x.example, b@y.example", [Address("a@x.example"), Address("b@y.example")]),
        ("=?utf-8?B?5p2O5piO?= <li@deng.example>", [Address("li@deng.example", "李明")]),
    ],
)
def test_addresses_are_read_as_people_write_them(value: str, found: list[Address]):
    assert addresses(value) == found


@pytest.mark.parametrize(
    "value", ["(" * 1000, '"' * 999, "<" * 1000, "a@b@c", "x", "a b@c.example", "a@b.example (", "@x"]
)
def test_what_is_no_address_is_refused_and_not_guessed(value: str):
    with pytest.raises(Unreadable):
        addresses(value)


def test_twenty_thousand_addresses_are_too_many_at_once():
    with pytest.raises(TooLarge):
        addresses(", ".join(f"a{n}@x.example" for n in range(20_000)))


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example\r\n" + b"X: y\r\n" * 1_001 + b"\r\n",
        b"From: a@b.example\r\nX: " + b"y" * 40_000 + b"\r\n\r\n",
        b"X-Long: " + b"y\r\n " * 200_000,
        b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"--b\r\n\r\nx\r\n" * 50_000,
        b"".join(
            b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(1_000)
        ),
    ],
    ids=["fields", "field", "header", "parts", "levels"],
)
def test_more_than_any_letter_needs_is_refused_before_anything_is_parsed(raw: bytes):
    with pytest.raises(TooLarge):
        marks(raw)


@given(binary(max_size=400))
def test_any_bytes_have_marks_or_are_refused(raw: bytes):
    try:
        found = marks(b"From: " + raw)
    except Rejected:
        return
    assert found.sender is not None or found.faults


@given(text(max_size=120))
def test_any_text_has_addresses_or_is_refused(value: str):
    with contextlib.suppress(Rejected):
        assert all("@" in one.address for one in addresses(value))


def test_a_folded_field_is_one_field_and_the_letters_it_answers_are_found():
    raw = mail(references="<1@x>\r\n <2@x>", in_reply_to="<2@x>")

    assert marks(raw).answers() == ("<2@x>", "<1@x>")
    assert len(marks(mail(references=" ".join(f"<{n}@x>" for n in range(500)))).answers()) == 32


# ── machines ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fields",
    [
        {"auto_submitted": "auto-replied"},
        {"auto_submitted": "auto-generated; owner=x"},
        {"precedence": "bulk"},
        {"precedence": "Auto_Reply"},
        {"list_id": "<news.lamps.example>"},
        {"list_unsubscribe": "<https://lamps.example/u>"},
        {"x_auto_response_suppress": "All"},
        {"return_path": "<>"},
        {"content_type": "multipart/report; report-type=delivery-status; boundary=x"},
        {"content_type": "text/calendar"},
        {"from": f"Orders <{BOX}>"},
        {"from": "Orders <orders+p7f3@hub.example>"},
        {"from": "MAILER-DAEMON@lamps.example"},
    ],
)
def test_what_a_machine_wrote_is_known(fields: dict[str, str]):
    assert machine(marks(mail(**fields)), "ada@lamps.example", [OURS], marked=False)


def test_what_a_person_wrote_is_not_taken_for_a_machine_s():
    plain = marks(mail(auto_submitted="no", reply_to="ada@lamps.example"))

    assert machine(plain, "ada@lamps.example", [OURS], marked=False) == ""
    assert machine(plain, None, [OURS], marked=False) == ""
    assert "bounce" in machine(plain, "", [OURS], marked=False)
    assert "our own" in machine(plain, "ada@lamps.example", [OURS], marked=True)


# ── again ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_letter_is_known_by_what_it_says_though_its_id_was_rewritten_and_its_parts_wrapped_anew():
    def wrapped(bound: str, number: str) -> bytes:
        return mail(number=number, content_type=f'multipart/mixed; boundary="{bound}"',
                    text=f"--{bound}\r\n\r\nhello\r\n--{bound}--\r\n")  # fmt: skip

    one, other = wrapped("aaa", "1"), wrapped("bbbb", "2").replace(b"\r\n", b"\n")

    assert again.content(marks(one), one) == again.content(marks(other), other)
    assert set(again.keys(marks(one), one)) & set(again.keys(marks(other), other))


def test_an_id_alone_does_not_make_two_senders_letters_one():
    mine, theirs = mail(message_id="<1@x>"), mail("Bo <bo@bulbs.example>", message_id="<1@x>")

    assert not set(again.keys(marks(mine), mine)) & set(again.keys(marks(theirs), theirs))


def test_other_words_are_another_letter():
    one, other = mail(number="1"), mail(number="2", text="Please send 21 x W-001\r\n")

    assert not set(again.keys(marks(one), one)) & set(again.keys(marks(other), other))


def test_a_budget_is_spent_within_the_hour_and_whole_again_after_it():
    now = 10 * budget.HOUR
    times = [now - n for n in range(5)]

    assert budget.spent(times, now, budget.DRAFTS)
    assert not budget.spent(times[:4], now, budget.DRAFTS)
    assert not budget.spent(times, now + budget.HOUR, budget.DRAFTS)


# ── likeness, alignment ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "domain", ["1amps.example", "larnps.example", "lam-ps.example", "lаmps.example", "LAMPS.examp1e"]
)
def test_a_domain_that_looks_like_a_partner_s_is_an_impostor(domain: str):
    assert impostor(domain.lower(), ["lamps.example"]) == "lamps.example"


@pytest.mark.parametrize("domain", ["lamps.example", "mail.lamps.example", "bulbs.example", "lamp.example"])
def test_a_domain_of_its_own_is_none(domain: str):
    assert impostor(domain, ["lamps.example"]) == ""


def test_scripts_that_no_language_mixes_are_mixed():
    assert mixed("xn--lmps-53d.example")
    assert not mixed("灯具.example")
    assert not mixed("лампы.example")


def test_domains_align_by_who_registered_them():
    assert organisation("mail.shop.lamps.co.uk") == "lamps.co.uk"
    assert aligned("mail.lamps.co.uk", "lamps.co.uk")
    assert not aligned("mail.lamps.co.uk", "lamps.co.uk", strict=True)
    assert not aligned("lamps.co.uk", "bulbs.co.uk")
    assert not aligned("", "")


def test_dmarc_is_passed_by_what_is_aligned_alone():
    good = Seal(domain="mail.lamps.example", result="pass")

    assert judge(Policy(), "lamps.example", [good], "fail", "") == "pass"
    assert judge(Policy(strict_dkim=True), "lamps.example", [good], "fail", "") == "fail"
    assert (
        judge(Policy(), "lamps.example", [Seal(domain="evil.example", result="pass")], "pass", "evil.example")
        == "fail"
    )
    assert (
        judge(Policy(), "lamps.example", [Seal(domain="lamps.example", result="ignored")], "none", "")
        == "fail"
    )
    assert judge(None, "lamps.example", [good], "pass", "lamps.example") == "none"
    assert judge(Policy(), "lamps.example", [], "temperror", "") == "temperror"


def test_only_the_topmost_results_of_the_configured_server_count():
    box = Mailbox(connection=OURS.connection, address=BOX, authserv_id="mx.hub.example")
    true = "mx.hub.example; spf=pass smtp.mailfrom=lamps.example; dmarc=pass (p=reject) header.from=lamps.example"

    def said(*values: str, mailbox: Mailbox = box) -> dict[str, str]:
        lines = "".join(f"Authentication-Results: {one}\r\n" for one in values).encode()
        return said_by(marks(lines + mail()), mailbox)

    assert said(true)["dmarc"] == "pass"
    assert said("mx.evil.example; dmarc=pass", true) == {}
    assert said(true.replace("header.from=lamps", "header.from=evil")) == {}
    assert said(true, mailbox=OURS) == {}


def test_our_own_servers_are_known_by_address_and_network():
    assert relayed("10.1.2.3", ("10.0.0.0/8",))
    assert relayed("192.0.2.1", ("192.0.2.1",))
    assert not relayed("192.0.2.2", ("192.0.2.1",))
    assert not relayed("", ("192.0.2.1",))
    assert not relayed("192.0.2.1", ("nonsense",))


def test_an_address_is_parted_from_its_tag():
    assert parted(" <Orders+P7F3@Hub.Example.> ") == (BOX, "p7f3")
    assert parted(BOX) == (BOX, "")


def test_what_may_be_a_number_in_a_subject():
    assert numbers("Re: PO-4711/A, please (urgent) #12") == ["PO-4711/A"]


# ── SPF ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Names:
    """A resolver made of a table."""

    table: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()

    async def txt(self, name: str) -> list[str]:
        if name in self.silent:
            raise Silent(name)
        return self.table.get((name, "TXT"), [])

    async def addresses(self, name: str, *, six: bool) -> list[str]:
        return self.table.get((name, "AAAA" if six else "A"), [])

    async def exchanges(self, name: str) -> list[str]:
        return self.table.get((name, "MX"), [])


TABLE = {
    ("list.example", "TXT"): ["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"],
    ("soft.example", "TXT"): ["v=spf1 ip4:192.0.2.0/24 ~all"],
    ("open.example", "TXT"): ["v=spf1 +all"],
    ("quiet.example", "TXT"): ["v=spf1 ip4:192.0.2.9"],
    ("host.example", "TXT"): ["v=spf1 a mx/24 -all"],
    ("host.example", "A"): ["198.51.100.1"],
    ("host.example", "MX"): ["mx.host.example"],
    ("mx.host.example", "A"): ["203.0.113.77"],
    ("within.example", "TXT"): ["v=spf1 include:list.example -all"],
    ("away.example", "TXT"): ["v=spf1 redirect=list.example"],
    ("macro.example", "TXT"): ["v=spf1 exists:%{ir}.%{l}.ok.example -all"],
    ("7.2.0.192.ada.ok.example", "A"): ["127.0.0.2"],
    ("twice.example", "TXT"): ["v=spf1 +all", "v=spf1 -all"],
    ("wrong.example", "TXT"): ["v=spf1 ip4:nonsense -all"],
    ("odd.example", "TXT"): ["v=spf1 whatever -all"],
    ("loop.example", "TXT"): ["v=spf1 include:loop.example -all"],
    ("void.example", "TXT"): ["v=spf1 a:a.void.example a:b.void.example a:c.void.example -all"],
    ("ptr.example", "TXT"): ["v=spf1 ptr -all"],
    ("none.example", "TXT"): ["something else"],
}


@pytest.mark.parametrize(
    ("ip", "sender", "result"),
    [
        ("192.0.2.7", "ada@list.example", "pass"),
        ("2001:db8::7", "ada@list.example", "pass"),
        ("::ffff:192.0.2.7", "ada@list.example", "pass"),
        ("203.0.113.9", "ada@list.example", "fail"),
        ("203.0.113.9", "ada@soft.example", "softfail"),
        ("203.0.113.9", "ada@open.example", "pass"),
        ("203.0.113.9", "ada@quiet.example", "neutral"),
        ("198.51.100.1", "ada@host.example", "pass"),
        ("203.0.113.9", "ada@host.example", "pass"),
        ("203.0.112.9", "ada@host.example", "fail"),
        ("192.0.2.7", "ada@within.example", "pass"),
        ("203.0.113.9", "ada@within.example", "fail"),
        ("192.0.2.7", "ada@away.example", "pass"),
        ("192.0.2.7", "ada@macro.example", "pass"),
        ("192.0.2.7", "bob@macro.example", "fail"),
        ("192.0.2.7", "ada@twice.example", "permerror"),
        ("192.0.2.7", "ada@wrong.example", "permerror"),
        ("192.0.2.7", "ada@odd.example", "permerror"),
        ("192.0.2.7", "ada@loop.example", "permerror"),
        ("192.0.2.7", "ada@void.example", "permerror"),
        ("192.0.2.7", "ada@ptr.example", "fail"),
        ("192.0.2.7", "ada@none.example", "none"),
        ("192.0.2.7", "ada@silent.example", "temperror"),
        ("192.0.2.7", "ada@localhost", "none"),
        ("", "ada@list.example", "none"),
        ("192.0.2.7", "", "pass"),
    ],
)
async def test_spf_says_what_the_domain_allows(ip: str, sender: str, result: str):
    names: Any = Names(TABLE, frozenset({"silent.example"}))

    assert (await spf(names, ip, sender, "list.example"))[0] == result
