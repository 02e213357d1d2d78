"""Wishes: what an endpoint may be told, and whether it can be: every refusal names the field and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import UNSET

from hub.audience import OPERATORS
from hub.contract.errors import Misconfigured
from hub.contract.mapping import compile_expression
from hub.contract.mapping.syntax import Expr, Key, Path, inside
from hub.contract.mapping.targets import Free, Many, Record, target
from hub.contract.settings import MASK
from hub.directory import Connection, Endpoint, Partner
from hub.http.ask import Ask
from hub.http.catalogue import check_globs
from hub.http.problems import Problem, invalid
from hub.http.terms import Auth, NoAuth, OAuth2Client, Wishes

FORBIDDEN = {
    **dict.fromkeys(("authorization", "proxy-authorization"), "set `auth`, which is kept sealed"),
    **dict.fromkeys(
        ("host", "content-length", "content-type", "content-encoding", "transfer-encoding", "proxy-connection", "connection", "keep-alive", "te", "trailer",
         "upgrade", "expect", "accept-encoding", "user-agent"),
        "the hub says it",
    ),
}  # fmt: skip
"""Headers that an endpoint cannot have as its own, and why."""
_OURS = ("webhook-", "orderhub-")
_ROOTS = {"filter": ("type", "data"), "accept": ("status", "body"), "capture": ("status", "body")}
"""What expressions look at: an event, or an answer."""
_ORDER = target("order/1")
_OF_NO_ORDER = (*OPERATORS, "email", "webhook")
"""Groups of events whose data is no order."""


SECRETS = ("password", "token", "client_secret")
"""The fields of an auth that are sealed."""


def fulfil(ask: Ask, one: Endpoint, given: Wishes) -> None:
    """Put the wishes into an endpoint and check it whole; Problem 422 names the field and the reason."""
    for name in given.__struct_fields__:
        if (
            name in Endpoint.__struct_fields__
            and name != "auth"
            and (value := getattr(given, name)) is not UNSET
        ):
            setattr(one, name, value)
    if given.auth is not UNSET:
        one.auth = _sealed(ask, one, given.auth)
    ask.hub.guard.check_url(one.url)
    check_globs(one.events, "events")
    for field, roots in _ROOTS.items():
        check_expression(getattr(one, field), field, roots)
    _check_filter(one)
    _check_shape(ask, one)
    _check_headers(one)
    if len(set(one.signing)) != len(one.signing):
        raise invalid("a signature is named twice", "signing")
    for index, name in enumerate(given.connections or ()):  # what was not given was looked up when it was
        one.connections[index] = _known(ask, Connection, name, f"connections[{index}]")
    if given.partner:
        one.partner = _known(ask, Partner, given.partner, "partner")


def check_expression(text: str, field: str, roots: tuple[str, ...]) -> None:
    """Problem 422 with the place in it where an expression does not compile, or begins with what is not there: it
    would be null for ever, and refuse everything."""
    if not text:
        return
    try:
        found = compile_expression(text, file=field)
    except Misconfigured as error:
        raise invalid("; ".join(error.faults), field, faults=error.faults) from error
    faults = [
        f"{path.spot} there is no '{name}'; there are {' and '.join(roots)}"
        for path, name in _beginnings(found.expr)
        if name not in roots
    ]
    if faults:
        raise invalid("; ".join(faults), field, faults=faults)


def _check_filter(one: Endpoint) -> None:
    """Problem 422 where a filter asks an order for what no order has: the endpoint would hear nothing for ever. Events
    of no order have data of their own: whoever names one of their groups may ask for anything."""
    if not one.filter or any(glob.startswith(_OF_NO_ORDER) for glob in one.events):
        return
    for path, name in _beginnings(compile_expression(one.filter, file="filter").expr):
        if name == "data" and len(path.parts) > 1 and isinstance(path.parts[1], Key):
            try:
                check_field(path.parts[1].name, "filter")
            except Problem as problem:
                fault = f"{path.spot} {problem.document.detail}"
                raise invalid(fault, "filter", faults=[fault]) from problem


def _beginnings(expr: Expr) -> Iterator[tuple[Path, str]]:
    """The paths of an expression with the member that each begins with; those within a list's own test are its."""
    if not isinstance(expr, Path):
        for one in inside(expr):
            yield from _beginnings(one)
    elif expr.start in ("self", "root") and expr.parts and isinstance(expr.parts[0], Key):
        yield expr, expr.parts[0].name


def _check_shape(ask: Ask, one: Endpoint) -> None:
    for index, name in enumerate(one.fields):
        check_field(name, f"fields[{index}]")
    if not one.mapping:
        return
    try:
        found = ask.hub.registry.mapping(one.mapping)
    except Misconfigured as error:
        raise invalid("; ".join(error.faults), "mapping", faults=error.faults) from error
    if found.subject != "json":
        raise invalid(
            f"{one.mapping} makes {found.target} of what comes in; an endpoint's has `target: json`",
            "mapping",
        )


def check_field(path: str, field: str) -> None:
    """Problem 422 where the canonical order has no such field; below `attributes` anything may stand."""
    shape: Any = _ORDER
    for name in path.split("."):
        while isinstance(shape, Many):
            shape = shape.item
        if isinstance(shape, Free):
            return
        known = shape.fields if isinstance(shape, Record) else {}
        if name not in known:
            near = get_close_matches(name, known, n=3)
            hint = f", is {' or '.join(near)} meant?" if near else "; `orderhub schema order` shows them"
            raise invalid(f"an order has no field {path!r}{hint}", field)
        shape = known[name]


def _check_headers(one: Endpoint) -> None:
    for name in one.headers:
        low = name.lower()
        reason = FORBIDDEN.get(low) or ("the hub says it" if low.startswith(_OURS) else "")
        if reason:
            raise invalid(f"{name} cannot be an endpoint's own header: {reason}", f"headers.{name}")
    lower = [name.lower() for name in one.headers]
    for name in one.headers:
        if lower.count(name.lower()) > 1:
            raise invalid(f"{name} stands there twice", f"headers.{name}")


def _sealed(ask: Ask, one: Endpoint, given: Auth) -> dict[str, Any]:
    """An auth as it is kept, its secrets sealed; a masked one that comes back stays as it is."""
    if isinstance(given, NoAuth):
        return {}
    if isinstance(given, OAuth2Client):
        ask.hub.guard.check_url(given.token_url, "auth.token_url")
    doc: dict[str, Any] = {
        name: value for name, value in msgspec.to_builtins(given).items() if value or name == "type"
    }
    same = one.auth.get("type") == doc["type"]
    for name in SECRETS:
        if name not in doc:
            continue
        if doc[name] == MASK and not (same and name in one.auth):
            raise invalid(f"{MASK} stands for a secret that there is: give the {name} itself", f"auth.{name}")
        doc[name] = one.auth[name] if doc[name] == MASK else {"sealed": ask.hub.vault.seal(doc[name], one.id)}
    return doc


def shown_auth(one: Endpoint) -> dict[str, Any]:
    """An auth as it is shown."""
    return {"type": "none"} | {name: MASK if name in SECRETS else value for name, value in one.auth.items()}


def _known(ask: Ask, type_: type[Connection] | type[Partner], name: str, field: str) -> str:
    found = ask.hub.directory.get(type_, name, tenant=ask.tenant)
    if found is None:
        raise invalid(f"there is no {type_.__name__.lower()} {name!r}", field)
    return found.id
