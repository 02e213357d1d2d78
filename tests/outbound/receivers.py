"""Receivers for the tests of what we send: an honest one, and those that do what receivers should not."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.outbound.guard import Guard
from hub.outbound.sender import GuardedSender, open_session

HERE = Guard.of(["127.0.0.1/32"])
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def sender(guard: Guard = HERE, **more: object) -> AsyncIterator[GuardedSender]:
    """A sender over a session of its own."""
    now = more.pop("now", lambda: 0.0)
    cap = more.pop("cap", 16_384)
    made = GuardedSender(open_session(guard, **more), guard, now=now, cap=cap)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def served(
    app: Callable[[web.Request], Awaitable[web.StreamResponse]], **more: object
) -> AsyncIterator[str]:
    """A real server with one handler for everything; its address. It stands at `host` and `port` where told."""
    server = web.Application(client_max_size=1 << 26)
    server.router.add_route("*", "/{rest:.*}", app)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    host = more.get("host", "127.0.0.1")
    site = web.TCPSite(runner, host, more.get("port", 0), ssl_context=more.get("tls"))
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if more.get('tls') else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def scripted(talk: Talk) -> AsyncIterator[str]:
    """A server that says, byte for byte, what the script says to each connection; its address."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            talks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await settled()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await settled()


async def settled() -> None:
    """Who was let in at the last moment is being talked to, and what was closed is closed."""
    for _ in range(5):
        await asyncio.sleep(0)


async def request_of(reader: asyncio.StreamReader) -> bytes:
    """Reads one request whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head + await reader.readexactly(length)


def says(answer: bytes) -> Talk:
    """A script: reads a request, gives this answer, closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer)
        await writer.drain()

    return talk


class Names(AbstractResolver):
    """A resolver of our own: each name has a list of answers, the last one stays. `asked` counts."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            raise OSError(f"{host} has no address")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host, host=one, port=port, family=10 if ":" in one else 2, proto=0, flags=0
            )
            for one in addresses
        ]

    async def close(self) -> None:
        return None


def tls_pair(*, valid: bool = True) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server and of a client that trusts it, with a certificate for 127.0.0.1 or one that expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver.example")])
    now = datetime.now(UTC)
    begins, ends = (-1, 30) if valid else (-30, -1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _server(made, key), _client(made)


def _server(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context.load_cert_chain(file)
    return context


def _client(certificate: x509.Certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificate.public_bytes(Encoding.PEM).decode())
