"""Who calls: a Bearer token, its scopes, its tenant, and, for a partner's token, whose endpoints it sees.

`read` looks, `write` tells (orders, reports, decisions) and reads, `operate` repairs (replay, redeliver,
skip, pause) and reads, `admin` configures and may do everything. `partner` sees and repairs its own
deliveries and nothing else.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request

from hub.directory import Directory, Token
from hub.http.problems import Problem
from hub.tokens import token_hash

Scope = Literal["read", "write", "operate", "admin", "partner"]
SCOPES: tuple[Scope, ...] = ("read", "write", "operate", "admin", "partner")

_INCLUDES: dict[str, frozenset[str]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"read", "write"}),
    "operate": frozenset({"read", "operate"}),
    "admin": frozenset({"read", "write", "operate", "admin"}),
    "partner": frozenset({"partner"}),
}


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """The caller: its tenant, what it may do, the partner it speaks for (""; none), and the name that
    the audit keeps, with the person it acts for where it says so."""

    tenant: str
    name: str
    scopes: frozenset[str]
    partner: str = ""

    def may(self, scope: str) -> bool:
        """Whether it has this scope."""
        return scope in self.scopes


def caller(request: Request, directory: Directory) -> Who:
    """Who calls; Problem 401 where no token of ours says so."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not given.strip():
        raise _unauthorized("send `Authorization: Bearer <token>`")
    digest = token_hash(given.strip())
    token = next((one for one in directory.all(Token) if one.hash == digest), None)
    if token is None or token.status != "active":
        raise _unauthorized("this token is unknown or was revoked")
    behalf = request.headers.get("on-behalf-of", "")[:100]
    return Who(
        tenant=token.tenant,
        name=f"{token.name} for {behalf}" if behalf else token.name,
        scopes=frozenset().union(*(_INCLUDES[scope] for scope in token.scopes if scope in _INCLUDES)),
        partner=token.partner,
    )


def permit(who: Who, scope: Scope, *, partner: bool) -> None:
    """Problem 403 where the caller lacks the scope; `partner` operations are open to partners' tokens too."""
    if who.may(scope) or (partner and who.may("partner")):
        return
    raise Problem(403, "forbidden", f"this needs a token with the scope {scope}")


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"www-authenticate": "Bearer"})
