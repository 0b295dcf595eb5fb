"""Special functions on floats: activations, cube root, the error and gamma functions.

Like ``arithmetic``, nothing here raises for a float's value, and each is written for
its last digits in the tails.

Sources: DLMF 5.15 (polygamma), 7.2 (error function); Dekker 1971 for the exact square.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import inf, isnan, nan

from autograd.table.arithmetic import divide, maximum, power


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), written so that neither tail overflows."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def softplus(x: float) -> float:
    """log(1 + e^x) without overflow."""
    tail = math.log1p(math.exp(-abs(x)))
    return x + tail if x > 0.0 else tail


def sech2(x: float) -> float:
    """1 / cosh(x)^2 to the last digits, tails included.

    Near zero 1 - tanh^2 is accurate; elsewhere 4e / (1 + e)^2 with e = e^(-2|x|).
    """
    if abs(x) < 0.5:
        t = math.tanh(x)
        return 1.0 - t * t
    e = math.exp(-2.0 * abs(x))
    return 4.0 * e / (1.0 + e * (2.0 + e))


def product_error(x: float, y: float) -> float:
    """x * y minus its rounded value, exactly (Dekker 1971), short of overflow."""
    head = x * 134217729.0
    x_high = head - (head - x)
    head = y * 134217729.0
    y_high = head - (head - y)
    x_low, y_low = x - x_high, y - y_high
    rest = (x_high * y_high - x * y) + x_high * y_low + x_low * y_high
    return rest + x_low * y_low


def cbrt(x: float) -> float:
    """The cube root: the library's, and one Newton step with an exact residual."""
    if abs(x) < 1e-280:
        return x and cbrt(x * 2.0**900) * 2.0**-300
    y = math.cbrt(x)
    if not math.isfinite(y):
        return y
    square = y * y
    residual = (x - square * y) - product_error(square, y) - product_error(y, y) * y
    return y + residual / (3.0 * square)


def gaussian(x: float) -> float:
    """e^(-x^2), with the rounding error of the square carried along."""
    square = x * x
    if not square < 750.0:
        return nan if isnan(x) else 0.0
    return math.exp(-square) * (1.0 - product_error(x, x))


def direction_cosine(x: float, y: float) -> float:
    """x / hypot(x, y); 0 at the origin."""
    length = math.hypot(x, y)
    return x / length if length else 0.0


def lgamma(x: float) -> float:
    """log |Gamma(x)|: +inf at the poles 0, -1, -2, ..."""
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return inf


# Bernoulli numbers B2, B4, ... of the asymptotic series of the polygamma functions.
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def _cotangent_derivative(order: int, x: float) -> float:
    """The derivative of the given order of pi * cot(pi x)."""
    c = 1.0 / math.tan(math.pi * (x - math.floor(x)))
    polynomial = [0.0, 1.0]  # in powers of c; (c^k)' = -k (c^(k-1) + c^(k+1))
    for _ in range(order):
        derived = [0.0] * (len(polynomial) + 1)
        for k, coefficient in enumerate(polynomial):
            if k:
                derived[k - 1] -= k * coefficient
                derived[k + 1] -= k * coefficient
        polynomial = derived
    value = 0.0
    for coefficient in reversed(polynomial):
        value = value * c + coefficient
    return value * math.pi ** (order + 1)


def _polygamma_series(n: int, x: float) -> float:
    """The asymptotic series (DLMF 5.15.9), good from about x = 20 on."""
    sign_ = -1.0 if n % 2 == 0 else 1.0
    if n == 0:
        value = math.log(x) - 0.5 / x
    else:
        value = sign_ * (
            math.factorial(n - 1) * x**-n + math.factorial(n) * 0.5 * x ** -(n + 1)
        )
    for k, bernoulli in enumerate(_BERNOULLI, 1):
        ratio = math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        value += sign_ * bernoulli * ratio * x ** -(2 * k + n)
    return value


def polygamma(order: float, x: float) -> float:
    """The derivative of the given order (0, 1, 2, ...) of digamma = lgamma'.

    Recurrence up to where the asymptotic series holds; reflection for x far below 0.
    """
    if isnan(x) or not 0.0 <= order <= 60.0 or order != math.floor(order):
        return nan
    n = int(order)
    if x == inf:
        return inf if n == 0 else 0.0
    if x <= 0.0 and (x == -inf or x == math.floor(x)):
        return nan
    if x < -50.0:
        mirrored = polygamma(order, 1.0 - x)
        return (-mirrored if n % 2 else mirrored) - _cotangent_derivative(n, x)
    terms = []
    weight = math.factorial(n) * (1.0 if n % 2 else -1.0)
    while x < 20.0 + n:
        terms.append(weight * divide(1.0, power(x, n + 1.0)))
        x += 1.0
    return math.fsum([_polygamma_series(n, x), *terms])


def logsumexp(operands: Sequence[float]) -> float:
    """log(e^x1 + e^x2 + ...), shifted by the largest operand, whose own e^0 is 1."""
    if not operands:
        return -inf
    largest = maximum(operands)
    if not math.isfinite(largest):
        return largest
    first, rest = True, 0.0
    for x in operands:
        if first and x == largest:
            first = False
        else:
            rest += math.exp(x - largest)
    return largest + math.log1p(rest)
