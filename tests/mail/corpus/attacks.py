"""Letters that are made to break their reader: each at and over its limit."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from tests.mail.corpus.files import packed, pdf, xlsx
from tests.mail.corpus.letters import letter
from tests.mail.corpus.people import EN

HEAD = b"From: a@x.example\r\nTo: b@y.example\r\nSubject: x\r\nMessage-ID: <1@x>\r\nMIME-Version: 1.0\r\n"


def nested(levels: int) -> bytes:
    """Multiparts within multiparts."""
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(levels)
    )
    return (
        HEAD
        + opened
        + b"Content-Type: text/plain\r\n\r\nhello\r\n"
        + b"".join(b"--b%d--\r\n" % n for n in reversed(range(levels)))
    )


def nested_mails(levels: int) -> bytes:
    """Mails within mails, without a boundary."""
    return HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: y\r\n" * levels + b"\r\nhello\r\n"


def many(parts: int) -> bytes:
    """Very many parts."""
    one = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    return HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + one * parts + b"--b--\r\n"


def addressed(count: int) -> bytes:
    """Very many addresses."""
    to = ",\r\n ".join(f"u{n}@y.example" for n in range(count)).encode()
    return b"From: a@x.example\r\nTo: " + to + b"\r\nSubject: x\r\n\r\nhello\r\n"


def bracketed(count: int) -> bytes:
    """A sender in a thousand brackets."""
    return b"From: " + b"(" * count + b"\r\nSubject: x\r\n\r\nhello\r\n"


def parameters(count: int) -> bytes:
    """A content type with very many parameters."""
    return (
        HEAD
        + b"Content-Type: text/plain"
        + b"".join(b';\r\n p%d="x"' % n for n in range(count))
        + b"\r\n\r\nhello\r\n"
    )


def attached(name: str, data: bytes, kind: str = "application/octet-stream") -> bytes:
    return letter(EN, "order", "see attached", files=((name, kind, data),))


def sheet_bomb() -> bytes:
    """A sheet of a few hundred kilobytes that inflates to 200 megabytes."""
    parts = {
        name: zipfile.ZipFile(io.BytesIO(xlsx([["x"]]))).read(name)
        for name in zipfile.ZipFile(io.BytesIO(xlsx([["x"]]))).namelist()
    }
    parts["xl/worksheets/sheet1.xml"] = b"<worksheet>" + b" " * (200 << 20) + b"</worksheet>"
    return packed(parts)


def sheet_lie() -> bytes:
    """A sheet whose directory says that it is small, though it inflates to 60 megabytes."""
    honest = bytearray(
        packed({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": b" " * (60 << 20)})
    )
    big = (60 << 20).to_bytes(4, "little")
    return bytes(honest).replace(big, (1000).to_bytes(4, "little"))


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE Order [<!ENTITY a "ha">' + b"".join(b'<!ENTITY a%d "&a%s;&a%s;">' % (n, str(n - 1).encode() if n else b"", str(n - 1).encode() if n else b"") for n in range(40))
    + b']><Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"><ID>&a39;</ID></Order>'
)  # fmt: skip
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE Order [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"><ID>&x;</ID></Order>'
)
DEEP = b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2">' + b"<a>" * 100_000
PAGES = b"<html><body>" + b"<div>" * 200_000 + b"<p>2 x DL-100</p>"
OPEN = b"<html><body>" + b"<" * 1_000_000
SCRIPT = (
    b'<html><body onload="x()"><script>document.location="http://evil.example"</script><img src="http://evil.example/p.gif">'
    b'<iframe src="http://evil.example"></iframe><p>2 x DL-100</p></body></html>'
)


def html(data: bytes) -> bytes:
    return HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + data


def text(data: bytes) -> bytes:
    return HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + data


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "parts a thousand levels deep": (lambda: nested(1000), "nested"),
    "parts one level too deep": (lambda: nested(31), "nested deeper than 30"),
    "mails within mails": (lambda: nested_mails(1000), "mails within the mail"),
    "fifty thousand parts": (lambda: many(50_000), "more than 300 parts"),
    "a part too many": (lambda: many(302), "more than 300 parts"),
    "twenty thousand addresses": (lambda: addressed(20_000), "bytes of fields before the body"),
    "a thousand addresses": (lambda: addressed(1000), "1000 addresses in one field"),
    "an address too many": (lambda: addressed(201), "201 addresses in one field"),
    "a sender in brackets": (lambda: bracketed(100_000), "a field of"),
    "ten thousand parameters": (lambda: parameters(10_000), "a field of"),
    "half a megabyte of fields": (lambda: b"X-A: b\r\n" * 70_000 + b"\r\nhello", "of fields before the body"),
    "more bytes than are read": (lambda: b"a" * (51 << 20), "bytes, at most"),
}
"""Letters that are turned away whole, with the reason."""

READ: dict[str, Callable[[], bytes]] = {
    "parts as deep as may be": lambda: nested(30),
    "as many parts as may be": lambda: many(300),
    "as many addresses as may be": lambda: addressed(200),
    "a sender in a thousand brackets": lambda: bracketed(1000),
    "no body": lambda: HEAD + b"\r\n",
    "nothing at all": lambda: b"",
    "no head": lambda: b"\r\n\r\nhello",
    "bytes of no text": lambda: bytes(range(256)) * 100,
    "a charset that there is not": lambda: (
        HEAD + b"Content-Type: text/plain; charset=klingon\r\n\r\nhello\r\n"
    ),
    "a charset of null": lambda: HEAD + b'Content-Type: text/plain; charset="\x00"\r\n\r\nhello\r\n',
    "broken base64": lambda: (
        HEAD + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n=%PDF-!!!!\r\n"
    ),
    "an unknown encoding": lambda: (
        HEAD + b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#\xff\xff\r\n"
    ),
    "a boundary that is never met": lambda: (
        HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\nhello\r\n'
    ),
    "deep pages": lambda: html(PAGES),
    "scripts and pixels": lambda: html(SCRIPT),
    "numbers without end": lambda: text(b"1 " * 400 + b"DL-100 " + b"2 " * 80 + b"\r\n"),
    "lines of numbers": lambda: text((b"1 x " * 200 + b"DL-100" + b" 2 x" * 40 + b"\r\n") * 2000),
    "articles without end": lambda: text(b"DL-100 " * 100_000),
    "quotations without end": lambda: text(b"> " * 200_000 + b"\r\nOn a wrote:\r\n" * 1000),
}
"""Letters that are read, to nothing or to little, and break nothing."""

NOTED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a sheet that inflates to 200 megabytes": (lambda: attached("a.xlsx", sheet_bomb()), "inflates to"),
    "a sheet of too many files": (lambda: attached("a.xlsx", packed({"xl/workbook.xml": b"x"} | {f"xl/{n}": b"x" for n in range(200)})), "201 files in it"),
    "a sheet that is none": (lambda: attached("a.xlsx", packed({"xl/workbook.xml": b"<workbook", "[Content_Types].xml": b"<"})), "cannot be read"),
    "a sheet cut off": (lambda: attached("a.xlsx", xlsx([["x"] * 20] * 50)[:-40]), "are not opened"),
    "an archive in an archive": (lambda: attached("a.zip", packed({"b.zip": packed({"c.csv": b"sku,qty\nA,1"})})), "are not opened for this partner"),
    "an old sheet with macros": (lambda: attached("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "may hold programs"),
    "a program": (lambda: attached("order.pdf", b"MZ" + b"\0" * 600, "application/pdf"), "a program is not opened"),
    "winmail.dat": (lambda: attached("winmail.dat", b"\x78\x9f\x3e\x22" + b"\0" * 600), "TNEF"),
    "EDIFACT": (lambda: attached("a.edi", b"UNA:+.? 'UNB+UNOC:3+x+y+270101:0000+1'"), "EDIFACT"),
    "a locked PDF": (lambda: attached("a.pdf", pdf(["x"], password="y")), "it is encrypted"),
    "a broken PDF": (lambda: attached("a.pdf", b"%PDF-1.7\n" + b"\xff" * 2000), "cannot be read"),
    "a PDF of pictures": (lambda: attached("a.pdf", pdf([])), "pictures of text"),
    "XML of another kind": (lambda: attached("a.xml", b"<?xml version='1.0'?><Invoice><ID>1</ID></Invoice>"), "no mapping of this partner"),
}  # fmt: skip
"""Attachments that are left unopened, with the reason."""

FAULTS: dict[str, tuple[bytes, str]] = {
    "entities that grow": (LAUGHS, "a document type declaration is not allowed"),
    "a file from outside": (OUTSIDE, "a document type declaration is not allowed"),
    "elements without end": (DEEP, "nested deeper than 200 levels"),
    "an order cut off": (
        b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"><ID>1</ID>',
        "not XML",
    ),
}
"""XML that says it is an order and is not: a draft with the reason."""
