"""The kinds of notifiers there are, and an operator's account of one, opened to be spoken through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from hub.contract.errors import Misconfigured
from hub.contract.given import read_settings
from hub.contract.settings import Settings
from hub.directory import Directory
from hub.outbound.guard import Guard
from hub.outbound.notify.bots import DINGTALK, FEISHU, WECOM
from hub.outbound.notify.hook import WEBHOOK
from hub.outbound.notify.mail import Smtp, SmtpSettings
from hub.outbound.notify.notice import Medium, Notice, Notifier, Receipt, Recipe, Stamp, doubtful
from hub.outbound.notify.sms import ALIYUN, TENCENT, TWILIO
from hub.outbound.sender import Sender
from hub.replies import Marks
from hub.things import Notifier as Account
from hub.world import World

RECIPES: Mapping[str, Recipe] = {
    "dingtalk": DINGTALK, "feishu": FEISHU, "wecom": WECOM, "aliyun_sms": ALIYUN, "tencent_sms": TENCENT,
    "twilio_sms": TWILIO, "webhook": WEBHOOK,
}  # fmt: skip
"""What is spoken to by HTTP, by kind."""

KINDS: Mapping[str, type[Settings]] = {
    "smtp": SmtpSettings,
    **{name: one.settings for name, one in RECIPES.items()},
}
"""Every kind, with what it is told."""


TEMPLATED = frozenset({"aliyun_sms", "tencent_sms"})
"""Kinds that say approved templates only."""


def medium(kind: str) -> Medium:
    """By what a kind reaches people."""
    return "mail" if kind == "smtp" else RECIPES[kind].medium


@dataclass(frozen=True, slots=True)
class OverHttp:
    """A notifier that is one guarded request."""

    recipe: Recipe
    settings: Settings
    sender: Sender
    world: World

    async def send(self, notice: Notice) -> Receipt:
        """Asks, and reads the answer."""
        stamp = Stamp(self.world.now(), self.world.new_id("n"))
        post = self.recipe.ask(self.settings, notice, stamp)
        if self.recipe.medium != "sms":
            return self.recipe.judge(await self.sender.send(post))
        # No provider knows a second try for one: on a connection of its own, and what is in doubt is not tried again.
        post = msgspec.structs.replace(post, headers={**post.headers, "connection": "close"}, once=True)
        answer = await self.sender.send(post)
        receipt = self.recipe.judge(answer)
        if receipt.status in ("later", "unreachable") and doubtful(answer):
            reason = f"it may have gone out: {answer.reason or f'it answered {answer.status}'}"
            return Receipt(status="unknown", reason=reason)
        return receipt


@dataclass(slots=True)
class Notifiers:
    """Opens notifiers; `sender` is the hub's own guarded one."""

    directory: Directory
    guard: Guard
    sender: Sender
    world: World
    marks: Marks
    _open: dict[str, tuple[int, Settings]] = field(default_factory=dict)

    def settings(self, account: Account) -> Settings:
        """An account's settings with its secrets open; raises Locked or Misconfigured."""
        known = self._open.get(account.id)
        if known is not None and known[0] == account.position:
            return known[1]
        kind = KINDS.get(account.kind)
        if kind is None:
            raise Misconfigured(f"kind: there is no notifier of kind {account.kind!r}")
        try:
            found = read_settings(kind, self.directory.opened(account.settings, account.id))
        except msgspec.ValidationError as error:
            raise Misconfigured(f"settings: {error}") from None
        self._open[account.id] = (account.position, found)
        return found

    def notifier(self, account: Account) -> Notifier:
        """One that can be spoken through."""
        settings = self.settings(account)
        if isinstance(settings, SmtpSettings):
            return Smtp(settings, self.guard, self.marks, self.world)
        return OverHttp(RECIPES[account.kind], settings, self.sender, self.world)
