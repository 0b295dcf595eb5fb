"""Forward mode: a dual number carries a value and its derivative along one direction.

(x + x' e) with e^2 = 0: f(x + x' e) = f(x) + f'(x) x' e. A primitive of many operands
sums its partials times the operands' tangents.

Source: Griewank & Walther 2008, section 3.1 (forward propagation of tangents).
"""

from __future__ import annotations

from typing import Any

from autograd.graph.modes import MODES, notify
from autograd.graph.strong import is_zero, share
from autograd.numbers.lifted import Level
from autograd.numbers.operators import Operators
from autograd.table.primitive import Primitive

Number = Any


class Dual(Operators):
    """A number of one level: primal, and tangent along the direction asked for."""

    __slots__ = ("level", "primal", "tangent")

    def __init__(self, primal: Number, tangent: Number, level: Level) -> None:
        self.primal, self.tangent, self.level = primal, tangent, level

    def apply(self, primitive: Primitive, operands: tuple[Number, ...]) -> Number:
        """The result of a primitive whose highest operand is of this level."""
        level = self.level
        if not level.open:
            level.refuse()

        def lowered(x: Number) -> Number:
            return x.primal if type(x) is Dual and x.level == level else x

        primals = primitive.map(lowered, operands)
        result = primitive.apply(primals)
        if primitive.predicate:
            return result
        tangent: Number = 0.0
        partials = primitive.partials(primals, result)
        for operand, partial in zip(primitive.flat(operands), partials, strict=True):
            if type(operand) is Dual and operand.level == level:
                part = share(primitive, operand.tangent, partial)
                tangent = part if is_zero(tangent) else tangent + part
        out = Dual(result, tangent, level)
        return notify(out, primitive, primitive.flat(operands)) if MODES.active else out

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r}, level={self.level})"
