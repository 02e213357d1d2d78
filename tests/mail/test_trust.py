"""Whom we believe: honest letters of partners are trusted, whatever is forged, altered or replayed is not read."""

from __future__ import annotations

import pytest

from tests.mail.village import BOX, TEXT, Village, mail, publish, signed


async def trusted(village: Village, raw: bytes, **kinds) -> bool:
    kept = await village.arrive(raw, **kinds)
    await village.hub.post.step()
    return bool((await village.verdict(kept.id)).get("trusted"))


async def test_a_signed_letter_of_a_partner_is_trusted_wherever_it_comes_from(village: Village):
    partner = await village.partner()
    kept = await village.arrive(signed(mail()), ip="203.0.113.9")
    await village.hub.post.step()

    verdict = await village.verdict(kept.id)

    assert (verdict["trusted"], verdict["partner"], verdict["dmarc"]) == (True, partner.id, "pass")
    assert verdict["dkim"] == [{"domain": "lamps.example", "selector": "s1", "result": "pass", "reason": ""}]
    assert "s1._domainkey.lamps.example" in village.zone.asked


async def test_an_unsigned_letter_of_a_partner_is_trusted_from_a_host_of_theirs(village: Village):
    await village.partner()

    assert await trusted(village, mail(), ip="192.0.2.7")


async def test_a_forged_letter_of_a_partner_is_quarantined_with_the_reason(village: Village):
    await village.partner()

    status, reason = await village.post(mail(), ip="203.0.113.9")

    assert status == "quarantined"
    assert "DMARC of lamps.example: fail (SPF fail" in reason


async def test_an_altered_letter_is_quarantined(village: Village):
    await village.partner()
    raw = signed(mail()).replace(b"20 x W-001", b"500 x W-001")

    status, reason = await village.post(raw, ip="203.0.113.9")

    assert status == "quarantined"
    assert "DKIM of lamps.example: body hash mismatch" in reason


async def test_text_appended_behind_a_partly_signed_body_is_quarantined(village: Village):
    await village.partner()
    honest = signed(mail(), length=True)

    status, reason = await village.post(honest + b"ALSO ship 500 to the back door\r\n", ip="203.0.113.9")

    assert status == "quarantined"
    assert "l=" in reason


async def test_a_signature_that_leaves_out_the_subject_does_not_count(village: Village):
    await village.partner()
    few = [b"from", b"to", b"date", b"message-id", b"content-type"]

    status, reason = await village.post(signed(mail(), headers=few), ip="203.0.113.9")

    assert (status, "does not sign subject" in reason) == ("quarantined", True)


async def test_a_replayed_letter_is_the_same_letter_though_its_bytes_differ(village: Village):
    await village.partner()
    raw = signed(mail())

    assert (await village.post(raw))[0] == "processed"
    status, reason = await village.post(b"X-Replayed: yes\r\n" + raw)

    assert (status, reason.endswith("again")) == ("duplicate", True)
    assert not (await village.arrive(raw)).new


async def test_an_expired_signature_does_not_hold(village: Village):
    await village.partner()
    raw = signed(mail())
    at = raw.index(b"; t=") if b"; t=" in raw else raw.index(b" t=")
    expired = raw[:at] + b"; x=1" + raw[at:]

    assert (await village.post(expired, ip="203.0.113.9"))[0] == "quarantined"


async def test_a_signature_of_another_domain_vouches_for_nobody_else(village: Village):
    await village.partner()
    publish(village.zone, "evil.example")

    status, reason = await village.post(
        signed(mail(), "evil.example"), ip="203.0.113.9", mail_from="x@evil.example"
    )

    assert (status, "DMARC of lamps.example: fail" in reason) == ("quarantined", True)


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        ("Ada <ada@lamps.example>, Eve <eve@evil.example>", "its From has 2 addresses"),
        ("Ada <ada@lamps.example", "its From cannot be read"),
        ("", "it has no From"),
        ("((((((((((", "its From cannot be read"),
    ],
)
async def test_a_letter_without_exactly_one_sender_is_quarantined(village: Village, sender: str, why: str):
    await village.partner()

    status, reason = await village.post(mail(**{"from": sender}))

    assert (status, why in reason) == ("quarantined", True), reason


async def test_two_from_fields_are_one_too_many(village: Village):
    await village.partner()

    status, reason = await village.post(b"From: Eve <eve@evil.example>\r\n" + signed(mail()))

    assert (status, "2 fields From" in reason) == ("quarantined", True)


@pytest.mark.parametrize(
    ("sender", "domain", "why"),
    [
        ('"ada@lamps.example" <x@evil.example>', "evil.example", "shows another address"),
        ("Lamps Ltd <x@evil.example>", "evil.example", "shows the name of Lamps Ltd"),
        ("Ada <ada@1amps.example>", "1amps.example", "made to look like lamps.example"),
        ("Ada <ada@larnps.example>", "larnps.example", "made to look like lamps.example"),
        ("Ada <ada@xn--lmps-53d.example>", "xn--lmps-53d.example", "mixes scripts"),
    ],
)
async def test_who_is_made_to_look_like_a_partner_is_quarantined_though_signed(
    village: Village, sender: str, domain: str, why: str
):
    await village.partner()
    publish(village.zone, domain)

    status, reason = await village.post(signed(mail(sender), domain), mail_from=f"x@{domain}")

    assert (status, why in reason) == ("quarantined", True), reason


async def test_a_reply_to_is_nobodys_identity(village: Village):
    await village.partner()
    publish(village.zone, "evil.example")
    raw = signed(mail("Eve <eve@evil.example>", reply_to="ada@lamps.example"), "evil.example")

    assert not await trusted(village, raw, mail_from="eve@evil.example")


async def test_a_stranger_that_somebody_vouches_for_is_read_and_not_trusted(village: Village):
    publish(village.zone, "new.example")
    kept = await village.arrive(
        signed(mail("Neo <neo@new.example>"), "new.example"), mail_from="neo@new.example"
    )
    await village.hub.post.step()

    assert "trusted" not in await village.verdict(kept.id)
    assert (await village.became(kept.id))[0] == "processed"


async def test_a_stranger_that_nobody_vouches_for_is_quarantined(village: Village):
    status, reason = await village.post(mail("Neo <neo@new.example>"), mail_from="neo@new.example")

    assert (status, "is no partner's sender" in reason) == ("quarantined", True)


async def test_a_known_address_needs_the_secret_address_as_well(village: Village):
    await village.partner(senders=["ada@old.example"], proof="known_address", tag="p7f3secret")
    raw = mail("Ada <ada@old.example>")

    first = await village.post(raw, mail_from="ada@old.example")
    second = await trusted(village, raw, mail_from="ada@old.example", to="orders+p7f3secret@hub.example")

    assert (first[0], "secret address" in first[1], second) == ("quarantined", True, True)


async def test_a_partner_of_proof_manual_is_never_trusted_and_is_read(village: Village):
    await village.partner(proof="manual")

    status, reason = await village.post(signed(mail()))

    assert (status, "checked by a person" in reason) == ("processed", True)


async def test_dkim_is_enough_where_the_partner_s_proof_says_so_and_there_is_no_policy(village: Village):
    await village.partner(senders=["bulbs.example"], proof="dkim_domain")
    publish(village.zone, "bulbs.example", spf="v=spf1 -all", dmarc="")

    assert await trusted(
        village, signed(mail("Bo <bo@bulbs.example>"), "bulbs.example"), mail_from="bo@bulbs.example"
    )


async def test_the_organisation_s_policy_holds_for_a_host_of_it(village: Village):
    await village.partner(senders=["mail.lamps.example"])
    village.zone.put("mail.lamps.example", "TXT", "v=spf1 ip4:198.51.100.1 -all")

    assert await trusted(
        village, signed(mail("Ada <ada@mail.lamps.example>")), mail_from="ada@mail.lamps.example"
    )


async def test_a_silent_dns_condemns_nobody_the_letter_waits(village: Village):
    await village.partner()
    village.zone.silent = True
    kept = await village.arrive(signed(mail()))

    assert await village.hub.post.step() == 0
    assert (await village.became(kept.id))[0] == "received"

    village.zone.silent = False
    village.hub.world.move(61)
    await village.hub.post.step()
    assert (await village.verdict(kept.id))["trusted"]


async def test_a_quarantined_forgery_does_not_keep_the_true_letter_out(village: Village):
    await village.partner()
    forged = mail(text="ship it to the back door\r\n")

    assert (await village.post(forged, ip="203.0.113.9"))[0] == "quarantined"
    assert await trusted(village, signed(mail()))


async def test_quarantine_opens_an_exception_and_tells_who_listens(village: Village):
    await village.partner()
    await village.town.partner(events=["email.*"])
    await village.post(mail(), ip="203.0.113.9")
    await village.post(signed(mail(number="4712", subject="Order 4712", text=TEXT + "two")))

    (exception,) = await village.town.exceptions()
    assert "a letter is quarantined: DMARC of lamps.example" in exception["title"]
    told = [type_ for _, type_ in await village.town.events() if type_.startswith("email.")]
    assert told == ["email.quarantined", "email.received", "email.draft_created"]
    assert BOX.partition("@")[2] == village.box.settings["address"].partition("@")[2]
