"""Which operations share a loop: sums are taken apart, then operations are fused.

``split`` takes sums apart into what a loop adds one by one and what a kernel contracts;
the latter becomes an operation of its own, whose result the rest reads:

    s = b + 3 terms + 50 terms     ->     t = 50 terms;  s = b + 3 terms + t

``fused`` puts every operation into the last loop of its size that may hold it: no
producer may come later, and within a loop a result is read only at the index that has
just written it:

    y[i] = tanh(x[i])
    z[i] = y[i] * a[i]         joins the loop of y, which stays in a register
    w[i] = z[n - 1 - i]        needs a loop of its own: z[n - 1] is not there yet
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

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
_UNROLLED = 4  # terms of a segment that a loop adds one by one
_PIECES = 9  # runs of one step that a segment is cut into, at most
SCALARS = 16  # terms that straight-line code adds one by one

T = TypeVar("T")


def equal_positions(x: Ints, y: Ints) -> bool:
    """Whether two index arrays are equal; most are told apart by their ends."""
    if x is y:
        return True
    if len(x) != len(y) or (len(x) and (x[0] != y[0] or x[-1] != y[-1])):
        return False
    return bool(np.array_equal(x, y))


class ByPositions(Generic[T]):
    """A dictionary whose keys are index arrays; those with one end share a list."""

    def __init__(self) -> None:
        self._lists: dict[tuple[int, ...], list[tuple[Ints, T]]] = {}

    def _list(self, key: Ints) -> list[tuple[Ints, T]]:
        mark = (len(key), int(key[0]), int(key[-1])) if len(key) else ()
        return self._lists.setdefault(mark, [])

    def get(self, key: Ints) -> T | None:
        for other, value in self._list(key):
            if equal_positions(other, key):
                return value
        return None

    def add(self, key: Ints, value: T) -> T:
        self._list(key).append((key, value))
        return value


# -- Sums are taken apart ------------------------------------------------------------


class Extended:
    """A program under way: its operations so far, and positions that were added."""

    def __init__(self, bulk: Bulk) -> None:
        self.bulk, self.size, self.batched = bulk, bulk.size, [bulk.batched]
        self.operations: list[Operation] = []

    def positions(self, n: int, batched: bool) -> Ints:
        """So many new ones."""
        self.size += n
        self.batched.append(np.full(n if self.bulk.batch else 0, batched))
        return np.arange(self.size - n, self.size)

    def apart(self, part: Terms, n: int, batched: bool = False) -> Terms:
        """n sums as an operation of their own; returned are terms that read it."""
        target = self.positions(n, batched)
        self.operations.append(SumOfProducts(target, [part]))
        return Terms(1, np.arange(n + 1), (target,))

    def program(self) -> Bulk:
        batched = np.concatenate(self.batched)
        return replace(
            self.bulk, operations=self.operations, size=self.size, batched=batched
        )


def split(bulk: Bulk) -> Bulk:
    """The program with every sum short (unrolled) or of one form (contracted)."""
    extended = Extended(bulk)
    for operation in _paired(bulk.operations):
        if isinstance(operation, SumOfProducts) and not operation.scan:
            batched = bool(bulk.is_batched(operation.target[:1]).any())
            _split_sum(extended, operation.target, operation.terms, batched)
        else:
            extended.operations.append(operation)
    return extended.program()


def _split_sum(
    extended: Extended, target: Ints, terms: list[Terms], batched: bool
) -> None:
    n = len(target)
    short: list[Terms] = []
    long: list[Terms] = []
    for part in terms:
        if part.over_batch and not (part.counts == 1).all():
            of_sample = extended.positions(n, True)  # first the terms, then the samples
            own = replace(part, sign=1, over_batch=False)
            _split_sum(extended, of_sample, [own], True)
            part = Terms(part.sign, np.arange(n + 1), (of_sample,), True)
        for piece in pieces(part, n):
            (short if is_short(piece, n) else long).append(piece)
    if short or len(long) > 1:
        short += [extended.apart(piece, n, batched) for piece in long]
        long = []
    extended.operations.append(SumOfProducts(target, [*short, *long]))


def _paired(operations: list[Operation]) -> list[Operation]:
    """The same, tanh and sech^2 of one stream side by side: they share their work.

    Whichever comes later moves up behind the other; its operand is there.
    """
    firsts: list[Map] = []
    moved: dict[int, list[Operation]] = {}
    ordered: list[Operation] = []
    for operation in operations:
        pairs = isinstance(operation, Map) and operation.primitive in _PAIR
        if isinstance(operation, Map) and pairs and not operation.scan:
            for first in firsts:
                if first.primitive is not operation.primitive and equal_positions(
                    first.operands[0], operation.operands[0]
                ):
                    moved.setdefault(id(first), []).append(operation)
                    break
            else:
                firsts.append(operation)
                ordered.append(operation)
        else:
            ordered.append(operation)
    return [x for first in ordered for x in (first, *moved.get(id(first), []))]


def is_short(part: Terms, n: int) -> bool:
    """Whether a loop over n segments adds the terms of each one by one."""
    counts = part.counts
    if part.over_batch or not len(counts) or not (counts == counts[0]).all():
        return False
    limit = _UNROLLED if n >= 8 else 2
    return bool(counts[0] <= (SCALARS - 1 if n == 1 else limit))


def pieces(part: Terms, n: int) -> list[Terms]:
    """n segments with the same distances in each, cut where their step changes.

    Each piece is a sum with one step, as kernels want it:

    >>> stream = np.array([0, 1, 2, 3, 7, 9, 11, 13, 5, 6, 7, 8, 12, 14, 16, 18])
    >>> cut = pieces(Terms(1, np.array([0, 8, 16]), (stream,)), 2)
    >>> [part.factors[0].tolist() for part in cut]
    [[0, 1, 2, 3, 5, 6, 7, 8], [7, 9, 11, 13, 12, 14, 16, 18]]
    """
    if is_short(part, n) or part.over_batch or not n:
        return [part]
    k = len(part) // n
    if not (part.counts == k).all() or k < 8:
        return [part]
    cut = np.zeros(k - 1, bool)
    for stream in part.factors:
        table = stream.reshape(n, k)
        if not (table - table[:, :1] == table[0] - table[0, 0]).all():
            return [part]
        moves = np.diff(table[0])
        cut[np.flatnonzero(moves[1:] != moves[:-1]) + 1] = True
    ends = _runs(cut, k)
    if not 2 <= len(ends) <= _PIECES:
        return [part]
    cut_parts = []
    for start, end in zip([0, *ends], ends, strict=False):
        own = [x.reshape(n, k)[:, start:end].ravel() for x in part.factors]
        offsets = np.arange(n + 1) * (end - start)
        cut_parts.append(replace(part, offsets=offsets, factors=tuple(own)))
    return cut_parts


def _runs(cut: npt.NDArray[np.bool_], k: int) -> list[int]:
    """Where runs of one step end. A run takes the step between its first two terms."""
    ends, start = [], 0
    for change in np.flatnonzero(cut).tolist():
        if change > start:
            start = change + 1
            ends.append(start)
    return [*ends, k]


# -- Fusion --------------------------------------------------------------------------


@dataclass(eq=False)
class Group:
    """Operations that share one loop, or one that stands alone.

    kind is "loop" (elementwise), "scalars" (one number), "call", or "steps" (a loop
    over time). ``totals`` are sums over the loop itself.
    """

    kind: str
    n: int
    batched: bool = False  # whether it runs over the samples of the batch as well
    operations: list[Operation] = field(default_factory=list)
    totals: list[SumOfProducts] = field(default_factory=list)


def _kind(operation: Operation, batched: bool) -> str:
    n = len(operation.target)
    alone = n == 1 and not batched
    if isinstance(operation, SegmentReduce):
        return "call"
    if isinstance(operation, Map) and not operation.primitive.builtin:
        return "call"  # a primitive of the user's
    if isinstance(operation, SumOfProducts) and not all(
        is_short(part, n) for part in operation.terms
    ):
        part = operation.terms[0]
        whole = len(part) == 1 if part.over_batch else len(part) >= SCALARS
        return "total" if alone and whole else "call"
    return "scalars" if alone else "loop"


class _Fusion:
    def __init__(self, bulk: Bulk) -> None:
        self.groups: list[Group] = []
        self.bulk = bulk
        self.owner = np.full(bulk.size, -1, np.int64)  # position -> operation
        self.home: list[int] = []  # operation -> group

    def add(self, number: int, operation: Operation) -> None:
        batched = bool(self.bulk.is_batched(operation.target[:1]).any())
        kind, n = _kind(operation, batched), len(operation.target)
        is_total = False
        if operation.scan:
            kind, n = "steps", operation.scan
        elif isinstance(operation, SumOfProducts) and kind == "total":
            n, batched = len(operation.terms[0]), operation.terms[0].over_batch
            kind, is_total = "loop", True
        place = self._find(kind, n, batched, *self._earliest(operation))
        if place is None:
            place = len(self.groups)
            self.groups.append(Group(kind, n, batched))
        group = self.groups[place]
        if isinstance(operation, SumOfProducts) and is_total:
            group.totals.append(operation)
        else:
            group.operations.append(operation)
        self.home.append(place)
        self.owner[operation.target] = number

    def _earliest(self, operation: Operation) -> tuple[int, bool]:
        """The latest group that a producer lives in, and whether joining it is safe."""
        earliest, aligned = -1, True
        for positions in operation.reads():
            for number in self._producers(positions):
                home, producer = self.home[number], self.bulk.operations[number]
                exact = producer not in self.groups[home].totals and equal_positions(
                    positions, producer.target
                )
                if home > earliest:
                    earliest, aligned = home, exact
                elif home == earliest:
                    aligned = aligned and exact
        return earliest, aligned

    def _producers(self, positions: Ints) -> list[int]:
        if not len(positions):
            return []
        if positions.strides == (0,):
            positions = positions[:1]
        owners = self.owner[positions]
        first = int(owners[0])
        numbers = [first] if (owners == first).all() else np.unique(owners).tolist()
        return [number for number in numbers if number >= 0]

    def _find(
        self, kind: str, n: int, batched: bool, earliest: int, aligned: bool
    ) -> int | None:
        """The group that an operation may join."""
        last = len(self.groups) - 1
        if kind == "steps":
            group = self.groups[-1] if self.groups else None
            return last if group and (group.kind, group.n) == (kind, n) else None
        if kind != "call":
            for place in range(last, max(earliest, 0) - 1, -1):
                group = self.groups[place]
                if (group.kind, group.n, group.batched) == (kind, n, batched) and (
                    place > earliest or aligned or kind == "scalars"
                ):
                    return place
        return None


def fused(bulk: Bulk) -> list[Group]:
    """The operations of a split program, in groups that run one after the other."""
    fusion = _Fusion(bulk)
    for number, operation in enumerate(bulk.operations):
        fusion.add(number, operation)
    return fusion.groups


# -- What must be in memory ----------------------------------------------------------


def stored(bulk: Bulk, groups: list[Group]) -> npt.NDArray[np.bool_]:
    """Which positions must be written to memory: read by others, or returned."""
    needed = np.zeros(bulk.size, bool)
    needed[bulk.outputs] = True
    for group in groups:
        registers = ByPositions[bool]()
        if group.kind == "loop":
            for operation in group.operations:
                registers.add(operation.target, True)
        for operation in [*group.operations, *group.totals]:
            in_steps = group.kind == "steps"
            for positions in _by_step(operation) if in_steps else operation.reads():
                if not registers.get(positions):
                    needed[positions] = True
            if in_steps:  # a result stays for what comes later in the step
                registers.add(operation.target, True)
    return needed


def _by_step(operation: Operation) -> Iterator[Ints]:
    """What an operation reads, one number a step; all at once where that varies."""
    n = len(operation.target)
    for positions in operation.reads():
        count, rest = divmod(len(positions), n)
        even = not rest and not isinstance(operation, Map)
        if isinstance(operation, SumOfProducts):
            even &= all((p.counts == len(p) // n).all() for p in operation.terms)
        if even:
            yield from [positions[k::count] for k in range(count)]
        else:
            yield positions
