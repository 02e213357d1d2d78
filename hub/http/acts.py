"""Action links: what a person does from an alert's message, without a token of the API.

The link is its own permission: signed, for one thing, for a week. A GET only shows a page: chat programs look at
links before people do. The POST of that page acts, and leaves an audit row.
"""

from __future__ import annotations

import dataclasses
import html

import msgspec

from hub.http.ask import Answer, Ask
from hub.http.auth import Who
from hub.http.exceptions import exception_of, retry, settle
from hub.http.problems import Problem
from hub.http.table import Op
from hub.replies import Act

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{title}</title></head>
<body style="font-family: sans-serif; max-width: 34em; margin: 3em auto; padding: 0 1em">
<h1 style="font-size: 1.3em">{title}</h1>{body}</body></html>
"""
_HEADERS = {
    "cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
}  # fmt: skip
_VERBS = {"ack": "Acknowledge", "snooze": "Let it wait", "retry": "Try all of it again"}
_DONE = {
    "ack": "It is acknowledged: thank you.", "snooze": "It can wait.",
    "retry": "It is tried again; it closes itself when all of it is well.",
}  # fmt: skip


def _page(title: str, body: str, status: int = 200) -> Answer:
    page = _PAGE.format(title=html.escape(title), body=body)
    return Answer(value=page.encode(), status=status, media="text/html; charset=utf-8", headers=_HEADERS)


def _act(ask: Ask) -> Act | None:
    act = ask.hub.marks.act(ask.path(), ask.hub.world.now() // 1_000_000)
    return act if act is not None and act.action in _VERBS else None


def _expired() -> Answer:
    return _page("This link does nothing any more", "<p>It is too old, or was not copied whole.</p>", 410)


def _for(ask: Ask, act: Act) -> Ask:
    """The request as the alert's: its tenant, its name in the audit."""
    who = Who(tenant=act.tenant, name=f"link of {act.by}", scopes=frozenset({"operate"}))
    return dataclasses.replace(ask, who=who)


async def show_act(ask: Ask) -> Answer:
    """A page that says what the link would do; nothing is done."""
    act = _act(ask)
    if act is None:
        return _expired()
    try:
        row = await exception_of(_for(ask, act), act.subject)
    except Problem:
        return _expired()
    title = str(msgspec.json.decode(row[8]).get("title", ""))
    state = "" if row[3] == "open" else f"<p>It is {html.escape(row[3])} already.</p>"
    button = f'<form method="post"><button style="font-size: 1.1em; padding: .5em 1em">{_VERBS[act.action]}</button></form>'
    return _page(
        _VERBS[act.action], f"<p>{html.escape(title)}</p>{state}{button if row[3] != 'closed' else ''}"
    )


async def do_act(ask: Ask) -> Answer:
    """Do what the link is for."""
    act = _act(ask)
    if act is None:
        return _expired()
    ours = _for(ask, act)
    try:
        if act.action == "retry":
            await retry(ours, act.subject)
        else:
            await settle(ours, act.subject, "acked" if act.action == "ack" else "snoozed")
    except Problem as problem:
        return _page("Nothing was done", f"<p>{html.escape(str(problem))}</p>", problem.status)
    return _page("Done", f"<p>{_DONE[act.action]}</p>")


OPS = (
    Op(method="GET", path="/act/{id}", summary="What a link would do", handle=show_act, scope=None, media="text/html",
       also=(410,)),
    Op(method="POST", path="/act/{id}", summary="Do what a link is for", handle=do_act, scope=None, media="text/html",
       also=(404, 409, 410)),
)  # fmt: skip
