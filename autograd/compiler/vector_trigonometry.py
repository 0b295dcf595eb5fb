"""sin, cos and tan.

x = n pi/2 + r with |r| <= pi/4; the remainder of n by 4 picks sin r or cos r and the
sign. The first part of pi/2 has 53 bits: with a fused multiply-add x - n P1 is exact,
because both are multiples of the last digit of P1. The second part has 33 bits, so that
n P2 is exact up to n = 2^20; the third ends at 2^-140, and what r loses is kept beside
it. A larger |x| asks the C library, lane by lane.

Source: Cody & Waite 1980, chapter 8; Muller, *Elementary Functions*, 3rd ed. 2016,
section 11.2.
"""

from __future__ import annotations

from typing import NamedTuple

from autograd.compiler import coefficients
from autograd.compiler.vector_exponential import SHIFTER
from autograd.compiler.vector_value import Kernel, Vector, Whole

__all__ = ["TRIGONOMETRIC"]

TWO_OVER_PI = 0.6366197723675814
P1, P2, P3 = 1.5707963267948966, 6.12323399538461e-17, 3.5215598651832e-27
FAR = 2.0**20


class Quadrant(NamedTuple):
    """sin and cos of r, and n, whose low bits stand in the low bits of the integer."""

    sine: Vector
    cosine: Vector
    n: Whole


def _quadrant(x: Vector) -> Quadrant:
    """Reduce, and evaluate both polynomials in r^2."""
    shifted = x.times_plus(TWO_OVER_PI, SHIFTER)
    n = shifted - SHIFTER
    head = n.fma(-P1, x)
    second = n * P2
    r = head - second
    low = n.times_plus(-P3, (head - r) - second)
    z = r * r
    cubic = (r * z) * z.polynomial(coefficients.SIN)
    sine = r + (cubic + low)
    quartic = (z * z).times_plus(z.polynomial(coefficients.COS), -(r * low))
    half = 0.5 * z
    near_one = 1.0 - half
    cosine = near_one + (((1.0 - near_one) - half) + quartic)
    return Quadrant(sine, cosine, shifted.bits())


def _turned(x: Vector, quarter: int) -> Vector:
    """sin of x + quarter * pi/2."""
    sine, cosine, n = _quadrant(x)
    n = n + quarter if quarter else n
    value = (n & 1).differs(0).choose(cosine, sine)
    return (value.bits() ^ ((n & 2) << 62)).double()


def _asked(symbol: str, x: Vector, usual: Vector) -> Vector:
    """The C library's value where |x| is large or NaN."""

    def library() -> Vector:
        return Vector(x.lanes, x.lanes.call_each(symbol, x.name))

    return abs(x).above_or_nan(FAR).rescue(usual, library)


def sin(x: Vector) -> Vector:
    """The sine; a zero keeps its sign."""
    usual = _asked("sin", x, _turned(x, 0))
    return (abs(x) < 2.0**-27).choose(x, usual)


def cos(x: Vector) -> Vector:
    """The cosine."""
    return _asked("cos", x, _turned(x, 1))


def tan(x: Vector) -> Vector:
    """sin r / cos r, or -cos r / sin r in odd quadrants."""
    sine, cosine, n = _quadrant(x)
    odd = (n & 1).differs(0)
    usual = odd.choose(-cosine, sine) / odd.choose(sine, cosine)
    return (abs(x) < 2.0**-27).choose(x, _asked("tan", x, usual))


TRIGONOMETRIC: dict[str, Kernel] = {"sin": sin, "cos": cos, "tan": tan}
