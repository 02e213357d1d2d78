"""JSON, XML, forms and CSV arrive as one kind of tree; what is none of them is Unreadable and nothing else."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from hub.contract import Headers, Message, Unreadable
from hub.contract.mapping.trees import FORMATS, tree


def read(body, form="json", **headers):
    return tree(
        Message(body=body if isinstance(body, bytes) else body.encode(), headers=Headers(headers)), form
    )


# JSON


def test_numbers_are_exact_and_large_ones_stay_whole():
    assert read('{"a": 19.90, "b": 9007199254740993, "c": 12345678901234567890123, "d": 1E2}') == {
        "a": Decimal("19.90"), "b": 9007199254740993, "c": 12345678901234567890123, "d": Decimal(100),
    }  # fmt: skip


def test_nul_and_lone_surrogates_are_cleaned_out_of_texts_and_names():
    assert read('{"a\\u0000": "x\\u0000y", "b": ["\\ud83d\\ude00", "\\ud83d!", "\\udc00"]}') == {
        "a": "xy", "b": ["😀", "\ufffd!", "\ufffd"],
    }  # fmt: skip


def test_a_byte_order_mark_is_no_harm(compiled):
    mapping = compiled("map: t\ntarget: order/1\nfields: {ref: id | str}")

    assert mapping.facts(Message(body=b'\xef\xbb\xbf{"id": 1}'))[0].ref == "1"
    assert read(b'\xef\xbb\xbf{"id": 1}') == {"id": 1}


def test_texts_are_clean_however_the_mapping_is_run(compiled):
    mapping = compiled("map: t\ntarget: order/1\nfields: {ref: id | str, number: n, attributes: {a: a}}")
    body = b'{"id": "1\\u0000", "n": "\\ud800x", "a": {"\\u0000k": "\\udfff"}}'

    fact = mapping.facts(Message(body=body))[0]

    assert fact.doc == {"ref": "1", "number": "\ufffdx", "attributes": {"a": {"k": "\ufffd"}}}
    json.dumps(fact.doc, ensure_ascii=False).encode()


def test_the_last_of_a_doubled_key_wins(compiled):
    mapping = compiled("map: t\ntarget: order/1\nfields: {ref: id | str, number: n}")

    assert mapping.facts(Message(body=b'{"id": 1, "n": 1, "n": 2}'))[0].doc["number"] == "2"
    assert read('{"n": 1, "n": 2}') == {"n": 2}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON: Input data was truncated"),
        (b"{", "not JSON: Input data was truncated"),
        (b"[1,]", "not JSON: JSON is malformed"),
        (b'{"a": NaN}', "not JSON: JSON is malformed"),
        (b'{"a": "\xff"}', "not JSON: not UTF-8"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON: Integer value out of range"),
        (b'{"a": 1e999999999999999999999}', "not JSON: a number is out of range"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"\\ud800": 1,', "not JSON"),
        (b'{"a": "\\ud800", "b": Infinity}', "not JSON"),
        (b"<html>", "not JSON: JSON is malformed"),
    ],
)
def test_what_is_no_json_is_told_with_its_start(body, reason, compiled):
    with pytest.raises(Unreadable, match=reason) as caught:
        read(body)

    assert caught.value.place.field == "body"
    assert body[:80].decode("utf-8", "replace") == caught.value.place.value
    with pytest.raises(Unreadable):
        compiled("map: t\ntarget: order/1\nfields: {ref: id | str, attributes: {a: a}}").facts(
            Message(body=body)
        )


# XML


def test_xml_elements_are_objects_texts_and_lists():
    body = """<?xml version="1.0" encoding="UTF-8"?>
    <o:Order xmlns:o="urn:o" id="7" xml:lang="de"><!-- no --><No>1 &amp; 2</No><Empty/><Note kind="x"> a <![CDATA[<b>]]> </Note>
    <Line n="1"><Sku>A</Sku></Line><o:Line n="2"/></o:Order>"""

    assert read(body, "xml") == {
        "@id": "7", "@lang": "de", "No": "1 & 2", "Empty": "", "Note": {"@kind": "x", "#text": "a <b>"},
        "Line": [{"@n": "1", "Sku": "A"}, {"@n": "2"}],
    }  # fmt: skip


def test_xml_maps_like_anything_else(compiled):
    mapping = compiled("""map: t
target: order/1
format: xml
fields:
  ref: .@id
  number: Head.No
  customer_note: Note
  attributes: {kind: Note.@kind, text: Note.#text}
  lines: {each: Lines.Line[], map: {ref: .@n, sku: Sku, quantity: {ordered: Qty | dec}}}
""")
    one = b"<O id='5'><Head><No>N</No></Head><Note kind='k'>hi</Note><Lines><Line n='1'><Sku>A</Sku><Qty unit='C62'>2.50</Qty></Line>"

    for body, refs in ((one + b"</Lines></O>", ["1"]), (one + b"<Line n='2'/></Lines></O>", ["1", "2"])):
        doc = mapping.facts(Message(body=body))[0].doc
        assert [line["ref"] for line in doc["lines"]] == refs
        assert doc["lines"][0]["quantity"] == {"ordered": "2.50"}
        assert (doc["number"], doc["customer_note"]) == ("N", "hi")
        assert doc["attributes"] == {"kind": "k", "text": "hi"}
    assert mapping.trace(Message(body=one + b"</Lines></O>"))[0].source == "@id"


def test_xml_in_another_encoding_is_read_by_its_declaration():
    assert read('<?xml version="1.0" encoding="ISO-8859-1"?><a>Jörg</a>'.encode("latin-1"), "xml") == "Jörg"


BOMB = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><a>&b;</a>"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not XML: no element found"),
        ("<a>", "not XML: no element found"),
        ("<a></b>", "not XML: mismatched tag"),
        (BOMB, "not XML: a document type declaration is not allowed"),
        (
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "not XML: a document type declaration is not allowed",
        ),
        ("<a>&undefined;</a>", "not XML: undefined entity"),
        ("<a>" * 500 + "</a>" * 500, "not XML: elements are nested deeper than 200 levels"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "not XML: unknown encoding"),
        ("<a>\x00</a>", "not XML: not well-formed"),
    ],
)
def test_what_is_no_xml_is_told(body, reason):
    with pytest.raises(Unreadable, match=reason):
        read(body, "xml")


# forms


def test_a_form_is_an_object_of_texts_decoded_once():
    assert read("a=1&b=%E4%B8%AD+x&a=2&c=&d=%2541&e=%00z", "form") == {
        "a": "1", "b": "中 x", "c": "", "d": "%41", "e": "z",
    }  # fmt: skip


def test_a_form_maps_like_anything_else(compiled):
    mapping = compiled(
        "map: t\ntarget: tracking/1\nformat: form\nfields:\n  number: no\n  carrier: data | json | get('com')"
    )

    assert mapping.facts(Message(body=b"no=T1&data=%7B%22com%22%3A%22sf%22%7D"))[0].doc == {
        "number": "T1",
        "carrier": "sf",
    }


def test_what_is_no_form_is_told():
    with pytest.raises(Unreadable, match="not a form"):
        read(b"a=\xff", "form")
    with pytest.raises(Unreadable, match="not a form"):
        read("&".join(f"a{n}=1" for n in range(2000)), "form")


# CSV


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ('no,name\r\n1,Jörg\r\n\r\n , \r\n2, "a, b" \r\n'.encode(), {}),
        ('\ufeffno;name\n1;Jörg\n2;"a, b"\n'.encode(), {}),
        ("no\tname\n1\tJörg\n2\ta, b".encode("latin-1"), {"content-type": "text/csv; charset=latin1"}),
        ('no|name\n1|Jörg\n2|"a, b"\n'.encode(), {"content-type": "text/csv; charset=nonsense"}),
    ],
)  # fmt: skip
def test_csv_rows_are_objects_by_the_names_of_the_first(body, headers):
    assert read(body, "csv", **headers)[0] == {"no": "1", "name": "Jörg"}
    assert read(body, "csv", **headers)[-1]["no"] == "2"
    assert len(read(body, "csv", **headers)) == 2


def test_csv_of_a_chinese_office_is_read_without_being_told():
    assert read("订单号,数量\n1001,2\n1002\n".encode("gbk"), "csv") == [
        {"订单号": "1001", "数量": "2"},
        {"订单号": "1002"},
    ]


def test_flat_csv_rows_become_orders_with_lines(compiled):
    mapping = compiled("""map: t
target: order/1
format: csv
each: $[]
group_by: 订单号
fields:
  ref: 订单号
  lines: {each: '@rows[]', map: {ref: 行, sku: sku, quantity: {ordered: 数量 | dec}}}
""")
    body = "订单号,行,sku,数量\n1,1,A,2\n2,1,B,1\n1,2,C,3\n".encode()

    assert [fact.doc for fact in mapping.facts(Message(body=body))] == [
        {"ref": "1", "lines": [{"ref": "1", "sku": "A", "quantity": {"ordered": "2"}},
                               {"ref": "2", "sku": "C", "quantity": {"ordered": "3"}}]},
        {"ref": "2", "lines": [{"ref": "1", "sku": "B", "quantity": {"ordered": "1"}}]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not CSV: there is no row of names"),
        (b"a\n" + b"x" * 200_000, "not CSV: line 2: field larger than field limit"),
        (b"\xff\xff\xff", "not text in UTF-8 or GB 18030"),
    ],
)
def test_what_is_no_csv_is_told(body, reason):
    with pytest.raises(Unreadable, match=reason):
        read(body, "csv")


@pytest.mark.parametrize("form", FORMATS)
@given(
    body=st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_become_a_clean_tree_or_are_unreadable(form, body):
    try:
        found = read(body, form)
    except Unreadable as error:
        assert error.reason
    else:
        text = json.dumps(found, ensure_ascii=False, default=str)
        assert "\\u0000" not in text
        text.encode()
