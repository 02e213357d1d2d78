"""A push at the door: its proof, and whether its row is an order of this form or one that the hub wrote itself.

简道云's documentation shows the values of the two headers swapped; what its servers send is the signature in
X-JDY-Signature (without a prefix) and the delivery's id in X-JDY-DeliverId.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.jiandaoyun.settings import JiandaoyunSettings
from hub.contract import Message, Unreadable, json_body
from hub.contract.proof import Digest, Parts, Proof

OWN = "own_row"
"""The topic of a row that the hub wrote and is told back."""

OTHER = "other_form"
"""The topic of a row of another form than the connection's: nobody reads it."""


def proof(settings: JiandaoyunSettings) -> Proof:
    """简道云's demos: sha1(nonce:body:secret:timestamp) in lower-case hex, over the raw body."""
    age = settings.signature_age
    return Digest(
        "x-jdy-signature",
        Parts("{query:nonce}:{body}:{secret}:{query:timestamp}"),
        hash="sha1",
        time="query:timestamp",
        nonce="query:nonce",
        tolerance=age,
        authenticity="body_signed_with_time" if age else "body_signed",
    )


def opened(message: Message, settings: JiandaoyunSettings) -> Message:
    """The message, under another topic where its row is our own or of another form."""
    try:
        told = message.json()
    except Unreadable:
        return message
    row = told.get("data") if isinstance(told, dict) else None
    if not isinstance(row, dict):
        return message
    if is_own(row, settings):
        return _as(message, OWN, row)
    if settings.entry_id and row.get("entryId") not in (None, "", settings.entry_id):
        return _as(message, OTHER, row)
    return message


def is_own(row: dict[str, Any], settings: JiandaoyunSettings) -> bool:
    """Whether the hub wrote this row: it has our marker, and it was made by the member as whom the hub writes.
    Somebody's copy of such a row has the marker too, and is an order of its own."""
    marked = row.get(settings.marker)
    if not (isinstance(marked, str) and marked.startswith("ord_")):
        return False
    creator = row.get("creator")
    name = creator.get("username") if isinstance(creator, dict) else None
    return not settings.data_creator or name in (None, settings.data_creator)


def _as(message: Message, topic: str, row: dict[str, Any]) -> Message:
    body = json_body({"op": topic, "data": {name: row.get(name) for name in ("_id", "entryId")}})
    return msgspec.structs.replace(message, topic=topic, body=body)
