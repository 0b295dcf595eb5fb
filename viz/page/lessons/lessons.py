"""Lessons: pages in which a reader finds out for herself what a text only says.

``descent_page`` is the fit of a line by hand and by gradient descent, on anybody's
points; ``lesson`` gives those that need no data. The curves of a page, and their
derivatives, are not written for it: Python's functions are run forward on a symbol, and
the two formulas that come back are written out in JavaScript (``operations``).

    axes.js       frames, curves, handles      controls.js   sliders, tables, runs
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, overload

import autograd
from autograd.errors import DataError, ShapeError
from autograd.numbers.symbolic import Symbol
from autograd.transforms.gradients import jvp
from nn.layers.activations import ACTIVATIONS
from nn.validation import elements
from viz.page import operations
from viz.page.document import Page, document, source
from viz.plots.data import numbers

_SCRIPTS = ("numbers.js", "elements.js", "lessons/axes.js", "lessons/controls.js")
_MOST = 2_000  # points
_LARGE, _SMALL = 1e100, 1e-100  # squares of these are floats
_APART = 1e-6  # the least distance of two x, in parts of the largest

_CURVES: dict[str, tuple[Callable[[Any], Any], str]] = {  # and how slopes are written
    "x²": (lambda x: x * x, "2x"),
    "x³ − x": (lambda x: x * x * x - x, "3x² − 1"),
    "x⁴ − 3x² + x": (lambda x: x * x * (x * x - 3.0) + x, "4x³ − 6x + 1"),
    "sin x": (autograd.sin, "cos x"),
    "|x|": (abs, "sign x"),
    "relu x": (autograd.relu, "1 where x > 0, else 0"),
    "tanh x": (autograd.tanh, "1 − tanh² x"),
}
_IN_LINES = {"none": "linear", "relu": "relu", "tanh": "tanh"}


@overload
def descent_page(
    x: Iterable[Any],
    y: Iterable[Any],
    path: None = None,
    *,
    title: str = "A line through points",
    note: str = "",
    names: tuple[str, str] = ("x", "y"),
) -> Page: ...
@overload
def descent_page(
    x: Iterable[Any],
    y: Iterable[Any],
    path: str | os.PathLike[str],
    *,
    title: str = "A line through points",
    note: str = "",
    names: tuple[str, str] = ("x", "y"),
) -> Path: ...
def descent_page(
    x: Iterable[Any],
    y: Iterable[Any],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "A line through points",
    note: str = "",
    names: tuple[str, str] = ("x", "y"),
) -> Page | Path:
    """A live page of fitting a line to points, by hand and by gradient descent.

    Left the points, the line and its squared errors as squares; right the mean squared
    error of every line, where the present one is dragged and gradient descent leaves
    its path. The page says which learning rates crawl, converge and diverge, and why:
    the largest stable one is 2 / (the larger eigenvalue of the Hessian).

    Parameters
    ----------
    x, y : the points' coordinates, two sequences of n numbers or Values, n > 1; x may
        also have the shape (n, 1), as the inputs of models do.
    path : a file name that ends in .html; without one, a page to show in a notebook.
    title : the heading.
    note : a sentence below it.
    names : what the axes are called.

    Returns the path, or the page. It is one HTML file, which needs no network and
    appears whole or not at all.

    Raises ShapeError when the lengths differ, DataError for fewer than two points or
    more than 2000, a number that is NaN, infinite or beyond 1e100, and x that do not
    differ; RenderError for another ending or a file that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from viz import descent_page
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     descent_page([0.5, 2.0, 1.0], [0.8, 1.0, 1.5], folder + "/fit.html").name
    'fit.html'
    """
    xs, ys = _checked(x, y)
    across, up = names
    data = {"x": xs, "y": ys, "title": title, "note": note, "names": [across, up]}
    return _page("descent", title, data).to(path)


def _checked(x: Any, y: Any) -> tuple[list[float], list[float]]:
    xs: list[float] = numbers(elements("x", x), "x").tolist()
    ys: list[float] = numbers(elements("y", y), "y").tolist()
    if len(xs) != len(ys):
        raise ShapeError(
            f"descent_page needs a y for each x, got {len(xs)} and {len(ys)}"
        )
    if not 2 <= len(xs) <= _MOST:
        raise DataError(
            f"a line needs at least two points, and a page draws {_MOST:,} at most: "
            f"got {len(xs):,}; give {'another' if len(xs) < 2 else 'a sample of them'}"
        )
    size = max(map(abs, xs))
    if max(size, *map(abs, ys)) > _LARGE or size < _SMALL:
        raise DataError(
            f"the squares of x and y must be floats: measure them in another unit (the "
            f"largest are {size:.3g} and {max(map(abs, ys)):.3g})"
        )
    if max(xs) - min(xs) < _APART * size:
        raise DataError(
            f"all x are {xs[0]:.6g}, or as good as: no line through such points is the "
            f"only best one; give points of different x, or subtract the mean of x"
        )
    return xs, ys


@overload
def lesson(name: str, path: None = None) -> Page: ...
@overload
def lesson(name: str, path: str | os.PathLike[str]) -> Path: ...
def lesson(name: str, path: str | os.PathLike[str] | None = None) -> Page | Path:
    """One of the lessons that need no data, as a live page.

    Parameters
    ----------
    name : "tangent" (a function, its slope at a point that one drags, and steps down),
        "activations" (those of ``nn.ACTIVATIONS`` with their derivatives, and softmax),
        or "lines" (two to four neurons and their sum, with an activation and without).
    path : a file name that ends in .html; without one, a page to show in a notebook.

    Returns the path, or the page. It is one HTML file, which needs no network and
    appears whole or not at all.

    Raises ValueError for an unknown name, and RenderError for another ending or a file
    that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from viz import lesson
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lesson("tangent", folder + "/tangent.html").name
    'tangent.html'
    """
    if name not in _LESSONS:
        raise ValueError(f"unknown lesson {name!r}: known are {', '.join(_LESSONS)}")
    title, functions = _LESSONS[name]
    code = operations.functions("CURVES", functions())
    data = [slope for _, slope in _CURVES.values()] if name == "tangent" else None
    return _page(name, title, data, code).to(path)


def _page(name: str, title: str, data: Any, code: str = "") -> Page:
    scripts = [*_SCRIPTS, f"lessons/{name}.js"]
    body, styles = source(f"lessons/{name}.html"), ["lessons/lessons.css"]
    return document(title, body, scripts, data, code, styles, height=860)


# -- Curves: {name: (parameters, formulas)} ------------------------------------------


def _with_slopes(curves: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Each function and its derivative, as formulas of x."""
    x = Symbol("x")
    return {name: ("x", jvp(f, (x,), (1.0,))) for name, f in curves.items()}


def _curves() -> dict[str, Any]:
    return _with_slopes({name: f for name, (f, _) in _CURVES.items()})


def _activations() -> dict[str, Any]:
    """The activations, each once, and softmax of three numbers."""
    once = {f: name for name, f in reversed(ACTIVATIONS.items())}
    curves = {name: f for name, f in ACTIVATIONS.items() if once[f] == name}
    logits = tuple(map(Symbol, "abc"))
    return _with_slopes(curves) | {"softmax": ("abc", autograd.softmax(logits))}


def _in_lines() -> dict[str, Any]:
    return _with_slopes({name: ACTIVATIONS[f] for name, f in _IN_LINES.items()})


_LESSONS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "tangent": ("The slope of a curve", _curves),
    "activations": ("Activations and their derivatives", _activations),
    "lines": ("A sum of lines is a line", _in_lines),
}
