"""Grids: object arrays of numbers whose numpy functions are the table's.

numpy's own loops over objects would decide ``maximum`` by ``>=``, and ask for the truth
of conditions that are not known yet. A ``Grid``, and every number with a level, hands
numpy's functions on to here instead.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.table.primitive import Primitive
from autograd.table.primitives import ALIASES, TABLE


class Grid(np.ndarray):
    """An array of numbers that numpy's functions treat as the table says."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kw: Any) -> Any:
        return apply_ufunc(ufunc, method, inputs, kw)

    def __array_function__(self, f: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return apply_function(f, args, kwargs)


def grid(numbers: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """The numbers as an array of that shape."""
    out = np.empty(len(numbers), dtype=object)
    out[:] = numbers
    return out.reshape(shape).view(Grid)


def as_grid(x: Any) -> Any:
    """Object arrays as grids, without axes as their number; all else as it is."""
    if not isinstance(x, np.ndarray) or x.dtype != object:
        return x
    return x.view(Grid) if x.shape else x.item()


def elementwise(function: Callable[..., Any], operands: Sequence[Any]) -> Any:
    """A function of numbers on each element; of numbers alone, their result."""
    boxed = [_shielded(x) for x in operands]
    with np.errstate(all="ignore"):
        return np.frompyfunc(function, len(operands), 1)(*boxed)


def of_many(function: Callable[[Any], Any], operands: Sequence[Any]) -> Any:
    """The same for any number of operands, which the function takes as one list."""
    columns = np.broadcast_arrays(*[_shielded(x) for x in operands])
    flat = [column.view(np.ndarray).ravel().tolist() for column in columns]
    return grid(list(map(function, zip(*flat, strict=True))), columns[0].shape)


def refuse_masked(operands: Any) -> None:
    """Raise TypeError for masked arrays, whose masks would be ignored."""
    if any(isinstance(x, np.ma.MaskedArray) for x in operands):
        raise TypeError(
            "masked arrays are not taken: fill or select first (array.compressed())"
        )


def beside_each_other(operands: Sequence[Any]) -> Sequence[Any]:
    """The operands of one operation. A batch stands for many numbers, one for each
    sample: arrays beside it are batches too, and plain numbers are shared."""
    batch = next((x for x in operands if hasattr(type(x), "beside")), None)
    if batch is None:
        return operands
    return [batch.beside(x) if _has_axes(x) else x for x in operands]


def _has_axes(x: Any) -> bool:
    shape = getattr(x, "shape", None)
    return bool(np.shape(x) if shape is None and not hasattr(x, "level") else shape)


def _shielded(x: Any) -> Any:
    """A number with a level inside a 0-d array, so that numpy does not ask it back."""
    if isinstance(x, Grid):
        return x.view(np.ndarray)
    if not hasattr(x, "level"):
        return np.asarray(x).view(np.ndarray)
    box = np.empty((), dtype=object)
    box[()] = x
    return box


def _clip(x: Any, low: Any, high: Any) -> Any:
    return TABLE["minimum"]((TABLE["maximum"]((x, low)), high))


_UFUNCS: dict[str, Callable[..., Any]] = {
    **{
        name: primitive
        for name, primitive in TABLE.items()
        if primitive.arity in (1, 2)
    },
    **{alias: TABLE[name] for alias, name in ALIASES.items() if TABLE[name].arity},
    "positive": lambda x: x,
    "real": lambda x: x,
    "conjugate": lambda x: x,
    "square": lambda x: x * x,
    "reciprocal": lambda x: TABLE["divide"](1.0, x),
    "float_power": TABLE["power"],
    "maximum": lambda x, y: TABLE["maximum"]((x, y)),
    "minimum": lambda x, y: TABLE["minimum"]((x, y)),
    "clip": _clip,
}
_TRUTHS: dict[str, Callable[..., Any]] = {  # true or false; a condition when traced
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "isnan": lambda x: TABLE["not_equal"](x, x),
    "isfinite": lambda x: TABLE["equal"](x - x, 0.0),
    "isinf": lambda x: TABLE["equal"](abs(x), math.inf),
}
_FOLDS = ("maximum", "minimum")  # which numpy would decide by >= and <=


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kw: Any) -> Any:
    """What a numpy ufunc computes of numbers with a level, or grids of them."""
    name = ufunc.__name__
    refuse_masked(inputs)
    inputs = tuple(beside_each_other(inputs))
    if method == "reduce" and name in _FOLDS:
        return _fold(TABLE[name], *inputs, **kw)
    (out,) = kw.pop("out", (None,))
    for name_of_no_concern in ("casting", "subok"):
        kw.pop(name_of_no_concern, None)
    known = _TRUTHS.get(name) or _UFUNCS.get(name)
    if known is None or method != "__call__" or kw:
        return _by_numpy(ufunc, method, inputs, kw, out)
    result = elementwise(known, inputs)
    if name in _TRUTHS:
        return _as_truths(result)
    if out is None:
        return as_grid(result)
    out[...] = result  # an in-place operator on an array
    return out


def _by_numpy(
    ufunc: Any, method: str, inputs: tuple[Any, ...], kw: Any, out: Any
) -> Any:
    """Sums, products and matrix products, whose loops use + and * alone."""
    plain = ufunc.__name__ in ("add", "multiply", "subtract", "matmul", "vecdot")
    plain &= kw.get("dtype") in (None, object)
    if not plain or set(kw) - {"axis", "keepdims", "dtype", "initial", "where"}:
        called = ufunc.__name__ + ("" if method == "__call__" else f".{method}")
        raise TypeError(
            f"numpy.{called}{' with ' + ', '.join(kw) if kw else ''} does not know "
            f"Values, nor numbers of a transform or trace; use autograd's functions"
        )
    if out is not None:
        kw["out"] = out.view(np.ndarray)
    with np.errstate(all="ignore"):
        found = getattr(ufunc, method)(*map(_shielded, inputs), **kw)
    return as_grid(found) if out is None else out


def _fold(
    primitive: Primitive,
    array: Any,
    axis: Any = 0,
    keepdims: bool = False,
    **others: Any,
) -> Any:
    """``array.max(axis)`` and its like: those that tie share the gradient."""
    unset = (None, True, getattr(np, "_NoValue", None))
    if any(all(x is not y for y in unset) for x in others.values()):
        raise TypeError(
            f"{primitive.name} of such numbers takes no {', '.join(others)}"
        )
    array = np.asarray(_shielded(array))
    axes = range(array.ndim) if axis is None else np.atleast_1d(axis).tolist()
    axes = sorted([k % array.ndim for k in axes]) if array.ndim else []
    front = np.moveaxis(array, axes, range(len(axes)))
    rest = front.shape[len(axes) :]
    result = primitive(tuple(front.reshape(-1, *rest))) if array.ndim else array.item()
    if not keepdims:
        return result
    shape = [1 if k in axes else n for k, n in enumerate(array.shape)]
    return _shielded(result).reshape(shape).view(Grid)


def _as_truths(result: Any) -> Any:
    """Truth values as booleans, where they are known."""
    if not isinstance(result, np.ndarray):
        return bool(result) if type(result) is float else result
    if all(type(x) in (bool, float, np.bool_) for x in result.ravel().tolist()):
        return result.astype(bool)
    return result.view(Grid)


def apply_function(f: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
    """What any other function of numpy computes of them."""
    if f is np.where and len(args) == 3:
        return TABLE["where"](*args)
    with np.errstate(all="ignore"):
        return as_grid(f._implementation(*args, **kwargs))
