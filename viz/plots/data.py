"""What the plots share: axes to draw on, and data checked before it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.errors import DataError, ShapeError
from autograd.graph.modes import no_grad
from autograd.missing import missing
from autograd.numbers.value import Value
from autograd.table.reals import as_float
from nn.validation import elements


def axes(ax: Any) -> Any:
    """The given axes, or those of a new figure."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise missing("plots need matplotlib", "matplotlib") from None
    return pyplot.subplots()[1]


def plain(text: str) -> str:
    r"""Text for matplotlib that stays a text, whatever dollar signs stand in it.

    >>> print(plain("$5 to $10"))
    \$5 to \$10
    """
    return text.replace("$", r"\$")


def column_names(table: Any) -> list[str] | None:
    """The names of a data frame's columns; None for what has none."""
    columns = getattr(table, "columns", None)
    return None if columns is None or callable(columns) else [str(c) for c in columns]


def name_of(series: Any, otherwise: str) -> str:
    """The name of a column of a data frame, if this is one that has a name."""
    name = getattr(series, "name", None)
    return name if isinstance(name, str) else otherwise


def classes(y: Any) -> tuple[list[Any], Any]:
    """The classes in order, and for each of y the index of its class.

    Classes are numbers, or all of them are texts.

    >>> classes(["dog", "cat", "dog"])[0], classes([1, -1])[0]
    (['cat', 'dog'], [-1.0, 1.0])
    """
    found = [y] if isinstance(y, str) else elements("y", y)
    if not any(isinstance(k, str) for k in found):
        found = numbers(found, "y").tolist()
    elif not all(isinstance(k, str) for k in found):
        raise DataError("y mixes texts and numbers: name all classes by one of them")
    kinds = sorted(set(found))
    return kinds, np.array([kinds.index(k) for k in found])


def scalar(x: Any, name: str, finite: bool = True) -> float:
    """The float that a number or a Value holds; a model's only output also counts."""
    if isinstance(x, list | tuple) and len(x) == 1:
        x = x[0]
    value = x.data if isinstance(x, Value) else as_float(x)
    if finite and not np.isfinite(value):
        raise DataError(
            f"{name} is {value}: a finite number is needed to draw it: remove it, or "
            "fill it in"
        )
    return value


def numbers(xs: Iterable[Any], name: str) -> Any:
    """A non-empty float array of one axis without NaN, from numbers or Values."""
    found = np.array([scalar(x, f"{name}[{i}]") for i, x in enumerate(xs)], dtype=float)
    if not found.size:
        raise DataError(
            f"{name.strip()} is empty: there is nothing to draw, give at least one "
            "number"
        )
    return found


def points(xs: Iterable[Any], name: str) -> Any:
    """A float array of shape (n, 2), n > 0, from pairs of numbers or Values."""
    rows = [list(row) for row in elements(name, xs)]
    for i, row in enumerate(rows):
        if len(row) != 2:
            raise ShapeError(
                f"{name} needs 2 coordinates for each point, got {len(row)} at row {i}"
            )
    return numbers([x for row in rows for x in row], name).reshape(-1, 2)


def on_grid(f: Callable[[Any], Any], each: Callable[[Any], Any], grid: Any) -> Any:
    """f of all rows of the grid at once if it can, else ``each`` row by row.

    Returns n numbers, or n rows of scores when there are several for each point.
    """
    with no_grad():
        try:
            found = np.asarray(f(grid), dtype=float)
        except Exception:
            found = np.empty(0)
        if found.shape[:1] != (len(grid),) or found.ndim > 2:
            found = np.array([_row(each(row)) for row in grid.tolist()])
    return found.reshape(len(grid)) if found.size == len(grid) else found


def _row(y: Any) -> Any:
    if isinstance(y, list | tuple | np.ndarray) and np.shape(y) not in ((), (1,)):
        return [scalar(score, "a score", finite=False) for score in y]
    return scalar(y.item() if isinstance(y, np.ndarray) else y, "f", finite=False)
