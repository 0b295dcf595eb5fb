"""Functions composed of rows: no derivative is written here.

Each works on floats, Values, duals, traced numbers and arrays alike. "A sequence" is a
list, tuple or array (the sequence of its first axis), or any iterable of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autograd.errors import DataError, ShapeError
from autograd.numbers.affine import affine
from autograd.table import primitives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.numbers.value import Value

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
N = TypeVar("N", float, "Value")  # floats give floats, Values give Values


@overload
def sum(xs: NDArray[Any]) -> Number: ...
@overload
def sum(xs: Iterable[N]) -> N: ...
@overload
def sum(xs: Iterable[Number]) -> Number: ...
def sum(xs: Iterable[Number]) -> Number:
    """The sum of a sequence, left to right, as one node; 0.0 for an empty one.

    >>> from autograd import Value, sum
    >>> sum([Value(1.0), 2.0, 3.5]).data
    6.5
    """
    return primitives.sum(xs)


@overload
def prod(xs: NDArray[Any]) -> Number: ...
@overload
def prod(xs: Iterable[N]) -> N: ...
@overload
def prod(xs: Iterable[Number]) -> Number: ...
def prod(xs: Iterable[Number]) -> Number:
    """The product of a sequence as one node; 1.0 for an empty one. Zeros are exact."""
    return primitives.prod(xs)


@overload
def dot(ws: Sequence[N], xs: Sequence[N], bias: N = ...) -> N: ...
@overload
def dot(ws: Sequence[Value], xs: Sequence[float], bias: Number = ...) -> Value: ...
@overload
def dot(ws: Sequence[float], xs: Sequence[Value], bias: Number = ...) -> Value: ...
@overload
def dot(ws: Number, xs: Number, bias: Number = ...) -> Number: ...
def dot(ws: Sequence[Number], xs: Sequence[Number], bias: Number = 0.0) -> Number:
    """bias + w1 x1 + w2 x2 + ..., accumulated in that order, as one node.

    Raises ShapeError when the lengths differ. Empty sequences give the bias.

    >>> from autograd import dot
    >>> dot([1.0, 2.0], [3.0, 4.0], 0.5)
    11.5
    """
    ws, xs = _listed(ws, "dot"), _listed(xs, "dot")
    if len(ws) != len(xs):
        raise ShapeError(
            f"dot of {len(ws)} weights with {len(xs)} inputs: give one weight for each "
            "input"
        )
    if hasattr(bias, "level"):
        return affine([ws], [bias])(xs)[0]
    if type(bias) is float and bias == 0.0:
        return primitives.dot(ws, xs)
    return primitives.dot((bias, *ws), (1.0, *xs))


@overload
def mean(xs: NDArray[Any]) -> Number: ...
@overload
def mean(xs: Iterable[N]) -> N: ...
@overload
def mean(xs: Iterable[Number]) -> Number: ...
def mean(xs: Iterable[Number]) -> Number:
    """The arithmetic mean of a sequence. Raises DataError for an empty one."""
    listed: Any = xs if hasattr(xs, "over_batch") else _listed(xs, "mean")
    if not len(listed):
        raise DataError(
            "the mean of an empty sequence is not defined: give at least one number"
        )
    return primitives.sum(listed) / float(len(listed))


def _listed(xs: Any, name: str) -> tuple[Number, ...]:
    try:
        return tuple(xs)
    except TypeError:
        raise TypeError(
            f"{name} takes a sequence of numbers, got {type(xs).__name__}: write "
            f"{name}([x]) for one"
        ) from None


@overload
def maximum(x: float, /, *xs: float) -> float: ...
@overload
def maximum(x: Value, /, *xs: float | Value) -> Value: ...
@overload
def maximum(x: float, y: Value, /) -> Value: ...
@overload
def maximum(xs: NDArray[Any], /) -> Number: ...
@overload
def maximum(xs: Iterable[N], /) -> N: ...
@overload
def maximum(*xs: Number) -> Number: ...
def maximum(*xs: Number) -> Number:
    """The largest operand, given one by one or as one sequence; NaN wins.

    Operands that tie share the gradient equally. Raises DataError when there is none.

    >>> from autograd import maximum
    >>> maximum(1.0, 3.0), maximum([2.0, 5.0, 4.0])
    (3.0, 5.0)
    """
    return primitives.maximum(_some(xs, "maximum"))


@overload
def minimum(x: float, /, *xs: float) -> float: ...
@overload
def minimum(x: Value, /, *xs: float | Value) -> Value: ...
@overload
def minimum(x: float, y: Value, /) -> Value: ...
@overload
def minimum(xs: NDArray[Any], /) -> Number: ...
@overload
def minimum(xs: Iterable[N], /) -> N: ...
@overload
def minimum(*xs: Number) -> Number: ...
def minimum(*xs: Number) -> Number:
    """The smallest operand; otherwise as ``maximum``."""
    return primitives.minimum(_some(xs, "minimum"))


def _some(xs: tuple[Number, ...], name: str) -> tuple[Number, ...]:
    if len(xs) == 1 and hasattr(xs[0], "__iter__"):
        xs = tuple(xs[0])
    if not xs:
        raise DataError(
            f"the {name} of an empty sequence is not defined: give at least one number"
        )
    return xs


@overload
def where(condition: Number, x: float, y: float) -> float: ...
@overload
def where(condition: Number, x: Value, y: float | Value) -> Value: ...
@overload
def where(condition: Number, x: float, y: Value) -> Value: ...
@overload
def where(condition: Number, x: Number, y: Number) -> Number: ...
def where(condition: Number, x: Number, y: Number) -> Number:
    """x where the condition holds (is not 0), else y; gradients follow the choice only.

    So ``where(x > 0, log(x), 0.0)`` has a finite gradient everywhere.
    """
    return primitives.where(condition, x, y)


@overload
def clip(x: N, low: float, high: float) -> N: ...
@overload
def clip(x: Number, low: Number, high: Number) -> Number: ...
def clip(x: Number, low: Number, high: Number) -> Number:
    """x limited to [low, high]; at a bound the gradient is shared, 1/2 to x."""
    return primitives.minimum((primitives.maximum((x, low)), high))


@overload
def logsumexp(xs: NDArray[Any]) -> Number: ...
@overload
def logsumexp(xs: Iterable[N]) -> N: ...
@overload
def logsumexp(xs: Iterable[Number]) -> Number: ...
def logsumexp(xs: Iterable[Number]) -> Number:
    """log(e^x1 + e^x2 + ...) without overflow, as one node; -inf for an empty one."""
    return primitives.logsumexp(xs)


@overload
def logaddexp(x: N, y: N) -> N: ...
@overload
def logaddexp(x: Number, y: Number) -> Number: ...
def logaddexp(x: Number, y: Number) -> Number:
    """log(e^x + e^y) without overflow."""
    return primitives.logsumexp((x, y))


@overload
def softmax(xs: list[N] | tuple[N, ...]) -> list[N]: ...
@overload
def softmax(xs: Iterable[Number]) -> Any: ...
def softmax(xs: Iterable[Number]) -> Any:
    """e^xi / (e^x1 + e^x2 + ...) for each element, in a list (an array for an array).

    >>> from autograd import softmax
    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    weights = [primitives.exp(x) for x in _centred(xs)]
    total = primitives.sum(weights)  # 1, but for rounding
    return _like(xs, [primitives.divide(weight, total) for weight in weights])


@overload
def log_softmax(xs: list[N] | tuple[N, ...]) -> list[N]: ...
@overload
def log_softmax(xs: Iterable[Number]) -> Any: ...
def log_softmax(xs: Iterable[Number]) -> Any:
    """The logarithm of ``softmax``, accurate where softmax itself underflows."""
    return _like(xs, _centred(xs))


def _centred(xs: Iterable[Number]) -> list[Number]:
    xs = _listed(xs, "softmax")
    total = primitives.logsumexp(xs)
    return [x - total for x in xs]


def _like(original: Any, result: list[Number]) -> Any:
    if hasattr(original, "dtype"):
        import numpy as np

        return np.asarray(result)
    return result


@overload
def square(x: N) -> N: ...
@overload
def square(x: Number) -> Number: ...
def square(x: Number) -> Number:
    """x * x."""
    return x * x


@overload
def reciprocal(x: N) -> N: ...
@overload
def reciprocal(x: Number) -> Number: ...
def reciprocal(x: Number) -> Number:
    """1 / x."""
    return primitives.divide(1.0, x)


@overload
def silu(x: N) -> N: ...
@overload
def silu(x: Number) -> Number: ...
def silu(x: Number) -> Number:
    """x * sigmoid(x), also called swish."""
    return x * primitives.sigmoid(x)


@overload
def gelu(x: N) -> N: ...
@overload
def gelu(x: Number) -> Number: ...
def gelu(x: Number) -> Number:
    """x * Phi(x), Phi the normal distribution function; from erfc, good in the tail."""
    return x * (0.5 * primitives.erfc(x * -math.sqrt(0.5)))


@overload
def leaky_relu(x: N, slope: float = 0.01) -> N: ...
@overload
def leaky_relu(x: Number, slope: float = 0.01) -> Number: ...
def leaky_relu(x: Number, slope: float = 0.01) -> Number:
    """x above 0, slope * x below; the slope's gradient at 0."""
    return primitives.where(primitives.greater(x, 0.0), x, slope * x)


@overload
def digamma(x: N) -> N: ...
@overload
def digamma(x: Number) -> Number: ...
def digamma(x: Number) -> Number:
    """The derivative of lgamma."""
    return primitives.polygamma(0.0, x)
