"""What the parts of a program share while they are written as LLVM IR.

A ``Context`` holds the code of the function under way, the index tables, which results
must be stored, and where arrays may lie that are read in place. A ``Stream`` says where
the elements of an index array lie along an innermost loop: evenly, or by a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Bulk
from autograd.compiler.bulk.layout import Layout
from autograd.compiler.bulk.nests import Nest, factor
from autograd.compiler.llvm.functions.table import Needed
from autograd.compiler.llvm.kernels.code import Code, Offset
from autograd.compiler.trace.program import Ints


class Stream:
    """Places ``base + step * i`` of the memory, or by a table, ``base + table[i]``."""

    def __init__(self, base: Offset, step: int, table: int | None = None) -> None:
        self.base, self.step, self.table = base, step, table

    @property
    def fixed(self) -> bool:
        """Whether all elements are one."""
        return self.table is None and self.step == 0

    def load(self, code: Code, i: Offset, mask: str | None) -> str:
        """The numbers at i and behind it, one for each lane."""
        if self.fixed:
            return code.broadcast(code.at("%v", self.base))
        if self.table is None and self.step == 1:
            return code.load(code.at("%v", code.plus(self.base, i)), mask)
        return code.gather("%v", self._places(code, i, mask), mask)

    def store(self, code: Code, i: Offset, mask: str | None, value: str) -> None:
        """Write one number for each lane."""
        if self.table is None and self.step == 1:
            code.store(value, code.at("%v", code.plus(self.base, i)), mask)
        else:
            code.scatter(value, "%v", self._places(code, i, mask), mask)

    def _places(self, code: Code, i: Offset, mask: str | None) -> str:
        if self.table is not None:
            place = code.at("%t", code.plus(i, self.table), "i32")
            indices = code.load_indices(place, mask)
            if self.base == 0:
                return indices
            far = code.splat("i64", self.base)
            return code.emit(f"add <{code.width} x i64> {indices}, {far}")
        start = code.plus(self.base, code.times(i, self.step))
        return code.steps(start, self.step)


class Tables:
    """Index tables of a program, one behind the other, as int32."""

    def __init__(self) -> None:
        self.parts: list[Ints] = []
        self.size = 0

    def add(self, entries: Ints) -> int:
        """Where the entries begin."""
        start = self.size
        self.parts.append(np.ascontiguousarray(entries))
        self.size += len(entries)
        return start

    def array(self) -> Any:
        """All of them."""
        parts = self.parts or [np.zeros(1, np.int64)]
        return np.concatenate(parts).astype(np.int32)


class RegionConflictError(Exception):
    """A stream mixes regions, or a kernel cannot read them where they are."""

    def __init__(self, regions: set[int]) -> None:
        super().__init__(regions)
        self.regions = regions


class Context:
    """What all groups of a program share while they are written."""

    def __init__(
        self, bulk: Bulk, layout: Layout, width: int, regions: Sequence[int] = ()
    ) -> None:
        """``regions`` names those of the program's that may lie elsewhere."""
        self.bulk, self.code, self.tables = bulk, Code(width), Tables()
        self.layout = layout
        self.constants = bulk.constants
        self._baked: dict[int, float] = {}
        self.needed: Needed = set()
        self.stored = np.ones(bulk.size, bool)  # which positions go to memory
        # Behind the memory: 0, 1, a place to write what nobody reads, and spare room.
        self.zero, self.one, self.sink = range(layout.size, layout.size + 3)
        self.slots = layout.size + 8  # distances of the regions, in numbers
        self.scratch = 0
        self.region_of = np.full(bulk.size, -1, np.int64)
        for k in regions:
            first, count = bulk.regions[k]
            self.region_of[first : first + count] = k
        self._load_distances(regions)
        self.kernels: set[str] = set()
        self.ended: list[list[str]] = []  # bodies of functions before this one

    def cut(self) -> None:
        """End the function: what follows belongs to another one."""
        self.ended.append(self.code.redirect([]))
        self._load_distances(list(self.distances))

    def _load_distances(self, regions: Sequence[int]) -> None:
        """How far away regions lie: at a slot behind the memory, 0 for in it."""
        self.distances: dict[int, str] = {}
        for k in regions:
            place = self.code.at("%v", self.slots + k)
            self.distances[k] = self.code.emit(f"load i64, ptr {place}, align 8")

    def distance(self, positions: Ints) -> Offset:
        """What to add to the addresses of a stream; RegionConflictError for several."""
        if not self.distances or not len(positions):
            return 0
        if positions.strides == (0,):
            positions = positions[:1]
        found = self.region_of[positions]
        first = int(found[0])
        if not (found == first).all():
            raise RegionConflictError(set(found.tolist()) - {-1})
        return self.distances[first] if first >= 0 else 0

    def resident(self, *streams: Ints) -> None:
        """Kernels that read by tables want their streams in the memory itself."""
        for positions in streams:
            found = set(np.unique(self.region_of[positions]).tolist()) - {-1}
            if found:
                raise RegionConflictError(found)

    def number(self, positions: Ints) -> float | None:
        """The baked-in number that all positions hold, if that is so."""
        if not len(positions):
            return None
        first = int(positions[0])
        if first in self.constants and (
            positions.strides == (0,) or (positions == first).all()
        ):
            return self.constants[first]
        return None

    def number_at(self, place: int) -> float | None:
        """The baked-in number at an address."""
        if not self._baked:
            for position, number in self.constants.items():
                self._baked[int(self.layout.address[position])] = number
        return self._baked.get(place)

    def address(self, place: int) -> str:
        """A pointer to a place of the memory."""
        return self.code.at("%v", place)

    def nest_of(self, streams: list[Ints], batched: bool) -> Nest:
        """The loops that streams have in common; the rows of the batch innermost."""
        nest = factor([self.layout.address[x] for x in streams])
        if not batched:
            return nest
        moves = np.array([[self.layout.sample_step(x)] for x in streams])
        steps = np.concatenate([nest.steps, moves], axis=1)
        return Nest((*nest.counts, self.layout.samples), steps, nest.bases)

    def scratch_room(self, count: int) -> int:
        """Where a kernel finds spare room for so many numbers."""
        self.scratch = max(self.scratch, count)
        return self.slots + len(self.bulk.regions)

    def call(self, kernel: str, arguments: str) -> None:
        """Call a kernel of the library."""
        self.kernels.add(kernel)
        self.code.do(f"call void @autograd.{kernel}.{self.code.width}({arguments})")

    def nest(
        self, nest: Nest, outer: list[int], streams: Sequence[Ints], body: Any
    ) -> None:
        """body(bases) inside the outer loops of a nest, below its table of bases."""
        code = self.code
        far = [self.distance(x) for x in streams]
        far += [0] * (len(nest.bases) - len(far))

        def descend(depth: int, bases: list[Offset]) -> None:
            if depth == len(outer):
                body(bases)
                return
            steps = nest.steps[:, outer[depth]].tolist()

            def trip(i: Offset, _: list[str]) -> list[str]:
                moved = [
                    code.plus(base, code.times(i, step))
                    for base, step in zip(bases, steps, strict=True)
                ]
                descend(depth + 1, moved)
                return []

            code.loop(nest.counts[outer[depth]], trip)

        if nest.affine:
            starts = nest.bases[:, 0].tolist()
            descend(0, [code.plus(b, d) for b, d in zip(starts, far, strict=True)])
            return
        entries = [self._base_table(bases) for bases in nest.bases]

        def entry(i: Offset, _: list[str]) -> list[str]:
            bases = [self._base(found, i) for found in entries]
            descend(0, [code.plus(b, d) for b, d in zip(bases, far, strict=True)])
            return []

        code.loop(nest.bases.shape[1], entry)

    def _base_table(self, bases: Ints) -> Stream:
        step = int(bases[1] - bases[0])
        if (np.diff(bases) == step).all():
            return Stream(int(bases[0]), step)
        return Stream(0, 0, self.tables.add(bases))

    def _base(self, entry: Stream, i: Offset) -> Offset:
        code = self.code
        if entry.table is None:
            return code.plus(entry.base, code.times(i, entry.step))
        place = code.at("%t", code.plus(i, entry.table), "i32")
        short = code.emit(f"load i32, ptr {place}, align 4")
        return code.emit(f"sext i32 {short} to i64")
