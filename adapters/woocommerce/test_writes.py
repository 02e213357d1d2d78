"""What WooCommerce is told of parcels, played by hand: numbers, notes, `completed`, and all of it taken back."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.woocommerce import channel, writes
from adapters.woocommerce.parcels import parcels
from adapters.woocommerce.test_access import INDEX
from adapters.woocommerce.test_polls import Played, Turns, error, said, shop
from hub.contract import Outcome, Task

LINES = [{"ref": "901", "id": "lin_A", "sku": "DAWN"}, {"ref": "902", "id": "lin_B", "sku": "MUG"}]
PARCEL = {
    "tracking_number": "0034 0434 1610",
    "carrier": "dhl_de",
    "carrier_name": "DHL Paket",
    "carrier_names": {"name": "DHL Paket", "woocommerce": "Deutsche Post DHL"},
    "tracking_url": "https://track.example/0034",
}
ROUTE = "wc-shipment-tracking/v3/orders/5107/shipment-trackings"
PLUGIN = {"plugins": "wc-shipment-tracking/v3"}
NOTE = {
    "packages": [{"number": "0034 0434 1610", "carrier": "DHL Paket", "link": "https://track.example/0034"}],
    "lines": [{"line": "901", "quantity": "1"}],
    "shipped_at": "2026-03-15T08:00:00.000Z",
}
TOLD = {
    "tracking_number": "0034 0434 1610",
    "tracking_provider": "Deutsche Post DHL",
    "date_shipped": "2026-03-15",
}


def task(event: str = "shipment.shipped", *, whole: bool = False, notes: Any = (), **shipment: Any) -> Task:
    subject = {
        "id": "shp_1",
        "packages": [PARCEL],
        "lines": [{"line": "lin_A", "quantity": "1"}],
        "shipped_at": "2026-03-15T08:00:00.000Z",
        **shipment,
    }
    order = {
        "lines": LINES,
        "fulfillment_status": "fulfilled" if whole else "partially_fulfilled",
        "notes": list(notes),
    }
    return Task(event=event, order=order, subject=subject, key="k", ref="5107")


def order(status: str = "processing", **meta: Any) -> dict[str, Any]:
    entries = [{"id": n, "key": key, "value": value} for n, (key, value) in enumerate(meta.items())]
    return {"id": 5107, "status": status, "meta_data": entries, "line_items": [{"id": 901, "quantity": 1}]}


def tracked(*numbers: str) -> list[dict[str, str]]:
    return [{"tracking_id": f"t{n}", "tracking_number": number} for n, number in enumerate(numbers)]


def play(conversation: Any, **answers: Any) -> Played:
    names = {"order": "GET wc/v3/orders/5107", "put": "PUT wc/v3/orders/5107", "notes": "GET wc/v3/orders/5107/notes",
             "note": "POST wc/v3/orders/5107/notes", "listed": f"GET {ROUTE}", "told": f"POST {ROUTE}"}  # fmt: skip
    prepared = {names.get(name, name): answer for name, answer in answers.items()}
    return Played(conversation, {"PUT wc/v3/orders/5107": {}, f"POST {ROUTE}": said({}, 201), **prepared})


def done(played: Played) -> list[tuple[str, Any]]:
    """What was written, without the looking."""
    return [(name.partition(" wc")[0], body) for name, body in played.asked if not name.startswith("GET")]


# ── shipped ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_shipment_is_noted_before_the_plugin_hears_of_it():
    played = play(writes.fulfil(shop(PLUGIN), task()), order=order(), listed=[])

    assert done(played) == [
        ("PUT", {"meta_data": [{"key": "_orderhub_shp_1", "value": NOTE}]}),
        ("POST", TOLD),
    ]
    assert played.result == Outcome(status="applied", ref="shp_1")


def test_its_echo_is_that_shipment_with_its_lines_whatever_the_plugin_adds():
    (echo,) = parcels(
        order(
            "completed",
            _orderhub_shp_1=NOTE | {"lines": [{"line": "901", "quantity": "1"}]},
            _wc_shipment_tracking_items=tracked("003404341610"),
        )
    )

    assert (echo["ref"], echo["lines"]) == ("shp_1", [{"line": "901", "quantity": "1"}])


def test_the_order_is_completed_where_all_is_shipped():
    played = play(writes.fulfil(shop(PLUGIN), task(whole=True)), order=order(), listed=[])

    assert done(played)[-1] == (
        "PUT",
        {
            "meta_data": [{"key": "_orderhub_shp_1", "value": NOTE | {"completed": True}}],
            "status": "completed",
        },
    )


@pytest.mark.parametrize("status", ["pending", "on-hold", "cancelled", "refunded", "failed", "trash"])
def test_an_order_that_is_not_being_processed_stays_what_it_is(status: str):
    played = play(writes.fulfil(shop(PLUGIN), task(whole=True)), order=order(status), listed=[])

    assert played.result.status == "applied"
    assert f"stays {status}" in played.result.reason
    assert not any("status" in (body or {}) for _, body in done(played))


def test_a_custom_status_is_completed_and_completed_is_left():
    roasting = play(writes.fulfil(shop(PLUGIN), task(whole=True)), order=order("awaiting-roast"), listed=[])
    complete = play(writes.fulfil(shop(PLUGIN), task(whole=True)), order=order("completed"), listed=[])
    off = play(writes.fulfil(shop(PLUGIN, complete_orders=False), task(whole=True)), order=order(), listed=[])

    assert done(roasting)[-1][1]["status"] == "completed"
    assert "status" not in done(complete)[0][1]
    assert off.result.reason == "complete_orders is off"


def test_a_second_try_finds_what_the_first_one_made():
    played = play(
        writes.fulfil(shop(PLUGIN), task(whole=True)),
        order=order("completed", _orderhub_shp_1=NOTE),
        listed=tracked("003404341610"),
    )

    assert done(played) == []
    assert played.result == Outcome(status="applied", ref="shp_1")


def test_a_try_that_died_in_the_middle_is_gone_on_with():
    played = play(
        writes.fulfil(shop(PLUGIN), task(whole=True)),
        order=order("processing", _orderhub_shp_1=NOTE),
        listed=[],
    )

    assert [name for name, _ in done(played)] == ["POST", "PUT"]


def test_a_number_that_somebody_typed_in_before_is_that_parcel():
    typed = {"tracking_number": "0034-0434-1610", "tracking_id": "b1b9"}
    played = play(
        writes.fulfil(shop(PLUGIN), task()),
        order=order(_wc_shipment_tracking_items=[typed]),
        listed=tracked("003404341610"),
    )

    assert done(played) == []
    assert played.result.ref == "b1b9"


def test_several_parcels_are_one_note_and_several_numbers():
    two = [
        PARCEL,
        {"tracking_number": "VK77", "carrier_name": "Velo Kurier", "tracking_url": "https://velo.example/77"},
    ]
    played = play(
        writes.fulfil(shop(PLUGIN), task(packages=two)), order=order(), listed=tracked("003404341610")
    )

    assert [one["number"] for one in done(played)[0][1]["meta_data"][0]["value"]["packages"]] == [
        "0034 0434 1610",
        "VK77",
    ]
    assert done(played)[1:] == [
        (
            "POST",
            {
                "tracking_number": "VK77",
                "custom_tracking_provider": "Velo Kurier",
                "custom_tracking_link": "https://velo.example/77",
                "date_shipped": "2026-03-15",
            },
        )
    ]


def test_lines_are_named_as_woocommerce_does_by_our_id_its_own_or_the_sku():
    lines = [
        {"line": "lin_A", "quantity": "1"},
        {"line": "902", "quantity": "2"},
        {"sku": "MUG"},
        {"line": "lin_X"},
    ]
    played = play(writes.fulfil(shop(PLUGIN), task(lines=lines)), order=order(), listed=[])

    assert done(played)[0][1]["meta_data"][0]["value"]["lines"] == [
        {"line": "901", "quantity": "1"},
        {"line": "902", "quantity": "2"},
        {"line": "902", "quantity": "1"},
    ]


# ── without the plugin ───────────────────────────────────────────────────────────────────────────────


def test_without_a_plugin_the_buyer_gets_a_note():
    played = play(
        writes.fulfil(shop({"plugins": "none"}), task()), order=order(), notes=[], note=said({"id": 9}, 201)
    )

    assert done(played)[-1] == (
        "POST",
        {
            "note": "Your parcel is on its way: DHL Paket 0034 0434 1610 https://track.example/0034",
            "customer_note": True,
        },
    )


def test_a_note_that_is_there_is_not_sent_again():
    there = [
        {"id": 9, "note": "Your parcel is on its way: DHL Paket 0034 0434 1610\nhttps://track.example/0034"}
    ]
    played = play(writes.fulfil(shop({"plugins": "none"}), task()), order=order(), notes=there)

    assert [name for name, _ in done(played)] == ["PUT"]


def test_the_shop_is_asked_once_which_plugins_it_has():
    namespaces = {**INDEX, "namespaces": ["wc/v3", "wc-ast/v3"]}
    ast = "wc-ast/v3/orders/5107/shipment-trackings"
    played = play(
        writes.fulfil(shop(), task()),
        order=order(),
        **{"GET ": namespaces, f"GET {ast}": [], f"POST {ast}": said({}, 201)},
    )

    assert played.kept == {"plugins": "wc-ast/v3"}
    assert played.asked[-1] == (f"POST {ast}", TOLD)


@pytest.mark.parametrize(
    ("chosen", "asked"),
    [
        ("shipment_tracking", "wc-shipment-tracking/v3"),
        ("ast", "wc-ast/v3"),
        ("note", "wc/v3/orders/5107/notes"),
    ],
)
def test_where_numbers_go_can_be_set(chosen: str, asked: str):
    route = f"{asked}/orders/5107/shipment-trackings"
    played = play(
        writes.fulfil(shop({"plugins": "none"}, tracking=chosen), task()),
        order=order(),
        notes=[],
        note={"id": 1},
        **{f"GET {route}": [], f"POST {route}": said({}, 201)},
    )

    assert played.names[-1].startswith(f"POST {asked}")


def test_a_plugin_that_was_switched_off_since_leaves_the_note():
    gone = error(404, "rest_no_route", "No route was found matching the URL and request method.")
    played = play(
        writes.fulfil(shop(PLUGIN), task()), order=order(), listed=gone, notes=[], note=said({"id": 9}, 201)
    )

    assert played.names[-1] == "POST wc/v3/orders/5107/notes"


# ── changed and taken back ───────────────────────────────────────────────────────────────────────────


def test_a_new_number_is_told_and_the_old_one_deleted():
    new = [{**PARCEL, "tracking_number": "NEW-1"}]
    played = play(
        writes.track(shop(PLUGIN), task("shipment.updated", packages=new)),
        order=order(_orderhub_shp_1=NOTE | {"completed": True}),
        listed=Turns([tracked("003404341610"), tracked("003404341610", "NEW1")]),
        **{f"DELETE {ROUTE}/t0": {}},
    )

    put, post, delete = done(played)
    value = put[1]["meta_data"][0]["value"]
    assert (value["packages"][0]["number"], value["gone"], value["completed"]) == (
        "NEW-1",
        ["003404341610"],
        True,
    )
    assert post[1]["tracking_number"] == "NEW-1"
    assert delete[0] == "DELETE"


def test_an_update_that_changes_no_number_writes_nothing():
    played = play(
        writes.track(shop(PLUGIN), task("shipment.updated")),
        order=order(_orderhub_shp_1=NOTE),
        listed=tracked("003404341610"),
    )

    assert done(played) == []


def test_a_shipment_that_the_shop_was_not_told_of_is_not_updated():
    played = play(writes.track(shop(PLUGIN), task("shipment.updated")), order=order())

    assert played.result == Outcome(status="unsupported", reason="WooCommerce was not told of this shipment")
    assert not channel.writes["fulfillment.update"].applies(task(packages=[]))


def test_a_cancelled_shipment_is_taken_back_with_what_we_completed():
    played = play(
        writes.unfulfil(shop(PLUGIN), task("shipment.cancelled")),
        order=order("completed", _orderhub_shp_1=NOTE | {"completed": True}),
        listed=tracked("003404341610"),
        **{f"DELETE {ROUTE}/t0": {}},
    )

    put, delete = done(played)
    assert (put[1]["status"], put[1]["meta_data"][0]["value"]["cancelled"]) == ("processing", True)
    assert delete[0] == "DELETE"


def test_what_others_completed_stays_completed():
    played = play(
        writes.unfulfil(shop(PLUGIN), task("shipment.cancelled")),
        order=order("completed", _orderhub_shp_1=NOTE),
        listed=[],
    )

    assert "status" not in done(played)[0][1]
