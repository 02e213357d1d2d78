"""Reaching a host by other ways than HTTP: its address, judged by the guard, is what is dialled."""

from __future__ import annotations

import asyncio
import socket

from hub.contract.errors import Postponed, Refused
from hub.outbound.guard import Guard


async def address_of(guard: Guard, host: str, port: int) -> str:
    """The first address of a host that may be dialled; Refused where none may, Postponed where it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Postponed(f"{host} cannot be found: {error.strerror or error}") from error
    reason = "it has no address"
    for *_, address in found:
        reason = guard.judge(str(address[0])) or ""
        if not reason:
            return str(address[0])
    raise Refused(f"{host} is not allowed: {reason}")
