"""The adjoint of a loop over time: the same steps backwards.

Steps depend on each other, so that no operation of a loop can be finished before
another begins. All cotangents get their places first; then every operation pushes its
shares, and last each sums what has reached it. What partial derivatives need of the
primal loop alone is computed before, for all steps at once; what depends on cotangents
runs step by step, in the opposite direction.

Source: Griewank & Walther 2008, section 3.2; backpropagation through time, Werbos 1990.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.bulk import Operation, Sum
from autograd.compiler.program import Ints
from autograd.compiler.shares import by_form, merged, terms_of

__all__ = ["visit_loop"]


def visit_loop(run: Any, numbers: list[int]) -> None:
    """Push the shares of the operations of a loop; ``run`` is the reverse pass."""
    writer, operations = run.writer, run.bulk.operations
    places = {
        number: writer.room(len(operations[number].target))
        for number in reversed(numbers)
        if run.needed[operations[number].target].any()
    }
    late = _Late(writer.size)
    for place in places.values():
        late.mark(place)
    pushed: dict[int, list[Operation]] = {}
    for number, place in places.items():
        start = len(writer.operations)
        run.push_on(number, place)
        fresh = writer.operations[start:]
        waiting = [operation for operation in fresh if late.depends(operation)]
        writer.operations[start:] = [op for op in fresh if op not in waiting]
        pushed[number] = waiting
    first = operations[numbers[0]].loop
    loop = -(abs(first) + _loops(operations)) if first > 0 else _loops(operations) + 1
    for number, place in places.items():
        total = _total(run, number, place)
        for operation in (total, *pushed[number]):
            operation.loop = loop
            writer.operations.append(operation)


def _loops(operations: list[Operation]) -> int:
    """The largest number of a loop so far."""
    return max(abs(operation.loop) for operation in operations)


class _Late:
    """Which positions depend on cotangents of the loop."""

    def __init__(self, size: int) -> None:
        self.marked = np.zeros(size, bool)

    def mark(self, positions: Ints) -> None:
        end = int(positions.max()) + 1 if len(positions) else 0
        if end > len(self.marked):
            self.marked = np.concatenate(
                [self.marked, np.zeros(2 * end - len(self.marked), bool)]
            )
        self.marked[positions] = True

    def depends(self, operation: Operation) -> bool:
        """Whether an operation has to run step by step; its results are marked then."""
        for positions in operation.reads():
            inside = positions[positions < len(self.marked)]
            if self.marked[inside].any():
                self.mark(operation.target)
                return True
        return False


def _total(run: Any, number: int, place: Ints) -> Sum:
    """The sum of all shares of an operation's results, one for each step."""
    shares = by_form(run.shares[number])
    run.shares[number] = []
    n = len(place)
    parts = [terms_of(n, share, run.place[share.target]) for share in shares]
    return Sum(place, merged(parts))
