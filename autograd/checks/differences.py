"""Finite differences in plain numpy, and what they say about a derivative.

Central differences (f(x + h) - f(x - h)) / 2h err by h^2 (Taylor's series) and by
eps |f| / h (rounding). ``estimated`` takes them at many steps, extrapolates to h = 0,
and keeps the value whose error, judged by its neighbours in the table, is the smallest:

    d(h), d(h/4), ...  ->  (16 d(h/4) - d(h)) / 15, ...  ->  ...

At a kink the two one-sided differences keep their distance as the step shrinks, at a
jump they grow; for a smooth function they meet.

Sources: Ridders 1982 (extrapolation and its error); Nocedal & Wright, *Numerical
Optimization*, 2nd ed. 2006, section 8.1 (the step of a single difference).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, nan
from typing import Any

import numpy as np

from autograd.numbers.value import Value
from autograd.table.reals import as_float

_EPS = float(np.finfo(float).eps)


def numerical_gradient(
    f: Callable[[Any], Any], x: Any, step: float | None = None
) -> Any:
    """The gradient of f at x by central differences, on plain numpy.

    Parameters
    ----------
    f : a function of one float or one float array that returns a number.
    x : where; a number, or an array of any shape.
    step : the absolute step; by default eps^(1/3) max(1, |x|) for each element.

    Returns a float, or an array of x's shape.

    >>> import numpy as np
    >>> from autograd import numerical_gradient
    >>> numerical_gradient(lambda x: (x ** 2).sum(), np.array([1.0, 2.0])).round(6)
    array([2., 4.])
    """
    point = np.array(x, dtype=float, order="C")
    flat = point.reshape(-1)
    slopes = np.empty_like(flat)
    for i, centre in enumerate(flat.copy()):
        h = step or central_step(centre)
        values = []
        for shifted in (centre + h, centre - h):
            flat[i] = shifted
            values.append(plain(f(point.copy() if point.ndim else float(point))))
        flat[i] = centre
        slopes[i] = (values[0] - values[1]) / ((centre + h) - (centre - h))
    return slopes.reshape(point.shape) if point.ndim else float(slopes[0])


def central_step(x: float) -> float:
    return float(_EPS ** (1 / 3) * max(1.0, abs(x)))


def plain(y: Any) -> float:
    """The number of a Value, or of anything that is one."""
    return y.data if isinstance(y, Value) else as_float(y)


_RATIO = 4.0  # of a step to the next
_STEPS = 12  # of each scale
_SAFETY = 4.0  # the error that is claimed, over the largest difference of neighbours


@dataclass(frozen=True)
class Estimate:
    """A slope by differences, its error, and the one-sided slopes around it.

    step : of the finest difference that it rests on.
    left, right : one-sided differences at that step; kinked says whether they keep
        their distance, jumps whether they grow without bound, as the step shrinks.
    """

    slope: float
    error: float
    step: float
    left: float = nan
    right: float = nan
    kinked: bool = False
    jumps: bool = False


def estimated(f: Callable[[float], float], x: float) -> Estimate:
    """The derivative of f at x by extrapolated differences, and how far it is known.

    Steps are tried at the scale of x itself and at the scale of 1: a function may vary
    on either. The slope is NaN where no difference is finite.

    >>> from math import log
    >>> found = estimated(log, 1e-5)
    >>> abs(found.slope - 1e5) <= found.error < 1e-3
    True
    """
    at, rows, candidates = f(x), list[Row](), list[Estimate]()
    for scale in {abs(x) or 1.0, 1.0}:
        steps = [scale / 8 * _RATIO**-k for k in range(_STEPS)]
        own = [row for row in (_one_sided(f, x, at, h) for h in steps) if row]
        candidates += _extrapolated(own)
        rows += own
    rows.sort(reverse=True)
    bent = _bent(rows)
    if bent is not None:
        return bent
    good = [c for c in candidates if _is_consistent(c, rows)] or candidates[-1:]
    return min(good, key=lambda c: c.error, default=Estimate(nan, inf, nan))


Row = tuple[float, float, float, float]  # step, left and right slope, rounding error


def _one_sided(
    f: Callable[[float], float], x: float, at: float, step: float
) -> Row | None:
    low, high = x - step, x + step  # the steps that were really taken
    if low == x or high == x:
        return None
    try:
        below, above = f(low), f(high)
    except (ArithmeticError, ValueError):  # outside of what f takes
        return None
    with np.errstate(all="ignore"):
        left = float(np.float64(at - below) / (x - low))
        right = float(np.float64(above - at) / (high - x))
    noise = 4.0 * _EPS * max(abs(below), abs(at), abs(above)) / step
    row = step, left, right, noise
    return row if all(map(isfinite, row)) else None


def _extrapolated(rows: list[Row]) -> list[Estimate]:
    """The entries of the table; its first column are central differences."""
    found, line = list[Estimate](), list[float]()
    for step, left, right, noise in rows:
        new, factor = [0.5 * left + 0.5 * right], 1.0
        for above in line:
            factor *= _RATIO**2
            new.append((factor * new[-1] - above) / (factor - 1.0))
        for m in range(1, len(new)):
            near = abs(new[m] - new[m - 1]), abs(new[m] - line[m - 1])
            error = _SAFETY * max(*near, noise)
            found.append(Estimate(new[m], error, step, left, right))
        line = new
    return found


def _is_consistent(found: Estimate, rows: list[Row]) -> bool:
    """Whether finer differences come no farther from a value than its own did.

    Differences over whole periods, or over many steps of a staircase, agree with each
    other and with nothing else.
    """
    own = abs(0.5 * found.left + 0.5 * found.right - found.slope)
    return all(
        abs(0.5 * left + 0.5 * right - found.slope) <= 2.0 * (own + found.error + noise)
        for step, left, right, noise in rows
        if step < found.step
    )


def _bent(rows: list[Row]) -> Estimate | None:
    """What the finest differences say of a kink or a jump; None where they meet."""
    last = rows[-4:]
    if len(last) < 4:
        return None
    sizes = [max(abs(left), abs(right)) for _, left, right, _ in last]
    jumps = all(after > 1.3 * before > 0.0 for before, after in pairwise(sizes))
    jumps &= last[0][3] < 0.02 * sizes[0]
    clear = [row for row in rows if row[3] < 0.02 * abs(row[2] - row[1])]
    if not jumps and (len(clear) < 4 or clear[-1][0] > rows[-1][0] * _RATIO**4):
        return None  # the sides meet, as far as rounding lets one see
    gaps = [abs(right - left) for _, left, right, _ in clear[-4:]]
    if not jumps and any(after < 0.6 * before for before, after in pairwise(gaps)):
        return None
    step, left, right, _ = last[-1] if jumps else clear[-1]
    middle = 0.5 * left + 0.5 * right
    return Estimate(middle, abs(right - left), step, left, right, True, jumps)


def verdict(analytic: float, found: Estimate, rtol: float, atol: float) -> str:
    """How an analytic derivative compares with an estimate."""
    if not isfinite(found.slope) or (found.jumps and not isfinite(analytic)):
        return "not finite here"
    own = 16.0 * _EPS * abs(analytic)  # the rounding of the derivative itself
    slack = atol + rtol * abs(found.slope) + own
    if found.kinked:
        low, high = sorted((found.left, found.right))
        slack += 1e-3 * (high - low)
        inside = low - slack <= analytic <= high + slack
        return "kink at this input" if inside or found.jumps else "WRONG"
    return "ok" if abs(analytic - found.slope) <= found.error + slack else "WRONG"
