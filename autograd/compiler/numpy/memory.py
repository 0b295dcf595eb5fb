"""How numpy sees the streams of a bulk program: views of the memory, or gathers.

The steps of a numpy machine as one Python function, which calls one after the other.

Large arrays need not be copied into the memory: where they are *regions*, the function
takes them as arguments, and makes its views of them anew at each call.

When the products of a numpy machine need their guards (see ``autograd.graph.strong``).

A plain product in which an exact 0 meets infinity or NaN is NaN where the guarded one
is 0, and whatever is made of it is NaN as well: results that are numbers need no guard.
So a program runs without them until it has met a NaN, and with them from then on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk.bulk import Floats, Operation
from autograd.compiler.bulk.layout import Layout, Section, overlaps
from autograd.compiler.bulk.nests import Nest, factor
from autograd.compiler.trace.program import Ints

Do = Callable[..., None]  # one more step: a function and its arguments
Step = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
_FEW = 300  # numbers that are gathered faster than loops are set up
DEEPEST = 4  # loops of a view; streams of more are gathered


class Memory:
    """The numbers of a program, and the steps that compute them.

    With a batch every array has a last axis of its rows; what the rows share is
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
        """All steps are there: forget what only helped to make them."""
        self._gathers.clear()

    def block(self, target: Ints) -> Floats:
        """The block of the memory where a result belongs, or a buffer, both flat."""
        places = self.layout.address[target]
        width = self.layout.samples if self.layout.is_batched(target) else 1
        n = len(places)
        if n and (np.diff(places) == width).all():
            return self.numbers[places[0] : places[0] + n * width]
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

    def nest(self, streams: Sequence[Ints], wide: bool) -> Nest:
        """The loops that streams have in common; the rows of the batch innermost."""
        nest = factor([self.layout.address[x] for x in streams])
        if not wide:
            return nest
        moves = [[self.layout.sample_step(x)] for x in streams]
        steps = np.concatenate([nest.steps, np.array(moves)], axis=1)
        return Nest((*nest.counts, self.layout.samples), steps, nest.bases)

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

    def together(self, streams: Sequence[Ints], wide: bool) -> list[Floats] | None:
        """Views of one shape, the last one to be written; None where there are none."""
        nest = self.nest(streams, wide)
        flat = self._better_flat(nest) and self._flat(nest)[-1]
        good = self.shallow(nest) and not flat
        return self.views(nest) if good else None

    def _better_flat(self, nest: Nest) -> bool:
        """Whether numpy is faster on flat arrays, one of them gathered.

        Loops within loops cost it as much to set up as a gather of some numbers.
        """
        few = math.prod(nest.counts) <= _FEW and len(nest.counts) > 1
        return few and int((~self._flat(nest)).sum()) == 1

    def _flat(self, nest: Nest) -> npt.NDArray[np.bool_]:
        """Which streams are one loop with a constant step."""
        outer, inner = nest.steps[:, :-1], nest.steps[:, 1:]
        one = outer == inner * np.array(nest.counts[1:], np.int64)
        return np.asarray(one.all(axis=1))

    def inner_step(self, rows: Ints) -> int | None:
        """How far the numbers of each row [row, number] are apart; None: unevenly."""
        places = self.layout.address[rows]
        k = places.shape[1]
        step = int(places[0, 1] - places[0, 0]) if k > 1 else 0
        even = (places == places[:, :1] + step * np.arange(k)).all()
        return step if even else None

    def rows(self, rows: Ints, wide: bool) -> Floats | None:
        """Numbers [row, number] as a view whose last axis is that of the numbers."""
        step = self.inner_step(rows)
        nest = self.nest([rows[:, 0]], wide)
        if step is None or not self.shallow(nest):
            return None
        steps = np.concatenate([nest.steps, [[step]]], axis=1)
        (view,) = self.views(Nest((*nest.counts, rows.shape[1]), steps, nest.bases))
        return view

    def operands(self, streams: Sequence[Ints], wide: bool) -> list[Floats]:
        """Arrays of one shape for the operands of an elementwise operation."""
        nest = self.nest(streams, wide)
        if self.shallow(nest) and not self._better_flat(nest):
            return self.views(nest)
        flat = []
        for positions in streams:
            own = self.nest([positions], wide)
            if own.affine and len(own.counts) < 2 + wide:
                (view,) = self.views(own)
                lone = wide and len(own.counts) == 1
                flat.append(view[np.newaxis] if lone else view)
            else:
                flat.append(self.gathered(positions, wide))
        return flat

    def gathered(self, positions: Ints, wide: bool) -> Floats:
        """A buffer that a step fills: [position], or [position, row of the batch].

        Numbers are written once, so that a second gather finds what the first did:
        nobody writes into it.
        """
        key = np.asarray(positions, np.int64).tobytes(), wide
        if key in self._gathers:
            return self._gathers[key]
        index = self.layout.address[positions]
        if wide:
            lane = np.arange(self.layout.samples) * self.layout.sample_step(positions)
            index = index[:, np.newaxis] + lane
        buffer = self._gathers[key] = np.empty(index.shape)
        index = np.ascontiguousarray(index)
        self.do(self.numbers.take, index, None, buffer, "clip")  # bounds are verified
        return buffer


# -- The steps of a numpy machine as one Python function, which calls one a

Region = tuple[int, int]  # addresses in the memory, begin to end
LARGE = 8192  # numbers that are worth more than a few views of them
_MANY = 4000  # steps that are too many for one function


def regions_of(layout: Layout, regions: Sequence[tuple[int, int]]) -> list[Region]:
    """The large ones without lanes, which lie in one piece."""
    found = []
    for first, count in regions:
        places = layout.address[first : first + count]
        shared = not layout.step[first : first + count].any()
        if count >= LARGE and shared and places[-1] - places[0] == count - 1:
            found.append((int(places[0]), int(places[-1]) + 1))
    return found


def movable_regions(
    steps: Sequence[Step], numbers: Floats, regions: Sequence[Region]
) -> list[Region]:
    """The regions that may lie elsewhere than in the memory."""
    if len(steps) > _MANY:
        return []
    code = _Code(numbers, regions)
    return [region for region in regions if code.movable(region, steps)]


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

    def function(self) -> Callable[..., None]:
        """Compile the text."""
        parameters = ", ".join(f"r{k}=None" for k in range(len(self.regions)))
        own = [
            f"  r{k} = m{k} if r{k} is None else r{k}" for k in range(len(self.regions))
        ]
        text = "\n".join([f"def run({parameters}):", *own, *self.lines, "  return"])
        exec(compile(text, "<steps of a numpy machine>", "exec"), self.names)
        run: Callable[..., None] = self.names["run"]
        return run

    def step(
        self, function: Any, arguments: Sequence[Any], named: dict[str, Any]
    ) -> None:
        """One call."""
        texts = [self._argument(x) for x in arguments]
        texts += [f"{name}={self._argument(x)}" for name, x in named.items()]
        self.lines.append(f"  {self._name(function)}({', '.join(texts)})")

    def _name(self, x: Any) -> str:
        name = self.known.setdefault(id(x), f"x{len(self.names)}")
        self.names[name] = x
        return name

    def _argument(self, x: Any) -> str:
        span = self.span(x)
        inside = [k for k, region in enumerate(self.regions) if _within(span, region)]
        if not inside:
            return self._name(x)
        (k,) = inside
        offset = _address(x) - self.origin - 8 * self.regions[k][0]
        view = f"array({x.shape}, float, r{k}, {offset}, {x.strides})"
        if view not in self.known:
            self.known[view] = f"v{len(self.known)}"
            self.lines.append(f"  {self.known[view]} = {view}")
        return self.known[view]

    def span(self, x: Any) -> Region | None:
        """Where in the memory an array begins and ends; None for those elsewhere."""
        if not isinstance(x, np.ndarray) or x.dtype != float or not x.size:
            return None
        moves = [(n - 1) * step for n, step in zip(x.shape, x.strides, strict=True)]
        first = _address(x) - self.origin
        low = first + sum(move for move in moves if move < 0)
        high = first + sum(move for move in moves if move > 0)
        if high < 0 or low >= 8 * len(self.numbers):
            return None
        return low // 8, high // 8 + 1

    def movable(self, region: Region, steps: Sequence[Step]) -> bool:
        """Whether every step reads and writes it by views of it alone."""
        for function, arguments, named in steps:
            if getattr(function, "__self__", None) is self.numbers:
                index = np.asarray(arguments[0])  # take, and __setitem__
                if ((index >= region[0]) & (index < region[1])).any():
                    return False
                continue
            spans = [self.span(x) for x in (*arguments, *named.values())]
            if not arguments or any(_crosses(span, region) for span in spans):
                return False
        return True


def _address(x: Floats) -> int:
    found: int = x.__array_interface__["data"][0]
    return found


def _within(span: Region | None, region: Region) -> bool:
    return span is not None and region[0] <= span[0] and span[1] <= region[1]


def _crosses(span: Region | None, region: Region) -> bool:
    """Whether an array lies in a region only in part."""
    meets = span is not None and span[0] < region[1] and region[0] < span[1]
    return meets and not _within(span, region)


# -- When the products of a numpy machine need their guards (see ``autograd


class Guards:
    """Which steps guard, whether they are in use, and where a NaN would show."""

    def __init__(self, store: Memory, size: int) -> None:
        self.store, self.on = store, False
        self._after = np.zeros(size, bool)  # positions computed after a guard
        self._watched: list[Floats] = []
        self._late: list[int] = []

    def passed(self, operations: Sequence[Operation]) -> None:
        """The steps of these operations, of one loop or one alone, are written."""
        for operation in operations:
            self._after[operation.target] = bool(self.store.mending)

    def steps(self, on: bool) -> list[Step]:
        """The steps with the guards or without; from now on they are (not) in use."""
        mending = self.store.mending
        self.on = on or not mending
        return [s for k, s in enumerate(self.store.steps) if on or k not in mending]

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
        products = [self.store.steps[k][1][-1] for k in self.store.mending]
        there = all(
            x.flags.c_contiguous and not overlaps(x, elsewhere) for x in products
        )
        time = _time([x.shape for x in products])
        quicker = time < _time([shapes[k] for k in self._late])
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


def _time(shapes: Sequence[Any]) -> float:
    """Microseconds, about, that a look at arrays takes."""
    return len(shapes) + sum(map(math.prod, shapes)) / 8000
