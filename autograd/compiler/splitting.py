"""Sums are taken apart into what a loop adds one by one and what a kernel contracts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk import Bulk, Map, Operation, Sum, Terms
from autograd.compiler.program import Ints
from autograd.primitives import TABLE

__all__ = ["SCALARS", "is_short", "same", "split"]


_PAIR = (TABLE["tanh"], TABLE["sech2"])


_UNROLLED = 4  # terms of a row that a loop adds one by one


_PIECES = 9  # runs of one step that a row of terms is cut into, at most


SCALARS = 16  # terms that straight-line code adds one by one


def split(bulk: Bulk) -> Bulk:
    """The program with every sum short (unrolled) or of one form (contracted)."""
    operations: list[Operation] = []
    lanes = [bulk.lanes]
    size = bulk.size

    def room(n: int, wide: bool) -> Ints:
        nonlocal size
        size += n
        lanes.append(np.full(n if bulk.batch else 0, wide))
        return np.arange(size - n, size)

    def put(operation: Sum, wide: bool) -> None:
        """The operations that a sum is taken apart into."""
        short: list[Terms] = []
        long: list[Terms] = []
        n = len(operation.target)
        one_each = np.arange(n + 1)
        for whole in operation.terms:
            if whole.over_rows and not (whole.counts == 1).all():
                target = room(n, True)  # first the terms, then the rows
                own = replace(whole, sign=1, over_rows=False)
                put(Sum(target, [own]), True)
                whole = Terms(whole.sign, one_each, target, None, True)
            for part in pieces(whole, n):
                (short if is_short(part, n) else long).append(part)
        if not long or (len(long) == 1 and not short):
            operations.append(Sum(operation.target, [*short, *long]))
            return
        for part in long:
            target = room(n, wide)
            operations.append(Sum(target, [part]))
            short.append(Terms(1, one_each, target))
        operations.append(Sum(operation.target, short))

    for operation in _paired(bulk.operations):
        if isinstance(operation, Sum) and not operation.loop:
            put(operation, bool(bulk.has_lanes(operation.target[:1]).any()))
        else:
            operations.append(operation)
    return replace(bulk, operations=operations, size=size, lanes=np.concatenate(lanes))


def _paired(operations: list[Operation]) -> list[Operation]:
    """The same, tanh and sech^2 of one stream side by side: they share their work.

    Whichever comes later moves up behind the other; its operand is there.
    """
    firsts: list[Map] = []
    moved: dict[int, list[Operation]] = {}
    gone: set[int] = set()
    for operation in operations:
        if not isinstance(operation, Map) or operation.row not in _PAIR:
            continue
        if operation.loop:
            continue
        for first in firsts:
            if first.row is not operation.row and same(
                first.operands[0], operation.operands[0]
            ):
                moved.setdefault(id(first), []).append(operation)
                gone.add(id(operation))
                break
        else:
            firsts.append(operation)
    ordered: list[Operation] = []
    for operation in operations:
        if id(operation) not in gone:
            ordered += [operation, *moved.get(id(operation), [])]
    return ordered


def is_short(part: Terms, rows: int) -> bool:
    """Whether a loop over the rows adds the terms of each one by one."""
    counts = part.counts
    if part.over_rows:
        return False
    if not len(counts) or not (counts == counts[0]).all():
        return False
    limit = _UNROLLED if rows >= 8 else 2
    return bool(counts[0] <= (SCALARS - 1 if rows == 1 else limit))


def pieces(part: Terms, rows: int) -> list[Terms]:
    """Terms whose offsets are the same in every row, cut where their step changes."""
    if is_short(part, rows) or part.over_rows or not rows:
        return [part]
    k = len(part.left) // rows
    if not (part.counts == k).all() or k < 8:
        return [part]
    streams = [part.left] if part.right is None else [part.left, part.right]
    cut = np.zeros(k - 1, bool)
    for stream in streams:
        table = stream.reshape(rows, k)
        offsets = table[0] - table[0, 0]
        if not (table - table[:, :1] == offsets).all():
            return [part]
        moves = np.diff(offsets)
        change = np.flatnonzero(moves[1:] != moves[:-1]) + 1
        cut[change] = True
    ends = _runs(cut, k)
    if not 2 <= len(ends) <= _PIECES:
        return [part]
    found, start = [], 0
    for end in ends:
        own = [x.reshape(rows, k)[:, start:end].ravel() for x in streams]
        starts = np.arange(rows + 1) * (end - start)
        right = own[1] if own[1:] else None
        found.append(replace(part, starts=starts, left=own[0], right=right))
        start = end
    return found


def _runs(cut: npt.NDArray[np.bool_], k: int) -> list[int]:
    """Where runs of one step end. A run takes the step between its first two terms."""
    ends, start = [], 0
    for change in [*np.flatnonzero(cut).tolist(), k - 1]:
        if change == k - 1:
            ends.append(k)
        elif change > start:
            ends.append(change + 1)
            start = change + 1
    return ends


def same(x: Ints, y: Ints) -> bool:
    """Whether two index arrays are equal; most are told apart by their ends."""
    if x is y:
        return True
    if len(x) != len(y) or (len(x) and (x[0] != y[0] or x[-1] != y[-1])):
        return False
    return bool(np.array_equal(x, y))
