"""The audit: who did what, to what, when; append-only."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import text
from hub.http.ask import Ask, Page
from hub.http.table import PAGING, Op, Param


class AuditOut(msgspec.Struct, kw_only=True):
    """One deed: `detail` has what was before and after, without secrets."""

    id: str
    at: str
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


def _show(row: tuple[Any, ...]) -> AuditOut:
    return AuditOut(id=f"aud_{row[0]}", at=text(row[1]), actor=row[2], action=row[3], subject=row[4],
                    detail=msgspec.json.decode(row[5]))  # fmt: skip


async def list_audit(ask: Ask) -> Page[AuditOut]:
    """Oldest first, by subject."""
    rows = await ask.hub.engine.fetch(
        "audit_list", tenant=ask.tenant, after=ask.after, most=ask.limit + 1, subject=ask.text("subject")
    )
    return ask.page(rows, _show)


OPS = (
    Op(method="GET", path="/v1/audit", summary="Who did what", handle=list_audit, scope="admin", gives=Page[AuditOut],
       query=(*PAGING, Param("subject", "Of this thing, by its id."))),
)  # fmt: skip
