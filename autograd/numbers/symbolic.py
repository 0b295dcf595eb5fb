"""Symbols: a primitive applied to names gives formulas (labels, the derivative table).

>>> from autograd.numbers.symbolic import Symbol
>>> from autograd.table.primitives import TABLE
>>> x = Symbol("x")
>>> str(TABLE["tanh"].rules[0](x, Symbol("y")))
'sech2(x)'
>>> str((1.0 + x) * x ** 2.0)
'(1 + x) * x ** 2'
"""

from __future__ import annotations

from typing import Any

from autograd.numbers.operators import Operators
from autograd.table.primitive import Primitive

_ATOM = 10
_PRECEDENCE = dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 0)
_PRECEDENCE |= {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4}


class Expression(Operators):
    """A primitive applied to expressions and numbers."""

    __slots__ = ("operands", "primitive")
    level = 0
    __eq__ = object.__eq__  # formulas are compared as texts
    __ne__ = object.__ne__
    __hash__ = object.__hash__

    def __init__(self, primitive: Primitive, operands: tuple[Any, ...]) -> None:
        self.primitive, self.operands = primitive, operands

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Expression:
        """The expression for a primitive applied to expressions."""
        return Expression(primitive, operands)

    def __bool__(self) -> bool:
        raise TypeError(
            "a symbol has no truth value: choose with autograd.where(condition, x, y)"
        )

    def __str__(self) -> str:
        return self._render()[0]

    __repr__ = __str__

    def _render(self) -> tuple[str, int]:
        """The text, and how tightly its outermost operation binds."""
        symbol = self.primitive.symbol
        parts = [_render(p) for p in self.primitive.flat(self.operands)]
        if self.primitive.arity == 2 and symbol in _PRECEDENCE:
            rank = _PRECEDENCE[symbol]
            left = _wrap(*parts[0], rank + (symbol == "**"))
            right = _wrap(*parts[1], rank + (symbol in ("-", "/", "//", "%")))
            return f"{left} {symbol} {right}", rank
        if symbol == "-":
            return "-" + _wrap(*parts[0], 3), 3
        if not symbol:
            return parts[0]
        return f"{symbol}({', '.join([text for text, _ in parts])})", _ATOM


class Symbol(Expression):
    """A name that stands for any number."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def _render(self) -> tuple[str, int]:
        return self.name, _ATOM


def _render(x: Any) -> tuple[str, int]:
    if isinstance(x, Expression):
        return x._render()
    text = f"{x:g}"
    return text if float(text) == x else repr(x), _ATOM if not x < 0 else 3


def _wrap(text: str, rank: int, least: int) -> str:
    return text if rank >= least else f"({text})"
