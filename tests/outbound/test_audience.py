"""Who is told of what: globs, and what is for those who run the hub."""

from __future__ import annotations

import pytest

from hub.audience import OPERATORS, listens
from hub.http.catalogue import EVENTS


@pytest.mark.parametrize("event", [one for one in EVENTS if one.partition(".")[0] in OPERATORS])
def test_all_is_what_befalls_orders_and_the_hub_s_own_troubles_are_asked_for_by_name(event):
    group = event.partition(".")[0]

    assert not listens(["*"], event)
    assert not listens(["*.*", "order.*"], event)
    assert listens(["*", f"{group}.*"], event)
    assert listens([event], event)


@pytest.mark.parametrize("event", ["order.created", "shipment.delivered", "webhook.test", "writeback.failed"])
def test_all_takes_everything_else(event):
    assert listens(["*"], event)
