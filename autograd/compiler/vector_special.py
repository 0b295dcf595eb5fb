"""erf, the cube root, hypot and the direction cosine.

Sources: DLMF 7.2 and 7.12 (error function); Kahan 1991, "Computing a real cube root"
(the first guess from the exponent field); Dekker 1971 for exact residuals.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from autograd.compiler import coefficients
from autograd.compiler.vector_exponential import SHIFTER, SHIFTER_BITS, decay
from autograd.compiler.vector_value import Kernel, Vector

__all__ = ["SPECIAL"]

TWO_OVER_ROOT_PI = 1.1283791670955126
TWO_52_BITS = 0x4330000000000000
CUBE_ROOT_GUESS = 715094163.0  # of the upper half of the bits, divided by three


def erf(x: Vector) -> Vector:
    """An odd polynomial up to 1; then 1 - erfc, whose logarithm is a polynomial."""
    size = abs(x)
    square = size.at_most(1.0) * size.at_most(1.0)
    small = square.times_plus(square.polynomial(coefficients.ERF), TWO_OVER_ROOT_PI)
    far = size.at_most(6.0).at_least(1.0)
    exponent = (far - 3.0).polynomial(coefficients.ERFC)
    large = 1.0 - decay(far.times_plus(-far, -exponent))
    result = (size < 1.0).choose(size * small, large)
    return result.with_sign(x)


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
    "cbrt": cbrt,
    "hypot": hypot,
    "direction_cosine": direction_cosine,
}
