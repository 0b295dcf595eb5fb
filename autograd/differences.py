"""Finite differences in plain numpy, and what they say about a derivative.

Central differences (f(x + h) - f(x - h)) / 2h have error O(h^2) from the Taylor series
and O(eps |f| / h) from rounding; h = eps^(1/3) max(1, |x|) balances them. For a smooth
function the two one-sided differences shrink towards each other with the step; at a
kink they do not, and at a jump they grow.

Source: Nocedal & Wright, *Numerical Optimization*, 2nd ed. 2006, section 8.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.numbers import as_float
from autograd.value import Value

__all__ = ["differences", "numerical_gradient", "plain", "verdict"]

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
        h = step or _step(centre)
        values = []
        for shifted in (centre + h, centre - h):
            flat[i] = shifted
            values.append(plain(f(point.copy() if point.ndim else float(point))))
        flat[i] = centre
        slopes[i] = (values[0] - values[1]) / ((centre + h) - (centre - h))
    return slopes.reshape(point.shape) if point.ndim else float(slopes[0])


def _step(x: float) -> float:
    return float(_EPS ** (1 / 3) * max(1.0, abs(x)))


def plain(y: Any) -> float:
    """The number of a Value, or of anything that is one."""
    return y.data if isinstance(y, Value) else as_float(y)


@dataclass(frozen=True)
class Differences:
    """Finite differences of a function of one number, with one step."""

    step: float
    left: float
    right: float
    rounding: float

    @property
    def central(self) -> float:
        return 0.5 * self.left + 0.5 * self.right

    @property
    def gap(self) -> float:
        return abs(self.left - self.right)


def _with_step(f: Callable[[float], float], x: float, step: float) -> Differences:
    at = np.array([f(x - step), f(x), f(x + step)])
    with np.errstate(all="ignore"):  # inf - inf is NaN, and said to be
        left, right = (np.diff(at) / step).tolist()
        rounding = float(8.0 * _EPS * np.abs(at).max() / step)
    return Differences(step, left, right, rounding)


def differences(
    f: Callable[[float], float], x: float
) -> tuple[Differences, Differences]:
    """Differences whose step stays where f is finite, and ones a tenth as wide."""
    step = _step(x)
    for factor in (1.0, 1e-3, 1e-6):
        wide = _with_step(f, x, step * factor)
        if np.isfinite(wide.central):
            break
    return wide, _with_step(f, x, wide.step / 10.0)


def verdict(
    analytic: float, wide: Differences, fine: Differences, rtol: float, atol: float
) -> str:
    """How an analytic derivative compares with two sets of differences."""
    if not np.isfinite(wide.central):
        return "not finite here"
    for found in (wide, fine):
        slack = atol + rtol * abs(found.central) + found.rounding
        low, high = sorted((found.left, found.right))
        noise = 4.0 * (fine.rounding + atol)
        kink = fine.gap > 0.5 * wide.gap + noise or _grows(wide, fine)
        inside = low - slack <= analytic <= high + slack
        if kink and (inside or _grows(wide, fine)):
            return "kink at this input"
        if abs(analytic - found.central) <= slack or inside:
            return "ok"
    shrinks = abs(analytic - fine.central) <= 0.2 * abs(analytic - wide.central) + slack
    return "ok" if shrinks else "WRONG"  # a difference of first order in the step


def _grows(wide: Differences, fine: Differences) -> bool:
    """Whether a jump makes the differences grow as the step shrinks."""
    size = max(abs(wide.left), abs(wide.right))
    return max(abs(fine.left), abs(fine.right)) > 5.0 * size + 10.0 * fine.rounding
