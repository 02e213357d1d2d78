"""Terms: what an endpoint may be told, field by field; the API describes itself with these words."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.http.words import Place, Text, Title, spelt

Wait = Annotated[int, Meta(ge=0, le=7 * 86_400)]
HeaderName = Annotated[
    str,
    spelt(
        r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}",
        "a header's name has letters, digits and !#$%&'*+.^_`|~-, up to 100 of them",
    ),
]
HeaderText = Annotated[str, spelt(r"[\x20-\x7e]{0,2000}", "only printable ASCII, up to 2000 characters")]
Expression = Annotated[str, Meta(max_length=2000)]
Hidden = Meta(extra_json_schema={"format": "password", "writeOnly": True})
"""Marks what is kept sealed, and shown as `***`."""


class NoAuth(msgspec.Struct, tag_field="type", tag="none", forbid_unknown_fields=True):
    """No credentials: the signature is enough."""


class Basic(msgspec.Struct, tag_field="type", tag="basic", forbid_unknown_fields=True):
    """A user and a password."""

    username: Annotated[
        str, spelt(r"[^\x00-\x1f\x7f-\x9f:]{1,200}", "1 to 200 characters, no colon and no control character")
    ]
    password: Annotated[Text, Hidden]


class Bearer(msgspec.Struct, tag_field="type", tag="bearer", forbid_unknown_fields=True):
    """A token that does not change."""

    token: Annotated[
        str, spelt(r"[\x21-\x7e]{1,4000}", "printable ASCII without spaces, up to 4000 characters"), Hidden
    ]


class OAuth2Client(msgspec.Struct, tag_field="type", tag="oauth2_client", forbid_unknown_fields=True):
    """Tokens fetched with a client's own credentials (RFC 6749 §4.4), which stand in the `header` (Basic) or the
    `body` of that request."""

    token_url: str
    client_id: Text
    client_secret: Annotated[Text, Hidden]
    scope: Annotated[str, Meta(max_length=1000)] = ""
    audience: Annotated[str, Meta(max_length=1000)] = ""
    credentials_in: Literal["header", "body"] = "header"


Auth = NoAuth | Basic | Bearer | OAuth2Client


class Wishes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an endpoint may be told, all of it optional.

    `filter` is an expression over the event (`data.channel == 'marketplace'`), `accept` one over `status` and
    `body` of an answer (default: 2xx; `body.code == 0` where HTTP 200 may be a refusal), `capture` finds in
    `body` the partner's own number of the order. `fields` are the only ones of the order that it sees,
    `mapping` a mapping file with `target: json` that makes its bodies. `schedule` has the seconds before each
    attempt; `rate` is per second, 0 unbounded; `disable_after` the seconds of nothing but failures after
    which it is disabled, 0 never.
    """

    name: (
        Annotated[
            Title,
            Meta(description="What people and commands call it."),
        ]
        | UnsetType
    ) = UNSET
    description: (
        Annotated[Annotated[str, Meta(max_length=1000)], Meta(description="For people.")] | UnsetType
    ) = UNSET
    partner: (
        Annotated[
            str,
            Meta(description="The partner that it belongs to, by name or id: that partner's tokens see it."),
        ]
        | UnsetType
    ) = UNSET
    auth: (
        Annotated[
            NoAuth | Basic | Bearer | OAuth2Client,
            Meta(description="What our requests show the receiver; secrets are sealed, and shown as ***."),
        ]
        | UnsetType
    ) = UNSET
    accept: (
        Annotated[
            Expression,
            Meta(
                description="Its word for yes, an expression over `status` and `body` of its answer, as body.code == 0; 2xx if none."
            ),
        ]
        | UnsetType
    ) = UNSET
    capture: (
        Annotated[
            Expression,
            Meta(
                description="Where in the `body` of its answer its own number of the order stands, kept as a reference of the order."
            ),
        ]
        | UnsetType
    ) = UNSET
    ordering: (
        Annotated[
            Literal["per_order", "none"],
            Meta(
                description="per_order: an order's next event waits until the one before was taken. none: each goes at once."
            ),
        ]
        | UnsetType
    ) = UNSET
    schedule: (
        Annotated[
            Annotated[list[Wait], Meta(min_length=1, max_length=50)],
            Meta(
                description="The seconds before each attempt, counted from the one before: as many attempts as there are numbers."
            ),
        ]
        | UnsetType
    ) = UNSET
    timeout: (
        Annotated[Annotated[float, Meta(ge=1, le=30)], Meta(description="Seconds that an attempt may take.")]
        | UnsetType
    ) = UNSET
    rate: (
        Annotated[
            Annotated[float, Meta(ge=0, le=100_000)],
            Meta(description="Deliveries a second at the most; 0 is unbounded."),
        ]
        | UnsetType
    ) = UNSET
    concurrency: (
        Annotated[Annotated[int, Meta(ge=1, le=256)], Meta(description="Requests under way at once.")]
        | UnsetType
    ) = UNSET
    payload: (
        Annotated[
            Literal["full", "changes", "thin"],
            Meta(
                description="full: the order as it was then. changes: what changed of it, without the order. thin: the ids alone."
            ),
        ]
        | UnsetType
    ) = UNSET
    format: (
        Annotated[
            Literal["orderhub", "cloudevents"],
            Meta(
                description="orderhub: our envelope. cloudevents: CloudEvents 1.0 as structured JSON around it."
            ),
        ]
        | UnsetType
    ) = UNSET
    fields: (
        Annotated[
            Annotated[
                list[
                    Annotated[str, spelt(r"\w+(\.\w+)*", "a field of the order, such as number or lines.sku")]
                ],
                Meta(max_length=200),
            ],
            Meta(
                description="The only fields of the order that it sees, as number or lines.sku; all if none."
            ),
        ]
        | UnsetType
    ) = UNSET
    mapping: (
        Annotated[
            Annotated[str, Meta(max_length=200)],
            Meta(description="A mapping with `target: json` that makes the bodies; it has to be active."),
        ]
        | UnsetType
    ) = UNSET
    filter: (
        Annotated[
            Expression,
            Meta(
                description="Which events, an expression over `type` and `data`, as data.channel == 'marketplace'."
            ),
        ]
        | UnsetType
    ) = UNSET
    connections: (
        Annotated[
            Annotated[list[str], Meta(max_length=500)],
            Meta(description="Only of orders of these connections, by name or id; of all if none."),
        ]
        | UnsetType
    ) = UNSET
    locations: (
        Annotated[
            Annotated[list[Place], Meta(max_length=500)],
            Meta(description="Only of orders with something at these locations; of all if none."),
        ]
        | UnsetType
    ) = UNSET
    headers: (
        Annotated[
            Annotated[dict[HeaderName, HeaderText], Meta(max_length=50)],
            Meta(description="Further headers of each request; credentials belong into `auth`."),
        ]
        | UnsetType
    ) = UNSET
    signing: (
        Annotated[
            Annotated[list[Literal["v1", "v1a"]], Meta(min_length=1, max_length=2)],
            Meta(
                description="v1: HMAC with the shared secret. v1a: Ed25519, verified with the public keys at /v1/endpoints/{id}/keys."
            ),
        ]
        | UnsetType
    ) = UNSET
    include_test: Annotated[bool, Meta(description="Whether it hears of test orders too.")] | UnsetType = (
        UNSET
    )
    block_for: (
        Annotated[
            Annotated[float, Meta(ge=0, le=7 * 86_400)],
            Meta(
                description="Seconds after which an order's later events pass one that is refused again and again."
            ),
        ]
        | UnsetType
    ) = UNSET
    disable_after: (
        Annotated[
            Annotated[float, Meta(ge=0, le=365 * 86_400)],
            Meta(description="Seconds of nothing but failures after which it is disabled; 0 never."),
        ]
        | UnsetType
    ) = UNSET
    metadata: (
        Annotated[dict[str, str], Meta(description="Names and words of your own, kept and shown.")]
        | UnsetType
    ) = UNSET
