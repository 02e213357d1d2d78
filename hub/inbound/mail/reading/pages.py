"""Pages of PDF: the XML that an ERP put within, else the text line by line. Nothing in them is ever run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hub.inbound.mail.reading.sheets import Unopened

PAGES, ATTACHED, BYTES = 200, 20, 20 << 20
"""How many pages and files within are looked at, and how many bytes one such file may have."""


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    try:
        import pypdfium2 as pdfium  # noqa: PLC0415  an extra
    except ImportError:
        raise Unopened("PDF is read where `orderhub[pdf]` is installed") from None
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise Unopened(
            "it is encrypted: ask for it without a password" if locked else f"it cannot be read: {error}"
        ) from None
    try:
        if len(document) > PAGES:
            raise Unopened(f"{len(document)} pages, at most {PAGES} are read")
        yield document
    except pdfium.PdfiumError as error:
        raise Unopened(f"it cannot be read: {error}") from None
    finally:
        document.close()


def within(data: bytes) -> list[tuple[str, bytes]]:
    """The files within a PDF, by name; raises Unopened."""
    out = []
    with _opened(data) as document:
        for index in range(min(document.count_attachments(), ATTACHED)):
            attached = document.get_attachment(index)
            content = bytes(attached.get_data())
            if 0 < len(content) <= BYTES:
                out.append((attached.get_name(), content))
    return out


def lines(data: bytes) -> list[str]:
    """The lines of its text, page after page; raises Unopened where there is none to read."""
    out: list[str] = []
    with _opened(data) as document:
        for page in document:
            text = page.get_textpage()
            out += [line.strip() for line in text.get_text_bounded().replace("\r", "\n").split("\n")]
            text.close()
            page.close()
    found = [line.replace("\ufffe", "-").replace("\0", "") for line in out if line]
    if not found:
        raise Unopened("it holds pictures of text, not text")
    return found
