"""A plain webhook: the notice as JSON, signed by Standard Webhooks where there is a secret."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from hub.contract.settings import Secret, Settings
from hub.outbound.notify.notice import Notice, Receipt, Recipe, Stamp, answered
from hub.outbound.sender import Answer, Post
from hub.outbound.signing import Signer
from hub.store.rows import PLAIN


class HookSettings(Settings, frozen=True, kw_only=True):
    """A webhook of your own: a chat, a pager, a script."""

    url: Annotated[str, Meta(description="Where it is posted.")]
    webhook_secret: Annotated[
        Secret | None, Meta(description="The secret (whsec_…) that signs it, Standard Webhooks.")
    ] = None
    token: Annotated[Secret | None, Meta(description="A Bearer token, where the far side asks for one.")] = (
        None
    )


def _ask(settings: HookSettings, notice: Notice, stamp: Stamp) -> Post:
    doc = {"id": notice.id, "to": notice.to, "title": notice.title, "text": notice.text, "data": notice.data}
    raw = PLAIN.encode(doc)
    headers = {"content-type": "application/json", "webhook-id": notice.id}
    if settings.webhook_secret:
        headers |= Signer((settings.webhook_secret,)).headers(notice.id, stamp.seconds, raw)
    if settings.token:
        headers["authorization"] = f"Bearer {settings.token}"
    return Post(url=settings.url, headers=headers, body=raw)


def _judge(answer: Answer) -> Receipt:
    if (told := answered(answer)) is not None:
        return told
    if answer.status is not None and 200 <= answer.status < 300:
        return Receipt(status="sent", ref=answer.headers.get("webhook-receipt", ""))
    return Receipt(status="later", reason=f"it answered {answer.status}")


WEBHOOK = Recipe(HookSettings, "webhook", _ask, _judge)
