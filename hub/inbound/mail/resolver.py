"""The resolver: what the mail's judges ask of the DNS; a value, so that a test may bring one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver

from hub.contract.errors import HubError

_LIFETIME = 5.0


class Silent(HubError):
    """The DNS did not answer: nothing is known, which is not the same as nothing being there."""


class Resolver(Protocol):
    """Asks for records of a name; none is an empty list, no answer raises Silent."""

    async def txt(self, name: str) -> list[str]: ...

    async def addresses(self, name: str, *, six: bool) -> list[str]: ...

    async def exchanges(self, name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Dns:
    """The DNS as this machine knows it, or one server told as `host:port`."""

    server: str = ""

    async def txt(self, name: str) -> list[str]:
        """TXT records, their strings joined."""
        found = await self._ask(name, "TXT")
        return [b"".join(one.strings).decode("utf-8", "replace") for one in found]

    async def addresses(self, name: str, *, six: bool) -> list[str]:
        """A or AAAA records."""
        return [one.address for one in await self._ask(name, "AAAA" if six else "A")]

    async def exchanges(self, name: str) -> list[str]:
        """MX records, the preferred first."""
        found = sorted(await self._ask(name, "MX"), key=lambda one: one.preference)
        return [one.exchange.to_text(omit_final_dot=True) for one in found]

    async def _ask(self, name: str, kind: str) -> list[Any]:
        resolver = dns.asyncresolver.Resolver(configure=not self.server)
        if self.server:
            host, _, port = self.server.rpartition(":")
            resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
        resolver.lifetime = _LIFETIME
        try:
            return list(await resolver.resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            raise Silent(f"the DNS does not answer for {name}") from error
