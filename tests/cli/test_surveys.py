"""Backfills, comparisons and reconciliations, as they are typed."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hub.registry import load_registry


@pytest.fixture(scope="module")
def beans():
    """A WooCommerce shop with one order."""
    sample = load_registry().samples("woocommerce").fixture("poll-order.plain").message
    order = json.loads(sample.body)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            listed = self.path.startswith("/wp-json/wc/v3/orders?") and "status=any" in self.path
            body = json.dumps([order] if listed else []).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_source_is_compared_backfilled_and_reconciled(at_hub, beans):
    made = at_hub(
        "connect", "woocommerce", "--name", "beans", "--set", f"base_url={beans}", "--set", "consumer_key=ck_1",
        "--set", "consumer_secret=cs_1", "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert at_hub("connections", "set", "beans", "--set", "sweep=false").code == 0
    before = at_hub("compare", "beans", "--since", "2020-01-01T00:00:00Z", "--json")
    assert before.code == 0, before.err
    filled = at_hub("backfill", "beans", "--since", "2020-01-01T00:00:00Z")
    assert (filled.code, "is done, 1 looked at" in filled.out) == (0, True), filled.err
    after = at_hub("compare", "beans", "--since", "2020-01-01T00:00:00Z")
    assert "1 looked at, 1 equal, no drift" in after.out, after.out
    begun = at_hub("backfill", "beans", "--since", "30d", "--no-wait", "--json").json()
    assert begun["state"] in ("running", "done")
    assert at_hub("jobs", "follow", begun["id"]).code == 0
    proved = at_hub("reconcile", "--since", "2020-01-01T00:00:00Z")
    assert "beans: 1 looked at, 1 equal, no drift" in proved.out, proved.out + proved.err


def test_a_source_that_only_pushes_says_so(at_hub):
    said = at_hub("compare", "nowhere")
    assert (said.code != 0, "nowhere" in said.err) == (True, True)
