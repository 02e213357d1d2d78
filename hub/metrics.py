"""What is counted, for Prometheus: one registry per hub, so that two hubs in one process do not mix."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """All counters of a hub."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.messages = Counter(
            "orderhub_messages",
            "Messages by what became of them",
            ["tenant", "connection", "outcome"],
            registry=r,
        )
        self.missed = Counter(
            "orderhub_pushes_missed",
            "Changes that a sweep found and no push had told, by what differed",
            ["tenant", "connection", "class"],
            registry=r,
        )
        self.attempts = Counter(
            "orderhub_attempts", "Delivery attempts by outcome", ["tenant", "target", "outcome"], registry=r
        )
        self.latency = Histogram(
            "orderhub_delivery_seconds", "From when a message was accepted to the acknowledgement of what it brought", registry=r,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86400),
        )  # fmt: skip
        self.inbox = Gauge("orderhub_inbox", "Messages in memory that wait to be understood", registry=r)
        self.ready = Gauge(
            "orderhub_deliveries_ready", "Deliveries in memory that wait to go out", registry=r
        )
        self.circuit = Gauge(
            "orderhub_circuit_open", "1 while a target's circuit is open", ["target"], registry=r
        )
        self.depth = Gauge(
            "orderhub_deliveries_queued", "Deliveries that are due, wait for another, or are held (up to 10,000 of each)",
            ["target", "status"], registry=r,
        )  # fmt: skip
        self.oldest = Gauge(
            "orderhub_deliveries_oldest_seconds",
            "How long ago the oldest that is due was told",
            ["target"],
            registry=r,
        )
