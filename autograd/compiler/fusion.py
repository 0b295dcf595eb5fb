"""Fusion: operations over one index space become one loop, results stay in registers.

First sums are taken apart (``split``): what contracts many terms becomes an operation
of its own, whose result the rest reads. Then every operation joins the last loop of its
size that may hold it: no producer may come later, and within a loop a result is read
only at the index that has just written it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk import Bulk, Map, Operation, Reduce, Sum, Terms
from autograd.compiler.program import Ints
from autograd.compiler.splitting import SCALARS, is_short, same, split
from autograd.primitives import TABLE

__all__ = ["Group", "fused", "mark_of", "same", "split", "stored"]


@dataclass(eq=False)
class Group:
    """Operations that share one loop, or one that stands alone.

    kind is "loop" (elementwise), "scalars" (one number), "call", or "steps" (a loop
    over time).
    """

    kind: str
    n: int
    wide: bool = False  # whether it runs over the rows of the batch as well
    operations: list[Operation] = field(default_factory=list)
    totals: list[Sum] = field(default_factory=list)  # sums over the loop itself


def _kind(operation: Operation, wide: bool) -> str:
    n = len(operation.target)
    if isinstance(operation, Reduce):
        return "call"
    if (
        isinstance(operation, Map)
        and TABLE.get(operation.row.name) is not operation.row
    ):
        return "call"  # a row of the user's
    if isinstance(operation, Sum) and not all(
        is_short(part, n) for part in operation.terms
    ):
        part = operation.terms[0]
        alone = n == 1 and not wide
        whole = len(part.left) == 1 if part.over_rows else len(part.left) >= SCALARS
        return "total" if alone and whole else "call"
    return "scalars" if n == 1 and not wide else "loop"


class _Fusion:
    def __init__(self, bulk: Bulk) -> None:
        self.groups: list[Group] = []
        self.bulk = bulk
        self.owner = np.full(bulk.size, -1, np.int64)  # position -> operation
        self.home: list[int] = []  # operation -> group
        self.total: list[bool] = []  # operation -> whether it is a sum over a loop
        self.operations = bulk.operations

    def add(self, number: int, operation: Operation) -> None:
        wide = bool(self.bulk.has_lanes(operation.target[:1]).any())
        kind = _kind(operation, wide)
        n = len(operation.target)
        if kind == "total":
            assert isinstance(operation, Sum)
            n, wide = len(operation.terms[0].left), operation.terms[0].over_rows
        if operation.loop:
            kind, n = "steps", operation.loop
        earliest, aligned = self._earliest(operation)
        place = self._find(kind, (n, wide), earliest, aligned)
        if place is None:
            place = len(self.groups)
            self.groups.append(Group("loop" if kind == "total" else kind, n, wide))
        group = self.groups[place]
        if kind == "total":
            assert isinstance(operation, Sum)
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
                exact = not self.total[number] and same(
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
            if group.kind != wanted or (group.n, group.wide) != size:
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
                if target is None or not same(target, positions):
                    needed[positions] = True
    return needed


def _mark_steps(group: Group, needed: npt.NDArray[np.bool_]) -> None:
    """In a step a result stays in its register for what comes later in the step."""
    earlier: dict[Any, Ints] = {}
    for operation in group.operations:
        for positions in _by_step(operation):
            target = earlier.get(mark_of(positions))
            if target is None or not same(target, positions):
                needed[positions] = True
        earlier[mark_of(operation.target)] = operation.target


def _by_step(operation: Operation) -> Iterator[Ints]:
    """What an operation reads, one number a step; all at once where that varies."""
    n = len(operation.target)
    for positions in operation.reads():
        count, rest = divmod(len(positions), n)
        even = not rest and not isinstance(operation, Map)
        if isinstance(operation, Sum):
            even &= all(_is_even(part, n) for part in operation.terms)
        if even:
            yield from [positions[k::count] for k in range(count)]
        else:
            yield positions


def _is_even(part: Terms, n: int) -> bool:
    return bool((part.counts == len(part.left) // n).all())


def mark_of(x: Ints) -> tuple[int, int, int]:
    """What tells most index arrays apart."""
    return (len(x), int(x[0]), int(x[-1])) if len(x) else (0, 0, 0)
