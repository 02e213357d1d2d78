"""A new channel: whole at birth, found by itself, and no shared file the wiser."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.contract import Misconfigured
from hub.scaffold import new_channel

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("adapters", "hub", "mappings", "tests", "pyproject.toml")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree to add channels to."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


@pytest.mark.parametrize("kind", ["storefront", "tracker"])
def test_a_new_channel_passes_the_contract_suite_untouched_and_edits_no_shared_file(
    checkout: Path, kind: str
):
    name = f"sprout_{kind}"
    before = fingerprints(checkout)

    written = new_channel(name, f"Sprout {kind}", kind, checkout)
    run = suite(checkout, name)

    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
    after = fingerprints(checkout)
    assert {file: after[file] for file in before} == before
    assert set(after) - set(before) == {path.relative_to(checkout) for path in written}
    assert {path.relative_to(checkout).parts[:2] for path in written} == {
        ("adapters", name),
        ("mappings", mapping_file(written)),
    }


SABOTAGE = {
    "proof": (
        "__init__.py",
        'Hmac("X-Signature", encoding="base64")',
        'StaticToken("X-Signature", prefix="", authenticity="body_signed")',
        "test_proof.py::test_a_spoiled_body_is_refused[wilted_proof-order.created.first]",
    ),
    "time": (
        "__init__.py",
        'Hmac("X-Signature", encoding="base64")',
        'TimedHmac("X-Signature", tolerance=10**9)',
        "test_proof.py::test_a_timed_proof_refuses_yesterday_and_tomorrow[wilted_time-order.created.first]",
    ),
    "rotation": (
        "__init__.py",
        "Secret | list[Secret] | None",
        "Secret | None",
        (
            "test_proof.py::test_while_a_secret_rotates_both_are_accepted_and_then_only_the_new"
            "[wilted_rotation-order.created.first]"
        ),
    ),
    "dedupe": (
        "__init__.py",
        'dedupe=header("X-Delivery-Id")',
        'dedupe=header("Content-Type")',
        "test_reading.py::test_different_messages_have_different_keys[wilted_dedupe]",
    ),
    "reader": (
        "__init__.py",
        '"order.created": mapping("wilted_reader.order")',
        '"order.created": lambda m: [Fact(subject="order", ref=m.json()["id"], doc={"number": m.json()["number"]})]',
        "test_mutation.py::test_a_mutated_payload_gives_facts_or_a_rejection[wilted_reader-order.created.first]",
    ),
    "shape": (
        "__init__.py",
        '"order.created": mapping("wilted_shape.order")',
        '"order.created": lambda m: [Fact(subject="order", ref="1", doc={"ref": "1", "totals": {"total": "9,95"}})]',
        "test_reading.py::test_every_fact_is_canonical[wilted_shape-order.created.first]",
    ),
    "golden": (
        "fixtures/order.created.first.json",
        '"19.95"',
        '"19.94"',
        "test_reading.py::test_a_fixture_means_its_golden_facts[wilted_golden-order.created.first]",
    ),
    "manual": (
        "README.md",
        "`webhook_secret`",
        "the secret",
        "test_declaration.py::test_the_inspector_finds_no_fault[wilted_manual]",
    ),
}
"""What is done to a new channel, and the promise that it breaks."""


def test_the_suite_finds_each_promise_that_a_channel_breaks(checkout: Path):
    for name, (file, old, new, _) in SABOTAGE.items():
        new_channel(f"wilted_{name}", "Wilted", "storefront", checkout)
        path = checkout / "adapters" / f"wilted_{name}" / file
        text = path.read_text().replace("import Hmac", "import Hmac, StaticToken, TimedHmac")
        text = text.replace("import Channel,", "import Channel, Fact,")
        assert old in text
        path.write_text(text.replace(old, new))

    run = suite(checkout, "wilted")
    for name in SABOTAGE:
        shutil.rmtree(checkout / "adapters" / f"wilted_{name}")

    assert run.returncode == 1
    found = set(re.findall(r"^FAILED tests/channels/(\S+\])", run.stdout, re.MULTILINE))
    assert {promise for *_, promise in SABOTAGE.values()} - found == set()


def test_a_channel_that_is_there_already_is_not_touched(checkout: Path):
    new_channel("evergreen", "Evergreen", "carrier", checkout)
    before = fingerprints(checkout)

    with pytest.raises(Misconfigured, match="is there already"):
        new_channel("evergreen", "Evergreen", "carrier", checkout)

    assert fingerprints(checkout) == before


def test_everything_that_is_wrong_with_a_wish_is_told_at_once(tmp_path: Path):
    with pytest.raises(Misconfigured) as caught:
        new_channel("New-Shop", 'The "new" shop', "bazaar", tmp_path)

    told = "\n".join(caught.value.faults)
    assert "'New-Shop' is no name for a channel" in told
    assert "is no title" in told
    assert "'bazaar' is no kind of channel: storefront, " in told
    assert f"{tmp_path / 'adapters'}: no such folder" in told
    assert list(tmp_path.iterdir()) == []


def suite(checkout: Path, name: str) -> subprocess.CompletedProcess[str]:
    """The contract suite for one channel, as its author runs it."""
    tests = [f"tests/channels/test_{part}.py" for part in ("proof", "reading", "mutation", "declaration")]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        name,
        *tests,
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(checkout)}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def fingerprints(folder: Path) -> dict[Path, str]:
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and ".hypothesis" not in path.parts
    }


def mapping_file(written: list[Path]) -> str:
    (file,) = [path.name for path in written if path.parent.name == "mappings"]
    return file
