"""Marks of our own on what goes out, so that it is known again when it comes back: reply addresses, loop marks,
action links. Pure; both the mail that comes in and the notices that go out stand on it.

Every mark is an HMAC under a key derived from ORDERHUB_KEY for that one purpose: the first key signs, any key
verifies, so that a rotation of keys breaks no link that is still in somebody's mailbox.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

_TAG = 20
LOOP_HEADER = "X-Hub-Message"
"""The header that tells our own mail when it comes back: `<id>;<hmac>`."""

Action = Literal["ack", "snooze", "retry", "optout"]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What one link may do: this action on this subject of this tenant, until then (unix seconds). `by` is
    whom the audit names."""

    action: Action
    subject: str
    tenant: str
    until: int
    by: str = ""


def notice_id(event: str, rule: str) -> str:
    """The name of the notice that a rule makes of an event: the same however often it is made."""
    return f"ntc_{hashlib.blake2b(f'{event} {rule}'.encode(), digest_size=13).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Marks:
    """Signs and verifies with the hub's keys (`Vault.keys`)."""

    keys: tuple[bytes, ...]

    def reply_address(self, mailbox: str, order: str) -> str:
        """The address to which an answer about this order goes: `reply+<order>.<hmac>@…`. Lower case
        throughout: some servers fold the part before the @."""
        name, _, domain = mailbox.partition("@")
        return f"{name}+{order.lower()}.{_tag(self.keys[0], 'reply', order.lower())}@{domain}"

    def order_of(self, address: str) -> str:
        """The order that a reply address was made for, "" where it is none of ours or was altered."""
        _, plus, token = address.strip().strip("<>").partition("@")[0].partition("+")
        order, dot, tag = token.lower().rpartition(".")
        if not (plus and dot and self._fits("reply", order, tag)):
            return ""
        prefix, _, rest = order.partition("_")
        return f"{prefix}_{rest.upper()}"

    def loop_mark(self, id_: str) -> str:
        """The value of `X-Hub-Message` for a mail of ours."""
        return f"{id_};{_tag(self.keys[0], 'mail', id_)}"

    def own_mail(self, mark: str) -> str:
        """The id of our own mail whose loop mark this is, "" where it is none of ours."""
        id_, _, tag = mark.strip().partition(";")
        return id_ if self._fits("mail", id_, tag.strip()) else ""

    def link(self, act: Act) -> str:
        """A token that may do this one thing, for the path of a URL."""
        body = base64.urlsafe_b64encode(msgspec.msgpack.encode(act)).decode().rstrip("=")
        return f"{body}.{_tag(self.keys[0], 'act', body)}"

    def act(self, token: str, now: int) -> Act | None:
        """What a token may do at this time (unix seconds); None where it is forged, altered or too old."""
        body, _, tag = token.partition(".")
        if not self._fits("act", body, tag):
            return None
        try:
            raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            act = msgspec.msgpack.decode(raw, type=Act)
        except (binascii.Error, msgspec.DecodeError):
            return None
        return act if act.until > now else None

    def hidden(self, purpose: str, text: str) -> str:
        """A short name for a text that tells nothing of it, the same every time."""
        return _tag(self.keys[-1], purpose, text)

    def _fits(self, purpose: str, text: str, tag: str) -> bool:
        given = tag.encode("utf-8", "replace")
        return any([hmac.compare_digest(one.encode(), given) for one in self._tags(purpose, text)])

    def _tags(self, purpose: str, text: str) -> Iterator[str]:
        for key in self.keys:
            yield _tag(key, purpose, text)


def _tag(key: bytes, purpose: str, text: str) -> str:
    own = hmac.digest(key, f"orderhub {purpose}".encode(), hashlib.sha256)
    return hmac.digest(own, text.encode("utf-8", "replace"), hashlib.sha256).hex()[:_TAG]
