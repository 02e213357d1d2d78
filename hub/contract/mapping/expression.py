"""An expression outside of a mapping file: a filter of events, a rule, the predicate of a route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.contract.errors import Place, Unmapped
from hub.contract.mapping.interpret import Run
from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.tables import Unknown
from hub.contract.mapping.syntax import Expr
from hub.contract.mapping.trees import Format, tree
from hub.contract.mapping.walk import Reading, Scope, Seen
from hub.contract.message import Message

_NOBODY = Message()
_HERE: Any = object()


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A compiled expression; safe to share, evaluated as often as wanted."""

    text: str
    expr: Expr
    run: Callable[[Any, Any, Message, list[Unknown]], Any]
    format: Format = "json"

    def value(self, payload: Any, root: Any = _HERE, message: Message | None = None) -> Any:
        """Its value with `payload` as `.` (and as `$`, unless `root` is another); raises Unmapped."""
        top, around = payload if root is _HERE else root, message or _NOBODY
        try:
            return self.run(payload, top, around, [])
        except Unfit:
            return self._slowly(payload, top, around)
        except RecursionError:
            raise Unmapped("nested too deeply", place=Place(*self.expr.spot)) from None

    def _slowly(self, payload: Any, top: Any, message: Message) -> Any:
        run = Run(Reading(message, Seen(top, "")))
        return run.told(self.expr, Scope(Seen(payload, "")), "")

    def holds(self, payload: Any, root: Any = _HERE, message: Message | None = None) -> bool:
        """Whether its value is true: neither null, false, zero nor empty."""
        return bool(self.value(payload, root, message))

    def of(self, message: Message) -> Any:
        """Its value of a message's body; raises Unreadable."""
        return self.value(tree(message, self.format), message=message)
