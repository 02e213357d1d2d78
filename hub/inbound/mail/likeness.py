"""Likeness: names and domains made to be taken for others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_FACES = str.maketrans({
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "ѕ": "s", "і": "i", "ј": "j", "һ": "h",
    "ԁ": "d", "ɡ": "g", "ԛ": "q", "ԝ": "w", "к": "k", "м": "m", "н": "h", "т": "t", "в": "b", "п": "n", "г": "r",
    "ь": "b", "α": "a", "ο": "o", "ρ": "p", "ν": "v", "υ": "u", "ι": "i", "κ": "k", "τ": "t", "χ": "x", "γ": "y",
    "η": "n", "ω": "w", "ϲ": "c", "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ß": "b", "ſ": "f", "ƅ": "b",
    "ɑ": "a", "ɩ": "i", "ʋ": "v", "ӏ": "l", "ɴ": "n", "ʀ": "r", "օ": "o", "ո": "n", "ս": "u", "հ": "h", "ց": "g",
    "0": "o", "1": "l", "|": "l", "3": "e", "5": "s", "-": "", "_": "", "i": "l",
})  # fmt: skip
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")


def face(text: str) -> str:
    """What a text looks like at a glance: alike texts have one face."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char) and char.isprintable())
    plain = plain.translate(_FACES).translate(_FACES)
    return re.sub(r"\s+", "", plain.replace("rn", "m").replace("vv", "w").replace("cl", "d"))


def domain_face(domain: str) -> str:
    """The face of a domain, its punycode read first."""
    labels = []
    for label in domain.lower().split("."):
        try:
            labels.append(label.encode("ascii").decode("idna") if label.startswith("xn--") else label)
        except UnicodeError:
            labels.append(label)
    return ".".join(face(label) for label in labels)


def impostor(domain: str, known: Iterable[str]) -> str:
    """The known domain that this one is made to look like, "" for none: it has its face and is another."""
    known = set(known)
    if any(domain == one or domain.endswith(f".{one}") for one in known):
        return ""
    mine = domain_face(domain)
    return next((one for one in sorted(known) if domain_face(one) == mine), "")


def address_in(name: str) -> str:
    """The mail address that a display name shows, "" for none."""
    found = _ADDRESS.search(unicodedata.normalize("NFKC", name))
    return found[0].lower() if found else ""


def mixed(domain: str) -> bool:
    """Whether a label mixes scripts that no language mixes, as a homograph of Latin letters does."""
    for label in domain.lower().split("."):
        try:
            text = label.encode("ascii").decode("idna") if label.startswith("xn--") else label
        except UnicodeError:
            return True
        scripts = {unicodedata.name(char, "?").split()[0] for char in text if char.isalpha()}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}:
            return True
    return False
