"""Letters that have the Message-ID of another: none is swallowed, none is taken twice."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.mail.corpus.people import EN
from tests.mail.test_outcome import Desk, desk, sent

__all__ = ["desk"]


def named(raw: bytes, id_: str = "<always@the.same>") -> bytes:
    """The letter under this Message-ID."""
    return re.sub(rb"(?m)^Message-ID: .*$", f"Message-ID: {id_}".encode(), raw, count=1)


async def test_one_message_id_in_all_letters_of_a_sender_swallows_no_order(desk: Desk):
    await desk.buyer()
    letters = [named(sent(replace(EN, po=f"PO-{n}"))) for n in range(3)]

    told = [await desk.post(raw) for raw in letters]
    again = await desk.post(b"X-Again: yes\r\n" + letters[1])

    assert {one["number"]: one["state"] for one in await desk.orders()} == {
        f"PO-{n}": "open" for n in range(3)
    }
    assert [status for status, _ in told] == ["processed"] * 3
    assert ["said something else" in reason for _, reason in told] == [False, True, True]
    assert again[0] == "duplicate"


async def test_a_letter_wrapped_anew_under_its_message_id_is_no_second_order(desk: Desk):
    await desk.buyer()
    once, wrapped = named(sent()), named(sent(number="[checked for viruses]"))

    await desk.post(once)
    status, reason = await desk.post(wrapped)

    assert (status, "it says what is known already" in reason) == ("processed", True)
    assert (await desk.order())["version"] == 1


async def test_without_a_number_what_has_the_message_id_of_another_is_a_draft_with_the_reason(desk: Desk):
    await desk.buyer()
    first, second = (named(sent(replace(EN, po=""), f"{n}")) for n in range(2))

    await desk.post(first)
    await desk.post(second)

    known = {one["state"]: one for one in await desk.orders()}
    reasons = [one["reason"] for one in known["draft"]["entry"]["reasons"]]
    assert any("the same again?" in one for one in reasons), reasons


async def test_two_letters_with_one_message_id_at_once_are_both_kept(desk: Desk):
    await desk.buyer()
    ids = [
        (await desk.village.arrive(named(sent(replace(EN, po=f"PO-{n}"))), mail_from=EN.mail)).id
        for n in range(2)
    ]

    await desk.village.hub.post.step()
    desk.village.hub.world.move(120)
    await desk.village.hub.post.step()

    assert {one["number"] for one in await desk.orders()} == {"PO-0", "PO-1"}
    reasons = [(await desk.village.became(one))[1] for one in ids]
    assert sorted("said something else" in one for one in reasons) == [False, True]


async def test_the_same_words_without_a_date_are_a_new_letter_each_time_that_they_are_sent(desk: Desk):
    await desk.buyer()
    dateless = re.sub(rb"(?m)^Date: .*\r?\n", b"", sent(), count=1)
    weekly = [named(dateless, f"<week-{n}@bakery.example>") for n in range(2)]

    told = [await desk.post(raw) for raw in [*weekly, b"X-Again: yes\r\n" + weekly[0]]]

    assert [status for status, _ in told] == ["processed", "processed", "duplicate"]
