"""What losses, metrics and training ask of their data before they use it."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from autograd import DataError, ShapeError

__all__ = ["class_index", "flat", "is_row", "pairs", "refuse_nan", "rows"]

Number = Any


def is_row(x: Any) -> bool:
    """Whether x is a sequence of numbers rather than a number."""
    return isinstance(x, list | tuple) or getattr(x, "shape", ()) != ()


def rows(xs: Any) -> list[Any]:
    """The elements of a sequence, array or table; a single number is one element."""
    if hasattr(xs, "__array__"):
        xs = np.asarray(xs).tolist()
    if hasattr(xs, "level") or isinstance(xs, Real):
        return [xs]
    return list(xs)


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
    same_length(rows(predictions), rows(targets))
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
        if any(t != t for t in flat(target)) if is_row(target) else target != target:
            raise DataError(f"target {i} is NaN: remove that sample, or fill it in")


def class_index(target: Any, classes: int, i: int) -> int:
    """The target of sample i as the index of a class.

    Raises DataError when it is no whole number from 0 to classes - 1.
    """
    index = float(target) if isinstance(target, Real) else -1
    if index not in range(classes):
        raise DataError(
            f"target {i} is {target!r}: a class is a whole number from 0 to "
            f"{classes - 1}, since there are {classes} logits"
        )
    return int(index)
