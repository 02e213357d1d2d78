"""The registry: channels found by folder and by entry point, mappings file by file, every fault at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.contract import Fact, Misconfigured, Unmapped
from hub.registry import Registry, load_registry
from hub.scaffold import new_channel
from tests.channels.case import Case, cases
from tests.channels.sprout import looked_into


@pytest.fixture
def garden(tmp_path: Path) -> Iterator[Path]:
    """A checkout of nothing but a new channel, `acme`, whose folders the hub looks into as well."""
    for part in ("adapters", "mappings"):
        (tmp_path / part).mkdir()
    new_channel("acme", "Acme Store", "storefront", tmp_path)
    with looked_into(tmp_path / "adapters"):
        yield tmp_path


def test_a_channel_is_found_by_its_folder(garden: Path):
    registry = load_registry(garden / "mappings")

    assert registry.channel("acme").title == "Acme Store"
    assert "`webhook_secret`" in registry.manual("acme")
    assert faults(registry) == []


def test_a_channel_is_found_by_its_entry_point(garden: Path, tmp_path_factory, monkeypatch):
    site = installed(tmp_path_factory.mktemp("site"), garden)
    monkeypatch.syspath_prepend(str(site))

    registry = load_registry()

    assert registry.packages["bloom"] == "bloom"
    assert registry.samples("bloom").fixture("order.created").message.headers["x-topic"] == "order.created"
    assert [read.ref for read in facts(registry, "bloom", "order.created.first")] == ["90071992547409931"]
    sys.modules.pop("bloom", None)


def test_a_channel_that_cannot_be_loaded_is_a_fault_with_its_line_and_no_obstacle(garden: Path):
    broken = garden / "adapters" / "broken"
    broken.mkdir()
    (broken / "__init__.py").write_text('"""Broken."""\n\nchannel = Channell()\n')
    (garden / "adapters" / "empty").mkdir()
    (garden / "adapters" / "empty" / "__init__.py").write_text("")

    registry = load_registry(garden / "mappings")

    told = "\n".join(registry.check())
    assert f"adapters.broken: {broken / '__init__.py'}:3: NameError: name 'Channell' is not defined" in told
    assert "adapters.empty: has no `channel = Channel(…)`" in told
    assert "acme" in registry.channels


def test_two_channels_of_one_name_are_a_fault(garden: Path):
    (garden / "adapters" / "acme2").mkdir()
    (garden / "adapters" / "acme2" / "__init__.py").write_text(
        "from adapters.acme import channel as channel\n"
    )

    told = load_registry(garden / "mappings").check()

    assert "adapters.acme2: there is a channel 'acme' already, in adapters.acme" in told


def test_an_unknown_channel_or_mapping_is_told_with_the_nearest(garden: Path):
    registry = load_registry(garden / "mappings")

    with pytest.raises(Misconfigured, match="no channel 'amce', is acme meant"):
        registry.channel("amce")
    with pytest.raises(Misconfigured, match=r"no mapping 'acme\.ordre', is acme\.order\b"):
        registry.mapping("acme.ordre")
    with pytest.raises(Misconfigured, match="no such folder of mappings"):
        load_registry(garden / "nowhere")


def test_a_reading_names_the_mapping_that_made_it(garden: Path):
    registry = load_registry(garden / "mappings")
    reading = registry.read("acme", case(registry, "order.created.first").opened())

    assert (reading.mapping, reading.hash) == ("acme.order", registry.mapping("acme.order").hash)
    assert [type(read) for read in reading.facts] == [Fact]


def test_a_topic_without_a_reader_means_nothing(garden: Path):
    registry = load_registry(garden / "mappings")
    message = case(registry, "order.created.first").fixture.message

    assert registry.read("acme", message) is None


def test_an_activated_mapping_makes_another_registry_and_leaves_the_first(garden: Path):
    registry = load_registry(garden / "mappings")
    text = (garden / "mappings" / "acme.order.yaml").read_text()
    changed = registry.with_mappings({"acme.order": text.replace("number: number", "number: id | str")})

    assert facts(registry, "acme", "order.created.first")[0].doc["number"] == "A-1001"
    assert facts(changed, "acme", "order.created.first")[0].doc["number"] == "90071992547409931"
    assert registry.mapping("acme.order").hash != changed.mapping("acme.order").hash


def test_an_activated_mapping_that_is_broken_is_told_with_its_place(garden: Path):
    registry = load_registry(garden / "mappings").with_mappings(
        {"acme.order": "map: acme.order\ntarget: ordr/1\n"}
    )

    with pytest.raises(Misconfigured, match=r"acme\.order\.yaml"):
        registry.mapping("acme.order")
    assert any("acme.order.yaml" in fault for fault in registry.check())


def test_a_connection_s_own_mapping_stands_in_for_the_channel_s(garden: Path):
    own = "map: mine\nextends: acme.order\nfields:\n  number: '$.shop'\n"
    registry = load_registry(garden / "mappings").with_mappings({"mine": own})
    message = case(registry, "order.created.first").opened()

    reading = registry.read("acme", message, "mine")

    assert reading.mapping == "mine"
    assert reading.facts[0].doc["number"] == "shop-17"
    assert reading.facts[0].doc["currency"] == "EUR"


def test_an_operator_s_file_stands_in_for_ours(garden: Path, tmp_path_factory):
    theirs = tmp_path_factory.mktemp("theirs")
    text = (garden / "mappings" / "acme.order.yaml").read_text()
    (theirs / "acme.order.yaml").write_text(text.replace("name: title", "name: sku"))

    registry = load_registry(theirs)

    assert facts(registry, "acme", "order.created.first")[0].doc["lines"][0]["name"] == "CUP-BLUE"


def test_a_value_that_makes_no_sense_is_told_with_its_place(garden: Path):
    registry = load_registry(garden / "mappings")

    with pytest.raises(Unmapped) as caught:
        facts(registry, "acme", "order.created.comma-price")

    place = caught.value.place
    assert place.file.endswith("acme.order.yaml")
    assert place.field == "lines[0].unit_price"
    assert "19,95" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("README.md", "`order.updated`", "updates", "README.md: does not name the topic `order.updated`"),
        ("README.md", "`webhook_secret`", "secret", "README.md: does not name the setting `webhook_secret`"),
        ("README.md", "## Set-up", "## Ready", "README.md: no set-up with numbered steps"),
        ("README.md", "| fixtures |", "| samples |", "README.md: does not answer the quality rule fixtures"),
        (
            "__init__.py",
            'name="acme"',
            'name="acne"',
            "the channel's name 'acne' is not its folder's, 'acme'",
        ),
        ("__init__.py", '"limits": "done"', '"limits": "yes"', "quality['limits']: 'yes' is neither"),
        ("__init__.py", '        "limits": "done",\n', "", "quality: 'limits' is not answered"),
        (
            "__init__.py",
            'mapping("acme.order"),\n    }',
            'mapping("acme.ordre"),\n    }',
            "there is no mapping 'acme.ordre'",
        ),
        (
            "__init__.py",
            "    freshness=",
            '    needs=("api_key",),\n    freshness=',
            "needs: there is no setting 'api_key'",
        ),
        ("__init__.py", '"order.updated":', '"order.changed":', "fixtures: none of topic 'order.changed'"),
        (
            "fixtures/settings.json",
            "webhook_secret",
            "secret",
            "fixtures/settings.json: secret: no such setting",
        ),
        (
            "fixtures/order.created.first.http",
            "POST /in",
            "POST in",
            "order.created.first.http:1: not a request line",
        ),
    ],
)
def test_the_inspector_tells_what_is_wrong(garden: Path, file: str, old: str, new: str, told: str):
    path = garden / "adapters" / "acme" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))

    assert any(told in fault for fault in faults(load_registry(garden / "mappings")))


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("README.md", "no README.md"),
        ("fixtures/order.updated.cancelled.http", "fixtures: none of topic 'order.updated'"),
        ("fixtures/order.created.first.json", "no golden order.created.first.json"),
    ],
)
def test_the_inspector_tells_what_is_missing(garden: Path, file: str, told: str):
    (garden / "adapters" / "acme" / file).unlink()

    assert any(told in fault for fault in faults(load_registry(garden / "mappings")))


def installed(site: Path, garden: Path) -> Path:
    """The channel as an installed package of its own, its mapping beside it."""
    (garden / "adapters" / "acme").rename(site / "bloom")
    (site / "bloom" / "mappings").mkdir()
    for path in [*site.rglob("*.py"), *site.rglob("*.http")]:
        path.write_text(path.read_text().replace("acme", "bloom"))
    text = (garden / "mappings" / "acme.order.yaml").read_text()
    (site / "bloom" / "mappings" / "bloom.order.yaml").write_text(text.replace("acme", "bloom"))
    record = site / "bloom-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: bloom\nVersion: 1.0\n")
    (record / "entry_points.txt").write_text("[orderhub.channels]\nbloom = bloom:channel\n")
    return site


def faults(registry: Registry) -> list[str]:
    """What is said of this garden's own channel."""
    return [fault for fault in registry.check() if "acme" in fault or "acne" in fault]


def case(registry: Registry, name: str, channel: str = "acme") -> Case:
    return next(one for one in cases(registry) if str(one) == f"{channel}-{name}")


def facts(registry: Registry, channel: str, name: str) -> list[Fact]:
    one = case(registry, name, channel)
    return one.read(one.opened())
