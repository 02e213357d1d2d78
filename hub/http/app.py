"""The route table: every path of the hub, and which function answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette

from hub.http.problems import HANDLERS
from hub.http.routes import routes
from hub.run import Hub
from hub.traces import TracedIntake

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


_TELLING = ("POST", "PUT", "PATCH", "DELETE")


def build(hub: Hub) -> App:
    """The ASGI application of a hub: intake raw in front, the admin API behind."""
    admin = Starlette(routes=routes(), exception_handlers=HANDLERS)
    admin.state.hub = hub
    intake: App | None = hub.intake if "inbound" in hub.config.roles else None
    if intake is not None and hub.traces is not None:
        intake = TracedIntake(intake, hub.traces)

    api = TracedIntake(admin, hub.traces, "api") if hub.traces is not None else admin

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if intake is not None and scope["type"] == "http" and scope["path"].startswith("/in/"):
            await intake(scope, receive, send)
        else:
            await (api if scope.get("method") in _TELLING else admin)(scope, receive, send)

    return app
