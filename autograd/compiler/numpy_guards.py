"""When the products of a numpy machine need their guards (see ``autograd.strong``).

A plain product in which an exact 0 meets infinity or NaN is NaN where the guarded one
is 0, and whatever is made of it is NaN as well: results that are numbers need no guard.
So a program runs without them until it has met a NaN, and with them from then on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.memory import Section, overlaps
from autograd.compiler.numpy_memory import Floats, Memory, Step
from autograd.compiler.operations import Operation
from autograd.compiler.program import Ints

__all__ = ["Guards"]


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
