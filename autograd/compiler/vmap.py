"""``vmap``: a function of one sample becomes a function of a batch.

Inside ``jit`` the rows of array arguments stream through the lanes of one program.
Everywhere else the samples are taken one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from autograd.compiler.batches import Mapped, TracedArray
from autograd.compiler.recording import Source, Trace
from autograd.compiler.tracer import Tracer
from autograd.errors import ShapeError
from autograd.numbers import short
from autograd.transforms import marked
from autograd.tree import flatten, tree_map

__all__ = ["vmap"]

Tree = Any
Axis = int | None


def vmap(
    f: Callable[..., Tree], in_axes: Axis | Sequence[Axis] = 0
) -> Callable[..., Tree]:
    """f over a batch: arrays with an axis of samples in, arrays of results out.

    Parameters
    ----------
    f : a function of one sample.
    in_axes : for each argument the axis that counts the samples, or None where all
        samples share it; one for all arguments, or a sequence.

    The results are arrays whose first axis counts the samples; inside ``jit`` they can
    be reduced by ``sum`` and ``mean`` at once, and gradients of shared arguments are
    summed over the batch.

    Raises ShapeError when arguments disagree about the number of samples.

    >>> import numpy as np
    >>> from autograd import vmap
    >>> vmap(lambda x, w: w * x[0] + x[1], in_axes=(0, None))(np.eye(2), 5.0)
    array([5., 1.])
    """
    places = _axes_of(in_axes)

    @wraps(f)
    def mapped(*args: Tree) -> Tree:
        axes = places if isinstance(places, tuple) else (places,) * len(args)
        if len(axes) != len(args):
            raise ShapeError(f"{len(args)} arguments, {len(axes)} in_axes")
        rows = _rows(args, axes)
        tracing = next((t for t in map(_trace_of, args) if t), None)
        if tracing is not None and rows and tracing.batch in (0, rows):
            result = _streamed(f, args, axes, rows, tracing)
            if result is not None:
                return result
        samples = [f(*_sample(args, axes, k)) for k in range(rows)]
        return _stacked(samples)

    made: Callable[..., Tree] = marked(mapped, "vmap", f, places)
    return made


def _axes_of(in_axes: Any) -> Any:
    """One axis, or a tuple of them; raises TypeError for anything else."""
    several = isinstance(in_axes, list | tuple)
    for axis in in_axes if several else [in_axes]:
        if axis is not None and not isinstance(axis, int):
            raise TypeError(
                f"in_axes has an axis or None for each whole argument, got "
                f"{short(axis)}: pass parts of a dict that differ as arguments of "
                f"their own"
            )
    return tuple(in_axes) if several else in_axes


def _rows(args: Sequence[Tree], axes: Sequence[Axis]) -> int:
    """How many samples there are."""
    found = {
        _length(leaf, axis)
        for arg, axis in zip(args, axes, strict=True)
        if axis is not None
        for leaf in _leaves(arg)
    }
    if len(found) != 1:
        raise ShapeError(
            f"vmap needs one number of samples, got {sorted(found) or 'no mapped axis'}"
        )
    return int(found.pop())


def _leaves(arg: Tree) -> list[Any]:
    """The arrays of an argument; a list of numbers is one axis of samples."""
    if isinstance(arg, dict):
        return [leaf for part in arg.values() for leaf in _leaves(part)]
    if isinstance(arg, tuple):
        return [leaf for part in arg for leaf in _leaves(part)]
    if _holds_arrays(arg):
        return [leaf for part in arg for leaf in _leaves(part)]
    return [arg]


def _holds_arrays(arg: Tree) -> bool:
    return isinstance(arg, list) and bool(arg) and bool(getattr(arg[0], "shape", ()))


def _length(leaf: Any, axis: int) -> int:
    shape = getattr(leaf, "shape", None)
    if shape is None:
        if axis != 0 or not hasattr(leaf, "__len__"):
            raise ShapeError(f"vmap maps arrays, got {type(leaf).__name__}")
        return len(leaf)
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"axis {axis} of an array of shape {tuple(shape)}")
    return int(shape[axis])


def _trace_of(arg: Tree) -> Trace | None:
    for leaf in _leaves(arg):
        if isinstance(leaf, TracedArray | Mapped):
            return leaf.tracing
    return None


def _streamed(
    f: Callable[..., Tree],
    args: Sequence[Tree],
    axes: Sequence[Axis],
    rows: int,
    tracing: Trace,
) -> Tree:
    """One run on tracers whose lanes are the samples; None if that is not possible."""
    mapped = [
        leaf
        for arg, axis in zip(args, axes, strict=True)
        if axis is not None
        for leaf in _leaves(arg)
    ]
    if not all(map(_streams, mapped)):
        return None
    given = []
    for arg, axis in zip(args, axes, strict=True):
        if axis is None:
            given.append(arg)
            continue
        columns = [_columns(leaf, axis, tracing) for leaf in _leaves(arg)]
        given.append(_like(arg, iter(columns)))
    tracing.sum_of_rows(rows)
    outputs, rebuild = flatten(f(*given))
    if not all(_is_plain(y, tracing) for y in outputs):
        return None  # numbers of a transform: it must see every sample
    return rebuild([Mapped(y, rows, tracing) for y in outputs])


def _streams(leaf: Any) -> bool:
    """Whether the rows of an argument can stream through the lanes."""
    if isinstance(leaf, np.ndarray):
        return leaf.dtype.kind in "fiub"
    return isinstance(leaf, TracedArray | Mapped)


def _columns(leaf: Any, axis: int, tracing: Trace) -> Any:
    if isinstance(leaf, Mapped):
        return leaf.number
    if isinstance(leaf, np.ndarray):
        leaf = TracedArray(tracing, leaf, Source("array", leaf))
    return leaf.rows(axis % leaf.ndim)


def _like(arg: Tree, columns: Any) -> Tree:
    if isinstance(arg, dict):
        return {key: _like(part, columns) for key, part in arg.items()}
    if isinstance(arg, tuple):
        return tuple([_like(part, columns) for part in arg])
    if _holds_arrays(arg):
        return [_like(part, columns) for part in arg]
    return next(columns)


def _is_plain(y: Any, tracing: Trace) -> bool:
    if not hasattr(y, "level"):
        return True
    return isinstance(y, Tracer) and y.trace is tracing


def _sample(args: Sequence[Tree], axes: Sequence[Axis], k: int) -> list[Tree]:
    given = []
    for arg, axis in zip(args, axes, strict=True):
        if axis is None:
            given.append(arg)
        else:
            given.append(_like(arg, iter([_at(x, axis, k) for x in _leaves(arg)])))
    return given


def _at(leaf: Any, axis: int, k: int) -> Any:
    if isinstance(leaf, TracedArray):
        leaf = leaf.array
    if axis == 0:
        return leaf[k]
    return np.moveaxis(leaf, axis, 0)[k]


def _stacked(samples: list[Tree]) -> Tree:
    """Arrays of floats, or object arrays of nodes, one for each number of a result."""
    if not samples:
        return np.zeros(0)
    first = samples[0]
    if isinstance(first, np.ndarray) and first.ndim:
        return np.stack(samples)
    if isinstance(first, dict):
        return {key: _stacked([sample[key] for sample in samples]) for key in first}
    if type(first) in (list, tuple):
        columns = zip(*samples, strict=True)
        return type(first)([_stacked(list(column)) for column in columns])

    def column(*numbers: Any) -> Any:
        if any(hasattr(x, "level") for x in numbers):
            boxed = np.empty(len(numbers), dtype=object)
            boxed[:] = numbers
            return boxed
        return np.array(numbers, float)

    return tree_map(column, *samples)
