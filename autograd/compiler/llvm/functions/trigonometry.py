"""sin, cos, tan, their inverses, and the inverse hyperbolic functions.

x = n pi/2 + r with |r| <= pi/4; the remainder of n by 4 picks sin r or cos r and the
sign. The first part of pi/2 has 53 bits: with a fused multiply-add x - n P1 is exact,
because both are multiples of the last digit of P1. The second part has 33 bits, so that
n P2 is exact up to n = 2^20; the third ends at 2^-140, and what r loses is kept beside
it. A larger |x| asks the C library, lane by lane.

arctan and arctan2 come from one quotient a / b in [0, 1]: above 1/2,

    arctan(a / b) = pi/4 + arctan((a - b) / (a + b)),

so that the polynomial serves |t| <= 1/2. The angle is then k pi/4 + arctan(t) with
k = 0 ... 4 counted by octant. arcsin has a polynomial up to 1/2, and beyond it halves
the complement. Areas come from ``log_of_sum``, which takes what their argument lost.

Source: Cody & Waite 1980, chapters 8 and 11; Muller, *Elementary Functions*, 3rd ed.
2016, section 11.2; DLMF 4.23 and 4.37.
"""

from __future__ import annotations

from math import inf, nan, pi
from typing import NamedTuple

from autograd.compiler.llvm.functions import coefficients
from autograd.compiler.llvm.functions.exponential import LN2, SHIFTER, log_of_sum
from autograd.compiler.llvm.functions.lanes import Vector, Whole, by_name

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
    return abs(x).above_or_nan(FAR).rescue(usual, lambda: x.library(symbol))


def sin(x: Vector) -> Vector:
    """The sine; a zero keeps its sign."""
    usual = _asked("sin", x, _turned(x, 0))
    return (abs(x) < 2.0**-27).choose(x, usual)


def cos(x: Vector) -> Vector:
    return _asked("cos", x, _turned(x, 1))


def tan(x: Vector) -> Vector:
    """sin r / cos r, or -cos r / sin r in odd quadrants."""
    sine, cosine, n = _quadrant(x)
    odd = (n & 1).differs(0)
    usual = odd.choose(-cosine, sine) / odd.choose(sine, cosine)
    return (abs(x) < 2.0**-27).choose(x, _asked("tan", x, usual))


# -- Inverse functions --------------------------------------------------------------

QUARTER, QUARTER_LOW = pi / 4, 3.061616997868383e-17
HALF_TURN, HALF_TURN_LOW = 2.0 * QUARTER, 2.0 * QUARTER_LOW
LARGE = 2.0**500


def _angle(y: Vector, x: Vector) -> Vector:
    """The angle of (x, y), not both infinite, nor so large that a sum overflows."""
    a, b = abs(y), abs(x)
    swap = b < a
    a, b = swap.choose(b, a), swap.choose(a, b)
    beyond = 0.5 * b < a
    t = beyond.choose(a - b, a) / beyond.choose(a + b, b)
    t = (a + b).equals(0.0).choose(0.0, t)
    k = beyond.choose(1.0, 0.0)
    z = t * t
    v = (t * z).times_plus(z.polynomial(coefficients.ARCTAN), t)
    k, v = swap.choose(2.0 - k, k), swap.choose(-v, v)
    left = x.bits() < 0
    k, v = left.choose(4.0 - k, k), left.choose(-v, v)
    return k.times_plus(QUARTER, k.times_plus(QUARTER_LOW, v)).with_sign(y)


def arctan(x: Vector) -> Vector:
    """The angle of the point (1, x)."""
    return _angle(x, x.constant(1.0))


def arctan2(y: Vector, x: Vector) -> Vector:
    """The angle of the point (x, y), scaled; two infinities count as equal."""
    size = abs(x).at_least(abs(y))
    factor = (size > 1e300).choose(2.0**-100, (size < 1e-290).choose(2.0**100, 1.0))
    both = abs(x).equals(inf) & abs(y).equals(inf)
    up = both.choose(x.constant(1.0).with_sign(y), y * factor)
    right = both.choose(x.constant(1.0).with_sign(x), x * factor)
    return _angle(up, right)


def _arcsine(size: Vector) -> tuple[Vector, Vector, Vector]:
    """s, arcsin(s) - s and z = s^2, with s = x up to 1/2; beyond, z = (1 - x) / 2."""
    beyond = size > 0.5
    half_rest = 0.5 * (1.0 - size)
    z = beyond.choose(half_rest, size * size)
    s = beyond.choose(half_rest.intrinsic("sqrt"), size)
    return s, (s * z) * z.polynomial(coefficients.ARCSIN), z


def arcsin(x: Vector) -> Vector:
    """pi/2 - 2 arcsin(sqrt((1 - |x|) / 2)) beyond 1/2."""
    size = abs(x)
    s, tail, _ = _arcsine(size)
    complement = (HALF_TURN - 2.0 * s) - (2.0 * tail - HALF_TURN_LOW)
    return (size > 0.5).choose(complement, s + tail).with_sign(x)


def arccos(x: Vector) -> Vector:
    """2 arcsin(sqrt((1 - |x|) / 2)) beyond 1/2, or pi minus it; else pi/2 - arcsin."""
    size = abs(x)
    s, tail, z = _arcsine(size)
    lost = s.equals(0.0).choose(0.0, (-s).fma(s, z) / s)  # twice the square root's
    twice = 2.0 * s + (2.0 * tail + lost)
    turned = (x > 0.0).choose(twice, 2.0 * HALF_TURN - (twice - 2.0 * HALF_TURN_LOW))
    near = HALF_TURN - ((s + tail).with_sign(x) - HALF_TURN_LOW)
    return (size > 0.5).choose(turned, near)


def arctanh(x: Vector) -> Vector:
    """log(1 + 2|x| / (1 - |x|)) / 2, with the residual of the quotient."""
    size = abs(x)
    twice, below = size + size, 1.0 - size
    lost = (1.0 - below) - size
    inverse = 1.0 / below
    quotient = twice * inverse
    residual = (-quotient).fma(below, twice) - quotient * lost
    area = 0.5 * log_of_sum(quotient, residual * inverse)
    area = size.equals(1.0).choose(inf, area)
    area = (size > 1.0).choose(nan, area)
    return (size < 2.0**-28).choose(x, area.with_sign(x))


def arcsinh(x: Vector) -> Vector:
    """log(1 + a + a^2 / (1 + sqrt(1 + a^2))) with a = |x|; log(2a) where a is large."""
    size = abs(x)
    a = size.at_most(LARGE)
    square = a * a
    excess = square / (1.0 + (1.0 + square).intrinsic("sqrt"))
    w = a + excess
    lost = (a.at_least(excess) - w) + a.at_most(excess)
    near = log_of_sum(w, lost)
    far = log_of_sum(size.at_most(1.7976931348623157e308)) + LN2
    area = (size < LARGE).choose(near, (size < inf).choose(far, size))
    return (size < 2.0**-28).choose(x, area.with_sign(x))


def arccosh(x: Vector) -> Vector:
    """log(1 + t + sqrt(t (2 + t))) with t = x - 1; log(2x) where x is large."""
    t = x.at_most(LARGE) - 1.0
    w = t + (t * (2.0 + t)).intrinsic("sqrt")
    far = log_of_sum(x.at_most(1.7976931348623157e308)) + LN2
    area = (x < LARGE).choose(log_of_sum(w), (x < inf).choose(far, x))
    return (x < 1.0).choose(nan, area)


TRIGONOMETRIC = by_name(sin, cos, tan)
INVERSE = by_name(arcsin, arccos, arctan, arctan2, arcsinh, arccosh, arctanh)
