"""polygamma, and the derivatives of lgamma with it: order and argument in every lane.

With w = (-1)^(n+1) n! the polygamma function of order n is w G(x), where

    G(x) = sum over k >= 0 of (x + k)^-(n+1)        (n = 0: short of a constant).

The first terms are added up, the rest from some t on is the asymptotic series

    G(t) = t^-n / n (1 + n / 2t + B2 q1 / t^2 + B4 q1 q2 / t^4 + ...),
    G(t) = -log t + 1 / 2t + B2 / 2t^2 + B4 / 4t^4 + ...                    (n = 0),

with qk = (n + 2k - 2) (n + 2k - 1) / (2k (2k - 1)). Left of 1/2, where x = r - m with a
whole m and |r| <= 1/2, the pole at -m is taken out, what lies right of it is G(1 + r),
and what lies left of it is mirrored: there are m terms, G(1 - r) - G(1 - x).

Source: DLMF 5.15 (series and recurrence); 5.15.6 (reflection, here term by term).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, inf, nan

from autograd.compiler.vector_logarithm import log, power
from autograd.compiler.vector_value import Kernel, Mask, Vector

__all__ = ["GAMMA"]

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
HIGHEST = 60  # order
SMALL = 3  # orders up to here, of the first derivatives, are found at once


def _looked_up(n: Vector, values: Sequence[float]) -> Vector:
    """The value at place n."""
    found = n.constant(values[0])
    for k, value in enumerate(values[1:], 1):
        found = n.equals(float(k)).choose(value, found)
    return found


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
    known = (order >= 0.0) & (order <= float(HIGHEST))
    known = known & order.intrinsic("floor").equals(order)
    n = known.choose(order, 0.0)
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
        found, rest = _sum(n, first.choose(own, left.choose(mirrored, 1.0)))
        factor = first.choose(1.0, left.choose(second.choose(sign, -sign), 0.0))
        total, lost = _two_sum(high, found * factor)
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
    return known.choose(result, nan)


GAMMA: dict[str, Kernel] = {"polygamma": polygamma}
