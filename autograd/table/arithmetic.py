"""IEEE 754 arithmetic on Python floats: nothing here raises for a float's value.

Python's ``math`` and operators raise where IEEE 754 says infinity or NaN
(``math.exp(1000)``, ``1 / 0``). These functions answer instead, so that a training
run that diverges shows ``inf`` rather than a traceback. Sums and dots accumulate from
left to right in plain doubles: the same bits on every Python version, which the
built-in ``sum`` (compensated from Python 3.12) does not give.

Source: IEEE 754-2019, sections 6.2, 7.3 and 9.2.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from math import copysign, inf, isnan, nan

Unary = Callable[[float], float]


def _raises_at_infinity(function: Unary) -> Unary:
    """sin, cos, tan: ``math`` raises at ±inf, IEEE says NaN."""

    def evaluate(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return nan

    return evaluate


def _logarithm(function: Unary, pole: float) -> Unary:
    """-inf at the pole, NaN on its left."""

    def evaluate(x: float) -> float:
        if x > pole:
            return function(x)
        return -inf if x == pole else nan

    return evaluate


def _inside(function: Unary, low: float, high: float) -> Unary:
    """NaN outside [low, high]."""

    def evaluate(x: float) -> float:
        return function(x) if low <= x <= high else nan

    return evaluate


def _overflowing(function: Unary) -> Unary:
    """An increasing or even function of positive range whose overflow is +inf."""

    def evaluate(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return inf

    return evaluate


exp = _overflowing(math.exp)
exp2 = _overflowing(lambda x: math.pow(2.0, x))
expm1 = _overflowing(math.expm1)
cosh = _overflowing(math.cosh)
log = _logarithm(math.log, 0.0)
log2 = _logarithm(math.log2, 0.0)
log10 = _logarithm(math.log10, 0.0)
log1p = _logarithm(math.log1p, -1.0)
sqrt = _inside(math.sqrt, 0.0, inf)
arcsin = _inside(math.asin, -1.0, 1.0)
arccos = _inside(math.acos, -1.0, 1.0)
arccosh = _inside(math.acosh, 1.0, inf)
sin = _raises_at_infinity(math.sin)
cos = _raises_at_infinity(math.cos)
tan = _raises_at_infinity(math.tan)
arctan, arctan2, arcsinh, tanh = math.atan, math.atan2, math.asinh, math.tanh
hypot, erf, erfc = math.hypot, math.erf, math.erfc


def sinh(x: float) -> float:
    """sinh, overflowing to an infinity of the operand's sign."""
    try:
        return math.sinh(x)
    except OverflowError:
        return copysign(inf, x)


def arctanh(x: float) -> float:
    """artanh: ±inf at ±1, NaN beyond."""
    if -1.0 < x < 1.0:
        return math.atanh(x)
    return copysign(inf, x) if abs(x) == 1.0 else nan


def divide(x: float, y: float) -> float:
    """x / y with IEEE's infinities and NaN at y = 0."""
    if y:
        return x / y
    if not x or isnan(x) or isnan(y):
        return nan
    return copysign(inf, x) * copysign(1.0, y)


def floor_divide(x: float, y: float) -> float:
    """x // y as in Python; NaN for y = 0."""
    return x // y if y else nan


def remainder(x: float, y: float) -> float:
    """x % y with the sign of the divisor; NaN for y = 0."""
    return x % y if y else nan


def power(x: float, y: float) -> float:
    """x ** y: NaN for a negative base and a fractional exponent, never complex."""
    try:
        return math.pow(x, y)
    except OverflowError:
        magnitude = inf
    except ValueError:
        if x:
            return nan
        magnitude = inf  # 0 ** negative
    odd = math.fmod(y, 2.0) in (1.0, -1.0)
    return -magnitude if odd and copysign(1.0, x) < 0 else magnitude


def sign(x: float) -> float:
    """-1, 0 or 1; NaN for NaN."""
    if x > 0.0:
        return 1.0
    if x < 0.0:
        return -1.0
    return x if isnan(x) else 0.0


def floor(x: float) -> float:
    """The largest integer not above x, as a float; infinities and NaN stay."""
    return float(math.floor(x)) if math.isfinite(x) else x


def ceil(x: float) -> float:
    """The smallest integer not below x, as a float; infinities and NaN stay."""
    return float(math.ceil(x)) if math.isfinite(x) else x


def relu(x: float) -> float:
    """x above zero, else 0; NaN for NaN."""
    if x > 0.0:
        return x
    return x if isnan(x) else 0.0


def trunc(x: float) -> float:
    """The integer part, as a float; infinities and NaN stay."""
    return float(math.trunc(x)) if math.isfinite(x) else x


def step(x: float) -> float:
    """1 above zero, else 0; NaN for NaN."""
    if x > 0.0:
        return 1.0
    return x if isnan(x) else 0.0


def nonnegative(x: float) -> float:
    """x where x >= 0 (0 for -0), else NaN."""
    return x + 0.0 if x >= 0.0 else nan


def one_minus_square(x: float) -> float:
    """1 - x^2 as (1 - x)(1 + x): accurate where 1 - x * x cancels."""
    return (1.0 - x) * (1.0 + x)


def _truth(comparison: Callable[[float, float], bool]) -> Callable[..., float]:
    """A comparison that answers 1.0 or 0.0."""

    def evaluate(x: float, y: float) -> float:
        return 1.0 if comparison(x, y) else 0.0

    return evaluate


less, less_equal = _truth(operator.lt), _truth(operator.le)
greater, greater_equal = _truth(operator.gt), _truth(operator.ge)
equal, not_equal = _truth(operator.eq), _truth(operator.ne)


def where(condition: float, x: float, y: float) -> float:
    """x where the condition holds, else y."""
    return x if condition else y


def guarded_multiply(x: float, y: float) -> float:
    """The product, but 0 where an exact 0 of x meets infinity or NaN."""
    product = x * y
    return product if product == product or x else 0.0


def selected_multiply(x: float, y: float) -> float:
    """The product, but 0 where an exact 0 on either side meets infinity or NaN."""
    product = x * y
    return product if product == product or (x and y) else 0.0


def sum(operands: Sequence[float]) -> float:
    """The sum from left to right, 0 for none."""
    total = 0.0
    for x in operands:
        total += x
    return total


def prod(operands: Sequence[float]) -> float:
    """The product from left to right, 1 for none."""
    total = 1.0
    for x in operands:
        total *= x
    return total


def dot(ws: Sequence[float], xs: Sequence[float]) -> float:
    """w1 x1 + w2 x2 + ..., from left to right; 0 for none."""
    total = -0.0  # the neutral element of IEEE addition
    for w, x in zip(ws, xs):  # noqa: B905 (checked by the caller, hot here)
        total += w * x
    return total if ws else 0.0


def maximum(operands: Sequence[float]) -> float:
    """The largest operand; NaN wins."""
    best = operands[0]
    for x in operands:
        if not x <= best:
            if isnan(x):
                return x
            best = x if not isnan(best) else best
    return best


def minimum(operands: Sequence[float]) -> float:
    """The smallest operand; NaN wins."""
    best = operands[0]
    for x in operands:
        if not x >= best:
            if isnan(x):
                return x
            best = x if not isnan(best) else best
    return best
