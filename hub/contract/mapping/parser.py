"""From text to tree: a Pratt parser, by hand, that names the spot of whatever it cannot read."""

from __future__ import annotations

from decimal import Decimal
from difflib import get_close_matches

from hub.contract.mapping.lexer import Token, tokens
from hub.contract.mapping.place import Broken, Faults, Locate
from hub.contract.mapping.steps import STEPS
from hub.contract.mapping.steps.registry import Step
from hub.contract.mapping.syntax import (
    Apply,
    Compare,
    Every,
    Expr,
    First,
    Index,
    Key,
    Listing,
    Literal,
    Logic,
    Not,
    Part,
    Path,
    Where,
)

DEPTH = 50
CONTEXT = (
    "account",
    "currency",
    "header",
    "method",
    "path",
    "query",
    "received_at",
    "topic",
    "transport",
    "zone",
)

_BINDS = {"or": 1, "and": 2, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4, "??": 5}


def parse(text: str, locate: Locate, faults: Faults) -> Expr | None:
    """The tree of an expression; None when it cannot be read, with the reason among the faults."""
    try:
        return _Parser(text, locate, faults).whole()
    except Broken as broken:
        faults.add(locate(broken.offset), broken.reason)
        return None


class _Parser:
    def __init__(self, text: str, locate: Locate, faults: Faults) -> None:
        self.tokens = tokens(text)
        self.locate = locate
        self.faults = faults
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def sees(self, *marks: str) -> bool:
        return self.token.sort in ("mark", "word") and self.token.text in marks

    def expect(self, mark: str) -> Token:
        if not self.sees(mark):
            raise Broken(self.token.offset, f"expected {mark!r}, not {_named(self.token)}")
        return self.take()

    def whole(self) -> Expr:
        expr = self.pipe()
        after = self.token
        if after.sort != "end":
            hint = (
                f"; a pipe before it stands in brackets: (a | step) {after.text} b"
                if after.text in _BINDS
                else ""
            )
            raise Broken(after.offset, f"expected '|' or the end, not {_named(after)}{hint}")
        return expr

    def pipe(self) -> Expr:
        self.depth += 1
        if self.depth > DEPTH:
            raise Broken(self.token.offset, f"nested deeper than {DEPTH} levels")
        expr = self.binary(0)
        links = 0
        while self.sees("|"):
            self.take()
            expr, links = self.step(expr), links + 1
            if links > DEPTH:
                raise Broken(self.token.offset, f"more than {DEPTH} steps in one pipe")
        self.depth -= 1
        return expr

    def binary(self, floor: int) -> Expr:
        left = self.unary(floor)
        links = 0
        while self.token.sort in ("mark", "word") and _BINDS.get(self.token.text, 0) > floor:
            operator, links = self.take(), links + 1
            if links > DEPTH:
                raise Broken(operator.offset, f"more than {DEPTH} operators in a row")
            right = self.binary(_BINDS[operator.text])
            left = self.joined(operator, left, right)
        return left

    def joined(self, operator: Token, left: Expr, right: Expr) -> Expr:
        spot, sign = self.locate(operator.offset), operator.text
        if sign == "??":
            options = (*left.options, right) if isinstance(left, First) else (left, right)
            return First(options, spot)
        if sign == "and" or sign == "or":
            return Logic("and" if sign == "and" else "or", left, right, spot)
        return Compare(sign, left, right, spot)  # type: ignore[arg-type]  # _BINDS has no others

    def unary(self, floor: int) -> Expr:
        if self.sees("not"):
            token = self.take()
            self.depth += 1
            if self.depth > DEPTH:
                raise Broken(token.offset, f"nested deeper than {DEPTH} levels")
            value = self.binary(max(floor, 3))
            self.depth -= 1
            return Not(value, self.locate(token.offset))
        return self.primary()

    def primary(self) -> Expr:
        token = self.token
        if token.sort == "text":
            return Literal(self.take().text, self.locate(token.offset))
        if token.sort == "number":
            return Literal(_number(self.take().text), self.locate(token.offset))
        if self.sees("true", "false", "null"):
            return Literal(
                {"true": True, "false": False, "null": None}[self.take().text], self.locate(token.offset)
            )
        if self.sees("("):
            return self.grouped()
        if self.sees("["):
            return self.listing()
        if self.sees("[]"):
            return Listing((), self.locate(self.take().offset))
        return self.path()

    def grouped(self) -> Expr:
        self.take()
        expr = self.pipe()
        self.expect(")")
        return expr

    def listing(self) -> Expr:
        spot = self.locate(self.take().offset)
        return Listing(tuple(self.arguments("]")), spot)

    def arguments(self, close: str) -> list[Expr]:
        found: list[Expr] = []
        if self.sees(close):
            self.take()
            return found
        while True:
            found.append(self.pipe())
            if self.sees(close):
                self.take()
                return found
            self.expect(",")

    def step(self, value: Expr) -> Expr:
        token = self.take()
        if token.sort != "name":
            raise Broken(token.offset, f"expected a step after '|', not {_named(token)}")
        arguments: list[Expr] = []
        if self.sees("("):
            self.take()
            arguments = self.arguments(")")
        spot = self.locate(token.offset)
        step = STEPS.get(token.text)
        if step is None:
            self.faults.add(spot, f"unknown step '{token.text}'{_nearest(token.text)}")
            return value
        self.count(step, arguments, token)
        return Apply(value, step, tuple(arguments), spot)

    def count(self, step: Step, arguments: list[Expr], token: Token) -> None:
        least, most = step.arity
        if least <= len(arguments) <= most:
            return
        wanted = "no argument" if most == 0 else step.signature
        self.faults.add(
            self.locate(token.offset), f"'{step.name}' takes {wanted}, not {len(arguments)} argument(s)"
        )

    def path(self) -> Expr:
        token = self.take()
        spot = self.locate(token.offset)
        if token.sort == "name":
            return Path("self", (Key(token.text), *self.parts()), spot)
        if token.sort == "variable":
            return Path("variable", self.parts(), spot, name=token.text)
        if token.sort == "context":
            return self.context(token)
        if token.sort == "mark" and token.text == "$":
            return Path("root", self.parts(), spot)
        if token.sort == "mark" and token.text == "^":
            return self.parent(token)
        if token.sort == "mark" and token.text == ".":
            self.at -= 1 if self._member() else 0
            return Path("self", self.parts(), spot)
        raise Broken(token.offset, f"expected a value, not {_named(token)}")

    def _member(self) -> bool:
        """Whether a name follows the dot that was just taken."""
        return self.token.sort in ("name", "word", "variable", "context") and self._touches()

    def _touches(self) -> bool:
        before = self.tokens[self.at - 1]
        return before.offset + len(before.text) == self.token.offset

    def parent(self, token: Token) -> Expr:
        levels = 1
        while self.sees("^"):
            self.take()
            levels += 1
        return Path("parent", self.parts(), self.locate(token.offset), levels=levels)

    def context(self, token: Token) -> Expr:
        spot = self.locate(token.offset)
        if token.text not in CONTEXT:
            known = " ".join(f"#{name}" for name in CONTEXT)
            raise Broken(token.offset, f"no '#{token.text}' in a message; there are {known}")
        argument = ""
        if token.text in ("header", "query"):
            self.expect("(")
            if self.token.sort != "text":
                raise Broken(self.token.offset, f"#{token.text} takes a name in quotes")
            argument = self.take().text
            self.expect(")")
        return Path("context", (), spot, name=token.text, argument=argument)

    def parts(self) -> tuple[Part, ...]:
        found: list[Part] = []
        while True:
            if self.sees("."):
                found.append(self.member())
            elif self.sees("[]"):
                self.take()
                found.append(Every())
            elif self.sees("[?"):
                self.take()
                found.append(Where(self.pipe()))
                self.expect("]")
            elif self.sees("["):
                found.append(self.bracket())
            else:
                return tuple(found)

    def member(self) -> Part:
        self.take()
        token = self.take()
        if token.sort in ("name", "word"):
            return Key(token.text)
        if token.sort == "variable":
            return Key("@" + token.text)
        if token.sort == "context":
            return Key("#" + token.text)
        raise Broken(token.offset, f"expected a name after '.', not {_named(token)}")

    def bracket(self) -> Part:
        self.take()
        token = self.take()
        if token.sort == "number" and "." not in token.text:
            self.expect("]")
            return Index(int(token.text))
        if token.sort == "text":
            self.expect("]")
            return Key(token.text)
        raise Broken(token.offset, f"expected [0], ['key'], [] or [?test], not {_named(token)}")


def _number(text: str) -> int | Decimal:
    return Decimal(text) if "." in text else int(text)


def _named(token: Token) -> str:
    return "the end" if token.sort == "end" else f"'{token.text}'"


def _nearest(name: str) -> str:
    near = get_close_matches(name, STEPS, 1)
    return f"; did you mean '{near[0]}'?" if near else ""
