"""The vault: secrets at rest under AES-256-GCM, several keys while rotating, people under a keyed hash.

A sealed text is `v1.<key id>.<base64 of nonce and ciphertext>`, bound to the row it belongs to: moved to
another row it does not open.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.contract.errors import HubError, Misconfigured

_CANARY = "orderhub"


class Locked(HubError):
    """A secret that no key of ours opens: answered 503, never 401."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals with the first key, opens with any."""

    keys: tuple[bytes, ...]
    _ciphers: dict[str, AESGCM] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.keys:
            raise Misconfigured("the vault has no key")
        for key in self.keys:
            self._ciphers[_name(key)] = AESGCM(key)

    def seal(self, text: str, row: str) -> str:
        """A text that only this vault opens, and only for this row."""
        nonce = os.urandom(12)
        name = _name(self.keys[0])
        sealed = self._ciphers[name].encrypt(nonce, text.encode(), row.encode())
        return f"v1.{name}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, row: str) -> str:
        """The text; raises Locked."""
        _, name, data = sealed.split(".", 2)
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise Locked(f"a secret of {row} was sealed with key {name}, which ORDERHUB_KEY does not have")
        raw = base64.b64decode(data)
        try:
            return cipher.decrypt(raw[:12], raw[12:], row.encode()).decode()
        except InvalidTag as error:
            raise Locked(
                f"a secret of {row} does not open: it was altered or belongs to another row"
            ) from error

    def canary(self) -> str:
        """What the store keeps so that a wrong key is noticed at start."""
        return self.seal(_CANARY, "canary")

    def check(self, canary: str) -> None:
        """Raises Misconfigured where the store was written with other keys."""
        try:
            self.open(canary, "canary")
        except Locked as error:
            raise Misconfigured(f"ORDERHUB_KEY does not fit this database: {error}") from error

    def person(self, tenant: str, kind: str, value: str) -> str:
        """The keyed hash under which a person's mail, phone or reference is found again. Uses the last
        (oldest) key, so that rotation does not lose anybody."""
        text = f"{tenant}\0{kind}\0{value.strip().lower()}".encode()
        return hashlib.blake2b(text, key=self.keys[-1], digest_size=12).hexdigest()


def _name(key: bytes) -> str:
    return hashlib.sha256(b"orderhub key" + key).hexdigest()[:8]
