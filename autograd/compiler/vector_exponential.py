"""The exponential family: exp, expm1, tanh, sigmoid, sinh, cosh, sech2, gaussian.

All start from x = n ln 2 + r with |r| <= ln(2)/2 and a minimax polynomial,

    e^x = 2^n (1 + r + r^2 p(r)).

The product n ln 2 is subtracted in two parts. With a fused multiply-add the first
difference is exact; what r loses when the second part is taken off is kept beside it.
2^n is made in the exponent field, as a product of two powers so that overflow and
subnormal results come out of one last multiplication.

Source: Cody & Waite 1980, chapter 6; Muller, *Elementary Functions*, 3rd ed. 2016,
sections 11.1 (reduction) and 4.2 (splitting).
"""

from __future__ import annotations

from typing import NamedTuple

from autograd.compiler import coefficients
from autograd.compiler.vector_value import Kernel, Vector, Whole

__all__ = [
    "EXPONENTIAL",
    "exp_of_sum",
    "exponential",
    "scale",
    "tanh_and_sech2",
]

LN2, LN2_LOW = 0.6931471805599453, 2.3190468138462996e-17
LOG2_E = 1.4426950408889634
SHIFTER = 6755399441055744.0  # 1.5 * 2^52: adding it leaves an integer in the low bits
SHIFTER_BITS = 0x4338000000000000
BIAS = 1023
LOWEST, HIGHEST = -750.0, 712.0  # beyond, e^x is 0 or inf, even scaled by 4 or 1/2


class Reduced(NamedTuple):
    """x = n ln 2 + r + low, and r^2 p(r) + low, the part of e^(r + low) after 1 + r."""

    n: Whole  # plus SHIFTER_BITS
    r: Vector
    tail: Vector


def reduce(x: Vector, low: Vector | None = None) -> Reduced:
    """Cody and Waite's reduction of x + low; |x| < 1100."""
    shifted = x.times_plus(LOG2_E, SHIFTER)
    n = shifted - SHIFTER
    exact = n.fma(-LN2, x)
    head = exact if low is None else exact + low
    r = n.fma(-LN2_LOW, head)
    rest = n.fma(-LN2_LOW, head - r)
    rest = rest if low is None else rest + (low - (head - exact))
    tail = (r * r).times_plus(r.polynomial(coefficients.EXP), rest)
    return Reduced(shifted.bits(), r, tail)


def scale(x: Vector, n: Whole, shift: int = 0) -> Vector:
    """x * 2^(n + shift), for an n that carries SHIFTER_BITS, with one rounding."""
    biased = n - (SHIFTER_BITS - 2 * BIAS - shift)
    half = biased >> 1
    return x * (half << 52).double() * ((biased - half) << 52).double()


def two_to(n: Whole) -> Vector:
    """2^n for -1022 <= n <= 1023."""
    return ((n + BIAS) << 52).double()  # SHIFTER_BITS leave on the left


def _one_plus(r: Vector, tail: Vector) -> Vector:
    """1 + r + tail, what 1 + r loses being added to the tail."""
    head = 1.0 + r
    return head + ((r - (head - 1.0)) + tail)


def exponential(x: Vector, low: Vector | None = None, shift: int = 0) -> Vector:
    """e^(x + low) 2^shift, for any x and a correction low."""
    parts = reduce(x.at_most(HIGHEST).at_least(LOWEST), low)
    return scale(_one_plus(parts.r, parts.tail), parts.n, shift)


def decay(x: Vector) -> Vector:
    """e^x for -700 < x <= 0, without a second scaling."""
    parts = reduce(x)
    return (1.0 + (parts.r + parts.tail)) * two_to(parts.n)


def exp(x: Vector) -> Vector:
    """e^x."""
    return exponential(x)


def exp2(x: Vector) -> Vector:
    """2^x."""
    return exp_of_sum(x.at_most(1100.0).at_least(-1100.0), x.constant(0.0))


def exp_of_sum(x: Vector, low: Vector) -> Vector:
    """2^(x + low), |x| <= 1100: the integer part apart, the rest times ln 2 in two."""
    shifted = x + SHIFTER
    fraction = x - (shifted - SHIFTER)
    rest = fraction + low
    lost = low - (rest - fraction)
    r = rest * LN2
    product_error = rest.fma(LN2, -r)
    small = rest.times_plus(LN2_LOW, lost.times_plus(LN2, product_error))
    tail = (r * r).times_plus(r.polynomial(coefficients.EXP), small)
    return scale(_one_plus(r, tail), shifted.bits())


def _minus_one(x: Vector) -> tuple[Vector, Vector]:
    """e^x - 1 = (2^n - 1) + 2^n r + 2^n tail, and its error; -40 <= x <= 700."""
    parts = reduce(x)
    power = two_to(parts.n)
    large, small = power - 1.0, power * parts.r
    head = large + small
    # The larger addend of the two is 2^n - 1, unless n = 0, when it is exactly 0.
    error = small - (head - large)
    tail = power.times_plus(parts.tail, error)
    total = head + tail
    return total, tail - (total - head)


def expm1(x: Vector) -> Vector:
    """e^x - 1; beyond 700 nothing is left of the 1."""
    bounded = x.at_most(700.0).at_least(-40.0)
    total, _ = _minus_one(bounded)
    result = (x > 700.0).rescue(total, lambda: exponential(x))
    return (abs(x) < 2.0**-54).choose(x, result)


def tanh(x: Vector) -> Vector:
    """E / (E + 2) with E = e^(2|x|) - 1, the quotient corrected by its residual."""
    size = abs(x).at_most(20.0)
    head, tail = _minus_one(size + size)
    below = head + 2.0
    inverse = 1.0 / below
    quotient = head * inverse
    residual = (-quotient).fma(below, head)
    # what the divisor lost, then the tail of E, which moves both parts of the fraction
    lost = (head - (below - 2.0)) + tail
    residual = (-quotient).times_plus(lost, residual + tail)
    return residual.times_plus(inverse, quotient).with_sign(x)


def tanh_and_sech2(x: Vector) -> tuple[Vector, Vector]:
    """Both from one exponential: with E as in ``tanh``, sech^2 = 4 (E + 1) / (E + 2)^2.

    Beyond 350, where E would overflow, sech^2 is computed by itself.
    """
    size = abs(x).at_most(350.0)
    parts = reduce(size + size)
    power = two_to(parts.n)
    most = power.times_plus(parts.r, power - 1.0)
    head = power.times_plus(parts.tail, most)  # E
    below = head + 2.0
    inverse = 1.0 / below
    quotient = head * inverse
    lost = head - (below - 2.0)
    residual = (-quotient).times_plus(lost, (-quotient).times_plus(below, head))
    value = residual.times_plus(inverse, quotient).with_sign(x)
    slope = (head * (4.0 * inverse)).times_plus(inverse, (4.0 * inverse) * inverse)
    beyond = (abs(x) > 350.0).rescue(slope, lambda: sech2(x))
    return x.is_nan().choose(x, value), x.is_nan().choose(x, beyond)


def sigmoid(x: Vector) -> Vector:
    """1 / (1 + e^-x), or e^x / (1 + e^x) below zero: e^-|x| cannot overflow."""
    e = exponential(-abs(x))
    return (x < 0.0).choose(e, 1.0) / (1.0 + e)


def sech2(x: Vector) -> Vector:
    """4e / (1 + e (2 + e)) with e = e^(-2|x|)."""
    four_e = exponential(-2.0 * abs(x), shift=2)
    e = 0.25 * four_e
    return four_e / e.times_plus(e + 2.0, 1.0)


def gaussian(x: Vector) -> Vector:
    """e^(-x^2), the rounding error of the square carried along."""
    size = abs(x).at_most(28.0)
    square = size * size
    return exponential(-square, size.fma(-size, square))


def cosh(x: Vector) -> Vector:
    """h + 1 / (4h) with h = e^|x| / 2, which overflows only where cosh does."""
    h = exponential(abs(x).at_most(712.0), shift=-1)
    return h + 0.25 / h


def sinh(x: Vector) -> Vector:
    """h - 1 / (4h), and below 1 an odd polynomial."""
    size = abs(x)
    h = exponential(size.at_most(712.0), shift=-1)
    square = size.at_most(1.0) * size.at_most(1.0)
    small = (size * square).times_plus(square.polynomial(coefficients.SINH), size)
    return (size < 1.0).choose(small, h - 0.25 / h).with_sign(x)


EXPONENTIAL: dict[str, Kernel] = {
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "sech2": sech2,
    "gaussian": gaussian,
    "cosh": cosh,
    "sinh": sinh,
}
