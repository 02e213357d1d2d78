"""An expression outside of a mapping file: a filter of events, a rule, the predicate of a route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.contract.errors import Place, Unmapped
from hub.contract.mapping.interpret import Run
from hub.contract.mapping.syntax import Expr
from hub.contract.mapping.trees import Format, tree
from hub.contract.mapping.walk import Reading, Scope, Seen
from hub.contract.message import Message

_NOBODY = Message()
_HERE: Any = object()


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; safe to share, evaluated as often as wanted."""

    text: str
    expr: Expr
    format: Format = "json"

    def value(self, payload: Any, root: Any = _HERE, message: Message | None = None) -> Any:
        """Its value with `payload` as `.` (and as `$`, unless `root` is another); raises Unmapped."""
        top = payload if root is _HERE else root
        reading = Reading(message or _NOBODY, Seen(top, ""))
        run = Run(reading)
        try:
            return run.told(self.expr, Scope(Seen(payload, "")), "")
        except RecursionError:
            raise Unmapped("nested too deeply", place=Place(*self.expr.spot)) from None

    def holds(self, payload: Any, root: Any = _HERE, message: Message | None = None) -> bool:
        """Whether its value is true: neither null, false, zero nor empty."""
        return bool(self.value(payload, root, message))

    def of(self, message: Message) -> Any:
        """Its value of a message's body; raises Unreadable."""
        return self.value(tree(message, self.format), message=message)
