"""What every partner is promised: durable, signed, in order, the same bytes, nothing that vanishes."""

from __future__ import annotations

import asyncio
import json

import pytest
import standardwebhooks
import svix.webhooks
from aiohttp import web

from tests.conformance.webhooks.conftest import House, until
from tests.conformance.webhooks.far import always, first, receiver


async def test_a_webhook_is_verified_by_other_people_s_libraries(house: House) -> None:
    async with receiver() as far:
        endpoint = await house.endpoint(far.url)
        await house.order()
        await until(lambda: far.taken, "a webhook")
        hook = far.taken[0]

        standardwebhooks.Webhook(endpoint["secret"]).verify(hook.body, hook.headers)
        svix.webhooks.Webhook(endpoint["secret"]).verify(hook.body, hook.headers)
        assert hook.event["id"] == hook.id


async def test_every_attempt_has_the_same_id_and_the_same_bytes_and_a_stamp_of_its_own(house: House) -> None:
    async with receiver(first(2, 500)) as far:
        await house.endpoint(far.url)
        await house.order()
        await until(lambda: far.taken, "a third attempt")

        assert len({hook.id for hook in far.got}) == 1
        assert len({hook.body for hook in far.got}) == 1
        assert len({hook.headers["webhook-timestamp"] for hook in far.got}) > 1
        assert len({hook.headers["webhook-signature"] for hook in far.got}) > 1


async def test_a_client_error_is_tried_again_too(house: House) -> None:
    async with receiver(first(1, 404)) as far:
        await house.endpoint(far.url)
        await house.order()
        await until(lambda: far.taken, "the attempt after 404")


async def test_news_of_an_order_comes_in_its_order_and_names_the_one_before(house: House) -> None:
    async with receiver(first(1, 503)) as far:
        await house.endpoint(far.url)
        for _ in range(4):
            await house.order("one")
        await until(lambda: len(far.taken) == 4, "four versions")

        sequences = [hook.event["sequence"] for hook in far.taken]
        assert sequences == sorted(sequences)
        previous = [hook.headers.get("orderhub-previous", "") for hook in far.taken]
        assert previous == ["", *far.ids()[:-1]]


async def test_an_order_that_is_refused_holds_back_itself_and_no_other(house: House) -> None:
    def answers(_: int) -> web.Response:
        number = json.loads(far.got[-1].body)["data"]["number"]
        return web.Response(status=500 if number == "stuck" else 200)

    async with receiver() as far:
        far.answers = answers
        endpoint = await house.endpoint(far.url, schedule=[0, 1, 600])
        for _ in range(2):
            await house.order("stuck")
        for n in range(5):
            await house.order(f"free-{n}")

        async def standing() -> bool:
            statuses = await house.statuses(endpoint)
            return sorted(statuses) == ["delivered"] * 5 + ["due", "waiting"]

        await until(standing, "the other orders, and the two that stand")
        assert len({hook.event["data"]["number"] for hook in far.taken}) == 5
        assert {hook.event["data"]["number"] for hook in far.taken}.isdisjoint({"stuck"})
        assert len({hook.id for hook in far.got if hook.event["data"]["number"] == "stuck"}) == 1


async def test_a_stuck_head_may_be_skipped_by_hand(house: House) -> None:
    def answers(_: int) -> web.Response:
        return web.Response(status=422 if json.loads(far.got[-1].body)["data"]["tags"] == ["1"] else 200)

    async with receiver() as far:
        far.answers = answers
        endpoint = await house.endpoint(far.url, schedule=[0, 3600])
        await house.order("one")
        await house.order("one")
        await until(lambda: far.got, "the first attempt")
        head = (await house.deliveries(endpoint))[0]
        await house.ask("POST", f"/v1/deliveries/{head['id']}/skip", {})
        await until(lambda: far.taken, "the one after it")

        assert await house.statuses(endpoint) == ["skipped", "delivered"]


async def test_without_ordering_nothing_waits(house: House) -> None:
    async with receiver(always(500)) as far:
        endpoint = await house.endpoint(far.url, ordering="none", schedule=[0, 3600])
        for _ in range(3):
            await house.order("one")
        await until(lambda: len({hook.id for hook in far.got}) == 3, "three attempts of one order")

        assert "waiting" not in await house.statuses(endpoint)


async def test_what_exhausts_its_schedule_is_a_dead_letter_and_may_be_sent_again(house: House) -> None:
    async with receiver(first(2, 400)) as far:
        endpoint = await house.endpoint(far.url, schedule=[0, 1])
        await house.order()

        async def dead() -> bool:
            return await house.statuses(endpoint) == ["dead"]

        await until(dead, "a dead letter")
        [letter] = await house.deliveries(endpoint)
        await house.ask("POST", f"/v1/deliveries/{letter['id']}/redeliver", {})
        await until(lambda: far.taken, "the letter")

        assert far.taken[0].id == letter["event"]
        assert far.taken[0].headers["orderhub-replay"] == "manual"
        assert len({hook.body for hook in far.got}) == 1


async def test_an_event_that_no_endpoint_wanted_is_kept_and_may_be_replayed(house: House) -> None:
    await house.order("early")
    async with receiver() as far:
        endpoint = await house.endpoint(far.url)
        job = await house.ask(
            "POST",
            f"/v1/endpoints/{endpoint['id']}/replay",
            {"since": "2020-01-01T00:00:00Z", "missing": True},
        )
        await until(lambda: far.taken, "an event from before the endpoint")

        async def done() -> bool:
            return (await house.ask("GET", f"/v1/jobs/{job['id']}"))["state"] == "done"

        await until(done, "the end of the job")
        assert [hook.event["data"]["number"] for hook in far.taken] == ["early"]


async def test_what_a_disabled_endpoint_misses_waits_and_comes_when_it_is_enabled(house: House) -> None:
    async with receiver() as far:
        endpoint = await house.endpoint(far.url)
        await house.ask("POST", f"/v1/endpoints/{endpoint['id']}/disable", {})
        for n in range(3):
            await house.order(str(n))
        assert await house.statuses(endpoint) == ["held"] * 3
        assert far.got == []

        await house.ask("POST", f"/v1/endpoints/{endpoint['id']}/enable", {})
        await until(lambda: len(far.taken) == 3, "what was held")


async def test_a_paused_endpoint_gets_nothing_and_loses_nothing(house: House) -> None:
    async with receiver() as far:
        endpoint = await house.endpoint(far.url)
        await house.ask("POST", f"/v1/endpoints/{endpoint['id']}/pause", {})
        await house.order()
        await asyncio.sleep(1)
        assert far.got == []

        await house.ask("POST", f"/v1/endpoints/{endpoint['id']}/enable", {})
        await until(lambda: far.taken, "what waited")


async def test_the_old_secret_signs_beside_the_new_one_for_a_while(house: House) -> None:
    async with receiver() as far:
        endpoint = await house.endpoint(far.url)
        rotated = await house.ask("POST", f"/v1/endpoints/{endpoint['id']}/rotate", {})
        await house.order()
        await until(lambda: far.taken, "a webhook")
        hook = far.taken[0]

        for secret in (endpoint["secret"], rotated["secret"]):
            standardwebhooks.Webhook(secret).verify(hook.body, hook.headers)
        assert endpoint["secret"] != rotated["secret"]
        assert len(hook.headers["webhook-signature"].split()) == 2


async def test_the_feed_has_the_same_events_with_the_same_ids(house: House) -> None:
    async with receiver() as far:
        endpoint = await house.endpoint(far.url)
        for n in range(3):
            await house.order(str(n))
        await until(lambda: len(far.taken) == 3, "three webhooks")
        feed = await house.ask("GET", f"/v1/endpoints/{endpoint['id']}/events?after=0&limit=500")

        assert {one["id"] for one in feed["data"]} == set(far.ids())


async def test_a_feed_that_is_waited_on_answers_within_a_second(house: House) -> None:
    async with receiver() as far:
        endpoint = await house.endpoint(far.url)
        path = f"/v1/endpoints/{endpoint['id']}/events"
        begun = (await house.ask("GET", f"{path}?after=latest"))["cursor"]
        waiting = asyncio.ensure_future(house.ask("GET", f"{path}?after={begun}&wait=30"))
        await asyncio.sleep(0.5)
        assert not waiting.done(), "it waits for news"
        await house.order()
        found = await asyncio.wait_for(waiting, 10)

        assert len(found["data"]) == 1


async def test_one_failing_endpoint_of_an_event_sends_nothing_to_its_other_endpoints_again(
    house: House,
) -> None:
    async with receiver(always(500)) as broken, receiver() as well, receiver() as another:
        await house.endpoint(broken.url, schedule=[0, 1, 3600])
        await house.endpoint(well.url)
        await house.endpoint(another.url)
        await house.order()
        await until(lambda: len(broken.got) == 2, "a second attempt at the broken one")

        assert len(well.got) == len(another.got) == 1
        assert {hook.id for hook in broken.got} == {well.got[0].id} == {another.got[0].id}


async def test_a_refusal_makes_one_dead_letter_and_a_partner_that_is_down_makes_none(house: House) -> None:
    def answers(_: int) -> web.Response:
        return web.Response(status=422 if picky.got[-1].event["data"]["number"] == "bad" else 200)

    async with receiver() as picky, receiver(lambda _: None) as gone:
        picky.answers = answers
        choosy = await house.endpoint(picky.url, schedule=[0, 1], concurrency=1)
        down = await house.endpoint(gone.url, schedule=[0, 1], concurrency=1)
        for number in ("1", "bad", "3", "4", "5", "6"):
            await house.order(number)

        async def refused() -> bool:
            return sorted(await house.statuses(choosy)) == ["dead"] + ["delivered"] * 5

        await until(refused, "the one refusal to be a dead letter")
        assert len(gone.got) >= 5
        assert await house.deliveries(down, status="dead") == []


async def test_no_more_goes_out_at_once_than_the_endpoint_takes(house: House) -> None:
    async with receiver(delay=0.2) as far:
        await house.endpoint(far.url, concurrency=2)
        await asyncio.gather(*(house.order(str(n)) for n in range(12)))
        await until(lambda: len(far.taken) == 12, "twelve webhooks")

        assert far.most <= 2


async def test_no_faster_than_its_rate(house: House) -> None:
    async with receiver() as far:
        await house.endpoint(far.url, rate=4, concurrency=64)
        await asyncio.gather(*(house.order(str(n)) for n in range(16)))
        await until(lambda: len(far.taken) == 16, "sixteen webhooks")

        stamps = sorted(int(hook.headers["webhook-timestamp"]) for hook in far.taken)
        assert stamps[-1] - stamps[0] >= 2, "a second's worth at once, then four a second"


@pytest.mark.parametrize("status", [200, 404])
async def test_two_hundred_webhooks_need_no_more_connections_than_go_out_at_once(
    house: House, status: int
) -> None:
    async with receiver(always(status, text="so be it")) as far:
        await house.endpoint(far.url, concurrency=4, schedule=[0, 3600])
        await house.orders(200)
        await until(lambda: len(far.got) == 200, "two hundred webhooks")

        assert len(far.connections) <= 4
