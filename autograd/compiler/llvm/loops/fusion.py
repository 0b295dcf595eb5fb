"""Fusion: operations over one index space become one loop, results stay in registers.

First sums are taken apart (``split``): what contracts many terms becomes an operation
of its own, a call of a kernel, whose result the rest reads. Then every operation joins
the last loop of its size that may hold it (``fused``): no producer may come later, and
within a loop a result is read only at the index that has just written it.

    s = sum_k W[i, k] x[k] + b[i]; y = tanh(s)
    split:  p = sum_k W[i, k] x[k] | s = p + b | y = tanh(s)      fused:  p | s, y
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk.bulk import (
    Bulk,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
    Terms,
)
from autograd.compiler.trace.program import Ints
from autograd.table.primitives import TABLE

_PAIR = (TABLE["tanh"], TABLE["sech2"])


_UNROLLED = 4  # terms of a row that a loop adds one by one


_PIECES = 9  # runs of one step that a row of terms is cut into, at most


SCALARS = 16  # terms that straight-line code adds one by one


def split(bulk: Bulk) -> Bulk:
    """The program with every sum short (unrolled) or of one form (contracted)."""
    operations: list[Operation] = []
    lanes = [bulk.batched]
    size = bulk.size

    def room(n: int, batched: bool) -> Ints:
        nonlocal size
        size += n
        lanes.append(np.full(n if bulk.batch else 0, batched))
        return np.arange(size - n, size)

    def put(operation: SumOfProducts, batched: bool) -> None:
        """The operations that a sum is taken apart into."""
        short: list[Terms] = []
        long: list[Terms] = []
        n = len(operation.target)
        one_each = np.arange(n + 1)
        for whole in operation.terms:
            if whole.over_batch and not (whole.counts == 1).all():
                target = room(n, True)  # first the terms, then the rows
                own = replace(whole, sign=1, over_batch=False)
                put(SumOfProducts(target, [own]), True)
                whole = Terms(whole.sign, one_each, (target,), True)
            for part in pieces(whole, n):
                (short if is_short(part, n) else long).append(part)
        if not long or (len(long) == 1 and not short):
            operations.append(SumOfProducts(operation.target, [*short, *long]))
            return
        for part in long:
            target = room(n, batched)
            operations.append(SumOfProducts(target, [part]))
            short.append(Terms(1, one_each, (target,)))
        operations.append(SumOfProducts(operation.target, short))

    for operation in _paired(bulk.operations):
        if isinstance(operation, SumOfProducts) and not operation.scan:
            put(operation, bool(bulk.is_batched(operation.target[:1]).any()))
        else:
            operations.append(operation)
    return replace(
        bulk, operations=operations, size=size, batched=np.concatenate(lanes)
    )


def _paired(operations: list[Operation]) -> list[Operation]:
    """The same, tanh and sech^2 of one stream side by side: they share their work.

    Whichever comes later moves up behind the other; its operand is there.
    """
    firsts: list[Map] = []
    moved: dict[int, list[Operation]] = {}
    gone: set[int] = set()
    for operation in operations:
        if not isinstance(operation, Map) or operation.primitive not in _PAIR:
            continue
        if operation.scan:
            continue
        for first in firsts:
            if first.primitive is not operation.primitive and is_same_stream(
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
    if part.over_batch:
        return False
    if not len(counts) or not (counts == counts[0]).all():
        return False
    limit = _UNROLLED if rows >= 8 else 2
    return bool(counts[0] <= (SCALARS - 1 if rows == 1 else limit))


def pieces(part: Terms, rows: int) -> list[Terms]:
    """Terms whose offsets are the same in every row, cut where their step changes."""
    if is_short(part, rows) or part.over_batch or not rows:
        return [part]
    k = len(part) // rows
    if not (part.counts == k).all() or k < 8:
        return [part]
    cut = np.zeros(k - 1, bool)
    for stream in part.factors:
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
        own = [x.reshape(rows, k)[:, start:end].ravel() for x in part.factors]
        starts = np.arange(rows + 1) * (end - start)
        found.append(replace(part, offsets=starts, factors=tuple(own)))
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


def is_same_stream(x: Ints, y: Ints) -> bool:
    """Whether two index arrays are equal; most are told apart by their ends."""
    if x is y:
        return True
    if len(x) != len(y) or (len(x) and (x[0] != y[0] or x[-1] != y[-1])):
        return False
    return bool(np.array_equal(x, y))


# -- Which operations share a loop -----------------------------------------------------


@dataclass(eq=False)
class Group:
    """Operations that share one loop, or one that stands alone.

    kind is "loop" (elementwise), "scalars" (one number), "call", or "steps" (a loop
    over time).
    """

    kind: str
    n: int
    batched: bool = False  # whether it runs over the rows of the batch as well
    operations: list[Operation] = field(default_factory=list)
    totals: list[SumOfProducts] = field(
        default_factory=list
    )  # sums over the loop itself


def _kind(operation: Operation, batched: bool) -> str:
    n = len(operation.target)
    if isinstance(operation, SegmentReduce):
        return "call"
    if isinstance(operation, Map) and not operation.primitive.builtin:
        return "call"  # a primitive of the user's
    if isinstance(operation, SumOfProducts) and not all(
        is_short(part, n) for part in operation.terms
    ):
        part = operation.terms[0]
        alone = n == 1 and not batched
        whole = len(part) == 1 if part.over_batch else len(part) >= SCALARS
        return "total" if alone and whole else "call"
    return "scalars" if n == 1 and not batched else "loop"


class _Fusion:
    def __init__(self, bulk: Bulk) -> None:
        self.groups: list[Group] = []
        self.bulk = bulk
        self.owner = np.full(bulk.size, -1, np.int64)  # position -> operation
        self.home: list[int] = []  # operation -> group
        self.total: list[bool] = []  # operation -> whether it is a sum over a loop
        self.operations = bulk.operations

    def add(self, number: int, operation: Operation) -> None:
        batched = bool(self.bulk.is_batched(operation.target[:1]).any())
        kind = _kind(operation, batched)
        n = len(operation.target)
        if kind == "total":
            assert isinstance(operation, SumOfProducts)
            n, batched = len(operation.terms[0]), operation.terms[0].over_batch
        if operation.scan:
            kind, n = "steps", operation.scan
        earliest, aligned = self._earliest(operation)
        place = self._find(kind, (n, batched), earliest, aligned)
        if place is None:
            place = len(self.groups)
            self.groups.append(Group("loop" if kind == "total" else kind, n, batched))
        group = self.groups[place]
        if kind == "total":
            assert isinstance(operation, SumOfProducts)
            group.totals.append(operation)
        else:
            group.operations.append(operation)
        self.home.append(place)
        self.total.append(kind == "total")
        self.owner[operation.target] = number

    def _earliest(self, operation: Operation) -> tuple[int, bool]:
        """The latest group that a producer lives in, and whether joining it is safe."""
        earliest, aligned = -1, True
        for positions in operation.reads():
            for number in self._producers(positions):
                home = self.home[number]
                exact = not self.total[number] and is_same_stream(
                    positions, self.operations[number].target
                )
                if home > earliest:
                    earliest, aligned = home, exact
                elif home == earliest:
                    aligned = aligned and exact
        return earliest, aligned

    def _producers(self, positions: Ints) -> Iterator[int]:
        if not len(positions):
            return
        if positions.strides == (0,):
            positions = positions[:1]
        owners = self.owner[positions]
        first = int(owners[0])
        found = [first] if (owners == first).all() else np.unique(owners).tolist()
        yield from [number for number in found if number >= 0]

    def _find(
        self, kind: str, size: tuple[int, bool], earliest: int, aligned: bool
    ) -> int | None:
        if kind == "call":
            return None
        if kind == "steps":
            last = self.groups[-1] if self.groups else None
            same_loop = last and (last.kind, last.n) == (kind, size[0])
            return len(self.groups) - 1 if same_loop else None
        wanted = "scalars" if kind == "scalars" else "loop"
        for place in range(len(self.groups) - 1, max(earliest, 0) - 1, -1):
            group = self.groups[place]
            if group.kind != wanted or (group.n, group.batched) != size:
                continue
            if place > earliest or aligned or kind == "scalars":
                return place
        return None


def fused(bulk: Bulk) -> list[Group]:
    """The operations of a split program, in groups that run one after the other."""
    fusion = _Fusion(bulk)
    for number, operation in enumerate(bulk.operations):
        fusion.add(number, operation)
    return fusion.groups


def stored(bulk: Bulk, groups: list[Group]) -> npt.NDArray[np.bool_]:
    """Which positions must be written to memory: read by others, or returned."""
    needed = np.zeros(bulk.size, bool)
    needed[bulk.outputs] = True
    for group in groups:
        if group.kind == "steps":
            _mark_steps(group, needed)
            continue
        if group.kind != "loop":
            for operation in group.operations:
                for positions in operation.reads():
                    needed[positions] = True
            continue
        targets = [operation.target for operation in group.operations]
        local = {mark_of(target): target for target in targets}
        for operation in [*group.operations, *group.totals]:
            for positions in operation.reads():
                target = local.get(mark_of(positions))
                if target is None or not is_same_stream(target, positions):
                    needed[positions] = True
    return needed


def _mark_steps(group: Group, needed: npt.NDArray[np.bool_]) -> None:
    """In a step a result stays in its register for what comes later in the step."""
    earlier: dict[Any, Ints] = {}
    for operation in group.operations:
        for positions in _by_step(operation):
            target = earlier.get(mark_of(positions))
            if target is None or not is_same_stream(target, positions):
                needed[positions] = True
        earlier[mark_of(operation.target)] = operation.target


def _by_step(operation: Operation) -> Iterator[Ints]:
    """What an operation reads, one number a step; all at once where that varies."""
    n = len(operation.target)
    for positions in operation.reads():
        count, rest = divmod(len(positions), n)
        even = not rest and not isinstance(operation, Map)
        if isinstance(operation, SumOfProducts):
            even &= all(_is_even(part, n) for part in operation.terms)
        if even:
            yield from [positions[k::count] for k in range(count)]
        else:
            yield positions


def _is_even(part: Terms, n: int) -> bool:
    return bool((part.counts == len(part) // n).all())


def mark_of(x: Ints) -> tuple[int, int, int]:
    """What tells most index arrays apart."""
    return (len(x), int(x[0]), int(x[-1])) if len(x) else (0, 0, 0)
