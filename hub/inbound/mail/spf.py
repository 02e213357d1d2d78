"""SPF (RFC 7208): whether a domain lets a host send in its name. The parts that senders use; `ptr`, which the
standard itself tells not to use, matches nobody."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from hub.inbound.mail.resolver import Resolver, Silent

_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_LOOKUPS = 10
_VOIDS = 2
_HOSTS = 10
_TERM = re.compile(
    r"([+?~-]?)([a-z0-9]+)(?::([^/\s]*(?:/[^/\s.]+\.[^\s]*)?))?((?:/[0-9]{1,3})?(?://[0-9]{1,3})?)"
)
_MACRO = re.compile(r"%(?:\{([slodivh])([0-9]*)(r?)([.+,/_=-]*)\}|(%|_|-))", re.IGNORECASE)


class Broken(Exception):
    """The record, or what it leads to, breaks the rules: `permerror`."""


@dataclass(slots=True)
class Asking:
    """One question and what it has cost so far."""

    resolver: Resolver
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address
    sender: str
    helo: str
    lookups: int = 0
    voids: int = 0

    def count(self) -> None:
        """One more look-up; too many break the record."""
        self.lookups += 1
        if self.lookups > _LOOKUPS:
            raise Broken

    def void(self, found: list[str]) -> list[str]:
        """What was found; too many times nothing breaks the record."""
        self.voids += not found
        if self.voids > _VOIDS:
            raise Broken
        return found


async def spf(resolver: Resolver, client_ip: str, mail_from: str, helo: str) -> tuple[str, str]:
    """The result and the domain it is about: that of the return path, or of the greeting where that is null."""
    domain = (mail_from.rpartition("@")[2] or helo).strip().rstrip(".").lower()
    try:
        ip = ipaddress.ip_address(client_ip)
    except ValueError:
        return "none", domain
    if not re.fullmatch(r"(?=.{1,253}$)[a-z0-9_-]+(\.[a-z0-9_-]+)+", domain):
        return "none", domain
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    asking = Asking(resolver, mapped or ip, mail_from if "@" in mail_from else f"postmaster@{domain}", helo)
    try:
        return await _check(asking, domain), domain
    except Silent:
        return "temperror", domain
    except Broken:
        return "permerror", domain


async def _check(asking: Asking, domain: str) -> str:
    found = [one for one in await asking.resolver.txt(domain) if one.lower().split(" ", 1)[0] == "v=spf1"]
    if not found:
        return "none"
    if len(found) > 1:
        raise Broken
    redirect = ""
    for term in found[0].split()[1:]:
        name, equals, value = term.partition("=")
        if equals and re.fullmatch(r"[A-Za-z][\w.-]*", name):
            redirect = value if name.lower() == "redirect" else redirect
        elif (result := await _matches(asking, term, domain)) is not None:
            return result
    if not redirect:
        return "neutral"
    asking.count()
    result = await _check(asking, _expand(asking, redirect, domain))
    if result == "none":
        raise Broken
    return result


async def _matches(asking: Asking, term: str, domain: str) -> str | None:
    found = _TERM.fullmatch(term) or _TERM.fullmatch(term.lower())
    if found is None:
        return _network_term(asking, term)
    sign, name, given, size = found.groups()
    if name.lower() in ("ip4", "ip6"):
        return _network_term(asking, term)
    result = _RESULTS[sign or "+"]
    target = _expand(asking, given, domain) if given else domain
    return result if await _mechanism(asking, name.lower(), target, size) else None


def _network_term(asking: Asking, term: str) -> str | None:
    sign, rest = (term[0], term[1:]) if term[:1] in _RESULTS else ("+", term)
    name, colon, network = rest.partition(":")
    if name.lower() not in ("ip4", "ip6") or not colon:
        raise Broken
    try:
        known = ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise Broken from None
    return _RESULTS[sign] if asking.ip.version == known.version and asking.ip in known else None


async def _mechanism(asking: Asking, name: str, target: str, size: str) -> bool:
    if name == "all":
        return True
    if name not in ("include", "a", "mx", "exists", "ptr"):
        raise Broken
    asking.count()
    if name == "include":
        result = await _check(asking, target)
        if result == "none":
            raise Broken
        return result == "pass"
    if name == "a":
        return await _is_host(asking, target, size)
    if name == "mx":
        hosts = asking.void(await asking.resolver.exchanges(target))
        if len(hosts) > _HOSTS:
            raise Broken
        return any([await _is_host(asking, host, size) for host in hosts])
    return name == "exists" and bool(asking.void(await asking.resolver.addresses(target, six=False)))


async def _is_host(asking: Asking, host: str, size: str) -> bool:
    six = asking.ip.version == 6
    four_bits, _, six_bits = size.partition("//")
    bits = (six_bits or "128") if six else (four_bits.strip("/") or "32")
    try:
        networks = [
            ipaddress.ip_network(f"{one}/{bits}", strict=False)
            for one in asking.void(await asking.resolver.addresses(host, six=six))
        ]
    except ValueError:
        raise Broken from None
    return any(asking.ip in one for one in networks)


def _expand(asking: Asking, text: str, domain: str) -> str:
    """A domain with its macros filled in."""
    local, _, home = asking.sender.rpartition("@")
    dotted = str(asking.ip) if asking.ip.version == 4 else ".".join(asking.ip.exploded.replace(":", ""))
    values = {"s": asking.sender, "l": local, "o": home, "d": domain, "i": dotted,
              "v": "in-addr" if asking.ip.version == 4 else "ip6", "h": asking.helo}  # fmt: skip

    def fill(found: re.Match[str]) -> str:
        if found[5]:
            return {"%": "%", "_": " ", "-": "%20"}[found[5]]
        parts = re.split(f"[{re.escape(found[4] or '.')}]", values[found[1].lower()])
        parts = parts[::-1] if found[3] else parts
        return ".".join(parts[-int(found[2]) :] if found[2] else parts)

    filled = _MACRO.sub(fill, text)
    if "%{" in filled or not filled:
        raise Broken
    return filled.rstrip(".").lower()
