"""Queues over the API: what an endpoint is owed, which order is stuck behind what, and how it goes on."""

from __future__ import annotations

from hub.outbound.sender import Answer
from tests.http.conftest import House


class Says:
    """A partner that refuses one type of event."""

    def __init__(self, refused: str) -> None:
        self.refused = refused
        self.heard: list[tuple[str, str]] = []

    async def send(self, post):
        type_ = next(one for one in ("order.created", "order.on_hold", "order.released", "order.confirmed", "order.")
                     if f'"type":"{one}'.encode() in post.body)  # fmt: skip
        if type_ == self.refused:
            return Answer(status=400)
        self.heard.append((type_, post.headers.get("orderhub-previous", "")))
        return Answer(status=200)


async def stuck(house: House) -> tuple[str, str]:
    """An endpoint that refuses an order's first event, so that the others wait."""
    house.hub.deliver.sender = Says("order.created")
    body = {"url": "https://partner.example/in", "name": "wms", "events": ["order.*"]}
    id_ = (await house.post("/v1/endpoints", body))["id"]
    order = (await house.post("/v1/orders", {"ref": "r1", "number": "N1"}))["data"][0]["order"]
    await house.post(f"/v1/orders/{order}/hold")
    await house.post(f"/v1/orders/{order}/release")
    await house.hub.deliver.step()
    return id_, order


async def test_a_stuck_order_is_seen_with_its_head_and_what_waits_behind_it(house: House):
    id_, order = await stuck(house)
    queue = await house.get(f"/v1/endpoints/{id_}/queue")
    [one] = queue["data"]
    whole = await house.get(f"/v1/endpoints/wms/queue?order={order}")

    assert (queue["endpoint"], queue["status"], queue["due"], queue["down_since"]) == (
        "wms",
        "active",
        1,
        None,
    )
    assert (one["order"], one["head"]["type"], one["head"]["outcome"]) == (order, "order.created", "400")
    assert one["waits"] == queue["waiting"] >= 2
    assert one["passes_at"] > one["head"]["first_at"]
    assert [len(each["waiting"]) for each in whole["data"]] == [one["waits"]]
    assert {each["status"] for each in whole["data"][0]["waiting"]} == {"waiting"}
    assert (await house.say("GET", "/v1/endpoints/wms/queue?after=x")).status_code == 422


async def test_a_head_that_is_skipped_by_hand_lets_the_next_go_and_is_audited(house: House):
    id_, order = await stuck(house)
    [one] = (await house.get(f"/v1/endpoints/{id_}/queue"))["data"]
    skipped = await house.post(f"/v1/deliveries/{one['head']['id']}/skip")
    while await house.hub.deliver.step():
        continue
    deliveries = (await house.get(f"/v1/orders/{order}/deliveries"))["data"]
    ours = [each for each in deliveries if each["endpoint"] == "wms"]

    assert skipped["status"] == "skipped"
    assert [each["status"] for each in ours] == ["skipped"] + ["delivered"] * (len(ours) - 1)
    assert (await house.get(f"/v1/endpoints/{id_}/queue"))["data"] == []
    assert (await house.get("/v1/audit"))["data"][-1]["action"] == "delivery.skipped"
    previous = [each["event"] for each in ours[:-1]]
    assert [each.get("previous", "") for each in ours[1:]] == previous
    assert [told for _, told in house.hub.deliver.sender.heard] == previous


async def test_a_partners_token_sees_its_own_queue(house: House):
    partner = (await house.post("/v1/partners", {"name": "acme", "roles": ["receiver"]}))["id"]
    await house.post("/v1/endpoints", {"url": "https://x.example/in", "name": "own", "partner": partner})
    await house.post("/v1/endpoints", {"url": "https://x.example/in", "name": "else"})
    token = await house.token("partner", partner=partner)

    assert (await house.get("/v1/endpoints/own/queue", token=token))["due"] == 0
    assert (await house.say("GET", "/v1/endpoints/else/queue", token=token)).status_code == 404


async def test_an_order_that_there_is_not_is_named_wherever_a_list_is_asked_for_it(house: House):
    _, order = await stuck(house)
    for path in ("/v1/endpoints/wms/queue", "/v1/events", "/v1/endpoints/wms/events", "/v1/endpoints/wms/attempts",
                 "/v1/deliveries", "/v1/facts"):  # fmt: skip
        for none in ("zz", "ord_none", "N1", f"{order}x"):
            answer = await house.say("GET", f"{path}?order={none}")
            assert (answer.status_code, answer.json().get("field")) == (422, "order"), (path, answer.text)
            assert none in answer.json()["detail"]
        assert (await house.get(f"{path}?order={order}"))["data"], path
