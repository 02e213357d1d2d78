from __future__ import annotations

import tomllib

import pytest

from hub.cli.address import find_address
from hub.cli.client import Client, hub as at
from hub.cli.differences import Comparison
from hub.cli.failures import UNREACHABLE, Failure
from hub.cli.shapes import Shapes
from hub.cli.wanted import read_wanted

WANTED = """
[[partners]]
name = "North 3PL"
roles = ["warehouse"]

[[connections]]
name = "shop"
channel = "shopify"
time_zone = "Europe/Lisbon"
cutover_at = 2026-01-10T16:00:00Z
settings = { webhook_secret = { env = "SHOP_SECRET" }, base_url = "kite-and-kettle" }

[[endpoints]]
name = "wms"
url = "http://127.0.0.1:9/hook"
events = ["order.ready", "shipment.*"]
partner = "North 3PL"
connections = ["shop"]
rate = 20

[[routes]]
name = "tell the shop"
event = "shipment.shipped"
connection = "shop"
write = "fulfillment.create"
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    path = tmp_path / "hub.toml"
    path.write_text(WANTED)
    return path


def test_a_file_is_applied_once_and_then_there_is_nothing_to_change(at_hub, file):
    dry = at_hub("apply", str(file), "--dry-run")
    assert dry.out.count("+ ") == 4
    assert at_hub("connections", "list", "--json").out == ""

    first = at_hub("apply", str(file), "--yes")
    assert first.code == 0, first.err
    assert "whsec_" in first.out
    assert "/in/" in first.out
    again = at_hub("apply", str(file), "--yes")
    assert "nothing to change" in again.out

    file.write_text(WANTED.replace("rate = 20", "rate = 50").replace("Lisbon", "Madrid"))
    changed = at_hub("apply", str(file), "--yes", "--json").lines()
    assert [one["fields"] for one in changed if "fields" in one] == [
        {"time_zone": {"from": "Europe/Lisbon", "to": "Europe/Madrid"}}, {"rate": {"from": 20.0, "to": 50}},
    ]  # fmt: skip
    assert at_hub("endpoints", "show", "wms", "--json").json()["rate"] == 50

    file.write_text(WANTED.replace("shipment.shipped", "shipment.created"))
    before = at_hub("routes", "list", "--json").lines()
    route = at_hub("apply", str(file), "--yes")
    assert "~ route tell the shop" in route.out
    assert "event: 'shipment.shipped' → 'shipment.created'" in route.out
    assert [one["id"] for one in at_hub("routes", "list", "--json").lines()] == [one["id"] for one in before]
    file.write_text(WANTED.replace("shipment.shipped", "shipment.shiped"))
    slip = at_hub("apply", str(file), "--yes")
    assert (slip.code, "route tell the shop: " in slip.err) == (1, True)
    assert [one["event"] for one in at_hub("routes", "list", "--json").lines()] == ["shipment.created"]
    file.write_text(WANTED.replace("shipment.shipped", "shipment.created"))
    secrets = at_hub("apply", str(file), "--dry-run", "--secrets")
    assert "settings.webhook_secret" in secrets.out
    assert "s3cret" not in secrets.out


def test_without_a_terminal_it_does_not_go_on_unasked(at_hub, file):
    file.write_text('[[partners]]\nname = "Unasked"\n')

    said = at_hub("apply", str(file))

    assert said.code == 2
    assert "+ partner Unasked" in said.out
    assert at_hub("partners", "show", "Unasked").code == 1


def test_every_fault_of_a_file_is_told_at_once(file, tmp_path):
    file.write_text(
        '[[connection]]\nname = "x"\n[[endpoints]]\nurl = "http://x"\n[[partners]]\nname = "a"\n[[partners]]\nname = "a"\n'
    )

    with pytest.raises(Failure) as told:
        read_wanted(file)

    lines = told.value.reason.splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
        "connection",
        "endpoints[1]",
        "partners[2]",
    ]


def test_a_secret_that_is_not_there_is_told_with_its_place(file, monkeypatch):
    monkeypatch.delenv("SHOP_SECRET")

    with pytest.raises(
        Failure, match=r"connections\.shop\.settings\.webhook_secret: the environment has no SHOP_SECRET"
    ):
        read_wanted(file)


def test_a_secret_may_stand_in_a_file_beside(file, tmp_path):
    (tmp_path / "secret.txt").write_text("from a file\n")
    file.write_text(WANTED.replace('{ env = "SHOP_SECRET" }', '{ file = "secret.txt" }'))

    assert read_wanted(file).things["connections"][0]["settings"]["webhook_secret"] == "from a file"


def test_what_is_no_toml_is_told_with_its_line(file, at_hub):
    file.write_text("[[partners]]\nname = \n")

    said = at_hub("apply", str(file))

    assert said.code == 2
    assert "line 2" in said.err


def test_a_connection_does_not_change_its_channel(at_hub, file):
    file.write_text('[[connections]]\nname = "fixed"\nchannel = "shopify"\n')
    at_hub("apply", str(file), "--yes")
    file.write_text('[[connections]]\nname = "fixed"\nchannel = "aftership"\n')

    said = at_hub("apply", str(file), "--yes")

    assert said.code == 1
    assert "cannot become 'aftership'" in said.err


def test_a_change_that_cannot_be_made_is_told_with_the_thing_and_the_field(at_hub, tmp_path):
    file = tmp_path / "hub.toml"
    file.write_text('[[endpoints]]\nname = "late"\nurl = "http://127.0.0.1:9/in"\npayload = "slim"\n')

    told = at_hub("apply", str(file), "--yes")

    assert told.code == 1
    assert "endpoint late: payload: 'slim' is none of changes, full, thin" in told.err
    assert "apply it again" in told.err


def test_a_field_that_there_is_not_is_told_before_anything_is_made(at_hub, tmp_path):
    file = tmp_path / "hub.toml"
    file.write_text(
        '[[partners]]\nname = "early"\nroles = ["warehouse"]\n\n'
        '[[endpoints]]\nname = "late"\nurl = "http://127.0.0.1:9/in"\norderin = "none"\nzebra = 1\n'
    )

    for way in ("--dry-run", "--yes"):
        told = at_hub("apply", str(file), way)
        assert told.code == 2
        assert "endpoints.late.orderin: no such field, is ordering meant?" in told.err
        assert "endpoints.late.zebra: no such field" in told.err
    assert "early" not in at_hub("partners", "list").out


BARE = """
[[connections]]
name = "kites"
channel = "shopify"
%s
[[endpoints]]
name = "desk"
url = "http://127.0.0.1:9/hook"
%s
[[notifiers]]
name = "chat"
kind = "webhook"
settings = { url = "http://127.0.0.1:9/chat" %s }
"""
PLAIN = ("S3CRET-HOOK", "S3CRET-PASS", "S3CRET-KEY", "S3CRET-FILE", "S3CRET-BOT", "S3CRET-WORD", "S3CRET-URL")


def test_no_form_of_apply_shows_a_secret_that_is_new_to_what_is_there(at_hub, tmp_path, monkeypatch):
    file = tmp_path / "hub.toml"
    file.write_text(BARE % ("", "", ""))
    assert at_hub("apply", str(file), "--yes").code == 0
    for name in ("HOOK", "PASS", "KEY", "BOT", "URL"):
        monkeypatch.setenv(name, f"S3CRET-{name}")
    (tmp_path / "word.txt").write_text("S3CRET-FILE")
    file.write_text(BARE % (
        'settings = { webhook_secret = { env = "HOOK" }, base_url = { env = "URL" }, client_secret = "S3CRET-WORD" }',
        ('auth = { type = "basic", username = "us", password = { env = "PASS" } }\n'
        'headers = { X-Desk = "7", X-Key = { env = "KEY" } }\nlocations = [{ file = "word.txt" }]\nrate = 20'),
        ', token = { env = "BOT" }',
    ))  # fmt: skip

    dry, lines = at_hub("apply", str(file), "--dry-run"), at_hub("apply", str(file), "--dry-run", "--json")
    done = at_hub("apply", str(file), "--yes", "--json")

    for said in (dry, lines, done):
        assert said.code == 0, said.err
        assert [one for one in PLAIN if one in said.out + said.err] == []
    fields = {one["name"]: one["fields"] for one in done.lines() if "fields" in one}
    assert fields == {one["name"]: one["fields"] for one in lines.lines()}
    assert {name: both["to"] for name, both in fields["kites"].items()} == {
        "settings.webhook_secret": "***", "settings.base_url": "***", "settings.client_secret": "***",
    }  # fmt: skip
    assert {name: both["to"] for name, both in fields["desk"].items()} == {
        "auth.type": "basic", "auth.username": "us", "auth.password": "***", "headers": {"X-Desk": "7", "X-Key": "***"},
        "locations": ["***"], "rate": 20,
    }  # fmt: skip
    assert fields["chat"] == {"settings.token": {"from": None, "to": "***"}}
    assert at_hub("endpoints", "show", "desk", "--json").json()["headers"]["X-Key"] == "S3CRET-KEY"

    monkeypatch.setenv("KEY", "S3CRET-NEW")
    again = at_hub("apply", str(file), "--yes")
    assert "headers: {'X-Desk': '7', 'X-Key': '***'} → {'X-Desk': '7', 'X-Key': '***'}" in again.out
    assert "S3CRET" not in again.out
    anew = at_hub("apply", str(file), "--dry-run", "--secrets")
    assert anew.out.count("'***' → '***'") == 4


def test_what_a_hub_refuses_is_told_without_the_secret_that_it_names(at_hub, tmp_path, monkeypatch):
    monkeypatch.setenv("FAR", "http://10.1.2.3/S3CRET")
    file = tmp_path / "hub.toml"
    file.write_text('[[endpoints]]\nname = "far"\nurl = { env = "FAR" }\nevents = ["S3CRET"]\n')

    monkeypatch.setenv("GLOB", "order.S3CRET")
    told = at_hub("apply", str(file), "--yes")
    assert (told.code, "10.1.2.3 is not allowed" in told.err) == (1, True)
    file.write_text(
        '[[endpoints]]\nname = "far"\nurl = "http://127.0.0.1:9/in"\nevents = [{ env = "GLOB" }]\n'
    )
    told = at_hub("apply", str(file), "--yes")

    assert (told.code, "S3CRET" in told.err, "***" in told.err) == (1, False, True)


def test_an_empty_secret_is_told_and_takes_nothing_away(file, monkeypatch, tmp_path):
    monkeypatch.setenv("SHOP_SECRET", "")
    with pytest.raises(Failure, match=r"connections\.shop\.settings\.webhook_secret: SHOP_SECRET is empty"):
        read_wanted(file)

    (tmp_path / "s").write_text("\n")
    file.write_text(WANTED.replace('{ env = "SHOP_SECRET" }', '{ file = "s" }'))
    with pytest.raises(Failure, match=r"webhook_secret: .*/s is empty"):
        read_wanted(file)


def test_a_secret_that_was_set_anew_since_stays_when_something_else_changes(at_hub, tmp_path):
    file = tmp_path / "hub.toml"
    told = (
        '[[connections]]\nname = "keeps"\nchannel = "shopify"\nsettings = { webhook_secret = "old", base_url = "one.example" }\n'
        '[[endpoints]]\nname = "keeps"\nurl = "http://127.0.0.1:9/in"\nauth = { type = "oauth2_client", client_id = "us", '
        'token_url = "http://127.0.0.1:9/t", client_secret = "old", scope = "all" }\n'
    )
    file.write_text(told)
    assert at_hub("apply", str(file), "--yes").code == 0
    file.write_text(
        told.replace("one.example", "two.example").replace('"us"', '"them"').replace(', scope = "all"', "")
    )

    with at() as line:
        shapes = Shapes(line)
        found = list(Comparison.of(line, shapes, read_wanted(file), resend=False).changes())
        anew = list(Comparison.of(line, shapes, read_wanted(file), resend=True).changes())

    assert [one.body for one in found] == [
        {"settings": {"base_url": "two.example"}},
        {"auth": {"type": "oauth2_client", "client_id": "them", "token_url": "http://127.0.0.1:9/t", "client_secret": "***"}},
    ]  # fmt: skip
    assert found[1].fields == {"auth.client_id": ("us", "them"), "auth.scope": ("all", "")}
    assert anew[0].body["settings"]["webhook_secret"] == anew[1].body["auth"]["client_secret"] == "old"
    assert at_hub("apply", str(file), "--yes").code == 0
    assert "nothing to change" in at_hub("apply", str(file), "--yes").out
    file.write_text(file.read_text().replace('webhook_secret = "old"', 'webhook_secret = ""'))
    gone = at_hub("apply", str(file), "--yes")
    assert "settings.webhook_secret: '***' → ''" in gone.out
    assert not at_hub("connections", "show", "keeps", "--json").json()["settings"]["webhook_secret"]
    assert "nothing to change" in at_hub("apply", str(file), "--yes").out


EVERYTHING = """
[[partners]]
name = "ops"
roles = ["warehouse", "buyer"]
metadata = { desk = "7" }
senders = ["orders@ops.example"]
proof = "known_address"
locale = "de-DE"
time_zone = "Europe/Berlin"
currency = "EUR"
max_order_value = "500.00"
manner = { skus = { "blue lamp" = "W-1" } }
address_book = [{ name = "Halle 1", city = "Halle", country = "DE" }]

[[connections]]
name = "ops"
channel = "shopify"
account = "kite-and-kettle.example"
settings = { webhook_secret = { env = "OPS_SECRET" }, base_url = "kite-and-kettle" }
mode = "live"
cutover_at = 2026-01-10T16:00:00.123456+01:00
time_zone = "Europe/Lisbon"
currency = "EUR"
confirm = "manual"
mappings = { "*" = "shopify.order" }
by_name = false
silence_after = 3600
sweep = false

[[endpoints]]
name = "ops"
url = "http://127.0.0.1:9/in"
events = ["order.*"]
from = 0
description = "the desk"
partner = "ops"
auth = { type = "oauth2_client", token_url = "http://127.0.0.1:9/t", client_id = "us", client_secret = { env = "OPS_SECRET" } }
accept = "body.code == 0"
capture = "body.no"
ordering = "none"
schedule = [0, 60]
timeout = 5
rate = 20
concurrency = 2
payload = "full"
format = "cloudevents"
fields = ["number"]
mapping = ""
filter = "data.channel == 'phone'"
connections = ["ops"]
locations = ["halle"]
headers = { X-Desk = "7" }
signing = ["v1", "v1a"]
include_test = true
block_for = 60
disable_after = 86400
metadata = { desk = "7" }

[[routes]]
name = "ops"
event = "order.cancelled"
connection = "ops"
write = "order.cancel"
predicate = "data.channel == 'phone'"

[[notifiers]]
name = "ops"
kind = "webhook"
settings = { url = "http://127.0.0.1:9/chat", token = { env = "OPS_SECRET" } }
rate = 5

[[notices]]
name = "ops"
event = "shipment.shipped"
notifier = "ops"
template = "shipped"
predicate = "data.number"
consent = "data.number"
to = "buyer"
locale = "de"
fallback = "fr"
brand = "Kites"
code = "T1"
params = { no = "data.number" }
status = "paused"

[[alerts]]
name = "ops"
notifier = "ops"
to = ["ops"]
severity = "warning"
causes = ["circuit"]
connections = ["ops"]
gather = 5
per_minute = 3
quiet = "22:00-07:00"
loud = "error"
time_zone = "Europe/Berlin"
escalate_after = 600
escalate_to = "boss"
escalations = true
closed = false
code = "T1"
locale = "de"
status = "paused"

[[alerts]]
name = "boss"
notifier = "ops"
"""
NOTHING = """
[[partners]]
name = "no"
roles = ["receiver"]
metadata = {}
senders = []
proof = "dmarc_pass"
locale = ""
time_zone = ""
currency = ""
max_order_value = ""
manner = {}
address_book = []

[[connections]]
name = "no"
channel = "shopify"
account = ""
settings = {}
mode = "observe"
cutover_at = "none"
time_zone = ""
currency = ""
confirm = ""
mappings = {}
silence_after = 0
sweep = true

[[endpoints]]
name = "no"
url = "http://127.0.0.1:9/in"
events = ["*"]
from = "now"
description = ""
partner = ""
auth = { type = "none" }
accept = ""
capture = ""
ordering = "per_order"
timeout = 15
rate = 0
concurrency = 8
payload = "full"
format = "orderhub"
fields = []
mapping = ""
filter = ""
connections = []
locations = []
headers = {}
signing = ["v1"]
include_test = false
block_for = 900
metadata = {}

[[notifiers]]
name = "no"
kind = "webhook"
settings = { url = "http://127.0.0.1:9/chat", token = "" }
rate = 0

[[routes]]
name = "no"
event = "order.cancelled"
connection = "no"
write = "order.cancel"
predicate = ""

[[alerts]]
name = "no"
notifier = "no"
to = []
causes = []
connections = []
quiet = ""
escalate_after = 0
escalate_to = ""
escalations = false
code = ""

[[notices]]
name = "no"
event = "shipment.shipped"
notifier = "no"
template = "shipped"
predicate = ""
consent = ""
brand = ""
code = ""
params = {}
"""


def test_everything_is_applied_once_under_one_name(at_hub, tmp_path, monkeypatch):
    """The names are the same in every kind, each field of each kind is given, and an alert stands before that to which
    it escalates."""
    monkeypatch.setenv("OPS_SECRET", "whsec-ops")
    file = tmp_path / "hub.toml"
    file.write_text(EVERYTHING)
    with at() as line:
        told = tomllib.loads(EVERYTHING)
        assert {kind: sorted(things[0]) for kind, things in told.items()} == {
            kind: sorted(Shapes(line).fields(kind)) for kind in told
        }

    first = at_hub("apply", str(file), "--yes")
    assert first.code == 0, first.err
    for _ in range(2):
        again = at_hub("apply", str(file), "--yes")
        assert again.out == "all 8 are as the file says: nothing to change\n"
    assert at_hub("alerts", "show", "ops", "--json").json()["to"] == ["ops"]
    named = EVERYTHING
    for field, kind in (
        ("partner", "partners"),
        ("connection", "connections"),
        ("notifier", "notifiers"),
        ("escalate_to", "alerts"),
    ):
        name = "boss" if field == "escalate_to" else "ops"
        id_ = at_hub(kind, "show", name, "--json").json()["id"]
        named = named.replace(f'{field} = "{name}"', f'{field} = "{id_}"')
    file.write_text(named)
    assert "nothing to change" in at_hub("apply", str(file), "--dry-run").out


def test_a_default_that_is_written_out_is_no_change(at_hub, tmp_path):
    file = tmp_path / "hub.toml"
    file.write_text(NOTHING)

    first = at_hub("apply", str(file), "--yes")
    assert first.code == 0, first.err
    for _ in range(2):
        assert at_hub("apply", str(file), "--yes").out == "all 7 are as the file says: nothing to change\n"
    at_hub("endpoints", "set", "no", "--set", "include_test=true", "--set", "headers.x=1")
    at_hub("connections", "set", "no", "--set", "confirm=manual")
    changed = {
        one["kind"]: one["fields"] for one in at_hub("apply", str(file), "--dry-run", "--json").lines()
    }
    assert changed["endpoint"] == {
        "include_test": {"from": True, "to": False},
        "headers": {"from": {"x": "1"}, "to": {}},
    }
    assert "confirm" in changed["connection"]


def test_a_run_that_dies_in_the_middle_is_ended_by_the_next(at_hub, tmp_path, monkeypatch):
    file = tmp_path / "hub.toml"
    file.write_text(
        '[[partners]]\nname = "one"\n[[endpoints]]\nname = "two"\nurl = "http://127.0.0.1:9/in"\npartner = "one"\n'
    )
    address = find_address()
    with monkeypatch.context() as broken:
        post = Client.post

        def lost(self, path, body=None, **more):
            answer = post(self, path, body, **more)
            if path == "/v1/endpoints":
                raise Failure(f"no hub answers at {address.url}", hint="Start it.", code=UNREACHABLE)
            return answer

        broken.setattr(Client, "post", lost)
        told = at_hub("apply", str(file), "--yes")

    assert told.code == UNREACHABLE
    assert "partner one: made" in told.out
    assert "endpoint two: no hub answers" in told.err
    assert "orderhub endpoints rotate two" in told.err
    assert "nothing to change" in at_hub("apply", str(file), "--yes").out
