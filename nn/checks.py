"""What losses, metrics and training ask of their data before they use it."""

from __future__ import annotations

from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from autograd import DataError, ShapeError, Value
from autograd.table.reals import as_float, short

__all__ = [
    "class_index",
    "finite",
    "flat",
    "is_row",
    "number",
    "pairs",
    "plain",
    "refuse_nan",
    "rows",
    "same_length",
]

Number = Any


def is_row(x: Any) -> bool:
    """Whether x is a sequence of numbers rather than a number."""
    return isinstance(x, list | tuple) or getattr(x, "shape", ()) != ()


def rows(xs: Any, name: str = "the data") -> list[Any]:
    """The elements of any iterable or table; a single number is one element.

    Raises TypeError for text and what has no elements, DataError for masked ones.
    """
    if np.ma.is_masked(xs) and xs is not np.ma.masked:
        raise DataError(
            f"{name} has {np.sum(xs.mask)} masked element(s): remove those "
            f"samples, or fill them in"
        )
    if hasattr(xs, "toarray"):
        raise TypeError(f"{name} is a sparse matrix: pass {name}.toarray()")
    if hasattr(xs, "__array__"):
        xs = np.asarray(xs).tolist()
    single = hasattr(xs, "level") and not hasattr(xs, "__len__")
    if single or isinstance(xs, Real):
        return [xs]
    if isinstance(xs, str | bytes) or not (
        hasattr(xs, "__iter__") or hasattr(xs, "__getitem__")
    ):
        raise TypeError(
            f"{name} must be a sequence of numbers or rows, got {short(xs)}"
        )
    return list(xs)


def number(x: Any, name: str, *at: int) -> float:
    """x as a float; the errors call it ``name[i][j]`` for ``at`` = i, j."""
    if x is np.ma.masked:
        raise DataError(
            f"{_place(name, at)} is masked: remove that sample, or fill it in"
        )
    try:
        return as_float(x)
    except TypeError:
        raise TypeError(
            f"{_place(name, at)} is {short(x)}: expected a real number"
        ) from None
    except OverflowError:
        raise DataError(
            f"{_place(name, at)} is beyond the largest float, 1.8e308: scale it down"
        ) from None


def finite(x: Any, name: str, *at: int) -> float:
    """As ``number``, and DataError for NaN and infinities."""
    found = number(x, name, *at)
    if not isfinite(found):
        raise DataError(
            f"{_place(name, at)} is {short(x)}: remove that sample, or fill it in"
        )
    return found


def _place(name: str, at: tuple[int, ...]) -> str:
    return name + "".join([f"[{i}]" for i in at])


def plain(x: Any, name: str, *at: int) -> Any:
    """A number, or rows of them, as floats and lists: the data of Values."""
    if is_row(x):
        return [plain(y, name, *at, i) for i, y in enumerate(rows(x, name))]
    return number(x.data if isinstance(x, Value) else x, name, *at)


def flat(xs: Any) -> list[Number]:
    """The numbers of a sequence, or of a sequence of rows, with ints made floats."""
    out: list[Number] = []
    for x in rows(xs):
        if is_row(x):
            out += flat(x)
        else:
            out.append(float(x) if isinstance(x, int) else x)
    return out


def pairs(predictions: Any, targets: Any) -> tuple[list[Number], list[Number]]:
    """Predictions and targets as flat lists of one length, without NaN targets.

    Raises ShapeError naming both lengths, DataError for empty data or a NaN target.
    """
    predictions, targets = rows(predictions, "predictions"), rows(targets, "targets")
    same_length(predictions, targets)
    ps, ts = flat(predictions), flat(targets)
    same_length(ps, ts)
    refuse_nan(ts)
    return ps, ts


def same_length(predictions: list[Any], targets: list[Any]) -> None:
    """Raise ShapeError for different lengths, DataError for nothing at all."""
    if len(predictions) != len(targets):
        raise ShapeError(
            f"{len(predictions)} predictions with {len(targets)} targets: give one "
            f"target for each prediction"
        )
    if not predictions:
        raise DataError("a loss or metric needs at least one prediction, got none")


def refuse_nan(targets: list[Any]) -> None:
    """Raise DataError naming the first target that is NaN, or a row with one."""
    for i, target in enumerate(targets):
        if any(map(_is_nan, flat(target) if is_row(target) else [target])):
            raise DataError(f"target {i} is NaN: remove that sample, or fill it in")


def _is_nan(x: Any) -> bool:
    """Whether a number is NaN; of a traced one nobody knows yet."""
    number = x.data if isinstance(x, Value) else x
    return isinstance(number, Real) and number != number


def class_index(target: Any, classes: int, i: int) -> int:
    """The target of sample i as the index of a class.

    Raises DataError when it is no whole number from 0 to classes - 1.
    """
    index = float(target) if isinstance(target, Real) else -1
    if index not in range(classes):
        raise DataError(
            f"target {i} is {short(target)}: a class is a whole number from 0 to "
            f"{classes - 1}, since there are {classes} logits"
        )
    return int(index)
