"""Traces: one message's way from intake to its webhooks is one trace, whoever began it and whoever delivers."""

from __future__ import annotations

import sys

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hub.http.app import build
from hub.run import Hub, open_hub
from hub.traces import exporting
from tests.http.conftest import House
from tests.outbound.desk import Script

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def traced(hub: Hub, spans: InMemorySpanExporter) -> Script:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    hub.deliver.sender = script = Script()
    hub.trace(provider)
    return script


async def pushed(hub: Hub, **headers: str) -> None:
    """A partner's endpoint, a connection that takes JSON, and one message pushed to it."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(build(hub)), base_url="http://hub.test"
    ) as client:
        house = House(hub, client)
        await house.post(
            "/v1/endpoints", {"url": "https://x.example/in", "name": "x", "events": ["order.created"]}
        )
        await house.post(
            "/v1/connections", {"name": "phone", "channel": "api", "settings": {"webhook_secret": "w"}}
        )
        url = (await house.get("/v1/connections/phone"))["intake_url"]
        answer = await client.post(
            url + "/orders",
            json={"ref": "x1", "number": "N1"},
            headers={"authorization": "Bearer w", **headers},
        )
        assert answer.status_code in (200, 202), answer.text


async def test_a_callers_trace_goes_on_through_the_hub_to_the_receiver(config, spans):
    async with open_hub(config) as hub:
        script = traced(hub, spans)
        await pushed(hub, traceparent=GIVEN)
        await hub.settle()

    told = {span.name: span for span in spans.get_finished_spans()}
    trace = int(GIVEN[3:35], 16)
    assert {"intake", "normalise", "deliver"} <= set(told)
    assert {told[name].context.trace_id for name in ("intake", "normalise", "deliver")} == {trace}
    assert told["deliver"].parent.span_id == told["intake"].context.span_id
    [post] = script.posts
    assert post.headers["traceparent"][3:35] == GIVEN[3:35]
    assert int(post.headers["traceparent"][36:52], 16) == told["deliver"].context.span_id


async def test_who_delivers_later_goes_on_with_the_same_trace(config, spans):
    async with open_hub(config) as hub:
        traced(hub, spans)
        await pushed(hub)
        while await hub.normalise.step():
            continue
        hub.traces._parents.clear()
        await hub.deliver.step()
    told = {span.name: span for span in spans.get_finished_spans()}

    assert told["deliver"].context.trace_id == told["intake"].context.trace_id


async def test_without_being_asked_nothing_is_traced_nor_told(config):
    async with open_hub(config) as hub:
        hub.deliver.sender = script = Script()
        await pushed(hub, traceparent=GIVEN)
        await hub.settle()

        assert (hub.traces, hub.deliver.courier.traces) == (None, None)
        assert "traceparent" not in script.posts[0].headers


def test_traces_are_asked_for_by_the_environment(monkeypatch):
    assert exporting({}) is None
    assert (
        exporting({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}) is None
    )
    provider = exporting({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert isinstance(provider, TracerProvider)
    provider.shutdown()
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    assert exporting({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}) is None


async def test_a_call_of_the_api_goes_on_with_its_callers_trace_to_the_receiver(config, spans):
    async with open_hub(config) as hub:
        script = traced(hub, spans)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(build(hub)), base_url="http://hub.test"
        ) as client:
            house = House(hub, client)
            await house.post("/v1/endpoints", {"url": "https://x.example/in", "events": ["order.created"]})
            await house.post(
                "/v1/orders", {"ref": "x1", "number": "N1", "currency": "EUR"}, traceparent=GIVEN
            )
        await hub.settle()

    [post] = script.posts
    assert post.headers["traceparent"][3:35] == GIVEN[3:35]
    told = {
        span.name: span
        for span in spans.get_finished_spans()
        if span.context.trace_id == int(GIVEN[3:35], 16)
    }
    assert told["deliver"].parent.span_id == told["api"].context.span_id
