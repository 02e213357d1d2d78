"""`orderhub partners`, `tokens` and `routes`: who else there is, who may do what, where news goes besides."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.nouns import changing, file_bytes, group, lists, quoted, removes, shows
from hub.cli.show import AsJson

partners = group("Other companies: receivers, buyers, warehouses, suppliers.")
tokens = group("Keys to the API, each with its scopes.")
routes = group("Our news to any connection: on an event, run a write.")

Called = Annotated[str, typer.Argument(help="What to call it.")]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="receiver, buyer, warehouse or supplier. Repeatable; receiver if none."),
]
Senders = Annotated[
    list[str] | None,
    typer.Option("--sender", help="An address or a domain that may order by mail. Repeatable."),
]
Proof = Annotated[
    str | None,
    typer.Option(help="What its mail has to show: dmarc_pass, dkim_domain, known_address or manual."),
]
Locale = Annotated[str | None, typer.Option(help="How it writes numbers and dates, such as de-DE.")]
Zone = Annotated[str | None, typer.Option("--time-zone", help="Its IANA time zone, such as Europe/Berlin.")]
Currency = Annotated[str | None, typer.Option(help="The currency where a mail names none, such as EUR.")]
MostValue = Annotated[
    str | None, typer.Option("--max-order-value", help="Above this an order by mail is a draft.")
]
HowWritten = Annotated[
    str | None,
    typer.Option(
        "--manner", help="A YAML file of how it writes its orders: labels, columns, skus, layouts …"
    ),
]
Book = Annotated[
    str | None,
    typer.Option("--address-book", help="A YAML file with a list of addresses; others hold an order."),
]
Mail = Annotated[str, typer.Argument(help="A letter as a file (.eml).")]
Overlap = Annotated[
    int, typer.Option("--overlap", min=0, max=90, help="Days for which older ones still count.")
]
Scopes = Annotated[
    list[str] | None,
    typer.Option("--scope", help="read, write, operate, admin or partner. Repeatable; read if none."),
]
Whose = Annotated[
    str | None, typer.Option("--partner", help="The partner for whom a token of scope partner is.")
]
On = Annotated[str, typer.Option("--on", help="The event, such as order.ready; a glob.")]
To = Annotated[str, typer.Option("--to", help="The connection that is told.")]
What = Annotated[str, typer.Option("--write", help="The write of its channel, such as order.create.")]
When = Annotated[
    str, typer.Option("--when", help="Only where this expression holds, such as data.channel == 'phone'.")
]
Title = Annotated[str | None, typer.Option("--name", help="What to call it.")]

lists(
    partners, "/v1/partners", {"name": "name", "roles": "roles", "created": "created_at", "id": "id"},
    "No partners yet: `orderhub partners add NAME` makes one.",
)  # fmt: skip
shows(partners, "/v1/partners")
removes(partners, "/v1/partners", "partner", "Nothing may name it any more: no token, no endpoint.")
lists(
    tokens, "/v1/tokens",
    {"name": "name", "scopes": "scopes", "partner": "partner", "status": "status", "created": "created_at", "id": "id"},
    "No tokens.",
)  # fmt: skip
shows(tokens, "/v1/tokens")
removes(tokens, "/v1/tokens", "token", "Whoever uses it is locked out at once.")
lists(
    routes, "/v1/routes",
    {"name": "name", "on": "event", "to": "connection", "write": "write", "when": "predicate", "status": "status"},
    "No routes yet: `orderhub routes add` makes one.",
)  # fmt: skip
shows(routes, "/v1/routes")
changing(
    routes, "/v1/routes", "route",
    "Change fields: --set write=order.cancel --set event=order.cancelled --set \"predicate=data.channel == 'phone'\".",
)  # fmt: skip
removes(routes, "/v1/routes", "route", "No news goes that way any more.")


@partners.command("add")
def add_partner(
    name: Called, role: Roles = None, sender: Senders = None, proof: Proof = None, locale: Locale = None,
    time_zone: Zone = None, currency: Currency = None, max_order_value: MostValue = None, manner: HowWritten = None,
    address_book: Book = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Make a partner, to own endpoints and tokens, and to order by mail."""
    told = _mail(sender, proof, locale, time_zone, currency, max_order_value) | _files(manner, address_book)
    made = _made("/v1/partners", {"name": name, "roles": role or ["receiver"], **told})
    show.said(
        f"partner {made['name']} is made. Next: orderhub endpoints add URL --partner {name}",
        json_form=json,
        doc=made,
    )


@partners.command("change")
def change_partner(
    name: Called, role: Roles = None, sender: Senders = None, proof: Proof = None, locale: Locale = None,
    time_zone: Zone = None, currency: Currency = None, max_order_value: MostValue = None, manner: HowWritten = None,
    address_book: Book = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Change what is given; senders and roles are given whole."""
    from hub.cli.client import hub

    told = _mail(sender, proof, locale, time_zone, currency, max_order_value) | _files(manner, address_book)
    told |= {"roles": role} if role else {}
    with hub() as line:
        made = line.patch(f"/v1/partners/{quoted(name)}", told)
    show.said(f"partner {made['name']} is changed: {', '.join(told) or 'nothing'}", json_form=json, doc=made)


@partners.command("try")
def try_letter(name: Called, mail: Mail, json: AsJson = False) -> None:
    """See what a letter of a partner would be read as, and where each value stood; nothing is recorded."""
    from base64 import b64encode

    told = _made(f"/v1/partners/{quoted(name)}/try", {"raw": b64encode(file_bytes(mail)).decode()})
    if json:
        return show.as_json(told)
    out = show.console()
    out.print(f"{told['kind']}  {told.get('reason', '')}".rstrip())
    for found in (*told.get("orders", ()), *told.get("shipments", ())):
        out.print(
            f"{found['form']} in part {found['part']}"
            + (", by the partner's own rules" if found.get("ruled") else "")
        )
        for field, one in found.get("fields", {}).items():
            out.print(
                f"  {field}: {one.get('text', '')!r} at {one.get('place', '')}, {one.get('confidence', 1.0):g}",
                markup=False,
            )
        for doubt in found.get("doubts", ()):
            out.print(
                f"  ? {doubt['field']}: {doubt['reason']} {' or '.join(doubt.get('readings', ()))}".rstrip(),
                style="yellow",
                markup=False,
            )
    for note in told.get("notes", ()):
        out.print(f"note: {note}", markup=False)
    return None


@partners.command("rotate-address")
def rotate_address(name: Called, overlap: Overlap = 7, json: AsJson = False) -> None:
    """Give a partner a new secret mail address, shown this once; the old one counts some days more."""
    made = _made(f"/v1/partners/{quoted(name)}/rotate-address", {"overlap": overlap * 86_400})
    told = ", ".join(made["addresses"])
    show.said(
        f"{name} writes to {told}, shown this once; older ones count until {made['until']}",
        json_form=json,
        doc=made,
    )


def _mail(
    sender: list[str] | None,
    proof: str | None,
    locale: str | None,
    zone: str | None,
    currency: str | None,
    most: str | None,
) -> dict[str, Any]:
    given = {"senders": sender, "proof": proof, "locale": locale, "time_zone": zone, "currency": currency,
             "max_order_value": most}  # fmt: skip
    return {field: value for field, value in given.items() if value is not None}


def _files(manner: str | None, book: str | None) -> dict[str, Any]:
    """What is written in files: how a partner writes, and where its goods go."""
    import yaml

    out: dict[str, Any] = {}
    for field, path in (("manner", manner), ("address_book", book)):
        if path is None:
            continue
        try:
            out[field] = yaml.safe_load(file_bytes(path))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Failure(f"{path}: not YAML: {error}", code=USAGE) from error
    return out


@tokens.command("add")
def add_token(name: Called, scope: Scopes = None, partner: Whose = None, json: AsJson = False) -> None:
    """Make a token; it is shown this once."""
    body: dict[str, Any] = {"name": name, "scopes": scope or (["partner"] if partner else ["read"])}
    made = _made("/v1/tokens", body | ({"partner": partner} if partner else {}))
    show.said(
        f"token {made['name']} ({', '.join(made['scopes'])}), shown this once: {made['token']}",
        json_form=json,
        doc=made,
    )


@routes.command("add")
def add_route(on: On, to: To, write: What, when: When = "", name: Title = None, json: AsJson = False) -> None:
    """Carry news to a connection."""
    body = {"event": on, "connection": to, "write": write, "predicate": when} | (
        {"name": name} if name else {}
    )
    made = _made("/v1/routes", body)
    show.said(f"route {made['name']}: {on} runs {write} at {to}", json_form=json, doc=made)


def _made(path: str, body: dict[str, Any]) -> Any:
    from hub.cli.client import hub

    with hub() as line:
        return line.post(path, body)
