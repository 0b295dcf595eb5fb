"""The lifted node: a graph node of a transform, with a level and any number inside.

Every transform takes a fresh level. A row applied to numbers of several levels is
handled by the highest, which sees all others as constants: perturbations of nested
derivatives cannot be confused (Siskind & Pearlmutter 2005).
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

from autograd.graph import CONSTANT, attach
from autograd.modes import MODES, show
from autograd.operators import Operators
from autograd.primitive import Primitive

__all__ = ["LEVELS", "Lifted", "primal_of"]

Number = Any
LEVELS = itertools.count(1)  # next() is atomic: no two transforms share a level


class Lifted(Operators):
    """A node of one level: its data is a number of a lower one."""

    __slots__ = ("_first", "_primitive", "_second", "_x", "_y", "level", "primal")

    def __init__(self, primal: Number, level: int) -> None:
        self.primal, self.level = primal, level
        self._primitive: Primitive | None = None
        self._first: Any = None
        self._second: Any = None
        self._x: Any = None
        self._y: Any = None

    def apply(self, primitive: Primitive, operands: tuple[Number, ...]) -> Number:
        """The result of a row whose highest operand is of this level."""
        level = self.level
        inner = primitive.map(partial(_lowered, level), operands)
        result = primitive.apply(inner)
        if primitive.predicate:
            return result
        out = Lifted(result, level)
        attach(out, primitive, primitive.map(partial(_holder, level), operands), inner)
        return show(out, primitive, primitive.flat(operands)) if MODES.active else out

    def __bool__(self) -> bool:
        return bool(self.primal != 0.0)

    def __eq__(self, other: object) -> bool:
        return (
            self is other if isinstance(other, Lifted) else bool(self.primal == other)
        )

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"Lifted({self.primal!r}, level={self.level})"


def _lowered(level: int, x: Number) -> Number:
    return x.primal if type(x) is Lifted and x.level == level else x


def _holder(level: int, x: Number) -> Number:
    return x if type(x) is Lifted and x.level == level else CONSTANT


def primal_of(x: Number) -> Number:
    """The plain number at the bottom of any nesting of levels."""
    while hasattr(x, "primal"):
        x = x.primal
    return x
