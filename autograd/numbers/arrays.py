"""Rows on numpy arrays: a float array is a batch, an object array a grid of numbers.

``NUMPY`` is the table of this machine: how numpy evaluates each row. Rows that numpy
lacks are mapped over the elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.numbers.grids import (
    as_grid,
    beside_each_other,
    elementwise,
    of_many,
    refuse_masked,
)
from autograd.table.primitive import ARRAY_HANDLERS, Primitive
from autograd.table.primitives import TABLE

Array = Any


def _each(name: str) -> Callable[..., Array]:
    """Map the float evaluation over the elements."""
    evaluate = TABLE[name].evaluate
    mapped = np.frompyfunc(evaluate, TABLE[name].arity or 1, 1)
    return lambda *xs: np.asarray(mapped(*xs)).astype(float)


def _truth(compare: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda x, y: compare(x, y).astype(float)


def _left_to_right(combine: Callable[[Array, Array], Array], start: float) -> Any:
    """Fold the first axis in the eager engine's order."""

    def fold(xs: Array) -> Array:
        total = start
        for x in xs:
            total = combine(total, x)
        return total

    return fold


def _dot(ws: Array, xs: Array) -> Array:
    return _left_to_right(np.add, 0.0)([w * x for w, x in zip(ws, xs, strict=True)])


def _logsumexp(xs: Array) -> Array:
    xs = np.array(np.broadcast_arrays(*xs))
    largest = xs.max(axis=0)
    shift = np.where(np.isfinite(largest), largest, 0.0)
    powers = np.exp(xs - shift)
    np.put_along_axis(powers, xs.argmax(axis=0)[np.newaxis], 0.0, axis=0)
    result = shift + np.log1p(_left_to_right(np.add, 0.0)(powers))
    return np.where(np.isfinite(largest), result, largest)


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _sech2(x: Array) -> Array:
    e = np.exp(x)
    inverse = 2.0 / (e + 1.0 / e)
    return inverse * inverse


def _guarded_multiply(x: Array, y: Array) -> Array:
    product = x * y
    return np.where(np.isnan(product) & (x == 0.0), 0.0, product)


def _selected_multiply(x: Array, y: Array) -> Array:
    product = x * y
    zero = (x == 0.0) | (y == 0.0)
    return np.where(np.isnan(product) & zero, 0.0, product)


_SAME_NAME = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "remainder",
    "negative",
    "absolute",
    "sign",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sqrt",
    "cbrt",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "hypot",
    "arctan2",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
]
_MAPPED = ["direction_cosine", "gaussian", "erf", "erfc", "lgamma", "polygamma"]

# name -> function of arrays (n-ary ones: of the sequence of operands)
NUMPY: dict[str, Callable[..., Array]] = {
    **{name: getattr(np, name) for name in _SAME_NAME},
    **{name: _each(name) for name in _MAPPED},
    **{
        name: _truth(getattr(np, name))
        for name in [
            "less",
            "less_equal",
            "greater",
            "greater_equal",
            "equal",
            "not_equal",
        ]
    },
    # + 0.0: Python's whole numbers have no -0
    "floor": lambda x: np.floor(x) + 0.0,
    "ceil": lambda x: np.ceil(x) + 0.0,
    "trunc": lambda x: np.trunc(x) + 0.0,
    "floor_divide": lambda x, y: np.where(y == 0, np.nan, np.floor_divide(x, y)),
    "power": np.power,
    "guarded_multiply": _guarded_multiply,
    "selected_multiply": _selected_multiply,
    "where": lambda c, x, y: np.where(np.asarray(c) != 0, x, y),
    "nonnegative": lambda x: np.where(x >= 0, x + 0.0, np.nan),
    "one_minus_square": lambda x: (1.0 - x) * (1.0 + x),
    "sigmoid": _sigmoid,
    "sech2": _sech2,
    "softplus": lambda x: np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))),
    "relu": lambda x: np.where(x > 0, x, np.where(np.isnan(x), x, 0.0)),
    "step": lambda x: np.where(np.isnan(x), x, (x > 0) * 1.0),
    "sum": _left_to_right(np.add, 0.0),
    "prod": _left_to_right(np.multiply, 1.0),
    "dot": _dot,
    "maximum": lambda xs: np.maximum.reduce(np.broadcast_arrays(*xs)),
    "minimum": lambda xs: np.minimum.reduce(np.broadcast_arrays(*xs)),
    "logsumexp": _logsumexp,
}


def _is_numeric(x: Any) -> bool:
    return not isinstance(x, np.ndarray) or x.dtype.kind in "fiub"


def _evaluate(primitive: Primitive, operands: tuple[Any, ...]) -> Array:
    """A primitive some of whose operands are arrays."""
    flat = primitive.flat(operands)
    refuse_masked(flat)
    together = beside_each_other(flat)
    if together is not flat:
        lengths = [len(group) for group in operands] if primitive.arity is None else []
        return primitive.apply(primitive.regroup(together, lengths))
    numeric = all(_is_numeric(x) and not hasattr(x, "level") for x in flat)
    evaluate = NUMPY.get(primitive.name)
    if numeric and evaluate is not None and primitive.builtin:
        with np.errstate(all="ignore"):
            return evaluate(*primitive.map(_as_floats, operands))
    if primitive.arity is None:
        lengths = [len(group) for group in operands]

        def call(xs: Any) -> Any:
            return primitive.apply(primitive.regroup(xs, lengths))

        result = of_many(call, flat)
    else:
        result = elementwise(primitive, flat)
    return result.astype(float) if numeric else as_grid(result)


def _as_floats(x: Any) -> Array:
    return np.asarray(x, dtype=float)


ARRAY_HANDLERS[np.ndarray] = _evaluate
