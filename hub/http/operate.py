"""Running an operation: who calls → may they → the same request again? → the operation → JSON or a problem."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hub.http import problems
from hub.http.again import done, once
from hub.http.ask import Answer, Ask, body
from hub.http.auth import Who, caller, permit
from hub.http.misfit import check_query
from hub.http.table import Op
from hub.run import Hub
from hub.store.rows import PLAIN

NOBODY = Who(tenant="main", name="", scopes=frozenset())


def endpoint(op: Op) -> Callable[[Request], Awaitable[Response]]:
    """The Starlette endpoint of an operation."""

    async def answer(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        try:
            return respond(await run(op, hub, request), op)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001  every fault is answered, ours as 500 with an id that the log knows
            return problems.respond(problems.problem(error, hub.world.new_id))

    return answer


async def run(op: Op, hub: Hub, request: Request) -> Any:
    """What the operation answers."""
    who = NOBODY
    if op.scope is not None:
        who = caller(request, hub.directory)
        permit(who, op.scope, partner=op.partner)
        check_query(request.query_params.multi_items(), op.query)
    ask = Ask(hub, request, who, b"" if op.stream else await body(request))
    if op.method == "POST" and ask.key and not op.exact:
        return await once(ask, op)
    return await done(ask, op)


def respond(value: Any, op: Op) -> Response:
    """A value, or an Answer, as a response."""
    answer = value if isinstance(value, Answer) else Answer(value=value, status=op.status, media=op.media)
    if answer.status == 204:
        return Response(status_code=204, headers=answer.headers)
    content = answer.value if isinstance(answer.value, bytes) else encode(answer.value)
    return Response(content, answer.status, headers=answer.headers, media_type=answer.media)


def encode(value: Any) -> bytes:
    """JSON as the API writes it; decimals are texts."""
    return PLAIN.encode(value)
