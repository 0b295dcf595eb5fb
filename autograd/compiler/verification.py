"""The proof that a bulk program stays in its memory and computes before it reads.

All index arrays are checked at once: an operation costs little more than its numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.operations import (
    Map,
    Operation,
    Reduce,
    reads_by_row,
    runs_of,
)
from autograd.compiler.program import Ints
from autograd.errors import TraceError

__all__ = ["verify"]

_BEFORE = -1  # when inputs and constants are there


def verify(bulk: Any) -> None:
    """Raise TraceError for a bulk program that is not valid (see ``Bulk.verify``)."""
    operations = bulk.operations
    for number, operation in enumerate(operations):
        _check(_shapes_fit(operation), number, "has rows that do not fit")
    runs = runs_of(operations)
    count = 0
    for same in runs:
        steps = {len(operation.target) for operation in same}
        _check(len(steps) == 1, count, "begins a loop of operations of unequal steps")
        count += len(same)
    run = np.repeat(np.arange(len(runs)), [len(same) for same in runs])
    ready = _times_of_results(bulk, run, len(runs))
    reads = [(k, x) for k, op in enumerate(operations) for x in op.reads()]
    reader = np.repeat([k for k, _ in reads], [len(x) for _, x in reads])
    places = np.concatenate([np.zeros(0, np.int64), *(x for _, x in reads)])
    reader = reader.astype(np.int64)
    _check_all(_inside(places, bulk.size), reader, "reads outside")
    there = ready[places] < run[reader]
    if any(same[0].loop for same in runs):
        there |= (ready[places] == run[reader]) & _earlier(bulk, runs, places)
    _check_all(there, reader, "reads too early")
    outputs = np.full(len(bulk.outputs), -1)
    _check_all(_inside(bulk.outputs, bulk.size), outputs, "returns from outside")
    known = ready[bulk.outputs] < len(runs)
    _check_all(known, outputs, "returns what was not computed")


def _times_of_results(bulk: Any, run: Ints, never: int) -> Ints:
    """The run that computes each number; ``never`` for those without one."""
    ready = np.full(bulk.size, never, np.int64)
    baked = np.array(list(bulk.constants), np.int64)
    inside = _inside(baked, bulk.size)
    _check(bool(inside.all()), -1, "has constants outside")
    _check(not (baked < bulk.inputs).any(), -1, "has constants in place of inputs")
    ready[: bulk.inputs] = ready[baked] = _BEFORE
    targets = [operation.target for operation in bulk.operations]
    writer = np.repeat(np.arange(len(targets)), [len(x) for x in targets])
    places = np.concatenate([np.zeros(0, np.int64), *targets])
    _check_all(_inside(places, bulk.size), writer, "writes outside")
    once = np.bincount(places, minlength=bulk.size)[places] == 1
    _check_all(once & (ready[places] == never), writer, "writes twice")
    first = np.array([x[0] if len(x) else 0 for x in targets], np.int64)
    lanes = bulk.has_lanes(places) == bulk.has_lanes(first)[writer]
    _check_all(lanes, writer, "writes both for all rows and for each")
    ready[places] = run[writer]
    return ready


def _earlier(bulk: Any, runs: list[list[Operation]], places: Ints) -> Any:
    """Which reads within loops are of numbers that earlier moments have computed.

    Moments count through the steps of a loop and the operations of a step.
    """
    moment = np.full(bulk.size, np.iinfo(np.int64).max)
    now = []
    for same in runs:
        for k, operation in enumerate(same):
            step = np.arange(len(operation.target))
            if operation.loop < 0:
                step = step[::-1]
            own = step * len(same) + k
            if operation.loop:
                moment[operation.target] = own
            for rows, positions in reads_by_row(operation):
                now.append(own[rows] if operation.loop else 0 * positions)
    return moment[places] < np.concatenate(now)


def _shapes_fit(operation: Operation) -> bool:
    n = len(operation.target)
    if isinstance(operation, Map):
        arity = len(operation.operands)
        fits = operation.row.arity == arity
        return fits and all(len(x) == n for x in operation.operands)
    if isinstance(operation, Reduce):
        if operation.row.arity is not None or not operation.groups:
            return False
        pairs = [(operation.starts, len(x)) for x in operation.groups]
    else:
        pairs = [(part.starts, len(part.left)) for part in operation.terms]
        for part in operation.terms:
            if part.right is not None and len(part.right) != len(part.left):
                return False
    return all(
        len(starts) == n + 1
        and starts[0] == 0
        and starts[-1] == count
        and bool((starts[1:] >= starts[:-1]).all())
        for starts, count in pairs
    )


def _inside(positions: Ints, size: int) -> Any:
    return (positions >= 0) & (positions < size)


def _check_all(holds: Any, numbers: Ints, what: str) -> None:
    """Raise for the first operation of which it does not hold."""
    if not holds.all():
        _check(False, int(numbers[np.flatnonzero(~holds)].min()), what)


def _check(holds: bool, number: int, what: str) -> None:
    if not holds:
        raise TraceError(f"an invalid bulk program: operation {number} {what}")
