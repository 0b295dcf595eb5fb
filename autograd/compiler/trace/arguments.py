"""Arguments and results of compiled functions: trees in, one flat array, trees out.

A *spec* remembers how one argument is made of numbers. Arrays are passed on as
they are; everything else (numbers, lists, dicts, modules) is flattened at each call.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.errors import TraceError
from autograd.numbers.grids import refuse_masked
from autograd.numbers.value import Value
from autograd.table.reals import as_float
from autograd.transforms.tree import flatten, named, structure

Floats = npt.NDArray[np.float64]
FLOAT64 = np.dtype(np.float64)
Tree = Any


def is_array(x: Any) -> bool:
    """Whether x is a numpy array of real numbers, with at least one axis."""
    return isinstance(x, np.ndarray) and x.ndim > 0 and x.dtype.kind in "fiub"


def key_of(x: Tree) -> Any:
    """Equal for arguments of as many numbers that one program serves."""
    if type(x) is float:
        return "leaf"
    if is_array(x):
        return x.shape
    if isinstance(x, dict):
        return "dict", tuple([(name, key_of(part)) for name, part in x.items()])
    if isinstance(x, list | tuple):
        return type(x), tuple([key_of(part) for part in x])
    if hasattr(x, "__tree_key__"):
        return id(x), x.__tree_key__()
    if hasattr(x, "__tree_flatten__"):
        return id(x)
    return structure(x)


def numbers_of(x: Tree, as_floats: bool) -> tuple[Floats | None, list[Any] | None]:
    """The numbers of an argument as a flat array; and its leaves, if some are nodes.

    No array for numbers of a transform that is under way.
    """
    if is_array(x):
        refuse_masked([x])
        ours = type(x) is np.ndarray and x.dtype is FLOAT64
        if not (ours and x.flags.c_contiguous):
            x = np.ascontiguousarray(x, dtype=float)
        return x if x.ndim == 1 else x.reshape(-1), None
    if hasattr(x, "__tree_numbers__") and (known := x.__tree_numbers__()) is not None:
        numbers, leaves = known
        return numbers, None if as_floats else leaves
    leaves, _ = flatten(x, as_floats=as_floats)
    levels = [leaf.level for leaf in leaves if hasattr(leaf, "level")]
    if any(level > 0 for level in levels):
        return None, leaves
    nodes = bool(levels)
    plain = [leaf.data if isinstance(leaf, Value) else leaf for leaf in leaves]
    try:
        if not all(type(x) is float for x in plain):
            plain = [as_float(x) for x in plain]
        numbers = np.array(plain, float)
        return numbers, leaves if nodes else None
    except TypeError:
        kinds = sorted({type(leaf).__name__ for leaf in plain} - {"float", "int"})
        raise TraceError(
            f"a compiled function takes numbers, Values, arrays, modules and trees of "
            f"them, got {', '.join(kinds)}; name other arguments in static="
        ) from None


class TreeSpec:
    """How an argument, or a gradient like it, is built from numbers."""

    def __init__(self, example: Tree, as_floats: bool = False) -> None:
        self.shape: tuple[int, ...] | None = None
        if is_array(example):  # stays as it is
            self.shape, self.count = example.shape, example.size
            return
        leaves, self.rebuild = flatten(example, as_floats=as_floats)
        self.rebuild_named = flatten(named(example))[1]
        self.count = len(leaves)

    def gradient(self, numbers: Floats) -> Tree:
        """The argument's gradient: like it, a module's as a dict of names."""
        if self.shape is not None:
            return numbers.reshape(self.shape)
        return self.rebuild_named(numbers.tolist())
