"""Arrays while a function is traced, and what ``vmap`` makes of them.

A ``TracedArray`` stands for an array argument. Touched like an array it becomes one, of
a tracer for each element; ``vmap`` instead asks for its *rows*: one tracer for each
column, through whose lanes the rows stream. A ``Mapped`` is a result of ``vmap``: one
number for each row of the batch, known as a whole only.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.compiler.recording import Source, Trace
from autograd.errors import ShapeError, TraceError
from autograd.grids import grid
from autograd.operators import BINARY, COMPARISONS, EQUALITIES, Operators
from autograd.primitive import INTERPRETERS, Primitive
from autograd.primitives import TABLE

__all__ = ["Mapped", "TracedArray"]


class TracedArray:
    """An array argument of the function that is being traced."""

    def __init__(self, tracing: Trace, example: Any, source: Source) -> None:
        self.tracing, self.source = tracing, source
        self.shape, self.ndim, self.size = example.shape, example.ndim, example.size
        self.dtype = np.dtype(object)
        self._array: Any = None
        self._rows: dict[int, Any] = {}

    @property
    def array(self) -> Any:
        """A tracer for each element."""
        if self._array is None:
            tracers = self.tracing.inputs(self.source, self.size)
            self._array = grid(tracers, self.shape)
        return self._array

    def rows(self, axis: int) -> Any:
        """A tracer for each column; the batch runs along ``axis``."""
        if axis not in self._rows:
            shape = list(self.shape)
            del shape[axis]
            source = Source("rows", self.source.data, axis)
            if self.source.kind == "array":
                source = Source("array", self.source.data, axis)
            count = int(np.prod(shape, dtype=int))
            tracers = self.tracing.inputs(source, count, lanes=True)
            self._rows[axis] = grid(tracers, tuple(shape)) if shape else tracers[0]
        return self._rows[axis]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.array, name)

    __hash__ = object.__hash__

    def __len__(self) -> int:
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.array)

    def __getitem__(self, place: Any) -> Any:
        return self.array[place]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kw: Any) -> Any:
        given = _beside_each_other(inputs)
        return getattr(ufunc, method)(*given, **kw)

    def __array_function__(self, f: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return f(*_touched(args), **kwargs)

    def __neg__(self) -> Any:
        return -self.array

    def __abs__(self) -> Any:
        return abs(self.array)


def _on_arrays(primitive: Primitive, operands: tuple[Any, ...]) -> Any:
    """A row some of whose operands are traced arrays: on their elements."""
    return primitive.apply(
        primitive.map(
            lambda x: x.array if isinstance(x, TracedArray) else x,
            operands,
        )
    )


INTERPRETERS[TracedArray] = _on_arrays


def _touched(x: Any) -> Any:
    """Traced arrays as arrays of tracers, in the lists and tuples they stand in."""
    if isinstance(x, TracedArray):
        return x.array
    return type(x)(map(_touched, x)) if type(x) in (list, tuple) else x


def _beside_each_other(operands: Sequence[Any]) -> list[Any]:
    """The operands of one operation: arrays beside a batch are batches too."""
    batch = next((x for x in operands if isinstance(x, Mapped)), None)
    if batch is None:
        return [_touched(x) for x in operands]
    arrays = [isinstance(x, Mapped) or bool(np.shape(x)) for x in operands]
    return [
        batch.beside(x) if many else x for x, many in zip(operands, arrays, strict=True)
    ]


def _array_operator(name: str) -> Callable[[Any, Any], Any]:
    plain = name.strip("_")
    reflected = plain.startswith("r") and plain[1:] in (*BINARY, "matmul")
    function = getattr(operator, plain[1:] if reflected else plain)

    def method(self: TracedArray, other: Any) -> Any:
        mine, other = _beside_each_other((self, other))
        return function(other, mine) if reflected else function(mine, other)

    return method


_COMPARED = [*COMPARISONS, *EQUALITIES]
_NAMES = [*BINARY, *[f"r{name}" for name in BINARY], *_COMPARED, "matmul", "rmatmul"]
for _name in _NAMES:
    setattr(TracedArray, f"__{_name}__", _array_operator(f"__{_name}__"))


class Mapped(Operators):
    """One number for each row of a batch: arithmetic, sums and means, nothing else."""

    __slots__ = ("number", "rows", "tracing")

    def __init__(self, number: Any, rows: int, tracing: Trace) -> None:
        self.number, self.rows, self.tracing = number, rows, tracing

    @property
    def level(self) -> float:
        """Just above its trace's, so that it takes every call."""
        return self.tracing.level + 0.5

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kw: Any) -> Any:
        return super().__array_ufunc__(ufunc, method, *_beside_each_other(inputs), **kw)

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Mapped:
        """The row on every sample of the batch."""
        lowered = primitive.map(self._lowered, operands)
        return Mapped(primitive.apply(lowered), self.rows, self.tracing)

    def _lowered(self, x: Any) -> Any:
        if not isinstance(x, Mapped):
            return x
        if x.rows != self.rows:
            raise ShapeError(f"batches of {self.rows} and of {x.rows} rows")
        return x.number

    def beside(self, array: Any) -> Mapped:
        """An array as a batch beside this one."""
        if isinstance(array, Mapped):
            return array
        if not isinstance(array, TracedArray):
            array = np.asarray(array, float)
            array = TracedArray(self.tracing, array, Source("array", array))
        if array.shape != (self.rows,):
            raise ShapeError(
                f"a batch of {self.rows} rows with an array of shape {array.shape}"
            )
        return Mapped(array.rows(0), self.rows, self.tracing)

    def over_rows(self, row: Primitive) -> Any:
        """A row of many operands over the whole batch: only sums are known."""
        if row is not TABLE["sum"]:
            raise TraceError(
                f"{row.name} over the rows of a batch is not known: use sum or mean, "
                f"or return the batch from the compiled function"
            )
        total = self.tracing.sum_of_rows(self.rows)
        return total.apply((self.tracing.tracer(self.number),))

    def sum(self, axis: None = None, dtype: None = None, out: None = None) -> Any:
        """The sum over the batch."""
        return self.over_rows(TABLE["sum"])

    def mean(self, axis: None = None, dtype: None = None, out: None = None) -> Any:
        """The mean over the batch."""
        return self.sum() / float(self.rows)

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[Any]:
        raise TraceError(
            "the rows of a batch stream through the lanes together: compute what is of "
            "one row (its loss, say) in the mapped function, and reduce the batch with "
            "autograd.sum or autograd.mean, or return it"
        )

    def __getitem__(self, place: Any) -> Any:
        return iter(self)

    def __bool__(self) -> bool:
        raise TraceError("a batch of traced numbers has no truth value: use where")

    def __repr__(self) -> str:
        return f"Mapped({self.number!r}, rows={self.rows})"
