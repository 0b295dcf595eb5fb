"""What users pass, checked where it arrives: the error names the argument.

Settings first: a wrong type is a TypeError, a senseless number or an unknown name a
ValueError. Then data: what is no number is a TypeError; numbers that cannot be used
are a DataError, lengths that do not fit a ShapeError.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import DataError, ShapeError, Value
from autograd.table.reals import as_float, short

Number = Any


# -- Settings ------------------------------------------------------------------------


def real(name: str, x: Any) -> Any:
    try:
        as_float(x)
    except TypeError:
        raise TypeError(f"{name} must be a real number, got {short(x)}") from None
    except OverflowError:
        raise ValueError(
            f"{name} must be a finite number: it is beyond the largest float, 1.8e308"
        ) from None
    return x


def integer(name: str, x: Any) -> int:
    """x as an int; NumPy's integers are accepted."""
    try:
        return operator.index(x)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {short(x)}") from None


def _rule(holds: Callable[[Any], bool], text: str) -> Callable[[str, Any], Any]:
    """A check, which returns the real number that it is given if the rule holds."""

    def check(name: str, x: Any) -> Any:
        if not holds(real(name, x)):
            raise ValueError(f"{name} must {text}, got {short(x)}")
        return x

    return check


positive = _rule(lambda x: x > 0, "be > 0")
nonnegative = _rule(lambda x: x >= 0.0 and isfinite(x), "be a finite number >= 0")
in_unit_interval = _rule(lambda x: 0.0 <= x < 1.0, "lie in [0, 1)")


def function(name: str, f: Any, what: str) -> Any:
    if not callable(f):
        raise TypeError(f"{name} must be {what}, got {short(f)}")
    return f


def as_list(name: str, given: Any, what: str) -> list[Any]:
    """One name or function, or an iterable of them, as a list."""
    if isinstance(given, str) or callable(given):
        return [given]
    try:
        return list(given)
    except TypeError:
        raise TypeError(
            f"{name} must be {what}, or a list of them, got {short(given)}"
        ) from None


# -- Data ----------------------------------------------------------------------------


def is_sequence(x: Any) -> bool:
    """Whether x is a sequence of numbers rather than a number."""
    return isinstance(x, list | tuple) or getattr(x, "shape", ()) != ()


def elements(name: str, xs: Any) -> list[Any]:
    """The elements of any iterable or table; a single number is one element.

    Raises TypeError for text and what has no elements, DataError for masked ones.
    """
    refuse_masked(name, xs)
    if type(xs) is list:
        return [*xs]
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


def refuse_masked(name: str, xs: Any) -> None:
    """Raise DataError for masked elements, in an array or in a row of a list."""
    parts = {name: xs}
    if isinstance(xs, list | tuple):
        if not any(map(_is_of_masks, {*map(type, xs)})):
            return
        parts = {f"{name}[{i}]": x for i, x in enumerate(xs)}
    for place, part in parts.items():
        if np.ma.is_masked(part) and part is not np.ma.masked:
            raise DataError(
                f"{place} has {np.sum(part.mask)} masked element(s): remove those "
                f"samples, or fill them in"
            )


@cache
def _is_of_masks(kind: type) -> bool:
    return issubclass(kind, np.ma.MaskedArray)


def array(name: str, xs: Any) -> NDArray[np.float64]:
    """Numbers, or rows of them, as an array of floats; the errors call it ``name``.

    Raises TypeError for what is no number, ShapeError for rows of different lengths,
    DataError for masked elements and numbers beyond the largest float.
    """
    refuse_masked(name, xs)
    try:
        found = np.asarray(xs)
    except ValueError:
        raise ShapeError(
            f"the rows of {name} have different lengths: give each the same number of "
            "columns"
        ) from None
    if found.dtype.kind in "biuf":
        return found.astype(float)
    cells = [number(name, x, *at) for at, x in np.ndenumerate(found)]
    return np.array(cells, dtype=float).reshape(found.shape)


def number(name: str, x: Any, *at: int) -> float:
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


def finite(name: str, x: Any, *at: int) -> float:
    """As ``number``, and DataError for NaN and infinities."""
    found = number(name, x, *at)
    if not isfinite(found):
        raise DataError(
            f"{_place(name, at)} is {short(x)}: remove that sample, or fill it in"
        )
    return found


def _place(name: str, at: tuple[int, ...]) -> str:
    return name + "".join([f"[{i}]" for i in at])


def plain(name: str, x: Any, *at: int) -> Any:
    """A number, or rows of them, as floats and lists: the data of Values."""
    if is_sequence(x):
        return [
            y.data if isinstance(y, Value) else plain(name, y, *at, i)
            for i, y in enumerate(elements(name, x))
        ]
    return number(name, x.data if isinstance(x, Value) else x, *at)


def flat(xs: list[Any]) -> list[Number]:
    """The numbers of a list, or of a list of rows, with ints made floats."""
    out: list[Number] = []
    for x in xs:
        if is_sequence(x):
            out += flat(elements("the data", x))
        elif isinstance(x, int | str | None):
            out.append(number("a prediction or target", x))
        else:
            out.append(x)
    return out


def pairs(predictions: Any, targets: Any) -> list[tuple[Number, Number]]:
    """Each prediction with its target, of rows number by number; see ``matched``.

    >>> pairs([[1.0, 2.0], [3.0, 4.0]], [[0, 1], [1, 0]])
    [(1.0, 0.0), (2.0, 1.0), (3.0, 1.0), (4.0, 0.0)]
    """
    ps, ts = map(flat, matched("predictions", predictions, targets))
    _same_length(ps, ts)
    return list(zip(ps, ts, strict=True))


def matched(name: str, outputs: Any, targets: Any) -> tuple[list[Any], list[Any]]:
    """Outputs and targets as lists of one length.

    Raises ShapeError naming both lengths, DataError for empty data or a NaN target.
    """
    found, wanted = elements(name, outputs), elements("targets", targets)
    _same_length(found, wanted)
    if not found:
        raise DataError("a loss or metric needs at least one prediction, got none")
    for i, target in enumerate(wanted):
        if type(target) is int:
            continue
        numbers = flat([target]) if is_sequence(target) else [target]
        if any(map(_is_nan, numbers)):
            raise DataError(f"target {i} is NaN: remove that sample, or fill it in")
    return found, wanted


def _same_length(predictions: list[Any], targets: list[Any]) -> None:
    if len(predictions) != len(targets):
        raise ShapeError(
            f"{len(predictions)} predictions with {len(targets)} targets: give one "
            f"target for each prediction"
        )


def _is_nan(x: Any) -> bool:
    """Whether a number is NaN; a traced one has no value yet, and is not."""
    value = x.data if isinstance(x, Value) else x
    return isinstance(value, Real) and value != value


def class_index(target: Any, classes: int, i: int) -> int:
    """The target of sample i as the index of a class.

    Raises DataError when it is no whole number from 0 to classes - 1.
    """
    if type(target) is int and 0 <= target < classes:
        return target
    if not (isinstance(target, Real) and target in range(classes)):
        raise DataError(
            f"target {i} is {short(target)}: a class must be a whole number from 0 to "
            f"{classes - 1}, since there are {classes} logits"
        )
    return int(float(target))
