"""Functions composed of rows: no derivative is written here.

Each works on floats, Values, duals, traced numbers and arrays alike. "A sequence" is a
list, tuple or array (the sequence of its first axis), or any iterable of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from autograd import primitives as row
from autograd.eager import affine
from autograd.errors import DataError, ShapeError

__all__ = [
    "clip",
    "digamma",
    "dot",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "prod",
    "reciprocal",
    "silu",
    "softmax",
    "square",
    "sum",
    "where",
]

Number = Any


def sum(xs: Iterable[Number]) -> Number:
    """The sum of a sequence, left to right, as one node; 0.0 for an empty one.

    >>> from autograd import Value, sum
    >>> sum([Value(1.0), 2.0, 3.5]).data
    6.5
    """
    return row.sum(xs)


def prod(xs: Iterable[Number]) -> Number:
    """The product of a sequence as one node; 1.0 for an empty one. Zeros are exact."""
    return row.prod(xs)


def dot(ws: Sequence[Number], xs: Sequence[Number], bias: Number = 0.0) -> Number:
    """bias + w1 x1 + w2 x2 + ..., accumulated in that order, as one node.

    Raises ShapeError when the lengths differ. Empty sequences give the bias.

    >>> from autograd import dot
    >>> dot([1.0, 2.0], [3.0, 4.0], 0.5)
    11.5
    """
    ws, xs = _listed(ws, "dot"), _listed(xs, "dot")
    if len(ws) != len(xs):
        raise ShapeError(f"dot of {len(ws)} weights with {len(xs)} inputs")
    if hasattr(bias, "level"):
        return affine([ws], [bias])(xs)[0]
    if type(bias) is float and bias == 0.0:
        return row.dot(ws, xs)
    return row.dot((bias, *ws), (1.0, *xs))


def mean(xs: Iterable[Number]) -> Number:
    """The arithmetic mean of a sequence. Raises DataError for an empty one."""
    listed: Any = xs if hasattr(xs, "over_rows") else _listed(xs, "mean")
    if not len(listed):
        raise DataError("the mean of an empty sequence is not defined")
    return row.sum(listed) / float(len(listed))


def _listed(xs: Any, name: str) -> tuple[Number, ...]:
    try:
        return tuple(xs)
    except TypeError:
        raise TypeError(
            f"{name} takes a sequence of numbers, got {type(xs).__name__}"
        ) from None


def maximum(*xs: Number) -> Number:
    """The largest operand, given one by one or as one sequence; NaN wins.

    Operands that tie share the gradient equally. Raises DataError when there is none.

    >>> from autograd import maximum
    >>> maximum(1.0, 3.0), maximum([2.0, 5.0, 4.0])
    (3.0, 5.0)
    """
    return row.maximum(_some(xs, "maximum"))


def minimum(*xs: Number) -> Number:
    """The smallest operand; otherwise as ``maximum``."""
    return row.minimum(_some(xs, "minimum"))


def _some(xs: tuple[Number, ...], name: str) -> tuple[Number, ...]:
    if len(xs) == 1 and hasattr(xs[0], "__iter__"):
        xs = tuple(xs[0])
    if not xs:
        raise DataError(f"the {name} of an empty sequence is not defined")
    return xs


def where(condition: Number, x: Number, y: Number) -> Number:
    """x where the condition holds (is not 0), else y; gradients follow the choice only.

    So ``where(x > 0, log(x), 0.0)`` has a finite gradient everywhere.
    """
    return row.where(condition, x, y)


def clip(x: Number, low: Number, high: Number) -> Number:
    """x limited to [low, high]; at a bound the gradient is shared, 1/2 to x."""
    return row.minimum((row.maximum((x, low)), high))


def logsumexp(xs: Iterable[Number]) -> Number:
    """log(e^x1 + e^x2 + ...) without overflow, as one node; -inf for an empty one."""
    return row.logsumexp(xs)


def logaddexp(x: Number, y: Number) -> Number:
    """log(e^x + e^y) without overflow."""
    return row.logsumexp((x, y))


def softmax(xs: Iterable[Number]) -> Any:
    """e^xi / (e^x1 + e^x2 + ...) for each element, in a list (an array for an array).

    >>> from autograd import softmax
    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    weights = [row.exp(x) for x in _centred(xs)]
    total = row.sum(weights)  # 1, but for rounding
    return _like(xs, [row.divide(weight, total) for weight in weights])


def log_softmax(xs: Iterable[Number]) -> Any:
    """The logarithm of ``softmax``, accurate where softmax itself underflows."""
    return _like(xs, _centred(xs))


def _centred(xs: Iterable[Number]) -> list[Number]:
    xs = _listed(xs, "softmax")
    total = row.logsumexp(xs)
    return [x - total for x in xs]


def _like(original: Any, result: list[Number]) -> Any:
    if hasattr(original, "dtype"):
        import numpy as np

        return np.asarray(result)
    return result


def square(x: Number) -> Number:
    """x * x."""
    return x * x


def reciprocal(x: Number) -> Number:
    """1 / x."""
    return row.divide(1.0, x)


def silu(x: Number) -> Number:
    """x * sigmoid(x), also called swish."""
    return x * row.sigmoid(x)


def gelu(x: Number) -> Number:
    """x * Phi(x), Phi the normal distribution function; from erfc, good in the tail."""
    return x * (0.5 * row.erfc(x * -math.sqrt(0.5)))


def leaky_relu(x: Number, slope: float = 0.01) -> Number:
    """x above 0, slope * x below; the slope's gradient at 0."""
    return row.where(row.greater(x, 0.0), x, slope * x)


def digamma(x: Number) -> Number:
    """The derivative of lgamma."""
    return row.polygamma(0.0, x)
