"""The tests that stand in mapping files, and the manual of the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.contract import Message, Misconfigured
from hub.contract.mapping import compile_mapping, run_tests
from hub.contract.mapping.build import HEADS
from hub.contract.mapping.compile import HEADER
from hub.contract.mapping.manual import main, table, updated
from hub.contract.mapping.steps import STEPS

MAPPINGS = Path(__file__).parents[2] / "mappings"
MANUAL = MAPPINGS / "README.md"
HEAD = """map: t
target: order/1
tables: {p: {a: paid}}
fields:
  ref: id | str | required
  number: "#header('X-No')"
  placed_at: at | datetime
  source_payment_status: p | enum('p')
  lines: {each: l[], map: {ref: n | str, quantity: {ordered: q | dec}}}
tests:
"""


def failures(tests, tmp_path=None):
    mapping = compile_mapping(HEAD + tests, file="t.yaml")
    return [str(failure) for failure in run_tests(mapping, tmp_path)]


def test_tests_that_hold_say_nothing(tmp_path):
    (tmp_path / "one.json").write_bytes(b'{"id": 7}')

    assert (
        failures(
            """
  - name: fields by their dotted names
    input: {"id": 1, "p": "a", "at": "2026-01-10 16:00:00", "l": [{"n": "x", "q": 1.50}]}
    headers: {X-No: A-1}
    zone: Asia/Shanghai
    expect: {ref: "1", number: A-1, placed_at: "2026-01-10T08:00:00.000Z", source_payment_status: paid,
             "lines[0].quantity.ordered": "1.50", "lines[-1]": {ref: x}, tags: ~, "[0].ref": "1"}
  - fixture: one.json
    expect: {ref: "7"}
    documents: 1
  - input: '{"id": null}'
    error: required value is missing
  - input: |
      {"id": 1,
    error: not JSON
""",
            tmp_path,
        )
        == []
    )


def test_tests_that_fail_say_what_was_expected_and_in_which_line(tmp_path):
    assert failures(
        """  - {name: one, input: {id: 1, p: z}, expect: {ref: "2", source_payment_status: paid, number: x, lines: [y]}}
  - {name: two, input: {}, expect: {ref: "1"}}
  - {name: three, input: {id: 1}, error: required}
  - {name: four, input: {}, error: other}
  - {name: five, input: {id: 1}, documents: 2}
  - {name: six, fixture: none.json, expect: {ref: "1"}}
""",
        tmp_path,
    ) == [
        "t.yaml:11:53: one: ref: expected '2', got '1'",
        "t.yaml:11:81: one: source_payment_status: expected 'paid', got 'unknown'",
        "t.yaml:11:95: one: number: expected 'x', got nothing",
        "t.yaml:11:105: one: lines: expected '[\"y\"]', got nothing",
        "t.yaml:12:5: two: fails: t.yaml:5:19: ref: required value is missing",
        "t.yaml:13:42: three: expected the error 'required', there was none",
        "t.yaml:14:36: four: fails with another error: t.yaml:5:19: ref: required value is missing",
        "t.yaml:15:45: five: expected 2 document(s), there are 1",
        "t.yaml:16:5: six: cannot read the fixture none.json: No such file or directory",
    ]


def test_the_manual_has_the_steps_that_the_language_has(tmp_path, capsys):
    page = MANUAL.read_text(encoding="utf-8")

    assert updated(page) == page, "run python -m hub.contract.mapping.manual mappings/README.md"
    assert all(f"| `{step.signature}` |" in table() for step in STEPS.values())
    main([])
    assert capsys.readouterr().out == table() + "\n"
    copy = tmp_path / "README.md"
    copy.write_text(page.replace("as text", "stale"), encoding="utf-8")
    main([str(copy)])
    assert copy.read_text(encoding="utf-8").count("as text: a number in plain digits") == 1


def test_the_mappings_of_the_manual_are_right_and_their_tests_hold():
    blocks = re.findall(r"```yaml\n(map: .*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    texts = {re.match(r"map: (\S+)", block)[1]: block for block in blocks}

    made = {
        name: compile_mapping(text, file=f"{name}.yaml", find=texts.__getitem__)
        for name, text in texts.items()
    }

    assert list(made) == ["lamps.order", "halle.order"]
    assert [str(failure) for mapping in made.values() for failure in run_tests(mapping)] == []
    payload = {"id": 7, "name": "1", "currency": "eur", "payment": "on_hold", "customer": {"email": "x"}, "po_number": "P",
               "items": [{"id": 1, "notes": [{"name": "engraving", "value": "Für Ida"}]}]}  # fmt: skip
    facts, notes = made["halle.order"].facts_of(payload, Message())
    assert notes == []
    assert facts[0].doc == {
        "ref": "7", "number": "1-H", "currency": "EUR", "source_payment_status": "authorized", "purchase_order": "P",
        "lines": [{"ref": "1", "attributes": {"engraving": "Für Ida"}}],
    }  # fmt: skip


def test_the_manual_speaks_of_every_word_of_the_structure():
    page = MANUAL.read_text(encoding="utf-8")

    missing = [
        word
        for word in {*HEADER, *HEADS, *(word for words in HEADS.values() for word in words)}
        if f"{word}:" not in page
    ]
    assert missing == []


@pytest.mark.parametrize("file", sorted(MAPPINGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_tests_in_our_mapping_files_hold(file):
    if file.stem == "carriers":
        return

    def find(name: str) -> str:
        return (MAPPINGS / f"{name}.yaml").read_text(encoding="utf-8")

    mapping = compile_mapping(file.read_text(encoding="utf-8"), file=file.name, find=find)

    assert [str(failure) for failure in run_tests(mapping, MAPPINGS)] == []


def test_a_number_of_documents_is_a_number():
    with pytest.raises(Misconfigured, match=r"t\.yaml:11:33 `documents:` is a number"):
        failures("  - {input: {id: 1}, documents: many}")
