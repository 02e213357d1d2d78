"""How the shop is read: a sweep over what changed, one order again, and the shop itself at connect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from adapters.woocommerce.api import Shop, ask, more, plain, rows, said, tree
from adapters.woocommerce.auth import AUTH
from adapters.woocommerce.settings import account_of, shop_url
from adapters.woocommerce.topics import ORDER_GONE, ORDER_HERE, ORDER_READ
from hub.contract import Conversation, Keep, Misconfigured, Page, Refused, Response, Unreadable, json_body
from hub.contract.sweep import beginning

SIZE = 100
"""WooCommerce docs: `per_page` is at most 100."""

FORM = "%Y-%m-%dT%H:%M:%S"
"""WooCommerce's own form of a time: without a zone, UTC in fields that end in `_gmt`."""

PLUGINS = "plugins"
"""The state that remembers the shop's REST namespaces of tracking plugins."""

TRACKERS = ("wc-shipment-tracking/v3", "wc-ast/v3", "wc-ast-pro/v3")


class Listed(msgspec.Struct):
    """What a sweep has to know of an order in a list."""

    id: int | str
    date_modified_gmt: str | None = None
    date_created_gmt: str | None = None
    status: str | None = None
    refunds: Any = None


_LISTED = msgspec.json.Decoder(Listed)
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def sweep(ctx: Shop, cursor: str) -> Conversation[None]:
    """Every order that changed since the cursor (a `date_modified_gmt`), oldest change first.

    `status=any` leaves out the trash, which is therefore asked for first: the cursor moves with the others.
    """
    since = beginning(cursor, ctx.now)
    yield from _changed(ctx, since, "trash", cursor, moves=False)
    yield from _changed(ctx, since, "any", cursor, moves=True)


def _changed(ctx: Shop, since: datetime, status: str, cursor: str, *, moves: bool) -> Conversation[None]:
    """Pages by the last change seen and not by number: an order that changes meanwhile moves to the end, all behind
    it move up, and the next page would begin one too late. Only a full page of one second is gone through by number.
    """
    page = 1
    seen: set[tuple[str, str]] = set()
    while True:
        answer = yield from ask(
            ctx,
            "wc/v3/orders",
            modified_after=since.strftime(FORM),
            dates_are_gmt="true",
            orderby="modified",
            order="asc",
            per_page=ctx.settings.page_size,
            page=page,
            status=status,
        )
        found = rows(_there(answer))
        last = since
        for raw in found:
            one = _listed(raw)
            changed = one.date_modified_gmt or one.date_created_gmt or ""
            last = max(last, _moment(changed) or last)
            if (str(one.id), changed) not in seen:
                seen.add((str(one.id), changed))
                cursor = max(cursor, changed)
                yield from _order_page(ctx, raw, one, cursor if moves else "")
        if not found or not more(answer, page, len(found), ctx.settings.page_size):
            return
        # `modified_after` is exclusive and its clock ticks in seconds: the last one is asked for again.
        following = last - timedelta(seconds=1)
        if following > since:
            since, page = following, 1
            seen = {key for key in seen if (_moment(key[1]) or since) >= since}
        else:
            page += 1


def _order_page(ctx: Shop, raw: msgspec.Raw, one: Listed, cursor: str = "") -> Conversation[None]:
    """One order as a page, byte for byte; one with refunds gets them whole, since it names them only."""
    body = bytes(raw)
    if one.refunds:
        order = _PARTS.decode(raw)
        order["refunds"] = msgspec.Raw(b"[%b]" % b",".join((yield from _refunds(ctx, str(one.id)))))
        body = msgspec.json.encode(order)
    yield Page(topic=ORDER_READ, body=body, cursor=cursor, ref=f"order:{one.id}")


def _refunds(ctx: Shop, order: str) -> Conversation[list[bytes]]:
    """All refunds of an order, each as it came; none where the order has gone meanwhile."""
    found: list[bytes] = []
    page = 1
    while True:
        answer = yield from ask(ctx, f"wc/v3/orders/{order}/refunds", per_page=SIZE, page=page)
        part = rows(answer) if answer.status != 404 else []
        found += map(bytes, part)
        if not part or not more(answer, page, len(part), SIZE):
            return found
        page += 1


def reread(ctx: Shop, subject: str, ref: str) -> Conversation[None]:
    """One order again; its payment has its id, and all else comes with it. One that is gone is told as gone."""
    if subject not in ("order", "payment") or not ref:
        raise Refused(f"WooCommerce shows a {subject} with its order only", code="unsupported")
    answer = yield from ask(ctx, f"wc/v3/orders/{ref}")
    if answer.status == 404:
        yield Page(topic=ORDER_GONE, body=json_body({"id": ref}), ref=f"order:{ref}")
        return
    raw = msgspec.Raw(plain(answer))
    one = _listed(raw)
    if one.status != "trash":
        yield Page(topic=ORDER_HERE, body=json_body({"id": one.id}))
    yield from _order_page(ctx, raw, one)


def find_account(ctx: Shop) -> Conversation[str]:
    """The shop's own address, after a look at what the key may do and which tracking plugins there are.

    Hosts that strip the Authorization header make the key look wrong: it is then shown in the address.
    """
    index = yield from _index(ctx)
    namespaces = {name for name in index.get("namespaces") or () if isinstance(name, str)}
    if "wc/v3" not in namespaces:
        raise Misconfigured(f"{shop_url(ctx.settings)} is WordPress without WooCommerce's REST API wc/v3")
    yield from _admitted(ctx)
    try:
        yield from ask(ctx, "wc/v3/orders/batch", method="POST", body={})
        access = "read_write"
    except Refused:
        access = "read"
    yield Keep(
        {PLUGINS: " ".join(name for name in TRACKERS if name in namespaces) or "none", "access": access}
    )
    account = account_of(str(index.get("home") or index.get("url") or shop_url(ctx.settings)))
    return account or account_of(shop_url(ctx.settings))


def plugins(ctx: Shop) -> Conversation[frozenset[str]]:
    """The tracking plugins' REST namespaces, as remembered or as the shop's index tells them."""
    known = ctx.state.get(PLUGINS, "")
    if not known:
        namespaces = (yield from _index(ctx)).get("namespaces") or ()
        known = " ".join(name for name in TRACKERS if name in namespaces) or "none"
        yield Keep({PLUGINS: known})
    return frozenset(known.split())


def _index(ctx: Shop) -> Conversation[dict[str, Any]]:
    """What WordPress says of itself to anybody."""
    answer = yield from ask(ctx, "", _fields="name,home,url,namespaces")
    found = tree(_there(answer))
    if not isinstance(found, dict):
        raise Unreadable("the shop's REST index is none")
    return found


def _admitted(ctx: Shop) -> Conversation[None]:
    """That the key may read orders, shown in the one way or the other."""
    try:
        _there((yield from ask(ctx, "wc/v3/orders", per_page=1, _fields="id")))
        return
    except Refused as error:
        if (
            ctx.settings.auth != "auto"
            or error.code != "unauthorized"
            or shop_url(ctx.settings)[:5] == "http:"
        ):
            raise Misconfigured(str(error)) from error
        first = error
    for manner in ("query", "basic"):
        if manner == ctx.state.get(AUTH, "basic"):
            continue
        yield Keep({AUTH: manner})
        try:
            _there((yield from ask(ctx, "wc/v3/orders", per_page=1, _fields="id")))
            return
        except Refused:
            yield Keep({AUTH: ctx.state.get(AUTH)})
    raise Misconfigured(str(first)) from first


def _there(answer: Response) -> Response:
    """The answer of a route that every shop has."""
    if answer.status == 404:
        raise Refused(f"there is no WooCommerce REST API at this address: {said(answer)}", code="no_api")
    return answer


def _listed(raw: msgspec.Raw) -> Listed:
    try:
        return _LISTED.decode(raw)
    except msgspec.DecodeError as error:
        raise Unreadable(f"an order in WooCommerce's list is none: {error}") from error


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
