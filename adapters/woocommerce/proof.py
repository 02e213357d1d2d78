"""Who proves a push: the webhook's secret, however WordPress spells it."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass

from hub.contract import Forged, Message, Settings, secrets
from hub.contract.proof import Authenticity, Check, Stamp, add_headers

SIGNATURE = "X-WC-Webhook-Signature"

_ENTITY = re.compile(r"&(lt|gt|quot|amp|#0*(?:34|38|39|60|62)|#[xX]0*(?:22|26|27|3[cCeE]));")
_NAMED = {"lt": "<", "gt": ">", "quot": '"', "amp": "&"}


@dataclass(frozen=True, slots=True)
class HookshotHmac:
    """Base64 of HMAC-SHA256 over the raw body; source of class-wc-webhook.php, `generate_signature`.

    The key is the stored secret with its entities decoded, and what a person copies may be either spelling:
    both are tried, of each secret there is.
    """

    secret: str = "webhook_secret"
    authenticity: Authenticity = "body_signed"

    def check(self, check: Check) -> None:
        """The signature fits one of the secrets in one of its spellings."""
        theirs = check.message.headers.get(SIGNATURE, "").strip()
        if not theirs:
            raise Forged(f"the {SIGNATURE} header is missing")
        keys = list(secrets(check.settings, self.secret))
        if not keys:
            raise Forged(f"the connection has no {self.secret}")
        macs = [_mac(spelling, check.message) for key in keys for spelling in (decoded(key), key)]
        if not any([hmac.compare_digest(mac.encode(), theirs.encode("utf-8", "replace")) for mac in macs]):
            raise Forged(f"the {SIGNATURE} header does not fit the message")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As WooCommerce signs, with the first secret."""
        key = next(secrets(settings, self.secret))
        return add_headers(message, {SIGNATURE: _mac(decoded(key), message)})


def decoded(secret: bytes) -> bytes:
    """A secret with its entities decoded, once, as `wp_specialchars_decode(…, ENT_QUOTES)` does: only those five."""
    return _ENTITY.sub(_character, secret.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    )


def _character(found: re.Match[str]) -> str:
    word = found[1]
    if not word.startswith("#"):
        return _NAMED[word]
    return chr(int(word.lstrip("#xX"), 16 if word[1] in "xX" else 10))


def _mac(key: bytes, message: Message) -> str:
    return base64.b64encode(hmac.digest(key, message.body, "sha256")).decode()
