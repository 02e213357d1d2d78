"""Bearer proofs: a token, or Basic credentials, that vouch for the sender and not for the body."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from hub.contract.errors import Forged
from hub.contract.message import Message
from hub.contract.proof.base import Authenticity, Check, Stamp, add_headers, all_secrets, first_secret
from hub.contract.proof.spots import spot
from hub.contract.settings import Settings


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A fixed text in a header (after `prefix`) or, where `query` is set, in the query string."""

    header: str = "authorization"
    prefix: str = "Bearer "
    query: str = ""
    secret: str = "webhook_secret"
    authenticity: Authenticity = "bearer_only"

    def check(self, check: Check) -> None:
        """One of the secrets, to the letter."""
        if self.query:
            given = check.message.params().get(self.query, "")
        else:
            field = check.message.headers.get(self.header, "")
            given = field[len(self.prefix) :] if field.startswith(self.prefix) else ""
        keys = all_secrets(check.settings, self.secret)
        if not any([hmac.compare_digest(key, given.encode("utf-8", "replace")) for key in keys]):
            raise Forged("the token is missing or not ours")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """The token in its place."""
        token = first_secret(settings, self.secret).decode()
        if self.query:
            return spot(f"query:{self.query}").write(message, token)
        return add_headers(message, {self.header: self.prefix + token})


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic; the secret is `user:password`."""

    secret: str = "webhook_secret"
    authenticity: Authenticity = "bearer_only"

    def check(self, check: Check) -> None:
        """The credentials, to the letter."""
        given = check.message.headers.get("authorization", "")
        wanted = [self._field(key) for key in all_secrets(check.settings, self.secret)]
        if not any([hmac.compare_digest(one.encode(), given.encode("utf-8", "replace")) for one in wanted]):
            raise Forged("the credentials are missing or not ours")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """The credentials in their header."""
        return add_headers(message, {"authorization": self._field(first_secret(settings, self.secret))})

    @staticmethod
    def _field(secret: bytes) -> str:
        return "Basic " + base64.b64encode(secret).decode()
