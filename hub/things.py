"""Things that an operator makes: documents in the store, known to every process by the directory."""

from __future__ import annotations

from typing import Any

import msgspec

Doc = dict[str, Any]

SCHEDULE = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each attempt: the Standard Webhooks schedule, about three days."""
DISABLE_AFTER = 14 * 86_400.0
"""Seconds of nothing but failures after which an endpoint is disabled."""


class Thing(msgspec.Struct, kw_only=True):
    """Something an operator made. `status` says whether it works."""

    id: str
    tenant: str = "main"
    name: str
    status: str = "active"
    created_at: int = 0
    updated_at: int = 0
    position: int = 0


class Connection(Thing, kw_only=True):
    """One account of one channel. Secrets of `settings` are sealed at rest and open in memory.

    `key` is the unguessable part of its intake URL; `by_name` says whether its name may stand there
    instead (None: where its proof authenticates the body).
    """

    channel: str
    key: str
    settings: Doc = {}
    account: str = ""
    mode: str = "live"
    cutover_at: int = 0
    time_zone: str = ""
    currency: str = ""
    confirm: str = ""
    mappings: dict[str, str] = {}
    by_name: bool | None = None
    silence_after: float = 0.0
    sweep: bool = True


class Endpoint(Thing, kw_only=True):
    """Where a partner receives webhooks, and how. Secrets, those of `auth` too, are sealed; `mapping` names the
    file that makes its bodies, `accept` judges its answers, `capture` finds its own number of the order there;
    `disable_after` is for how long (seconds) it may do nothing but fail, 0 for ever."""

    url: str
    partner: str = ""
    description: str = ""
    events: list[str] = msgspec.field(default_factory=lambda: ["*"])
    secrets: list[Doc] = []
    ordering: str = "per_order"
    schedule: list[int] = msgspec.field(default_factory=lambda: list(SCHEDULE))
    timeout: float = 15.0
    rate: float = 0.0
    concurrency: int = 8
    payload: str = "full"
    format: str = "orderhub"
    fields: list[str] = []
    mapping: str = ""
    filter: str = ""
    connections: list[str] = []
    locations: list[str] = []
    headers: dict[str, str] = {}
    auth: Doc = {}
    accept: str = ""
    capture: str = ""
    signing: list[str] = msgspec.field(default_factory=lambda: ["v1"])
    include_test: bool = False
    block_for: float = 900.0
    disable_after: float = DISABLE_AFTER
    metadata: dict[str, str] = {}


class Partner(Thing, kw_only=True):
    """Another company: receiver, buyer, warehouse or supplier.

    `senders` are the addresses (`ada@lamps.example`) and domains (`lamps.example`) that may order by mail in
    its name, `proof` what a mail of theirs has to show. `addresses` are the tags of its own secret mail
    address: the newest first, older ones while they still count. `manner` is how it writes its orders (its words,
    layouts, articles, mappings: hub.inbound.mail.reading.Manner), `address_book` where they may be sent.
    """

    roles: list[str] = []
    metadata: dict[str, str] = {}
    senders: list[str] = []
    proof: str = "dmarc_pass"
    locale: str = ""
    time_zone: str = ""
    currency: str = ""
    max_order_value: str = ""
    addresses: list[Doc] = []
    manner: Doc = {}
    address_book: list[Doc] = []


class Route(Thing, kw_only=True):
    """Our news to any connection: on an event, where the predicate holds, run a write."""

    event: str
    connection: str
    write: str
    predicate: str = ""


class Token(Thing, kw_only=True):
    """A key to the admin API, kept as a hash."""

    hash: str
    scopes: list[str] = msgspec.field(default_factory=lambda: ["read"])
    partner: str = ""


class Notifier(Thing, kw_only=True):
    """A way to people: a mail account, an SMS account, a chat bot, a webhook. Secrets of `settings` are sealed.

    `rate` is messages a second, 0 unbounded."""

    kind: str
    settings: Doc = {}
    rate: float = 0.0


class NoticeRule(Thing, kw_only=True):
    """What a customer is told, when, by which notifier and in which words.

    `to` says whose address is taken; `consent` is an expression that has to hold besides `predicate`;
    `locale` is a language or `auto`; `code` and `params` are an SMS provider's approved template and its
    variables, each an expression."""

    event: str
    notifier: str
    template: str
    predicate: str = ""
    consent: str = ""
    to: str = "buyer"
    locale: str = "auto"
    fallback: str = "en"
    brand: str = ""
    code: str = ""
    params: dict[str, str] = {}


class Alert(Thing, kw_only=True):
    """Who is told when something is wrong, how loudly, and when not.

    severity       the mildest that is told
    causes         texts of which the title or the cause has to hold one; none: all
    connections    only troubles of these; none: all
    gather         seconds that a trouble waits for its like
    per_minute     messages in a minute, at most; what is more becomes one digest
    quiet          `22:00-07:00` in `time_zone`: milder ones than `loud` wait until it is over
    escalate_after seconds without an ack, then `escalate_to` (another alert) is told; 0 never
    escalations    this alert hears only what others escalate
    closed         whether the end of a trouble is told too
    code           an SMS provider's approved template, with the one variable `title`
    """

    notifier: str
    to: list[str] = []
    severity: str = "error"
    causes: list[str] = []
    connections: list[str] = []
    gather: float = 10.0
    per_minute: int = 6
    quiet: str = ""
    loud: str = "critical"
    time_zone: str = "UTC"
    escalate_after: float = 0.0
    escalate_to: str = ""
    escalations: bool = False
    closed: bool = True
    code: str = ""
    locale: str = "en"


def address_of(kind: str, to: str, doc: Doc) -> str | None:
    """Where a notifier of this kind reaches the person `to` of an order, "" for one that needs no address; None
    where it cannot: no address, a masked one, people who are forgotten."""
    name = "email" if kind == "smtp" else "phone" if kind.endswith("_sms") else ""
    if not name:
        return ""
    for part in dict.fromkeys((to, "buyer", "ship_to", "bill_to") if to == "buyer" else (to,)):
        person = doc.get(part) or {}
        if person.get(name) and not person.get("masked"):
            return str(person[name])
    return None


KINDS: dict[str, type[Thing]] = {
    "connection": Connection,
    "endpoint": Endpoint,
    "partner": Partner,
    "route": Route,
    "token": Token,
    "notifier": Notifier,
    "noticerule": NoticeRule,
    "alert": Alert,
}


def shape(endpoint: Endpoint, version: str = "") -> str:
    """How an endpoint's bodies look: bodies of one shape are rendered once and shared. `version` is that of its
    mapping."""
    own = [f"{endpoint.mapping}@{version}"] if endpoint.mapping else []
    if endpoint.payload == "full" and endpoint.format == "orderhub" and not endpoint.fields and not own:
        return "full"
    return "/".join([endpoint.payload, endpoint.format, ",".join(sorted(endpoint.fields)), *own])


def places(doc: Doc) -> set[str]:
    """The locations that an order speaks of: of its lines, of who is to ship, and from where it was."""
    parts = ("lines", "fulfillments", "shipments")
    return {place for part in parts for one in doc.get(part) or () if (place := one.get("location"))}
