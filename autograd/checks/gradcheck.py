"""Gradients checked against finite differences whose own error is known.

A slope is refused when it is off by more than that error, at any scale of the input.
At a kink the two one-sided differences disagree, and the report says so instead of
"wrong"; see ``differences``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np

from autograd.checks.differences import estimated, plain, verdict
from autograd.errors import GradcheckError
from autograd.notebooks import Shown
from autograd.numbers.value import Value
from autograd.table.reals import short
from autograd.transforms.gradients import gradient
from autograd.transforms.tree import flatten

_COLUMNS = "analytic", "numeric", "abs. error", "known to", "finest step"


@dataclass(frozen=True)
class Entry:
    """One derivative, both ways; ``verdict`` says how they compare."""

    name: str
    analytic: float
    numeric: float
    uncertainty: float  # the error of ``numeric``, estimated from several steps
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
class GradcheckReport(Shown):
    """The comparison, entry by entry; true when all agree."""

    entries: tuple[Entry, ...]

    def __bool__(self) -> bool:
        return all(entry.agrees for entry in self.entries)

    def __str__(self) -> str:
        return self.table([entry.name for entry in self.entries])

    def table(self, names: Sequence[str]) -> str:
        """The comparison as text, one line for each entry, under names of your own.

        ``abs. error`` is |analytic - numeric|, ``known to`` the error of numeric
        itself, ``finest step`` the smallest change of the input that it rests on.
        """
        rows = [("input", *_COLUMNS, "")]
        for name, e in zip(names, self.entries, strict=True):
            numbers = (f"{e.analytic:.10g}", f"{e.numeric:.10g}")
            errors = (f"{e.error:.1e}", f"{e.uncertainty:.1e}", f"{e.step:.1e}")
            rows.append((name, *numbers, *errors, e.verdict))
        widths = [max(len(row[i]) for row in rows) for i in range(7)]
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
    rtol: float = 0.0,
    atol: float = 0.0,
    raise_exception: bool = True,
    directions: int = 0,
) -> GradcheckReport:
    """Compare f's analytic gradient with finite differences, input by input.

    Parameters
    ----------
    f : a function of the inputs that returns one number, written in operators and
        autograd's functions.
    *inputs : numbers, arrays, or lists and dicts of them.
    order : 1 for the gradient; 2 also checks every second derivative, and so on.
    rtol, atol : agreement is |analytic - numeric| <= the error of numeric, which is
        estimated from many steps, + atol + rtol |numeric|. At a kink, where the
        one-sided differences keep their distance, any value between them agrees.
    raise_exception : raise GradcheckError with the table instead of returning it when
        something disagrees.
    directions : check so many random directions (of one seed) instead of every input:
        for functions of very many of them. Needs order 1.

    >>> from autograd import gradcheck, tanh
    >>> bool(gradcheck(lambda w, x: tanh(w * x), 0.5, 2.0))
    True
    """
    if order < 1:
        raise ValueError(f"order must be 1 or more, got {short(order)}")
    leaves, rebuild = flatten(inputs)
    point = [plain(x) for x in leaves]

    def call(numbers: list[Any]) -> Any:
        return f(*rebuild(numbers))

    entries: list[Entry] = []
    if not directions:
        _compare(call, point, "", order, rtol, atol, entries)
    elif order > 1:
        raise ValueError("directions= checks first derivatives: leave order=1")
    else:
        entries += _along_directions(call, point, directions, rtol, atol)
    report = GradcheckReport(tuple(entries))
    if raise_exception and not report:
        lost = any(not e.analytic for e in report.entries if not e.agrees)
        where = "whether .data, float() or math has cut the graph, and " if lost else ""
        raise GradcheckError(
            f"analytic and numeric derivatives disagree by more than the error of the "
            f"latter; check {where}the partials of the operations involved\n{report}"
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
            plain(y)
            return Value(0.0)
        return gradient(y, nodes[i], create_graph=order > 1)

    for i in range(len(point)):
        name = f"{prefix}x{i}" if prefix else f"x{i}"
        analytic = plain(partial(i, point))
        entries.append(_entry(call, point, i, name, analytic, rtol, atol))
        if order > 1:

            def derivative(numbers: list[Any], i: int = i) -> Any:
                return partial(i, numbers)

            _compare(derivative, point, name + ",", order - 1, rtol, atol, entries)


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
        return plain(call([Value(t) for t in (*point[:i], x, *point[i + 1 :])]))

    return _judged(name, analytic, along, point[i], rtol, atol)


def _judged(
    name: str,
    analytic: float,
    along: Callable[[float], float],
    x: float,
    rtol: float,
    atol: float,
) -> Entry:
    found = estimated(along, x)
    said = verdict(analytic, found, rtol, atol)
    return Entry(name, analytic, found.slope, found.error, found.step, said)


def _along_directions(
    call: Callable[[list[Any]], Any],
    point: list[float],
    directions: int,
    rtol: float,
    atol: float,
) -> list[Entry]:
    """Derivatives along random directions, as long in each input as that is large."""
    rng = np.random.default_rng(0)
    nodes = [Value(x) for x in point]
    y = call(nodes)
    slopes = gradient(y, nodes) if isinstance(y, Value) else [0.0] * len(nodes)
    entries = []
    for k in range(directions):
        way = [float(rng.normal()) * (abs(x) or 1.0) for x in point]

        def along(t: float, way: list[float] = way) -> float:
            moved = [x + (t - 1.0) * v for x, v in zip(point, way, strict=True)]
            return plain(call([Value(x) for x in moved]))

        analytic = fsum([g * v for g, v in zip(slopes, way, strict=True)])
        entries.append(_judged(f"direction {k}", analytic, along, 1.0, rtol, atol))
    return entries
