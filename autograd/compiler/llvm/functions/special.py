"""erf, erfc, cbrt, hypot, the direction cosine, remainders, lgamma and polygamma.

Each of the first has its formula in its docstring. polygamma takes order and argument
in every lane. With w = (-1)^(n+1) n! the polygamma function of order n is w G(x), where

    G(x) = sum over k >= 0 of (x + k)^-(n+1)        (n = 0: short of a constant).

The first terms are added up, the rest from some t on is the asymptotic series

    G(t) = t^-n / n (1 + n / 2t + B2 q1 / t^2 + B4 q1 q2 / t^4 + ...),
    G(t) = -log t + 1 / 2t + B2 / 2t^2 + B4 / 4t^4 + ...                    (n = 0),

with qk = (n + 2k - 2) (n + 2k - 1) / (2k (2k - 1)). Left of 1/2, where x = r - m with a
whole m and |r| <= 1/2, the pole at -m is taken out, what lies right of it is G(1 + r),
and what lies left of it is mirrored: there are m terms, G(1 - r) - G(1 - x).

Sources: DLMF 7.2 and 7.12 (error function), 5.15 (polygamma; 5.15.6, reflection, here
term by term); Kahan 1991, "Computing a real cube root"; Dekker 1971 (exact residuals).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, inf, nan
from typing import NamedTuple

from autograd.compiler.llvm.functions import coefficients
from autograd.compiler.llvm.functions.exponential import (
    SHIFTER,
    SHIFTER_BITS,
    decay,
    exponential,
    log,
    power,
)
from autograd.compiler.llvm.functions.lanes import Mask, Vector, by_name

TWO_OVER_ROOT_PI = 1.1283791670955126
FOLD = 3.5
TWO_52_BITS = 0x4330000000000000
CUBE_ROOT_GUESS = 715094163.0  # of the upper half of the bits, divided by three


def _erf_over_x(size: Vector) -> Vector:
    """erf(x) / x for |x| <= 1."""
    square = size.at_most(1.0) * size.at_most(1.0)
    return square.times_plus(square.polynomial(coefficients.ERF), TWO_OVER_ROOT_PI)


def erf(x: Vector) -> Vector:
    """An odd polynomial up to 1; then 1 - erfc, whose logarithm is a polynomial."""
    size = abs(x)
    far = size.at_most(6.0).at_least(1.0)
    exponent = (far - 3.0).polynomial(coefficients.ERFC)
    large = 1.0 - decay(far.times_plus(-far, -exponent))
    result = (size < 1.0).choose(size * _erf_over_x(size), large)
    return result.with_sign(x)


def erfc(x: Vector) -> Vector:
    """1 - erf up to 1/2; beyond, erfc of |x| by its own formula."""
    size = abs(x).at_most(28.0)
    near = 1.0 - x * _erf_over_x(size)
    tail = _erfc_tail(size)
    far = (x > 0.0).choose(tail, 2.0 - tail)
    return (size < 0.5).choose(near, far)


def _erfc_tail(x: Vector) -> Vector:
    """e^(-x^2) p(u) / (x + 1/2) with u = (x - k) / (x + k), for 1/2 <= x.

    p is between 0.56 and 0.65, so that the error of u does not matter; what the square
    and the last division lose is put into the exponent.
    """
    p = _even_and_odd((x - FOLD) / (x + FOLD), coefficients.ERFCX)
    below = x + 0.5
    inverse = 1.0 / below
    lost = (-inverse).fma(below, 1.0) - inverse * (x - (below - 0.5))
    square = x * x
    power = exponential(-square, x.fma(-x, square) + lost)
    return power * p * inverse


def _even_and_odd(u: Vector, c: Sequence[float]) -> Vector:
    """c0 + c2 z + ... + u (c1 + c3 z + ...), z = u^2, both by Horner's scheme.

    Estrin's scheme rounds numbers of the size of c0 at every level, which shows where
    the polynomial is the result and u is not small.
    """
    z, even, odd = u * u, u.constant(c[-2]), u.constant(c[-1])
    for i in range(len(c) - 4, -1, -2):
        even, odd = even.times_plus(z, c[i]), odd.times_plus(z, c[i + 1])
    return odd.times_plus(u, even)


def _near_cube_root(x: Vector) -> Vector:
    """Five bits of the cube root of a positive normal x: the exponent by three."""
    upper = ((x.bits() >> 32) | TWO_52_BITS).double() - 2.0**52
    third = upper * (1.0 / 3.0) + (CUBE_ROOT_GUESS + SHIFTER)
    return ((third.bits() - SHIFTER_BITS) << 32).double()


def cbrt(x: Vector) -> Vector:
    """Two steps of Halley's, each of which triples the digits, and an exact residual.

    Halley: t <- t (t^3 + 2x) / (2 t^3 + x).
    """
    size = abs(x)
    tiny, huge = size < 1e-280, size > 1e280
    factor = tiny.choose(2.0**900, huge.choose(2.0**-900, 1.0))
    back = tiny.choose(2.0**-300, huge.choose(2.0**300, 1.0))
    scaled = size * factor
    t = _near_cube_root(scaled)
    for _ in range(2):
        cube = t * t * t
        t = t * ((cube + (scaled + scaled)) / ((cube + cube) + scaled))
    square = t * t
    error = t.fma(t, -square)
    residual = (-t).times_plus(error, (-square).fma(t, scaled))
    root = (t + residual / (3.0 * square)) * back
    ordinary = (size > 0.0) & (size < inf)
    return ordinary.choose(root.with_sign(x), x)


class Length(NamedTuple):
    """hypot(x, y) * factor, factor a power of two, and 1 / factor."""

    scaled: Vector
    factor: Vector
    back: Vector


def _length(x: Vector, y: Vector) -> Length:
    """sqrt(x^2 + y^2), scaled away from overflow and underflow, rounding mended."""
    x, y = abs(x), abs(y)
    swap = x < y
    large, small = swap.choose(y, x), swap.choose(x, y)
    huge, tiny = large > 2.0**500, large < 2.0**-400
    factor = tiny.choose(2.0**600, huge.choose(2.0**-600, 1.0))
    back = tiny.choose(2.0**-600, huge.choose(2.0**600, 1.0))
    a, b = large * factor, small * factor
    square, other = a * a, b * b
    root = (square + other).intrinsic("sqrt")
    # a^2 + b^2 - root^2, from the products and their errors
    own = root * root
    error = a.fma(a, -square) + b.fma(b, -other)
    rest = ((square - own) + other) + (error - root.fma(root, -own))
    mended = root + rest / (root + root)
    root = ((root > 0.0) & (root < inf)).choose(mended, root)
    root = (x.equals(inf) | y.equals(inf)).choose(inf, root)
    return Length(root, factor, back)


def hypot(x: Vector, y: Vector) -> Vector:
    """sqrt(x^2 + y^2); infinite beside an infinity, even for NaN."""
    length = _length(x, y)
    return length.scaled * length.back


def direction_cosine(x: Vector, y: Vector) -> Vector:
    """x / hypot(x, y), and 0 at the origin."""
    length = _length(x, y)
    cosine = (x * length.factor) / length.scaled
    return length.scaled.equals(0.0).choose(0.0, cosine)


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


# -- polygamma ---------------------------------------------------------------------

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
HIGHEST = 60  # order
SMALL = 3  # orders up to here, of the first derivatives, are chosen at once


def _looked_up(n: Vector, values: Sequence[float]) -> Vector:
    chosen = n.constant(values[0])
    for k, value in enumerate(values[1:], 1):
        chosen = n.equals(float(k)).choose(value, chosen)
    return chosen


def _factorial(n: Vector) -> Vector:
    values = [float(factorial(k)) for k in range(HIGHEST + 1)]
    usual = _looked_up(n, values[: SMALL + 1])
    return (n > float(SMALL)).rescue(usual, lambda: _looked_up(n, values))


def _to_minus(x: Vector, n: Vector) -> Vector:
    """x^-n for x > 0 and a whole n >= 1."""
    return (n > 1.0).rescue(1.0 / x, lambda: power(x, -n))


def _series(n: Vector, t: Vector) -> Vector:
    """G(t) for a large t, of orders from 1 on."""
    inverse = 1.0 / t
    z = inverse * inverse
    total = t.constant(0.0)
    for k in range(len(BERNOULLI), 0, -1):
        q = (n + (2.0 * k - 2.0)) * (n + (2.0 * k - 1.0)) / (2.0 * k * (2.0 * k - 1.0))
        total = (z * q) * (total + BERNOULLI[k - 1])
    # where n is 0 this is not looked at
    bracket = 1.0 + (0.5 * n * inverse + total)
    return _to_minus(t, n.at_least(1.0)) / n.at_least(1.0) * bracket


def _two_sum(a: Vector, b: Vector) -> tuple[Vector, Vector]:
    """a + b and its rounding error (Knuth)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _tail(n: Vector, t: Vector) -> tuple[Vector, Vector]:
    """G(t) for a large t, and what is to be added to it."""
    inverse = 1.0 / t
    z = inverse * inverse
    coefficients = [b / (2 * k) for k, b in enumerate(BERNOULLI, 1)]
    small = 0.5 * inverse + z * z.polynomial(coefficients)
    some = n > 0.0
    head = some.rescue(-log(t), lambda: _series(n, t))
    return head, some.choose(0.0, small)


def _terms(n: Vector, x: Vector) -> tuple[Vector, Vector, Vector]:
    """The sum of the terms below some t, its rounding error, and t; x >= 1/2."""
    bound = n.times_plus(1.25, n.constant(14.0))

    def add(t: Vector, total: Vector, error: Vector) -> tuple[list[Vector], Mask]:
        active = t < bound
        term = active.choose(_to_minus(t, n + 1.0), 0.0)
        total, lost = _two_sum(total, term)
        t = active.choose(t + 1.0, t)
        return [t, total, error + lost], t < bound

    zero = x.constant(0.0)
    t, total, error = x.repeat([x, zero, zero], add)
    return total, error, t


def _sum(n: Vector, x: Vector) -> tuple[Vector, Vector]:
    """G(x) for x >= 1/2, in two parts."""
    total, error, t = _terms(n, x)
    head, small = _tail(n, t)
    result, lost = _two_sum(total, head)
    return result, lost + (error + small)


def polygamma(order: Vector, x: Vector) -> Vector:
    """The derivative of the given order of digamma; NaN where there is none."""
    defined = (order >= 0.0) & (order <= float(HIGHEST))
    defined = defined & order.intrinsic("floor").equals(order)
    n = defined.choose(order, 0.0)
    left = x < 0.5
    pole = (x + 0.5).intrinsic("floor")
    r = x - pole
    half = 0.5 * n
    even = half.intrinsic("floor").equals(half)
    sign = even.choose(-1.0, n.constant(1.0))

    def add(j: Vector, high: Vector, low: Vector) -> tuple[list[Vector], Mask]:
        """G(x), or G(1 + r), then sign G(1 - r), then -sign G(1 - x)."""
        first, second = j < 1.0, j.equals(1.0)
        mirrored = second.choose(1.0 - r, 1.0 - x)
        own = left.choose(1.0 + r, x)
        value, rest = _sum(n, first.choose(own, left.choose(mirrored, 1.0)))
        factor = first.choose(1.0, left.choose(second.choose(sign, -sign), 0.0))
        total, lost = _two_sum(high, value * factor)
        low = low + (lost + rest * factor)
        return [j + 1.0, total, low], left & (j < 2.0)

    zero = x.constant(0.0)
    finite = abs(x) < inf
    _, high, low = x.repeat([zero, zero, zero], add)
    at_pole = _to_minus(abs(r), n + 1.0)
    at_pole = (r < 0.0).choose(sign * at_pole, at_pole)
    high, lost = _two_sum(left.choose(at_pole, 0.0), high)
    result = sign * _factorial(n) * (high + (lost + low))
    huge = abs(high).equals(inf)
    result = huge.choose(sign * high, result)
    result = finite.choose(result, (n > 0.0).choose(0.0, x))
    undefined = (x <= 0.0) & (r.equals(0.0) | x.equals(-inf))
    result = undefined.choose(nan, x.is_nan().choose(x, result))
    return defined.choose(result, nan)


def lgamma(x: Vector) -> Vector:
    """The C library's, lane by lane."""
    return x.library("lgamma")


SPECIAL = by_name(erf, erfc, cbrt, hypot, direction_cosine)
SPECIAL |= by_name(remainder, floor_divide, lgamma, polygamma)
