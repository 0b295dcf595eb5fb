"""``vmap``: a function of one sample becomes a function of a batch.

Inside ``jit`` the samples stream through one program. A ``TracedArray`` stands for an
array argument: touched like an array it becomes one, of a tracer for each element;
``vmap`` instead asks for its *columns*, one tracer for each number of a sample. A
``Mapped`` is a result of ``vmap``: one number for each sample, known as a whole only.
Everywhere else the samples are taken one by one.

    vmap(f)(X) of shape (100, 3):  f runs once, on 3 tracers; its result is a Mapped
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import numpy as np

from autograd.compiler.trace.tracer import Source, Trace, Tracer
from autograd.errors import ShapeError, TraceError
from autograd.numbers.grids import beside_each_other, grid
from autograd.numbers.operators import BINARY, COMPARISONS, EQUALITIES, Operators
from autograd.spelling import spelled
from autograd.table.primitive import ARRAY_HANDLERS, Primitive
from autograd.table.primitives import TABLE
from autograd.table.reals import short
from autograd.transforms.gradients import tagged
from autograd.transforms.tree import flatten, tree_map


class TracedArray:
    """An array argument of the function that is being traced."""

    def __init__(self, tracing: Trace, example: Any, source: Source) -> None:
        self.tracing, self.source = tracing, source
        self.shape, self.ndim, self.size = example.shape, example.ndim, example.size
        self.dtype = np.dtype(object)
        self._array: Any = None
        self._columns: dict[int, Any] = {}

    @property
    def array(self) -> Any:
        """A tracer for each element."""
        if self._array is None:
            tracers = self.tracing.inputs(self.source, self.size)
            self._array = grid(tracers, self.shape)
        return self._array

    def columns(self, axis: int) -> Any:
        """A tracer for each column; the batch runs along ``axis``."""
        if axis not in self._columns:
            shape = list(self.shape)
            del shape[axis]
            source = Source("samples", self.source.data, axis)
            if self.source.kind == "array":
                source = Source("array", self.source.data, axis)
            count = int(np.prod(shape, dtype=int))
            tracers = self.tracing.inputs(source, count, batched=True)
            self._columns[axis] = grid(tracers, tuple(shape)) if shape else tracers[0]
        return self._columns[axis]

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

    def __setitem__(self, place: Any, value: Any) -> None:
        raise TraceError(
            "an array argument of a compiled function cannot be changed in place: make "
            "a list of it, xs = list(x), and change that"
        )

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
    """A primitive some of whose operands are traced arrays: on their elements, or
    beside a batch as another."""
    flat = primitive.flat(operands)
    sizes = [] if primitive.arity is not None else [len(group) for group in operands]
    return primitive.apply(primitive.regroup(_beside_each_other(flat), sizes))


ARRAY_HANDLERS[TracedArray] = _on_arrays


def _touched(x: Any) -> Any:
    """Traced arrays as arrays of tracers, in the lists and tuples they stand in."""
    if isinstance(x, TracedArray):
        return x.array
    return type(x)(map(_touched, x)) if type(x) in (list, tuple) else x


def _beside_each_other(operands: Sequence[Any]) -> Sequence[Any]:
    """The operands of one operation: arrays beside a batch are batches too."""
    together = beside_each_other(operands)
    return [_touched(x) for x in operands] if together is operands else together


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
    """One number for each sample: arithmetic, sums and means, nothing else."""

    __slots__ = ("number", "samples", "tracing")

    def __init__(self, number: Any, samples: int, tracing: Trace) -> None:
        self.number, self.samples, self.tracing = number, samples, tracing

    @property
    def level(self) -> float:
        """Just above its trace's, so that it takes every call."""
        return self.tracing.level + 0.5

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kw: Any) -> Any:
        return super().__array_ufunc__(ufunc, method, *_beside_each_other(inputs), **kw)

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Mapped:
        """The primitive on every sample."""
        lowered = primitive.map(self._lowered, operands)
        return Mapped(primitive.apply(lowered), self.samples, self.tracing)

    def _lowered(self, x: Any) -> Any:
        if not isinstance(x, Mapped):
            return x
        if x.samples != self.samples:
            raise ShapeError(
                f"batches of {self.samples} and of {x.samples} rows: map arguments of "
                "one length"
            )
        return x.number

    def beside(self, array: Any) -> Mapped:
        """An array as a batch beside this one."""
        if isinstance(array, Mapped):
            return array
        if not isinstance(array, TracedArray):
            array = np.asarray(array)
            if array.dtype != object:
                array = array.astype(float)
                array = TracedArray(self.tracing, array, Source("array", array))
        if array.shape != (self.samples,):
            raise ShapeError(
                f"a batch of {self.samples} rows with an array of shape {array.shape}: "
                "map it too, or use one row of it"
            )
        if not isinstance(array, TracedArray):
            raise TraceError(
                f"a batch of {self.samples} rows with an array of numbers that were "
                f"computed one by one: compute both in one mapped function"
            )
        return Mapped(array.columns(0), self.samples, self.tracing)

    def over_batch(self, primitive: Primitive) -> Any:
        """A primitive of many operands over the whole batch: only sums are known."""
        if primitive is not TABLE["sum"]:
            raise TraceError(
                f"{primitive.name} over the rows of a batch is not known: use sum or "
                f"mean, or return the batch from the compiled function"
            )
        total = self.tracing.sum_over_batch(self.samples)
        return total.apply((self.tracing.tracer(self.number),))

    def sum(self, axis: None = None, dtype: None = None, out: None = None) -> Any:
        """The sum over the batch."""
        return self.over_batch(TABLE["sum"])

    def mean(self, axis: None = None, dtype: None = None, out: None = None) -> Any:
        """The mean over the batch."""
        return self.sum() / float(self.samples)

    def __len__(self) -> int:
        return self.samples

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
        return f"Mapped({self.number!r}, samples={self.samples})"


Tree = Any
Axis = int | None


_FIRST = "nothing: samples stand on the first axis of the results, see numpy.moveaxis"
_SHARED = "in_axes=, with None for an argument that all samples share"


@spelled(
    {"in_dims": "in_axes", "fun": "f", "func": "f"},
    {
        "out_axes": _FIRST,
        "out_dims": _FIRST,
        "static_argnums": _SHARED,
        "static_argnames": _SHARED,
        "static": _SHARED,
        "randomness": "nothing: a function is run as it is",
        "chunk_size": "nothing: batches stream",
    },
)
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
            raise ShapeError(
                f"in_axes has {len(axes)} axes for {len(args)} argument(s): give an "
                "axis or None for each"
            )
        count = _count(args, axes)
        tracing = next((t for t in map(_trace_of, args) if t), None)
        if tracing is not None and count and tracing.batch in (0, count):
            result = _streamed(f, args, axes, count, tracing)
            if result is not None:
                return result
        samples = [f(*_sample(args, axes, k)) for k in range(count)]
        return _stacked(samples)

    made: Callable[..., Tree] = tagged(mapped, vmap, f, places)
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


def _count(args: Sequence[Tree], axes: Sequence[Axis]) -> int:
    """How many samples there are."""
    found = {
        _length(leaf, axis)
        for arg, axis in zip(args, axes, strict=True)
        if axis is not None
        for leaf in _leaves(arg)
    }
    if len(found) != 1:
        raise ShapeError(
            "vmap needs one number of samples, got "
            f"{sorted(found) or 'no mapped axis'}: give all mapped arguments the same "
            "length, and None in in_axes to those that all samples share"
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
            raise ShapeError(
                f"vmap maps arrays, got {type(leaf).__name__}: give an array with a "
                "row for each sample, or None in in_axes for what all share"
            )
        return len(leaf)
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(
            f"in_axes has axis {axis} for an array of shape {tuple(shape)}: use "
            f"one that it has, or None for what all samples share"
        )
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
    count: int,
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
    tracing.sum_over_batch(count)
    outputs, rebuild = flatten(f(*given))
    if not all(_is_plain(y, tracing) for y in outputs):
        return None  # numbers of a transform: it must see every sample
    return rebuild([Mapped(y, count, tracing) for y in outputs])


def _streams(leaf: Any) -> bool:
    """Whether the samples of an argument can stream through one program."""
    if isinstance(leaf, np.ndarray):
        return leaf.dtype.kind in "fiub"
    return isinstance(leaf, TracedArray | Mapped)


def _columns(leaf: Any, axis: int, tracing: Trace) -> Any:
    if isinstance(leaf, Mapped):
        return leaf.number
    if isinstance(leaf, np.ndarray):
        leaf = TracedArray(tracing, leaf, Source("array", leaf))
    return leaf.columns(axis % leaf.ndim)


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
