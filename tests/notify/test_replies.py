"""Marks of our own are known when they come back, and nobody else can make them."""

from __future__ import annotations

import pytest

from hub.replies import Act, Marks

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
MARKS = Marks((NEW, OLD))
ORDER = "ord_01KDEADBEEF0000000000000AB"


def act(**more) -> Act:
    given = {"action": "ack", "subject": "exc_1", "tenant": "main", "until": 1_000, "by": "night"}
    return Act(**{**given, **more})


def test_a_reply_address_names_its_order_whatever_a_server_does_to_its_case():
    address = MARKS.reply_address("reply@orders.example", ORDER)

    assert len(address.partition("@")[0]) <= 64
    assert [MARKS.order_of(one) for one in (address, address.upper(), f" <{address}> ")] == [ORDER] * 3


@pytest.mark.parametrize(
    "address",
    [
        "reply@orders.example",
        f"reply+{ORDER.lower()}@orders.example",
        f"reply+{ORDER.lower()}.00000000000000000000@orders.example",
        "reply+.@orders.example",
        "",
        "reply+é.ü@orders.example",
    ],
)
def test_an_address_that_we_did_not_make_names_no_order(address):
    assert MARKS.order_of(address) == ""


def test_a_mark_of_an_older_key_still_counts_and_one_of_another_hub_does_not():
    old, other = Marks((OLD,)), Marks((b"x" * 32,))

    assert MARKS.order_of(old.reply_address("r@x.example", ORDER)) == ORDER
    assert MARKS.own_mail(old.loop_mark("ntc_1")) == "ntc_1"
    assert MARKS.order_of(other.reply_address("r@x.example", ORDER)) == ""
    assert MARKS.own_mail(other.loop_mark("ntc_1")) == ""
    assert MARKS.own_mail("ntc_1;") == MARKS.own_mail("") == ""


def test_a_link_may_do_its_one_thing_until_its_time():
    token = MARKS.link(act())

    assert MARKS.act(token, 999) == act()
    assert MARKS.act(token, 1_000) is None


def test_a_link_that_was_altered_or_forged_may_do_nothing():
    token, other = MARKS.link(act()), MARKS.link(act(action="retry"))
    body, _, tag = token.partition(".")

    assert MARKS.act(f"{other.partition('.')[0]}.{tag}", 1) is None
    assert [MARKS.act(one, 1) for one in (body, f"{body}.", f"{body}.é", ".", "", token[:-1])] == [None] * 6


def test_marks_of_one_purpose_are_none_of_another():
    tag = MARKS.loop_mark(ORDER.lower()).partition(";")[2]

    assert MARKS.order_of(f"reply+{ORDER.lower()}.{tag}@orders.example") == ""
