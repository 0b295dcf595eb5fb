"""The lifted node: a graph node of a transform, with a level and any number inside.

Every call of a transform takes a fresh level. A primitive applied to numbers of several
levels is handled by the highest, which sees all others as constants: perturbations of
nested derivatives cannot be confused (Siskind & Pearlmutter 2005). The level is closed
when the transform returns; a number of it that was kept is refused from then on.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any, NoReturn

from autograd.errors import EscapedError
from autograd.graph.modes import MODES, notify
from autograd.graph.nodes import CONSTANT, attach
from autograd.numbers.operators import Operators
from autograd.table.primitive import Primitive

Number = Any
_NUMBERS = itertools.count(1)  # next() is atomic: no two transforms share a level


class Level(int):
    """The place of one call of a transform among all that are under way.

    ``with Level("grad", f) as level`` runs the transform; behind the block its numbers
    are refused, by the names given.
    """

    open: bool
    name: str

    def __new__(cls, name: str, function: Any = None) -> Level:
        """A fresh level, above all before it."""
        level = super().__new__(cls, next(_NUMBERS))
        own = getattr(function, "__name__", "")
        level.name, level.open = f"{name}({own})" if own else name, True
        return level

    def __enter__(self) -> Level:
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False

    def refuse(self) -> NoReturn:
        """Raise EscapedError for a number of this level that is used too late."""
        raise EscapedError(
            f"a number of {self.name} is used after that has returned. It was kept in "
            f"a variable from outside (a list, an attribute, a cache): return it from "
            f"the function instead, or keep a plain number that does not depend on the "
            f"arguments"
        )


class Lifted(Operators):
    """A node of one level: its data is a number of a lower one."""

    __slots__ = ("_numbers", "_operands", "_primitive", "level", "primal")

    def __init__(self, primal: Number, level: Level) -> None:
        self.primal, self.level = primal, level
        self._primitive: Primitive | None = None
        self._operands: Any = ()
        self._numbers: Any = ()

    def apply(self, primitive: Primitive, operands: tuple[Number, ...]) -> Number:
        """The result of a primitive whose highest operand is of this level."""
        level = self.level
        if not level.open:
            level.refuse()
        inner = primitive.map(partial(_lowered, level), operands)
        result = primitive.apply(inner)
        if primitive.predicate:
            return result
        out = Lifted(result, level)
        attach(
            out, primitive, primitive.map(partial(_recorded, level), operands), inner
        )
        return notify(out, primitive, primitive.flat(operands)) if MODES.active else out

    def __repr__(self) -> str:
        return f"Lifted({self.primal!r}, level={self.level})"


def _lowered(level: int, x: Number) -> Number:
    return x.primal if type(x) is Lifted and x.level == level else x


def _recorded(level: int, x: Number) -> Number:
    return x if type(x) is Lifted and x.level == level else CONSTANT


def checked(x: Number) -> Number:
    """x, a result of a transform; raises EscapedError for what outlived another."""
    level = getattr(x, "level", None)
    if type(level) is Level and not level.open:
        level.refuse()
    return x


def primal_of(x: Number) -> Number:
    """The plain number at the bottom of any nesting of levels."""
    while hasattr(x, "primal"):
        x = x.primal
    return x
