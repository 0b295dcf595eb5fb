"""Exponentials and logarithms: exp, expm1, tanh, sigmoid, sinh ..., log, log1p, power.

**Exponentials** start from x = n ln 2 + r with |r| <= ln(2)/2 and a minimax polynomial,

    e^x = 2^n (1 + r + r^2 p(r)).

The product n ln 2 is subtracted in two parts. With a fused multiply-add the first
difference is exact; what r loses when the second part is taken off is kept beside it.
2^n is made in the exponent field, as a product of two powers so that overflow and
subnormal results come out of one last multiplication.

**Logarithms** write x = 2^k m with sqrt(1/2) <= m < sqrt(2), f = m - 1 and
s = f / (2 + f):

    log m = log((1 + s) / (1 - s)) = 2 s + s z p(z),    z = s^2,

which is summed as f - (f^2/2 - s (f^2/2 + z p)), where f is exact. A power needs the
logarithm to some 68 bits, because y log2(x) reaches 1024: there s and the first two
terms of the series are sums of two doubles.

Source: Muller, *Elementary Functions*, 3rd ed. 2016, sections 11.1 (reduction), 4.2
(splitting) and 11.3 (powers); Tang 1990 and fdlibm (s and the summation).
"""

from __future__ import annotations

from math import inf, nan
from typing import NamedTuple

from autograd.compiler.llvm.functions import coefficients
from autograd.compiler.llvm.functions.lanes import Vector, Whole, by_name

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
    return exponential(x)


def exp2(x: Vector) -> Vector:
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


# -- Logarithms and powers ---------------------------------------------------------

SMALLEST_NORMAL = 2.2250738585072014e-308
ROOT_HALF_BITS = 0x3FE6A09E00000000  # of sqrt(1/2), cut off
MANTISSA = (1 << 52) - 1
OFFSET = 1024  # keeps k + OFFSET positive
TWO_52_BITS = 0x4330000000000000  # of 2^52: an integer below stands in its low bits
LOG2_E, LOG2_E_LOW = 1.4426950408889634, 2.0355273740931033e-17
LOG10_2, LOG10_2_LOW = 0.3010299956639812, -2.8037281277851704e-18
LOG10_E, LOG10_E_LOW = 0.4342944819032518, 1.098319650216765e-17
TWO_THIRDS, TWO_THIRDS_LOW = 0.6666666666666666, 3.700743415417188e-17


class Pair(NamedTuple):
    """A sum of two doubles, the second below the last digit of the first."""

    high: Vector
    low: Vector

    def times(self, c: float, c_low: float) -> Pair:
        """This times the constant c + c_low."""
        high = self.high * c
        error = self.high.fma(c, -high)
        low = self.low.times_plus(c, self.high.times_plus(c_low, error))
        return Pair(high, low)

    def plus(self, large: Vector) -> Pair:
        """This plus something that is 0 or not smaller (Dekker 1971)."""
        high = large + self.high
        error = self.high - (high - large)
        return Pair(high, self.low + error)


def _split(x: Vector) -> tuple[Vector, Vector]:
    """k, as a double, and m of a positive normal x."""
    biased = x.bits() - (ROOT_HALF_BITS - (OFFSET << 52))
    m = ((biased & MANTISSA) + ROOT_HALF_BITS).double()
    k = ((biased >> 52) | TWO_52_BITS).double() - (2.0**52 + OFFSET)
    return k, m


def _split_any(x: Vector) -> tuple[Vector, Vector]:
    """k and m of a positive x, subnormal ones scaled first."""
    tiny = x < SMALLEST_NORMAL
    k, m = _split(tiny.choose(x * 2.0**54, x))
    return tiny.choose(k - 54.0, k), m


def _at_the_ends(x: Vector, result: Vector) -> Vector:
    """-inf at 0, NaN below, inf and NaN as they are."""
    result = (x < inf).choose(result, x)
    result = x.equals(0.0).choose(-inf, result)
    return (x < 0.0).choose(nan, result)


def _log(k: Vector, f: Vector, low: Vector | None = None) -> Vector:
    """k ln 2 + log(1 + f) + low / (1 + f), for a low below the last digit of f."""
    s = f / (2.0 + f)
    z = s * s
    half_square = (0.5 * f) * f
    series = half_square + z * z.polynomial(coefficients.LOG)
    small = k * LN2_LOW
    if low is not None:  # 1 / (1 + f) = (1 - s) / (1 + s), to a few digits
        small = low.times_plus(1.0 - 2.0 * s * (1.0 - s), small)
    rest = half_square - s.times_plus(series, small)
    return k.times_plus(LN2, f - rest)


def log(x: Vector) -> Vector:
    k, m = _split_any(x)
    return _at_the_ends(x, _log(k, m - 1.0))


def log_of_sum(x: Vector, rest: Vector | None = None) -> Vector:
    """log(1 + x + rest), -1 < x < inf: what 1 + x loses and a small rest are low."""
    u = 1.0 + x
    back = u - 1.0
    low = (1.0 - (u - back)) + (x - back)
    low = low if rest is None else low + rest
    k, m = _split(u)
    # 2^-k from the low bits of 2^52 + 1023 - k; low is nothing where k is larger
    power = ((2.0**52 + 1023.0) - k.at_most(1000.0)).bits() << 52
    return _log(k, m - 1.0, low * power.double())


def log1p(x: Vector) -> Vector:
    result = (abs(x) < 2.0**-54).choose(x, log_of_sum(x))
    result = (x < inf).choose(result, x)
    result = x.equals(-1.0).choose(-inf, result)
    return (x < -1.0).choose(nan, result)


def softplus(x: Vector) -> Vector:
    """max(x, 0) + log(1 + e^-|x|)."""
    e = exponential(-abs(x))
    return (x > 0.0).choose(x, 0.0) + log_of_sum(e)


def _log_pair(m: Vector) -> Pair:
    """log m to some 68 bits: s, 2/3 s z and s z^2 p(z), the first two in pairs."""
    f, below = m - 1.0, m + 1.0
    inverse = 1.0 / below
    s = f * inverse
    residual = (-s).fma(below, f) - s * (m - (below - 1.0))
    s_low = residual * inverse
    z = s * s
    z_low = s.fma(s, -z) + (s + s) * s_low
    tail = z * z.polynomial(coefficients.LOG_TAIL)
    # c = 2/3 + z p(z), a pair
    c = tail + TWO_THIRDS
    c_low = (tail - (c - TWO_THIRDS)) + TWO_THIRDS_LOW
    product = z * c
    product_low = z.fma(c, -product) + (z * c_low + z_low * c)
    cubic = s * product
    cubic_low = s.fma(product, -cubic) + (s * product_low + s_low * product)
    twice = s + s
    return Pair(cubic, cubic_low + (s_low + s_low)).plus(twice)


def _log2_pair(x: Vector) -> Pair:
    """log2 of a positive finite x as a pair."""
    k, m = _split_any(x)
    return _log_pair(m).times(LOG2_E, LOG2_E_LOW).plus(k)


def log2(x: Vector) -> Vector:
    """The logarithm to base 2; exact at powers of 2."""
    pair = _log2_pair(x)
    return _at_the_ends(x, pair.high + pair.low)


def log10(x: Vector) -> Vector:
    """The logarithm to base 10: k log10(2) + log(m) / log(10), both in pairs."""
    k, m = _split_any(x)
    whole = k * LOG10_2
    whole_low = k.fma(LOG10_2, -whole) + k * LOG10_2_LOW
    pair = _log_pair(m).times(LOG10_E, LOG10_E_LOW).plus(whole)
    return _at_the_ends(x, pair.high + (pair.low + whole_low))


def power(x: Vector, y: Vector) -> Vector:
    """2^(y log2 |x|) with the sign of an odd power; IEEE's answers at the ends."""
    size = abs(x)
    bounded = y.at_most(2.0**70).at_least(-(2.0**70))
    pair = _log2_pair(size)
    ends = size.equals(0.0).choose(-inf, inf)
    inside = (size > 0.0) & (size < inf)
    high = inside.choose(pair.high, size.is_nan().choose(size, ends))
    exponent = bounded * high
    low = bounded.times_plus(pair.low, bounded.fma(high, -exponent))
    low = (abs(exponent) < 1080.0).choose(low, 0.0)
    result = exp_of_sum(exponent.at_most(1100.0).at_least(-1100.0), low)
    result = _signed(result, x, y)
    return (x.equals(1.0) | y.equals(0.0)).choose(1.0, result)


def _signed(result: Vector, x: Vector, y: Vector) -> Vector:
    """The sign of an odd power; NaN for a finite negative base and a fraction."""
    half = 0.5 * y
    integer = y.intrinsic("floor").equals(y)
    odd = integer & half.intrinsic("floor").differs(half)
    sign: Whole = x.bits() & (1 << 63)
    negative = (result.bits() | sign).double()
    result = odd.choose(negative, result)
    undefined = (x < 0.0) & (x > -inf) & y.intrinsic("floor").differs(y)
    return undefined.choose(nan, result)


EXPONENTIAL = by_name(exp, exp2, expm1, tanh, sigmoid, sech2, gaussian, cosh, sinh)
LOGARITHMIC = by_name(log, log2, log10, log1p, softplus, power)
