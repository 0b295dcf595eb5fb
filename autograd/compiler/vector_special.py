"""erf, erfc, the cube root, hypot and the direction cosine.

Sources: DLMF 7.2 and 7.12 (error function); Kahan 1991, "Computing a real cube root"
(the first guess from the exponent field); Dekker 1971 for exact residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from autograd.compiler import coefficients
from autograd.compiler.vector_exponential import (
    SHIFTER,
    SHIFTER_BITS,
    decay,
    exponential,
)
from autograd.compiler.vector_value import Kernel, Vector

__all__ = ["SPECIAL"]

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


SPECIAL: dict[str, Kernel] = {
    "erf": erf,
    "erfc": erfc,
    "cbrt": cbrt,
    "hypot": hypot,
    "direction_cosine": direction_cosine,
}
