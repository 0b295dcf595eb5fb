"""How numpy sees the streams of a bulk program: views of the memory, or gathers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.layout import Layout
from autograd.compiler.nests import Nest, factor
from autograd.compiler.program import Ints

__all__ = ["DEEPEST", "Do", "Floats", "Memory", "Step"]

Floats = npt.NDArray[np.float64]
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
        width = self.layout.rows if self.layout.wide(target) else 1
        n = len(places)
        if n and (np.diff(places) == width).all():
            return self.numbers[places[0] : places[0] + n * width]
        return np.empty(n * width)

    def store(self, target: Ints, result: Floats) -> None:
        """Scatter a buffer; a block of the memory needs nothing."""
        if result.base is not None or not len(target):
            return
        nest = self.nest([target], self.layout.wide(target))
        if self.shallow(nest):
            (view,) = self.views(nest)
            self.do(np.copyto, view, result.reshape(view.shape))
        else:
            self.do(self.numbers.__setitem__, self.layout.places(target), result)

    def shallow(self, nest: Nest) -> bool:
        """Whether views can express it."""
        return nest.affine and len(nest.counts) <= DEEPEST

    def nest(self, streams: Sequence[Ints], wide: bool) -> Nest:
        """The loops that streams have in common; the rows of the batch innermost."""
        nest = factor([self.layout.address[x] for x in streams])
        if not wide:
            return nest
        moves = [[self.layout.lane_step(x)] for x in streams]
        steps = np.concatenate([nest.steps, np.array(moves)], axis=1)
        return Nest((*nest.counts, self.layout.rows), steps, nest.bases)

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
            lane = np.arange(self.layout.rows) * self.layout.lane_step(positions)
            index = index[:, np.newaxis] + lane
        buffer = self._gathers[key] = np.empty(index.shape)
        index = np.ascontiguousarray(index)
        self.do(self.numbers.take, index, None, buffer, "clip")  # bounds are verified
        return buffer
