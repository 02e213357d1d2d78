"""A reader in Python may use mapping files by name; what it used, and the words they did not know, are told."""

from __future__ import annotations

import dataclasses

from hub.contract import Channel, Settings, const
from hub.contract.mapping import apply
from hub.contract.message import Message
from hub.registry import MappingText, load_registry

MAPPING = """
map: depot.parcel
target: tracking/1
tables:
  word: {ON_ROAD: in_transit, "*": unknown}
fields:
  ref: id | str | required
  number: no
  status: state | lookup('word')
"""


def read(message):
    """Two parcels in one body."""
    for parcel in message.json()["parcels"]:
        yield from apply("depot.parcel", parcel, message)


DEPOT = Channel(
    name="depot",
    title="Depot",
    kind="carrier",
    settings=Settings,
    topic=const("parcels"),
    reads={"parcels": read},
)


def test_a_reader_in_python_applies_a_mapping_and_tells_which():
    registry = dataclasses.replace(
        load_registry(),
        channels={"depot": DEPOT},
        texts={"depot.parcel": MappingText(MAPPING, "depot.parcel.yaml")},
    )
    body = b'{"parcels": [{"id": 1, "no": "A", "state": "ON_ROAD"}, {"id": 2, "no": "B", "state": "ADRIFT"}]}'

    reading = registry.read("depot", Message(topic="parcels", body=body))

    assert reading is not None
    assert [fact.doc["status"] for fact in reading.facts] == ["in_transit", "unknown"]
    assert (reading.mapping, reading.hash) == ("depot.parcel", registry.mapping("depot.parcel").hash)
    assert reading.unknown == ("status: table word has no word for 'ADRIFT'",)
