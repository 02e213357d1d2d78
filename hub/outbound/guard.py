"""The guard: which addresses our own requests may reach, whoever chose the URL.

`check_url` refuses at once what can be seen in the text; `judge` is asked again for the very address that
is dialled, so that a name which changes its answer in between gains nothing. Ranges: the IANA registries
of special-purpose addresses, and Azure's host address, which is public in form only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote

import idna
from yarl import URL

from hub.contract import Misconfigured, Rejected

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

REFUSED_4: Sequence[tuple[IPv4Network, str]] = [
    (IPv4Network(text), reason)
    for text, reason in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier's NAT"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "the host of an Azure machine"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "for protocol assignments"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
]
REFUSED_6: Sequence[tuple[IPv6Network, str]] = [
    (IPv6Network(text), reason)
    for text, reason in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("100::/64", "for discarding"),
        ("100:0:0:1::/64", "a dummy prefix"),
        ("2001::/23", "for protocol assignments"),
        ("2001:db8::/32", "for documentation"),
        ("3fff::/20", "for documentation"),
        ("5f00::/16", "for segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
]
_LAST_32_BITS = [
    IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
]  # IPv4-compatible, IPv4-mapped, IPv4-translated, NAT64
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_GLOBAL = IPv6Network("2000::/3")


def judge(address: str | Address, allow: tuple[Network, ...] = ()) -> str | None:
    """Why this address may not be dialled, or None when it may."""
    return _judged(str(address).partition("%")[0], allow)


@lru_cache(maxsize=8192)
def _judged(text: str, allow: tuple[Network, ...]) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return "not an IP address"
    if _allowed(address, allow):
        return None
    if isinstance(address, IPv4Address):
        return next((reason for network, reason in REFUSED_4 if address in network), None)
    for network, reason in REFUSED_6:
        if address in network:
            return reason
    inside = list(_inside(address))
    for one in inside:
        reason_inside = _judged(str(one), allow)
        if reason_inside:
            return f"{reason_inside} ({one} inside {address})"
    return None if inside or address in _GLOBAL else "not global unicast"


def _allowed(address: Address, allow: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in allow)


def _inside(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that this one stands for, in every reading: a local NAT64 prefix may have any length."""
    bits = int(address)
    if any(address in network for network in _LAST_32_BITS):
        yield IPv4Address(bits & 0xFFFFFFFF)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(bits >> 80 & 0xFFFFFFFF)
    elif address in _LOCAL_NAT64:  # RFC 6052 §2.2: bits 64 to 71 are skipped
        yield IPv4Address(bits & 0xFFFFFFFF)
        yield IPv4Address((bits >> 64 & 0xFFFF) << 16 | bits >> 40 & 0xFFFF)
        yield IPv4Address((bits >> 64 & 0xFF) << 24 | bits >> 32 & 0xFFFFFF)
        yield IPv4Address(bits >> 24 & 0xFFFFFFFF)


_OTHERS = frozenset({
    1, 7, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111,
    113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540,
    548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000,
    6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
})  # fmt: skip
"""The ports that browsers do not call either (WHATWG Fetch, "port blocking")."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be reached: `allow` are networks let through although they are refused in general, `ports`
    the only ports (None: any but those of other protocols, so that no webhook is mail to somebody's relay)."""

    allow: tuple[Network, ...] = ()
    ports: frozenset[int] | None = None

    @staticmethod
    def of(allow: Iterable[str] = (), ports: Iterable[int] | None = None) -> Guard:
        """From an operator's words; raises Misconfigured."""
        networks: list[Network] = []
        faults: list[str] = []
        for text in allow:
            try:
                networks.append(ip_network(text.strip()))
            except ValueError as error:
                faults.append(f"--allow-private {text}: {error}")
        if faults:
            raise Misconfigured(faults)
        return Guard(tuple(networks), frozenset(ports) if ports is not None else None)

    def judge(self, address: str | Address) -> str | None:
        """Why this address may not be dialled, or None when it may."""
        return judge(address, self.allow)

    def judge_port(self, port: int) -> str | None:
        """Why this port may not be dialled, or None when it may."""
        if self.ports is not None:
            return None if port in self.ports else f"port {port} is not allowed"
        return f"port {port} is another protocol's" if port in _OTHERS else None

    def check_url(self, url: str, field: str = "url") -> URL:
        """The URL, parsed; Rejected with the field and the reason when it may not be called."""
        return _checked(url, self, field)


def check_url(url: str, guard: Guard, field: str = "url") -> URL:
    """The URL, parsed; Rejected with the field and the reason when it may not be called."""
    return _checked(url, guard, field)


_SHAPE = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_PORTED = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_BARE = re.compile(r"[\x00-\x20\x7f\\]")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


@lru_cache(maxsize=8192)
def _checked(text: str, guard: Guard, field: str) -> URL:
    if len(text) > 2048:
        raise Rejected("the URL is longer than 2,048 characters", field=field)
    if _BARE.search(text):
        raise Rejected("the URL has a space, a control character or a backslash", field=field)
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise Rejected("the URL does not begin with http:// or https://", field=field)
    scheme, authority, path, query = shape[1].lower(), shape[2], shape[3], shape[4]
    if "@" in authority:
        raise Rejected("the URL carries credentials: set them as the endpoint's auth", field=field)
    ported = _PORTED.fullmatch(authority)
    if ported is None:
        raise Rejected("the URL's host cannot be read", field=field)
    host = _host(ported[1], guard, field)
    port = _port(ported[2], scheme, guard, field)
    # built, not parsed again: what was judged is what is dialled, and path and query go out as written
    default = (scheme, port) in {("http", 80), ("https", 443)}
    return URL.build(
        scheme=scheme,
        authority=host if default else f"{host}:{port}",
        path=_sent(path, field) or "/",
        query_string=_sent(query or "", field),
        encoded=True,
    )


def _sent(text: str, field: str) -> str:
    try:
        return text if text.isascii() else quote(text, safe=_PRINTABLE)
    except UnicodeEncodeError as error:
        raise Rejected("the URL has a character that cannot be sent", field=field) from error


def _host(text: str, guard: Guard, field: str) -> str:
    """The host as it is dialled: lower case, an international name in its ASCII form."""
    if text.startswith("["):
        return _literal(text[1:-1], 6, guard, field)
    host = _ascii(text, field)
    if host.endswith("."):
        raise Rejected("the URL's host ends with a dot", field=field)
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Rejected("the URL's host is not a name", field=field)
    if _NUMBER.fullmatch(labels[-1]):
        if not text.isascii():
            raise Rejected("the URL's address is written in another script", field=field)
        return _literal(host, 4, guard, field)
    if labels[-1] == "localhost" and (reason := guard.judge("127.0.0.1")):
        raise Rejected(f"{host} is not allowed: {reason}", field=field)
    return host


def _ascii(text: str, field: str) -> str:
    if text.isascii():
        return text.lower()
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode().lower()
    except idna.IDNAError as error:
        raise Rejected(f"the URL's host is not an international name: {error}", field=field) from error


def _literal(text: str, version: int, guard: Guard, field: str) -> str:
    """An address in its one spelling: no octal, hex, short or scoped forms."""
    try:
        address: Address = IPv6Address(text) if version == 6 else IPv4Address(text)
    except ValueError as error:
        kind = "an IPv6 address in brackets" if version == 6 else "four decimal numbers"
        raise Rejected(f"the URL's address is not written as {kind}", field=field) from error
    if "%" in text:
        raise Rejected("the URL's address has a zone", field=field)
    if reason := guard.judge(address):
        raise Rejected(f"{address} is not allowed: {reason}", field=field)
    return f"[{address}]" if version == 6 else str(address)


def _port(text: str | None, scheme: str, guard: Guard, field: str) -> int:
    port = 443 if scheme == "https" else 80
    if text is not None:
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
            raise Rejected("the URL's port is not a number from 1 to 65535", field=field)
        port = int(text)
    if reason := guard.judge_port(port):
        raise Rejected(reason, field=field)
    return port
