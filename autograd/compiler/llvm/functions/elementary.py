"""Primitives that are a few instructions: arithmetic, comparisons, choice, rounding.

The bits are those of the eager engine. Adding 0.0 turns -0.0 into 0.0, where the
primitive's float evaluation passes through an integer.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import nan

from autograd.compiler.llvm.functions.lanes import Kernel, Mask, Vector, by_name


def sign(x: Vector) -> Vector:
    """-1, 0 or 1; NaN for NaN."""
    at_most_zero = (x < 0.0).choose(-1.0, x.is_nan().choose(x, 0.0))
    return (x > 0.0).choose(1.0, at_most_zero)


def _rounded(intrinsic: str) -> Kernel:
    return lambda x: x.intrinsic(intrinsic) + 0.0


def _truth(compare: Callable[[Vector, Vector], Mask]) -> Kernel:
    return lambda x, y: compare(x, y).choose(1.0, 0.0)


def where(condition: Vector, x: Vector, y: Vector) -> Vector:
    """x unless the condition is 0 (NaN counts as true)."""
    return condition.differs(0.0).choose(x, y)


def guarded_multiply(x: Vector, y: Vector) -> Vector:
    """x * y, but 0 where an exact 0 of x meets infinity or NaN."""
    product = x * y
    return (x.equals(0.0) & product.is_nan()).choose(0.0, product)


def selected_multiply(x: Vector, y: Vector) -> Vector:
    """x * y, but 0 where an exact 0 on either side meets infinity or NaN."""
    product, zero = x * y, x.equals(0.0) | y.equals(0.0)
    return (zero & product.is_nan()).choose(0.0, product)


def nonnegative(x: Vector) -> Vector:
    """x where x >= 0, else NaN."""
    return (x >= 0.0).choose(x + 0.0, nan)


def sqrt(x: Vector) -> Vector:
    """The square root; its NaN below zero is the processor's."""
    return x.intrinsic("sqrt")


def one_minus_square(x: Vector) -> Vector:
    return (1.0 - x) * (1.0 + x)


def relu(x: Vector) -> Vector:
    """x above zero or NaN, else 0."""
    return x.above_or_nan(0.0).choose(x, 0.0)


def step(x: Vector) -> Vector:
    """1 above zero, else 0; NaN for NaN."""
    return (x > 0.0).choose(1.0, x.is_nan().choose(x, 0.0))


ELEMENTARY: dict[str, Kernel] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
    "absolute": operator.abs,
    "floor": _rounded("floor"),
    "ceil": _rounded("ceil"),
    "trunc": _rounded("trunc"),
    "less": _truth(operator.lt),
    "less_equal": _truth(operator.le),
    "greater": _truth(operator.gt),
    "greater_equal": _truth(operator.ge),
    "equal": _truth(Vector.equals),
    "not_equal": _truth(Vector.differs),
    **by_name(guarded_multiply, selected_multiply, one_minus_square),
    **by_name(sign, step, relu, nonnegative, where, sqrt),
}


# -- Remainders ----------------------------------------------------------------------


def _c_remainder(x: Vector, y: Vector) -> Vector:
    """fmod: x - trunc(x / y) y, exact, with the sign of x.

    The fused residual is exact while the quotient is a small integer; a quotient that
    was rounded up to an integer gives the wrong sign, and one more y mends it. Other
    quotients ask the C library.
    """
    quotient = (x / y).intrinsic("trunc")
    rest = (-quotient).fma(y, x)
    overshot = ((rest.bits() ^ x.bits()) < 0) & rest.differs(0.0)
    rest = overshot.choose(rest + y.with_sign(x), rest)
    unusual = (abs(quotient).above_or_nan(2.0**50)) | abs(y).above_or_nan(1e300)
    return unusual.rescue(rest, lambda: x.library("fmod", y))


def _floored(x: Vector, y: Vector) -> tuple[Vector, Vector, Mask]:
    """fmod, the remainder with the sign of y, and where the two differ."""
    rest = _c_remainder(x, y)
    opposite = ((rest.bits() ^ y.bits()) < 0) & rest.differs(0.0)
    return rest, opposite.choose(rest + y, rest), opposite


def remainder(x: Vector, y: Vector) -> Vector:
    """x % y with the sign of the divisor, as CPython's float_rem; NaN for y = 0."""
    _, shifted, _ = _floored(x, y)
    result = shifted.equals(0.0).choose((shifted * 0.0).with_sign(y), shifted)
    return y.equals(0.0).choose(nan, result)


def floor_divide(x: Vector, y: Vector) -> Vector:
    """x // y: (x - x % y) / y rounded to the integer it is close to (CPython's way)."""
    rest, _, opposite = _floored(x, y)
    quotient = (x - rest) / y
    quotient = opposite.choose(quotient - 1.0, quotient)
    whole = quotient.intrinsic("floor")
    whole = (quotient - whole > 0.5).choose(whole + 1.0, whole)
    zero = x.constant(0.0).with_sign(x / y)
    result = quotient.equals(0.0).choose(zero, whole)
    return y.equals(0.0).choose(nan, result)


REMAINDERS = by_name(remainder, floor_divide)
