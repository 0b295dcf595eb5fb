"""The memory of a numpy machine, and the steps that compute in it.

Streams of numbers are views of the memory where they are affine (``nests``), gathers
where they are not. A *step* is a function of numpy and its arguments, all made once:
``np.multiply, (view, view, view)``. Here are

- ``Memory``: views and gathers of its numbers, and the list of steps;
- ``function_of``: the steps as one Python function, which calls one after the other.
  Where large arrays are *regions* of the memory, the function takes them as arguments
  and makes its views of them anew at each call: they need not be copied;
- ``Guards``: which steps are left out. A plain product in which an exact 0 meets
  infinity or NaN is NaN where the guarded one (``autograd.graph.strong``) is 0, and so
  is whatever is made of it: results that are numbers need no guard. A program runs
  without guards until it has met a NaN, and with them from then on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Floats, Mask, Operation
from autograd.compiler.bulk.layout import Layout, Section, overlaps
from autograd.compiler.bulk.nests import Nest, factor
from autograd.compiler.trace.program import Ints

Do = Callable[..., None]  # one more step: a function and its arguments
Step = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
Region = tuple[int, int]  # addresses in the memory, begin to end
_FEW = 300  # numbers that are gathered faster than loops are set up
DEEPEST = 4  # loops of a view; streams of more are gathered
LARGE = 8192  # numbers that are worth more than a few views of them
_MANY = 4000  # steps that are too many for one function


class Memory:
    """The numbers of a program, and the steps that compute them.

    With a batch every array has a last axis of its samples; what the samples share is
    broadcast along it.
    """

    def __init__(self, layout: Layout, numbers: Floats | None = None) -> None:
        self.layout = layout
        self.numbers = layout.memory() if numbers is None else numbers
        self.steps: list[Step] = []
        self.mending: set[int] = set()  # steps that only a NaN makes necessary
        self._gathers: dict[tuple[bytes, bool], Floats] = {}

    def do(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """One more step; what it reads and writes are its arguments."""
        self.steps.append((function, arguments, named))

    def mend(self, function: Callable[..., Any], *arguments: Any) -> None:
        """One more step, needed where the steps before have made a NaN of 0 * inf."""
        self.mending.add(len(self.steps))
        self.do(function, *arguments)

    def complete(self) -> None:
        self._gathers.clear()

    def block(self, target: Ints) -> Floats:
        """The block of the memory where a result belongs, or a buffer, both flat."""
        addresses = self.layout.address[target]
        width = self.layout.samples if self.layout.is_batched(target) else 1
        n = len(addresses)
        if n and (np.diff(addresses) == width).all():
            return self.numbers[addresses[0] : addresses[0] + n * width]
        return np.empty(n * width)

    def store(self, target: Ints, result: Floats) -> None:
        """Scatter a buffer; a block of the memory needs nothing."""
        if result.base is not None or not len(target):
            return
        nest = self.nest([target], self.layout.is_batched(target))
        if self.shallow(nest):
            (view,) = self.views(nest)
            self.do(np.copyto, view, result.reshape(view.shape))
        else:
            self.do(self.numbers.__setitem__, self.layout.addresses(target), result)

    def shallow(self, nest: Nest) -> bool:
        """Whether views can express it."""
        return nest.affine and len(nest.counts) <= DEEPEST

    def nest(self, streams: Sequence[Ints], batched: bool) -> Nest:
        """The loops that streams have in common; the samples of a batch innermost."""
        nest = factor([self.layout.address[x] for x in streams])
        if not batched:
            return nest
        moves = [[self.layout.sample_step(x)] for x in streams]
        return nest.within((self.layout.samples,), np.array(moves))

    def views(self, nest: Nest) -> list[Floats]:
        """The streams of an affine nest, as views of the memory."""
        return [
            np.lib.stride_tricks.as_strided(
                self.numbers[int(base) :],
                shape=nest.counts or (1,),
                strides=tuple([8 * int(step) for step in steps]) or (8,),
            )
            for base, steps in zip(nest.bases[:, 0], nest.steps, strict=True)
        ]

    def together(self, streams: Sequence[Ints], batched: bool) -> list[Floats] | None:
        """Views of one shape, the last one to be written; None where there are none."""
        nest = self.nest(streams, batched)
        flat = _better_flat(nest) and _flat(nest)[-1]
        return self.views(nest) if self.shallow(nest) and not flat else None

    def operands(self, streams: Sequence[Ints], batched: bool) -> list[Floats]:
        """Arrays of one shape for the operands of an elementwise operation."""
        nest = self.nest(streams, batched)
        if self.shallow(nest) and not _better_flat(nest):
            return self.views(nest)
        flat = []
        for positions in streams:
            own = self.nest([positions], batched)
            if own.affine and len(own.counts) < 2 + batched:
                (view,) = self.views(own)
                lone = batched and len(own.counts) == 1
                flat.append(view[np.newaxis] if lone else view)
            else:
                flat.append(self.gathered(positions, batched))
        return flat

    def inner_step(self, table: Ints) -> int | None:
        """How far the numbers of each segment [segment, number] are apart, or None."""
        addresses = self.layout.address[table]
        k = addresses.shape[1]
        step = int(addresses[0, 1] - addresses[0, 0]) if k > 1 else 0
        even = (addresses == addresses[:, :1] + step * np.arange(k)).all()
        return step if even else None

    def table(self, table: Ints, batched: bool) -> Floats | None:
        """Segments [segment, number] as a view with an axis of the numbers last."""
        step = self.inner_step(table)
        nest = self.nest([table[:, 0]], batched)
        if step is None or not self.shallow(nest):
            return None
        return self.views(nest.within((table.shape[1],), np.array([[step]])))[0]

    def gathered(self, positions: Ints, batched: bool) -> Floats:
        """A buffer that a step fills: [position], or [position, sample].

        Numbers are written once, so that a second gather finds what the first did:
        nobody writes into it.
        """
        key = np.asarray(positions, np.int64).tobytes(), batched
        if key in self._gathers:
            return self._gathers[key]
        index = self.layout.address[positions]
        if batched:
            step = self.layout.sample_step(positions)
            index = index[:, np.newaxis] + step * np.arange(self.layout.samples)
        buffer = self._gathers[key] = np.empty(index.shape)
        index = np.ascontiguousarray(index)
        self.do(self.numbers.take, index, None, buffer, "clip")  # bounds are verified
        return buffer


def _better_flat(nest: Nest) -> bool:
    """Whether numpy is faster on flat arrays, one of them gathered.

    Loops within loops cost it as much to set up as a gather of some numbers.
    """
    few = math.prod(nest.counts) <= _FEW and len(nest.counts) > 1
    return few and int((~_flat(nest)).sum()) == 1


def _flat(nest: Nest) -> Mask:
    """Which streams are one loop with a constant step."""
    outer, inner = nest.steps[:, :-1], nest.steps[:, 1:]
    one = outer == inner * np.array(nest.counts[1:], np.int64)
    return np.asarray(one.all(axis=1))


def movable_regions(memory: Memory, regions: Sequence[tuple[int, int]]) -> list[Region]:
    """Those of regions (first position, count) that may lie elsewhere.

    They are large, shared by the samples, in one piece, and every step reads and
    writes them by views of them alone.
    """
    movable: list[Region] = []
    if len(memory.steps) > _MANY:
        return movable
    address, step = memory.layout.address, memory.layout.step
    for first, count in regions:
        begin, end = int(address[first]), int(address[first + count - 1]) + 1
        shared = not step[first : first + count].any()
        if count < LARGE or not shared or end - begin != count:
            continue
        if all(_keeps_apart(memory.numbers, (begin, end), x) for x in memory.steps):
            movable.append((begin, end))
    return movable


def _keeps_apart(numbers: Floats, region: Region, step: Step) -> bool:
    """Whether a step meets a region, if at all, by views of it alone."""
    function, arguments, named = step
    if getattr(function, "__self__", None) is numbers:
        index = np.asarray(arguments[0])  # take, and __setitem__
        return not ((index >= region[0]) & (index < region[1])).any()
    origin, size = _address(numbers), len(numbers)
    spans = [_span(x, origin, size) for x in (*arguments, *named.values())]
    return bool(arguments) and all(
        span is None
        or span[1] <= region[0]
        or region[1] <= span[0]
        or _within(span, region)
        for span in spans
    )


def function_of(
    steps: Sequence[Step], numbers: Floats, regions: Sequence[Region]
) -> Callable[..., None]:
    """The steps as a function of arrays for movable regions.

    Called with fewer arrays, or None for some, it uses their places in the memory.
    """
    if len(steps) > _MANY:

        def run() -> None:
            for function, arguments, named in steps:
                function(*arguments, **named)

        return run
    code = _Code(numbers, regions)
    for step in steps:
        code.step(*step)
    return code.function()


class _Code:
    """The text of the function, and what its names stand for."""

    def __init__(self, numbers: Floats, regions: Sequence[Region]) -> None:
        self.numbers, self.regions = numbers, regions
        self.origin = _address(numbers)
        self.names: dict[str, Any] = {"array": np.ndarray}
        self.known: dict[Any, str] = {}
        self.lines: list[str] = []
        for k, (begin, end) in enumerate(regions):
            self.names[f"m{k}"] = numbers[begin:end]
            self.lines.append(f"  r{k} = m{k} if r{k} is None else r{k}")

    def function(self) -> Callable[..., None]:
        parameters = ", ".join(f"r{k}=None" for k in range(len(self.regions)))
        text = "\n".join([f"def run({parameters}):", *self.lines, "  return"])
        exec(compile(text, "<steps of a numpy machine>", "exec"), self.names)
        run: Callable[..., None] = self.names["run"]
        return run

    def step(
        self, function: Any, arguments: Sequence[Any], named: dict[str, Any]
    ) -> None:
        texts = [self._argument(x) for x in arguments]
        texts += [f"{name}={self._argument(x)}" for name, x in named.items()]
        self.lines.append(f"  {self._name(function)}({', '.join(texts)})")

    def _name(self, x: Any) -> str:
        name = self.known.setdefault(id(x), f"x{len(self.names)}")
        self.names[name] = x
        return name

    def _argument(self, x: Any) -> str:
        span = _span(x, self.origin, len(self.numbers))
        inside = [k for k, r in enumerate(self.regions) if span and _within(span, r)]
        if not inside:
            return self._name(x)
        (k,) = inside
        offset = _address(x) - self.origin - 8 * self.regions[k][0]
        view = f"array({x.shape}, float, r{k}, {offset}, {x.strides})"
        if view not in self.known:
            self.known[view] = f"v{len(self.known)}"
            self.lines.append(f"  {self.known[view]} = {view}")
        return self.known[view]


def _span(x: Any, origin: int, size: int) -> Region | None:
    """Where in the memory an array begins and ends; None for those elsewhere."""
    if not isinstance(x, np.ndarray) or x.dtype != float or not x.size:
        return None
    moves = [(n - 1) * step for n, step in zip(x.shape, x.strides, strict=True)]
    first = _address(x) - origin
    low = first + sum(move for move in moves if move < 0)
    high = first + sum(move for move in moves if move > 0)
    if high < 0 or low >= 8 * size:
        return None
    return low // 8, high // 8 + 1


def _address(x: Floats) -> int:
    address: int = x.__array_interface__["data"][0]
    return address


def _within(span: Region, region: Region) -> bool:
    return region[0] <= span[0] and span[1] <= region[1]


class Guards:
    """Which steps guard, whether they are in use, and where a NaN would show."""

    def __init__(self, memory: Memory, size: int) -> None:
        self.memory, self.on = memory, False
        self._after = np.zeros(size, bool)  # positions computed after a guard
        self._watched: list[Floats] = []
        self._late: list[int] = []

    def passed(self, run: Sequence[Operation]) -> None:
        """The steps of these operations, of one scan or one alone, are written."""
        for operation in run:
            self._after[operation.target] = bool(self.memory.mending)

    def steps(self, on: bool) -> list[Step]:
        """The steps with the guards or without; from now on they are (not) in use."""
        mending = self.memory.mending
        self.on = on or not mending
        return [s for k, s in enumerate(self.memory.steps) if on or k not in mending]

    def watch(
        self,
        outputs: Ints,
        sections: Sequence[Section],
        shapes: Sequence[Any],
        elsewhere: Sequence[Floats],
    ) -> None:
        """Look for NaN in the products, if that is quicker than in the results.

        shapes : of the results; elsewhere : parts of the memory that may not be used.
        """
        self._late = [
            k
            for k, (begin, end, _) in enumerate(sections)
            if self._after[outputs[begin:end]].any()
        ]
        products = [self.memory.steps[k][1][-1] for k in self.memory.mending]
        there = all(
            x.flags.c_contiguous and not overlaps(x, elsewhere) for x in products
        )
        time = _microseconds([x.shape for x in products])
        quicker = time < _microseconds([shapes[k] for k in self._late])
        self._watched = [x.reshape(-1) for x in products] if there and quicker else []

    def missed(self, results: Sequence[Floats]) -> bool:
        """Whether a NaN came out without guards; a sum of squares tells it fastest."""
        if self.on:
            return False
        for x in self._watched or [results[k].reshape(-1) for k in self._late]:
            total = x.dot(x)
            if total != total:
                return True
        return False


def _microseconds(shapes: Sequence[Any]) -> float:
    """About how long a look at arrays takes."""
    return len(shapes) + sum(map(math.prod, shapes)) / 8000
