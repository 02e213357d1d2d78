"""Where tracking numbers go: to the plugin that the shop has, else into a note on the order.

WooCommerce itself has no field for them. Routes: WooCommerce docs, "Shipment Tracking API"; AST docs, "Shipment
Tracking API", which serves the same routes and, from older versions on, `wc-ast/v3`.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from adapters.woocommerce.api import Shop, ask, tree
from adapters.woocommerce.parcel import packages, sentence, tracking
from adapters.woocommerce.parcels import plain
from adapters.woocommerce.poll import TRACKERS, plugins
from hub.contract import Conversation

CHOSEN = {"shipment_tracking": TRACKERS[0], "ast": TRACKERS[1], "note": ""}


def tell(ctx: Shop, ref: str, shipment: Mapping[str, Any]) -> Conversation[None]:
    """Writes the numbers of a shipment that are not there yet."""
    route, there = yield from _there(ctx, ref)
    if not route:
        yield from _note(ctx, ref, shipment)
        return
    for package in packages(shipment):
        if plain(str(package["tracking_number"])) not in there:
            yield from ask(ctx, route, method="POST", body=tracking(package, shipment))


def forget(ctx: Shop, ref: str, numbers: set[str]) -> Conversation[None]:
    """Takes numbers back from the plugin; what a note said stays said."""
    route, there = yield from _there(ctx, ref)
    for number in sorted(numbers & there.keys()):
        yield from ask(ctx, f"{route}/{there[number]}", method="DELETE")


def write_note(ctx: Shop, ref: str, text: str, *, to_buyer: bool) -> Conversation[str]:
    """A note on the order, unless it is there already; returns its id."""
    found = tree((yield from ask(ctx, f"wc/v3/orders/{ref}/notes", type="any")))
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and _words(str(one.get("note") or "")) == _words(
            html.escape(text, quote=False)
        ):
            return str(one.get("id") or "")
    body = {"note": html.escape(text, quote=False), "customer_note": to_buyer}
    made = tree((yield from ask(ctx, f"wc/v3/orders/{ref}/notes", method="POST", body=body)))
    return str(made.get("id") or "") if isinstance(made, dict) else ""


def _note(ctx: Shop, ref: str, shipment: Mapping[str, Any]) -> Conversation[None]:
    for package in packages(shipment):
        text = sentence(ctx.settings.note_text, package)
        yield from write_note(ctx, ref, text, to_buyer=ctx.settings.notify_customer)


def _there(ctx: Shop, ref: str) -> Conversation[tuple[str, dict[str, str]]]:
    """The plugin's route for this order, "" where there is none, and the ids of the numbers it has."""
    space = CHOSEN.get(ctx.settings.tracking)
    if space is None:
        found = yield from plugins(ctx)
        space = next((one for one in TRACKERS if one in found), "")
    if not space:
        return "", {}
    route = f"{space}/orders/{ref}/shipment-trackings"
    answer = yield from ask(ctx, route)
    listed = tree(answer) if answer.status == 200 else None
    if not isinstance(listed, list):  # the plugin has been switched off since
        return "", {}
    return route, {
        plain(str(one.get("tracking_number") or "")): str(one.get("tracking_id") or "")
        for one in listed
        if isinstance(one, dict)
    }


def _words(text: str) -> str:
    """A note's words, whatever WordPress made of its quotes and blanks."""
    return " ".join(html.unescape(text).split())
