"""Traces: one message's way through the hub as OpenTelemetry shows it, intake → normalise → deliver.

On where the extra `otel` is installed and the environment names an exporter (OTEL_EXPORTER_OTLP_ENDPOINT); else
nothing of it is imported and nothing is paid. A caller's `traceparent` is gone on with, ours is kept with the
message, so that whichever process delivers, and however late, goes on with it too, and tells the receiver.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from hub.inbound.leaf import Input
from hub.inbound.record import Again, Recorded, Recorder
from hub.outbound.sender import Answer, Post, Sender
from hub.outbound.tally import message_of
from hub.store.engine import Engine, Unit
from hub.store.rows import Due, Head

HEADER = "traceparent"
_NAMED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_KNOWN = 10_000
_HEAD = msgspec.json.Decoder(Head)
log = structlog.get_logger("orderhub.traces")


def exporting(environ: Mapping[str, str]) -> Any:
    """The tracer provider that the environment asks for; None where it asks for none, or the extra is missing."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or not any(
        environ.get(name) for name in _NAMED
    ):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning("traces are asked for, but not installed: pip install 'orderhub[otel]'")
        return None
    resource = Resource.create({"service.name": environ.get("OTEL_SERVICE_NAME", "orderhub")})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


@dataclass(slots=True)
class Traces:
    """Begins spans and finds those that they belong to; `provider` is a tracer provider of OpenTelemetry."""

    provider: Any
    engine: Engine
    _parents: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def span(
        self, name: str, parents: Sequence[str], kind: str = "INTERNAL", **facts: str | int
    ) -> Iterator[Any]:
        """A span under its one parent, or linked to several; `parents` are traceparents."""
        from opentelemetry import trace  # noqa: PLC0415  an extra

        known = [context for one in parents if one for context in [_context(one)]]
        links = [trace.Link(trace.get_current_span(one).get_span_context()) for one in known[1:] and known]
        tracer = self.provider.get_tracer("orderhub")
        with tracer.start_as_current_span(
            name, context=known[0] if len(known) == 1 else None, kind=trace.SpanKind[kind], links=links,
            attributes={f"orderhub.{key}": value for key, value in facts.items()},
        ) as span:  # fmt: skip
            yield span

    def kept(self, head: Head) -> Head:
        """A head with the current span, where there is one: what comes of the message goes on with it."""
        ours = self.header()
        others = tuple(pair for pair in head.headers if pair[0].lower() != HEADER)
        return msgspec.structs.replace(head, headers=(*others, (HEADER, ours))) if ours else head

    def header(self) -> str:
        """The current span as a header says it."""
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415  an extra
            TraceContextTextMapPropagator,
        )

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        return carrier.get(HEADER, "")

    async def parents(self, messages: Sequence[str]) -> list[str]:
        """What was kept with these messages when they came in."""
        new = sorted({(one,) for one in messages if one and one not in self._parents})
        if len(self._parents) + len(new) > _KNOWN:
            self._parents.clear()
        for id_, head in await self.engine.fetch("messages_heads", new) if new else ():
            pairs = dict(_HEAD.decode(head).headers)
            self._parents[id_] = next((pairs[name] for name in pairs if name.lower() == HEADER), "")
        return [self._parents.get(one, "") for one in messages if one]


def _context(parent: str) -> Any:
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415  an extra
        TraceContextTextMapPropagator,
    )

    return TraceContextTextMapPropagator().extract({HEADER: parent})


@dataclass(frozen=True, slots=True)
class TracedIntake:
    """Intake, or the API, whose requests go on with their caller's trace, and keep ours with the message."""

    intake: Any
    traces: Traces
    name: str = "intake"

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """As it answers."""
        given = next(
            (value.decode("latin-1") for name, value in scope["headers"] if name == HEADER.encode()), ""
        )
        with self.traces.span(self.name, [given], "SERVER", path=scope["path"].rpartition("/")[0]):
            others = [pair for pair in scope["headers"] if pair[0] != HEADER.encode()]
            ours = (HEADER.encode(), self.traces.header().encode())
            await self.intake({**scope, "headers": [*others, ours]}, receive, send)


@dataclass(frozen=True, slots=True)
class TracedRecorder:
    """A recorder that stands in a span of its own, linked to the messages that it records."""

    recorder: Recorder
    traces: Traces

    async def record(self, unit: Unit, inputs: list[Input], again: Again | None = None) -> Recorded:
        """As the recorder records."""
        parents = await self.traces.parents(sorted({one.message for one in inputs}))
        with self.traces.span("normalise", parents, messages=len(inputs)):
            return await self.recorder.record(unit, inputs, again)


@dataclass(frozen=True, slots=True)
class TracedSender:
    """A sender that tells the receiver which trace a post belongs to, where it belongs to one."""

    sender: Sender
    traces: Traces

    async def send(self, post: Post) -> Answer:
        """As the sender sends."""
        header = self.traces.header()
        if header:
            post = msgspec.structs.replace(post, headers={**post.headers, HEADER: header})
        return await self.sender.send(post)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Spans of the deliverer: each attempt under the message that it comes of."""

    traces: Traces

    async def parent(self, one: Due) -> list[str]:
        """Where an attempt belongs."""
        return await self.traces.parents([message_of(one)])

    @contextmanager
    def span(self, one: Due, parents: list[str]) -> Iterator[None]:
        """The attempt itself."""
        with self.traces.span(
            "deliver", parents, "CLIENT", target=one.target, event=one.event, attempt=one.attempts + 1
        ):
            yield
