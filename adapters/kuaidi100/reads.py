"""What 快递100 says of a parcel, pushed or asked for, laid out for the mapping: the whole list, oldest first.

Every push tells the whole journey, newest first, so a scan's place in the list is its order where times are the
same. A push has no time of its own: it is as fresh as its newest scan, and of two that end in one scan the one that
says more of the subscription is the later (it is polled, then aborted or shut down).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from hub.contract import Fact, Message, Place, Unmapped, Unreadable
from hub.contract.mapping import apply

Doc = dict[str, Any]

CHINA = timezone(timedelta(hours=8))
"""快递100's stamps carry no zone; they are China's."""

_LATER = {"updateall": 1, "abort": 2, "shutdown": 3}
_FAMILY = {"4": ("14", "401"), "8": ("10", "11", "12", "13")}
"""Finer codes that do not begin as their main state does: 14 is a main state, and one of 4's details."""


def read(message: Message) -> Iterable[Fact]:
    """The parcel of a push, or of the answer to a query."""
    return apply("kuaidi100.tracking", laid_out(message.json()), message)


def laid_out(told: Any) -> Doc:
    """A push or an answer as the mapping reads it: `push`, `last`, `carrier`, `head`, `scans`, `signed_at`, `revision`."""
    if not isinstance(told, dict):
        raise Unreadable("not an object", place=Place(field="param", value=str(told)[:80]))
    last = told.get("lastResult")
    pushed = isinstance(last, dict)
    last = last if isinstance(last, dict) else told
    scans = [
        {**scan, "position": position}
        for position, scan in enumerate(
            [*_scans(last, partner=False), *_scans(told.get("destResult"), partner=True)]
        )
    ]
    push = (
        {name: value for name, value in told.items() if not isinstance(value, dict | list)} if pushed else {}
    )
    newest = max((scan["epoch"] for scan in scans), default=0)
    return {
        "push": push,
        "last": {name: value for name, value in last.items() if name != "data"},
        "carrier": _carrier(push, last),
        "head": _head(told.get("destResult"), scans, partner=True) or _head(last, scans, partner=False),
        "scans": scans,
        "signed_at": 0 if scans and scans[-1]["partner"] else newest,
        # Of nothing but a word on the subscription: older than any scan.
        "revision": newest * 1000 + (10 * _LATER.get(str(push.get("status")), 0) if pushed else -1) + 2,
    }


def _head(result: Any, scans: list[Doc], *, partner: bool) -> str:
    """The code that a parcel's status goes by: its state, or the finer code of its newest scan where that is one of
    this state. The state 0 is also said of a parcel that nobody has seen: without a scan it means nothing."""
    state = _text(result.get("state")) if isinstance(result, dict) else ""
    own = [scan for scan in scans if scan["partner"] == partner]
    if not own:
        return "" if partner or state == "0" else state
    newest = max(own, key=lambda scan: (scan["epoch"], scan["position"]))
    code = _text(newest.get("statusCode"))
    finer = code in _FAMILY.get(state, ()) or (len(code) >= 3 and _main(code) == state)
    return code if finer else state


def ended(last: Doc) -> bool:
    """Whether a parcel's journey is over: signed for (3), or signed for by its sender (4)."""
    return _text(last.get("ischeck")) == "1" or _main(_text(last.get("state"))) in ("3", "4")


def _main(code: str) -> str:
    """The main state of a code: 304 is of 3, 1002 of 0, 101 of 1."""
    if len(code) == 4:
        return "0"
    return code[0] if len(code) == 3 else code


def _carrier(push: Doc, last: Doc) -> str:
    """快递100 corrects the carrier that it was told: `comNew` counts where `autoCheck` says so."""
    corrected = _text(push.get("comNew")) if _text(push.get("autoCheck")) == "1" else ""
    return corrected or _text(last.get("com"))


def _scans(result: Any, *, partner: bool) -> list[Doc]:
    """A list of scans, oldest first, each with its moment; `partner` where the country of destination tells it."""
    found = result.get("data") if isinstance(result, dict) else None
    field = "destResult" if partner else "lastResult"
    rows = [
        {**scan, "epoch": _epoch(scan, f"{field}.data[{place}]"), "partner": partner}
        for place, scan in enumerate(found if isinstance(found, list) else ())
        if isinstance(scan, dict)
    ]
    if len(rows) > 1 and rows[0]["epoch"] >= rows[-1]["epoch"]:
        rows.reverse()
    return rows


def _epoch(scan: Doc, field: str) -> int:
    """Unix seconds of a scan's time."""
    given = _text(scan.get("ftime")) or _text(scan.get("time"))
    try:
        moment = datetime.fromisoformat(given)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=CHINA)).timestamp())
    except (ValueError, OverflowError) as error:
        raise Unmapped(
            f"{given!r} is no time like 2026-01-10 16:00:00",
            place=Place(field=f"{field}.ftime", value=given[:80]),
        ) from error


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
