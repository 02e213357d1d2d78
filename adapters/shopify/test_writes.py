"""What Shopify is told, played by hand: fulfilments, tracking numbers, and both taken back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from adapters.shopify import channel, writes
from adapters.shopify.test_polls import ORDER, Played, connection, shop
from hub.contract import Outcome, Task

LAMP, SHADE = "14401002003001", "14401002003002"
LINES = [{"ref": LAMP, "id": "lin_A", "sku": "LAMP-OAK"}, {"ref": SHADE, "id": "lin_B", "sku": "SHADE-LIN"}]
PARCEL = {
    "tracking_number": "0034 0434 1610 9404",
    "carrier": "dhl_de",
    "carrier_name": "DHL Paket",
    "carrier_names": {"shopify": "DHL eCommerce"},
    "tracking_url": "https://track.example/0034",
}


def task(event: str = "shipment.shipped", *, found: str = "", order: Any = None, **shipment: Any) -> Task:
    said = {"id": "shp_1", "packages": [PARCEL], "lines": [{"line": LAMP, "quantity": "1"}], **shipment}
    return Task(
        event=event,
        order={"lines": LINES, **(order or {})},
        subject=said,
        key="k",
        ref="6120110011001",
        found=found,
    )


def fulfilled(*fulfilments: dict[str, Any], cancelled: str | None = None) -> dict[str, Any]:
    return {"order": {"cancelledAt": cancelled, "fulfillments": list(fulfilments)}}


def fulfilment(number: str, *numbers: str, status: str = "SUCCESS") -> dict[str, Any]:
    told = [{"company": "DHL", "number": one, "url": None} for one in numbers]
    return {
        "id": f"gid://shopify/Fulfillment/{number}",
        "legacyResourceId": number,
        "status": status,
        "trackingInfo": told,
    }


def carried(**lines: int) -> dict[str, Any]:
    nodes = [
        {"quantity": n, "lineItem": {"id": f"gid://shopify/LineItem/{name[1:]}"}} for name, n in lines.items()
    ]
    return {"fulfillment": {"fulfillmentLineItems": connection(*nodes)}}


def opening(
    number: int,
    location: int,
    *items: tuple[int, str, int],
    action: str = "CREATE_FULFILLMENT",
    more: str = "",
) -> dict[str, Any]:
    nodes = [
        {
            "id": f"gid://shopify/FulfillmentOrderLineItem/{item}",
            "remainingQuantity": left,
            "lineItem": {"id": f"gid://shopify/LineItem/{line}"},
        }
        for item, line, left in items
    ]
    return {
        "id": f"gid://shopify/FulfillmentOrder/{number}",
        "status": "OPEN",
        "supportedActions": [{"action": action}],
        "assignedLocation": {"location": {"id": f"gid://shopify/Location/{location}"}},
        "lineItems": connection(*nodes, more=more),
    }


def openings(*nodes: dict[str, Any], more: str = "") -> dict[str, Any]:
    return {"order": {"fulfillmentOrders": connection(*nodes, more=more)}}


def created(number: str) -> dict[str, Any]:
    return {"fulfillmentCreate": {"fulfillment": {"id": "gid", "legacyResourceId": number}, "userErrors": []}}


def asked_for(played: Played) -> list[Any]:
    return [variables["fulfillment"] for name, variables in played.asked if name == "Fulfill"]


def test_a_partial_shipment_becomes_a_fulfilment_of_its_lines_with_shopify_s_name_of_the_carrier():
    played = Played(
        writes.fulfil(shop(notify_customer=True), task()),
        Fulfilled=fulfilled(),
        Open=openings(opening(1, 71, (11, LAMP, 2), (12, SHADE, 1))),
        Fulfill=created("55"),
    )

    assert played.result == Outcome(status="applied", ref="55", refs={"71": "55"})
    assert asked_for(played) == [{
        "lineItemsByFulfillmentOrder": [{
            "fulfillmentOrderId": "gid://shopify/FulfillmentOrder/1",
            "fulfillmentOrderLineItems": [{"id": "gid://shopify/FulfillmentOrderLineItem/11", "quantity": 1}],
        }],
        "notifyCustomer": True,
        "trackingInfo": {
            "company": "DHL eCommerce", "number": "0034 0434 1610 9404", "url": "https://track.example/0034",
        },
    }]  # fmt: skip


def test_a_shipment_without_lines_takes_all_that_is_open():
    played = Played(
        writes.fulfil(shop(), task(lines=[])),
        Fulfilled=fulfilled(),
        Open=openings(opening(1, 71, (11, LAMP, 2), (12, SHADE, 1))),
        Fulfill=created("55"),
    )
    [input_] = asked_for(played)

    assert [
        one["quantity"] for one in input_["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderLineItems"]
    ] == [2, 1]


@pytest.mark.parametrize("line", [{"line": "lin_A"}, {"sku": "LAMP-OAK"}, {"line": LAMP}])
def test_lines_are_found_by_the_hub_s_id_the_sku_or_shopify_s_number(line: dict[str, str]):
    played = Played(
        writes.fulfil(shop(), task(lines=[{**line, "quantity": "1.000"}])),
        Fulfilled=fulfilled(),
        Open=openings(opening(1, 71, (11, LAMP, 1))),
        Fulfill=created("55"),
    )

    assert played.result.status == "applied"


def test_several_parcels_are_told_as_several_numbers():
    two = [PARCEL, {"tracking_number": "B2", "carrier_name": "DHL Paket"}]
    played = Played(
        writes.fulfil(shop(), task(packages=two)),
        Fulfilled=fulfilled(),
        Open=openings(opening(1, 71, (11, LAMP, 1))),
        Fulfill=created("55"),
    )

    assert asked_for(played)[0]["trackingInfo"] == {
        "company": "DHL eCommerce",
        "numbers": ["0034 0434 1610 9404", "B2"],
    }


def test_what_an_earlier_try_made_is_found_by_its_number_and_not_made_again():
    played = Played(
        writes.fulfil(shop(), task()),
        Fulfilled=fulfilled(fulfilment("50", "X"), fulfilment("55", "0034-0434-1610-9404")),
        FulfilledLines=carried(**{f"_{LAMP}": 1}),
    )

    assert played.result == Outcome(status="applied", ref="55")
    assert played.questions == ["Fulfilled", "FulfilledLines"]


def test_a_cancelled_fulfilment_of_the_number_is_none():
    played = Played(
        writes.fulfil(shop(), task()),
        Fulfilled=fulfilled(fulfilment("55", "0034 0434 1610 9404", status="CANCELLED")),
        Open=openings(opening(1, 71, (11, LAMP, 1))),
        Fulfill=created("56"),
    )

    assert played.result.ref == "56"


def test_a_try_that_broke_between_two_locations_is_finished():
    both = task(lines=[{"line": LAMP, "quantity": "1"}, {"line": SHADE, "quantity": "1"}])
    played = Played(
        writes.fulfil(shop(), both),
        Fulfilled=fulfilled(fulfilment("55", "0034 0434 1610 9404")),
        FulfilledLines=carried(**{f"_{LAMP}": 1}),
        Open=openings(opening(2, 72, (21, LAMP, 1), (22, SHADE, 1))),
        Fulfill=created("56"),
    )

    assert played.result == Outcome(status="applied", ref="55", refs={"72": "56"})
    [input_] = asked_for(played)
    assert input_["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderLineItems"] == [
        {"id": "gid://shopify/FulfillmentOrderLineItem/22", "quantity": 1}
    ]


def test_without_a_number_the_same_lines_are_the_same_shipment_unless_they_are_another_s():
    bare = {"packages": [], "lines": [{"line": LAMP, "quantity": "1"}]}
    lines = carried(**{f"_{LAMP}": 1})
    found = Played(
        writes.fulfil(shop(), task(**bare)), Fulfilled=fulfilled(fulfilment("55")), FulfilledLines=lines
    )
    other = Played(
        writes.fulfil(shop(), task(order={"shipments": [{"id": "shp_0", "ref": "55"}]}, **bare)),
        Fulfilled=fulfilled(fulfilment("55")),
        Open=openings(opening(1, 71, (11, LAMP, 1))),
        Fulfill=created("56"),
    )

    assert (found.result.ref, other.result.ref) == ("55", "56")


def test_one_location_that_has_it_all_is_preferred_and_several_get_one_fulfilment_each():
    both = task(lines=[{"line": LAMP, "quantity": "2"}, {"line": SHADE, "quantity": "1"}])
    whole = opening(3, 73, (31, LAMP, 2), (32, SHADE, 1))
    halves = opening(1, 71, (11, LAMP, 2)), opening(2, 72, (21, SHADE, 1))
    preferred = Played(
        writes.fulfil(shop(), both),
        Fulfilled=fulfilled(),
        Open=openings(*halves, whole),
        Fulfill=created("55"),
    )
    several = Played(
        writes.fulfil(shop(), both),
        Fulfilled=fulfilled(),
        Open=[openings(halves[0], more="c1"), openings(halves[1])],
        Fulfill=[created("55"), created("56")],
    )

    assert preferred.result.refs == {"73": "55"}
    assert several.result == Outcome(status="applied", ref="55", refs={"71": "55", "72": "56"})


def test_what_nothing_open_covers_is_told_and_the_rest_is_shipped():
    played = Played(
        writes.fulfil(shop(), task(lines=[{"line": LAMP, "quantity": "2"}])),
        Fulfilled=fulfilled(),
        Open=openings(opening(1, 71, (11, LAMP, 1))),
        Fulfill=created("55"),
    )

    assert played.result.status == "applied"
    assert played.result.reason == f"no open fulfillment order covers 1 of line {LAMP}"


@pytest.mark.parametrize(
    "there", [(), (opening(1, 71, (11, SHADE, 1)),), (opening(1, 71, (11, LAMP, 1), action="RELEASE_HOLD"),)]
)
def test_a_shipment_that_nothing_open_covers_is_unsupported(there: tuple[dict[str, Any], ...]):
    played = Played(writes.fulfil(shop(), task()), Fulfilled=fulfilled(), Open=openings(*there))

    assert played.result.status == "unsupported"
    assert f"1 of line {LAMP}" in played.result.reason


def test_half_a_piece_and_an_order_of_another_shop_are_unsupported():
    half = Played(
        writes.fulfil(shop(), task(lines=[{"line": LAMP, "quantity": "0.5"}])), Fulfilled=fulfilled()
    )
    gone = Played(writes.fulfil(shop(), task()), Fulfilled={"order": None})
    ours = Played(writes.fulfil(shop(), msgspec.structs.replace(task(), ref="")))

    assert half.result == Outcome(status="unsupported", reason="Shopify ships whole units, not 0.5")
    assert gone.result.reason == "Shopify shows no order 6120110011001"
    assert (ours.result.status, ours.asked) == ("unsupported", [])


def test_what_shopify_says_against_a_fulfilment_is_the_reason():
    errors = [{"field": ["fulfillment", "trackingInfo"], "message": "is too long"}]
    played = Played(
        writes.fulfil(shop(), task()),
        Fulfilled=fulfilled(),
        Open=openings(opening(1, 71, (11, LAMP, 1))),
        Fulfill={"fulfillmentCreate": {"fulfillment": None, "userErrors": errors}},
    )

    assert played.result == Outcome(status="rejected", reason="fulfillment.trackingInfo: is too long")


def test_lines_of_a_fulfillment_order_beyond_the_first_page_are_open_too():
    played = Played(
        writes.fulfil(shop(), task()),
        Fulfilled=fulfilled(),
        Open=openings(opening(1, 71, (11, SHADE, 1), more="c1")),
        OpenLines={"fulfillmentOrder": {"lineItems": opening(1, 71, (12, LAMP, 1))["lineItems"]}},
        Fulfill=created("55"),
    )

    assert played.result.status == "applied"


def test_a_changed_number_is_told_and_the_same_one_is_not():
    answer = {"fulfillmentTrackingInfoUpdate": {"fulfillment": {"legacyResourceId": "55"}, "userErrors": []}}
    changed = Played(
        writes.track(shop(), task("shipment.updated", found="55")),
        Fulfilled=fulfilled(fulfilment("55", "OLD")),
        Track=answer,
    )
    same = Played(
        writes.track(shop(), task("shipment.updated", found="55")),
        Fulfilled=fulfilled(fulfilment("55", "0034 0434 1610 9404")),
    )

    assert changed.result == same.result == Outcome(status="applied", ref="55")
    assert changed.asked[1][1]["tracking"]["number"] == "0034 0434 1610 9404"
    assert same.questions == ["Fulfilled"]


def test_a_shipment_is_known_by_its_reference_at_this_shop():
    refs = [
        {"account": "shopify:other.myshopify.com", "id": "50"},
        {"account": "shopify:lantern-and-loom.myshopify.com", "id": "55"},
    ]
    answer = {"fulfillmentTrackingInfoUpdate": {"fulfillment": {"legacyResourceId": "55"}, "userErrors": []}}
    played = Played(
        writes.track(shop(), task("shipment.updated", refs=refs)),
        Fulfilled=fulfilled(fulfilment("50", "A"), fulfilment("55", "B")),
        Track=answer,
    )
    unknown = Played(
        writes.track(shop(), task("shipment.updated")), Fulfilled=fulfilled(fulfilment("50", "A"))
    )

    assert played.asked[1][1]["id"] == "gid://shopify/Fulfillment/55"
    assert unknown.result.status == "unsupported"


def test_a_shipment_taken_back_cancels_its_fulfilment_once():
    answer = {"fulfillmentCancel": {"fulfillment": {"legacyResourceId": "55"}, "userErrors": []}}
    taken = task("shipment.cancelled", found="55")
    first = Played(
        writes.unfulfil(shop(), taken), Fulfilled=fulfilled(fulfilment("55", "A")), Unfulfill=answer
    )
    again = Played(
        writes.unfulfil(shop(), taken), Fulfilled=fulfilled(fulfilment("55", "A", status="CANCELLED"))
    )

    assert first.result == again.result == Outcome(status="applied", ref="55")
    assert again.questions == ["Fulfilled"]


@pytest.mark.parametrize(
    ("ours", "theirs"), [("inventory", "INVENTORY"), ("expired", "OTHER"), (None, "OTHER")]
)
def test_an_order_is_cancelled_for_a_reason_that_shopify_knows(ours: str | None, theirs: str):
    answer = {"orderCancel": {"job": {"id": "gid://shopify/Job/1"}, "orderCancelUserErrors": []}}
    played = Played(
        writes.cancel(shop(), task("order.cancelled", order={"cancel_reason": ours, "hub_number": "H-7"})),
        Fulfilled=fulfilled(),
        Cancel=answer,
    )

    assert played.result == Outcome(status="applied", ref="6120110011001")
    assert played.asked[1][1] == {
        "id": ORDER, "reason": theirs, "restock": True, "refund": {"originalPaymentMethodsRefund": False},
        "notify": False, "note": "cancelled as H-7",
    }  # fmt: skip


def test_a_cancelled_order_is_not_cancelled_again_and_a_refusal_is_told():
    errors = [
        {
            "field": ["orderId"],
            "message": "Cannot cancel an order with a return in progress",
            "code": "INVALID",
        }
    ]
    done = Played(writes.cancel(shop(), task()), Fulfilled=fulfilled(cancelled="2026-03-14T12:00:00Z"))
    refused = Played(
        writes.cancel(shop(), task()),
        Fulfilled=fulfilled(),
        Cancel={"orderCancel": {"job": None, "orderCancelUserErrors": errors}},
    )

    assert done.questions == ["Fulfilled"]
    assert refused.result.status == "rejected"
    assert "return in progress" in refused.result.reason


def test_a_shipment_without_numbers_has_nothing_to_update():
    update = channel.writes["fulfillment.update"]

    assert update.applies(task())
    assert not update.applies(task(packages=[{"carrier_name": "DHL"}]))
