"""`orderhub notifiers`, `alerts` and `notices`: by what people are told, who is told what is wrong, what customers hear."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.nouns import (
    Name,
    Sets,
    changing,
    fields,
    group,
    lists,
    pairs,
    quoted,
    removes,
    shows,
    together,
    typed,
)
from hub.cli.show import AsJson

notifiers = group("Ways to people: mail, short messages, chat bots, webhooks.")
alerts = group("Who is told when something is wrong.")
notices = group("What customers are told.")

Called = Annotated[str, typer.Argument(help="What to call it.")]
Kind = Annotated[
    str,
    typer.Option(
        "--kind", "-k", help="smtp, dingtalk, feishu, wecom, aliyun_sms, tencent_sms, twilio_sms or webhook."
    ),
]
By = Annotated[str, typer.Option("--by", help="The notifier, by its name.")]
To = Annotated[
    list[str] | None,
    typer.Option("--to", help="A mail address or a phone, where the notifier needs one. Repeatable."),
]
Person = Annotated[str, typer.Option("--to", help="A mail address or a phone, where the notifier needs one.")]
Severity = Annotated[
    str | None, typer.Option(help="The mildest that is told: info, warning, error (if none) or critical.")
]
On = Annotated[str, typer.Option("--on", help="The event, such as shipment.shipped; a glob.")]
Template = Annotated[
    str, typer.Option(help="received, confirmed, shipped, delayed, delivered, returned, or one of your own.")
]
When = Annotated[str | None, typer.Option("--when", help="Only where this expression holds.")]
Order = Annotated[
    str, typer.Option("--order", help="The order to make the words for (ord_…); none: a made-up one.")
]
Who = Annotated[str, typer.Argument(help="A mail address or a phone.")]
Why = Annotated[str, typer.Option(help="Why, for the record.")]
Text = Annotated[str, typer.Option(help="What to say.")]

_OWN = frozenset({"name", "rate", "status"})
"""What is the notifier's own; any other name is a setting of its kind."""

lists(
    notifiers, "/v1/notifiers", {"name": "name", "kind": "kind", "medium": "medium", "status": "status", "id": "id"},
    "No notifiers yet: `orderhub notifiers add NAME --kind smtp` makes one.",
)  # fmt: skip
shows(notifiers, "/v1/notifiers")
removes(notifiers, "/v1/notifiers", "notifier", "Nothing may go by it any more.")
lists(
    alerts, "/v1/alerts",
    {"name": "name", "by": "notifier", "to": "to", "severity": "severity", "quiet": "quiet", "status": "status", "id": "id"},
    "Nobody is told when something is wrong: `orderhub alerts add NAME --by NOTIFIER` changes that.",
)  # fmt: skip
shows(alerts, "/v1/alerts")
changing(
    alerts, "/v1/alerts", "alert",
    "Change fields: --set severity=warning --set status=paused --set escalate_after=1800 --set escalate_to=boss.",
)  # fmt: skip
removes(alerts, "/v1/alerts", "alert", "Nobody is told by it any more. No other alert may escalate to it.")
lists(
    notices, "/v1/notices",
    {"name": "name", "on": "event", "template": "template", "by": "notifier", "when": "predicate", "status": "status"},
    "Customers are told nothing: `orderhub notices add` changes that.",
)  # fmt: skip
shows(notices, "/v1/notices")
changing(
    notices, "/v1/notices", "notice",
    "Change fields: --set template=my-own --set locale=zh --set status=paused; a part alone: --set params.no=data.number.",
)  # fmt: skip
removes(notices, "/v1/notices", "notice", "Customers are not told this any more.")


@notifiers.command("add")
def add_notifier(name: Called, kind: Kind, sets: Sets = None, json: AsJson = False) -> None:
    """Make a notifier: `--set NAME=VALUE` gives its settings, `--set NAME=@FILE` reads one from a file.

    `orderhub notifiers kinds` says which settings each kind has.
    """
    from hub.outbound.notify.accounts import KINDS

    if kind not in KINDS:
        raise Failure(
            f"there is no notifier of kind {kind!r}",
            hint=f"There are {', '.join(sorted(KINDS))}: `orderhub notifiers kinds` says what each wants.",
            code=USAGE,
        )
    settings = _settings(kind, pairs(sets))
    made = _post("/v1/notifiers", {"name": name, "kind": kind, "settings": settings})
    to = " --to ADDRESS" if made["medium"] in ("mail", "sms") else ""
    show.said(
        f"notifier {name} is made. Next: orderhub notifiers test {name}{to}, then orderhub alerts add",
        json_form=json,
        doc=made,
    )


@notifiers.command("set")
def change_notifier(name: Name, sets: Sets = None, json: AsJson = False) -> None:
    """Change its settings: --set security=tls --set password=@file; rate, status and name are its own."""
    from hub.cli.client import hub

    given = pairs(sets)
    with hub() as line:
        path = f"/v1/notifiers/{quoted(name)}"
        settings = _settings(
            line.get(path)["kind"], {key: value for key, value in given.items() if key not in _OWN}
        )
        own = {key: typed(value) for key, value in given.items() if key in _OWN}
        answer = line.patch(path, own | ({"settings": settings} if settings else {}))
    show.said(
        f"notifier {answer['name']} is changed. Next: orderhub notifiers test {answer['name']}",
        json_form=json,
        doc=answer,
    )


@notifiers.command("kinds")
def kinds(kind: Annotated[str, typer.Argument(help="Only this kind.")] = "", json: AsJson = False) -> None:
    """List the kinds of notifiers there are, and the settings of each."""
    from hub.cli.client import hub
    from hub.cli.connect import fields

    with hub() as line:
        found = [one for one in line.get("/v1/notifiers/kinds") if kind in ("", one["kind"])]
    if json:
        for one in found:
            show.line(one)
        return
    rows = []
    for one in found:
        properties, required = fields(one["settings"])
        rows += [
            {"kind": one["kind"], "setting": name, "needed": name in required, "default": about.get("default"),
             "what": about.get("description", "")}
            for name, about in properties.items()
        ]  # fmt: skip
    columns = {"kind": "kind", "setting": "setting", "needed": "needed", "default": "default", "what": "what"}
    show.rows(rows, columns, json_lines=False, none=f"There is no notifier of kind {kind!r}.")


@notifiers.command("test")
def try_notifier(name: Name, to: Person = "", text: Text = "This is a test.", json: AsJson = False) -> None:
    """Say something by it, and show what came of it."""
    _tried(f"/v1/notifiers/{quoted(name)}/test", {"to": to, "text": text}, name, json)


@alerts.command("add")
def add_alert(
    name: Called, by: By, to: To = None, severity: Severity = None, sets: Sets = None, json: AsJson = False
) -> None:
    """Be told when something is wrong. `--set` gives any other field, such as --set quiet=22:00-07:00."""
    given = {
        "name": ("NAME", name),
        "notifier": ("--by", by),
        "to": ("--to", to or None),
        "severity": ("--severity", severity),
    }
    made = _post("/v1/alerts", together(fields(sets), given))
    show.said(
        f"alert {name} tells of what is {made['severity']} or worse by {by}. Next: orderhub alerts test {name}",
        json_form=json,
        doc=made,
    )


@alerts.command("test")
def try_alert(name: Name, json: AsJson = False) -> None:
    """Send a made-up trouble by it now, and show what came of it."""
    _tried(f"/v1/alerts/{quoted(name)}/test", {}, name, json)


@notices.command("add")
def add_notice(
    on: On, by: By, template: Template, when: When = None,
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None, sets: Sets = None, json: AsJson = False,
) -> None:  # fmt: skip
    """Tell customers of an event. `--set` gives any other field, such as --set brand=Lantern."""
    given = {"event": ("--on", on), "notifier": ("--by", by), "template": ("--template", template), "predicate": ("--when", when),
             "name": ("--name", name)}  # fmt: skip
    made = _post("/v1/notices", together(fields(sets), given))
    show.said(
        f"notice {made['name']}: {on} is told as {template} by {by}, from now on. "
        f"Next: orderhub notices test {made['name']} shows the words",
        json_form=json,
        doc=made,
    )


@notices.command("test")
def try_notice(name: Name, order: Order = "", json: AsJson = False) -> None:
    """Show what it would say of an order, and to whom; nothing is sent."""
    made = _post(f"/v1/notices/{quoted(name)}/preview", {"order": order})
    if json:
        return show.as_json(made)
    out = show.console()
    out.print(f"to: {made['to'] or '(nobody in this order can be reached)'}")
    out.print(f"subject: {made['subject']}", markup=False)
    out.print(made["text"], markup=False)
    out.print(f"sms: {made['sms']}", markup=False)
    return None


@notices.command("stop")
def stop_notices(person: Who, reason: Why = "", json: AsJson = False) -> None:
    """Tell this person nothing more; `/v1/optouts` takes it back."""
    body = {"email" if "@" in person else "phone": person, "reason": reason}
    made = _post("/v1/optouts", body)
    show.said(f"{person} is told nothing more ({made['id']})", json_form=json, doc=made)


def _settings(kind: str, given: dict[str, str]) -> dict[str, Any]:
    """Settings as they were typed: numbers where the kind has numbers, else text; an empty one is taken away."""
    from msgspec.structs import fields

    from hub.outbound.notify.accounts import KINDS

    numbers = {field.name for field in fields(KINDS[kind]) if type(field.default) in (int, float)}
    return {key: typed(value) if key in numbers else value or None for key, value in given.items()}


def _tried(path: str, body: dict[str, Any], name: str, json: bool) -> None:
    done = _post(path, body)
    told = f"{name} took it" if done["ok"] else f"{name} did not take it: {done['reason']}"
    show.said(told, json_form=json, doc=done)
    if not done["ok"]:
        raise typer.Exit(1)


def _post(path: str, body: dict[str, Any]) -> Any:
    from hub.cli.client import hub

    with hub() as line:
        return line.post(path, body)
