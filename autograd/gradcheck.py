"""Gradients checked against numpy finite differences.

Central differences (f(x + h) - f(x - h)) / 2h have error O(h^2) from the Taylor series
and O(eps |f| / h) from rounding; h = eps^(1/3) max(1, |x|) balances them. At a kink the
two one-sided differences disagree, and the report says so instead of "wrong".

Source: Nocedal & Wright, *Numerical Optimization*, 2nd ed. 2006, section 8.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.errors import GradcheckError
from autograd.numbers import as_float
from autograd.transforms import gradient
from autograd.tree import flatten
from autograd.value import Value

__all__ = ["GradcheckReport", "gradcheck", "numerical_gradient"]

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
            values.append(_plain(f(point.copy() if point.ndim else float(point))))
        flat[i] = centre
        slopes[i] = (values[0] - values[1]) / ((centre + h) - (centre - h))
    return slopes.reshape(point.shape) if point.ndim else float(slopes[0])


def _step(x: float) -> float:
    return float(_EPS ** (1 / 3) * max(1.0, abs(x)))


def _plain(y: Any) -> float:
    return y.data if isinstance(y, Value) else as_float(y)


@dataclass(frozen=True)
class Entry:
    """One derivative, both ways; ``verdict`` says how they compare."""

    name: str
    analytic: float
    numeric: float
    step: float
    verdict: str  # ok, kink at this input, not finite here, or WRONG

    @property
    def agrees(self) -> bool:
        """Whether nothing speaks against the analytic derivative."""
        return self.verdict != "WRONG"

    @property
    def error(self) -> float:
        """|analytic - numeric|."""
        return abs(self.analytic - self.numeric)


@dataclass(frozen=True)
class GradcheckReport:
    """The comparison, entry by entry; true when all agree."""

    entries: tuple[Entry, ...]

    def __bool__(self) -> bool:
        return all(entry.agrees for entry in self.entries)

    def __str__(self) -> str:
        return self.table([entry.name for entry in self.entries])

    def table(self, names: Sequence[str]) -> str:
        """The comparison as text, one line for each entry, under names of your own."""
        rows = [("input", "analytic", "numeric", "error", "step", "")]
        for name, e in zip(names, self.entries, strict=True):
            numbers = (f"{e.analytic:.10g}", f"{e.numeric:.10g}")
            tail = (f"{e.error:.1e}", f"{e.step:.1e}", e.verdict)
            rows.append((name, *numbers, *tail))
        widths = [max(len(row[i]) for row in rows) for i in range(6)]
        lines = [
            "  ".join(
                cell.rjust(width) for cell, width in zip(row, widths, strict=True)
            )
            for row in rows
        ]
        return "\n".join(line.rstrip() for line in lines)


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    raise_exception: bool = True,
) -> GradcheckReport:
    """Compare f's analytic gradient with central differences, input by input.

    Parameters
    ----------
    f : a function of the inputs that returns one number, written in operators and
        autograd's functions.
    *inputs : numbers, arrays, or lists and dicts of them.
    order : 1 for the gradient; 2 also checks every second derivative, and so on.
    rtol, atol : agreement is |analytic - numeric| <= atol + rtol |numeric|, widened by
        the rounding error of the difference. At a kink, where the one-sided
        differences disagree, any value between them agrees.
    raise_exception : raise GradcheckError with the table instead of returning it when
        something disagrees.

    >>> from autograd import gradcheck, tanh
    >>> bool(gradcheck(lambda w, x: tanh(w * x), 0.5, 2.0))
    True
    """
    if order < 1:
        raise ValueError(f"order must be 1 or more, got {order!r}")
    leaves, rebuild = flatten(inputs)
    point = [_plain(x) for x in leaves]

    def call(numbers: list[Any]) -> Any:
        return f(*rebuild(numbers))

    entries: list[Entry] = []
    _compare(call, point, "", order, rtol, atol, entries)
    report = GradcheckReport(tuple(entries))
    if raise_exception and not report:
        raise GradcheckError(
            f"analytic and numeric derivatives disagree (rtol={rtol}, atol={atol}); "
            f"check the partials of the operations involved\n{report}"
        )
    return report


def _compare(
    call: Callable[[list[Any]], Any],
    point: list[float],
    prefix: str,
    order: int,
    rtol: float,
    atol: float,
    entries: list[Entry],
) -> None:
    """Check all first derivatives of ``call``; recurse into each for higher orders."""

    def partial(i: int, numbers: list[Any]) -> Any:
        nodes = [x if isinstance(x, Value) else Value(x) for x in numbers]
        y = call(nodes)
        if not isinstance(y, Value):
            _plain(y)
            return Value(0.0)
        return gradient(y, nodes[i], create_graph=order > 1)

    for i in range(len(point)):
        name = f"{prefix}x{i}" if prefix else f"x{i}"
        analytic = _plain(partial(i, point))
        entries.append(_entry(call, point, i, name, analytic, rtol, atol))
        if order > 1:

            def derivative(numbers: list[Any], i: int = i) -> Any:
                return partial(i, numbers)

            _compare(derivative, point, name + ",", order - 1, rtol, atol, entries)


@dataclass(frozen=True)
class _Differences:
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


def _differences(f: Callable[[float], float], x: float, step: float) -> _Differences:
    at = np.array([f(x - step), f(x), f(x + step)])
    with np.errstate(all="ignore"):  # inf - inf is NaN, and said to be
        left, right = (np.diff(at) / step).tolist()
        rounding = float(8.0 * _EPS * np.abs(at).max() / step)
    return _Differences(step, left, right, rounding)


def _shrunk(f: Callable[[float], float], x: float) -> tuple[_Differences, _Differences]:
    """Differences whose step stays where f is finite, and ones a tenth as wide."""
    step = _step(x)
    for factor in (1.0, 1e-3, 1e-6):
        wide = _differences(f, x, step * factor)
        if np.isfinite(wide.central):
            break
    return wide, _differences(f, x, wide.step / 10.0)


def _verdict(
    analytic: float, wide: _Differences, fine: _Differences, rtol: float, atol: float
) -> str:
    if not np.isfinite(wide.central):
        return "not finite here"
    for found in (wide, fine):
        slack = atol + rtol * abs(found.central) + found.rounding
        low, high = sorted((found.left, found.right))
        # For a smooth function the one-sided differences shrink towards each other
        # with the step; at a kink they do not, and at a jump they grow.
        noise = 4.0 * (fine.rounding + atol)
        kink = fine.gap > 0.5 * wide.gap + noise or _grows(wide, fine)
        inside = low - slack <= analytic <= high + slack
        if kink and (inside or _grows(wide, fine)):
            return "kink at this input"
        if abs(analytic - found.central) <= slack or inside:
            return "ok"
    shrinks = abs(analytic - fine.central) <= 0.2 * abs(analytic - wide.central) + slack
    return "ok" if shrinks else "WRONG"  # a difference of first order in the step


def _grows(wide: _Differences, fine: _Differences) -> bool:
    """Whether a jump makes the differences grow as the step shrinks."""
    size = max(abs(wide.left), abs(wide.right))
    return max(abs(fine.left), abs(fine.right)) > 5.0 * size + 10.0 * fine.rounding


def _entry(
    call: Callable[[list[Any]], Any],
    point: list[float],
    i: int,
    name: str,
    analytic: float,
    rtol: float,
    atol: float,
) -> Entry:
    def along(x: float) -> float:
        return _plain(call([Value(t) for t in (*point[:i], x, *point[i + 1 :])]))

    wide, fine = _shrunk(along, point[i])
    verdict = _verdict(analytic, wide, fine, rtol, atol)
    return Entry(name, analytic, wide.central, wide.step, verdict)
