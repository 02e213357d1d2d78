"""Words: the texts that operators give, what may stand in them, and how a refusal says so."""

from __future__ import annotations

from typing import Annotated

from hub.contract.canon import FITS, spelt

__all__ = ["FITS", "UNSEEN", "Currency", "Language", "Place", "Text", "Title", "spelt"]

UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Characters that no name has: controls, line ends of any kind, and what turns the direction of the text around them."""


Title = Annotated[
    str,
    spelt(rf"[^{UNSEEN}]{{1,100}}", "1 to 100 characters on one line, none of them a control character"),
]
Place = Annotated[
    str,
    spelt(rf"[^{UNSEEN}]{{1,200}}", "1 to 200 characters on one line, none of them a control character"),
]
Text = Annotated[
    str, spelt(r"[^\x00-\x1f\x7f]{1,500}", "1 to 500 characters, none of them a control character")
]
Currency = Annotated[str, spelt(r"([A-Z]{3})?", "a currency's three letters, such as EUR, or nothing")]
Language = Annotated[
    str, spelt(r"[a-z]{2}(-[A-Za-z]{2,4})?", "a language such as de, or with a region such as de-AT")
]
