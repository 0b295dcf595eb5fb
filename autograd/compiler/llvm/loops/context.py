"""What the writers of a program's parts share while it becomes LLVM IR.

``Stream`` says where the elements of an index array lie along an innermost loop,
``Tables`` collects index tables, and ``Context`` knows the memory:

    the layout's numbers | 0 | 1 | sink | ... | distances of regions | scratch

An array that an input or a result lies in need not be copied: it is a *region*, and a
slot behind the memory says how far away it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.bulk.bulk import Bulk
from autograd.compiler.bulk.layout import Layout
from autograd.compiler.bulk.nests import Nest, factor
from autograd.compiler.llvm.functions.table import Needed
from autograd.compiler.llvm.kernels.code import Code, Offset
from autograd.compiler.llvm.kernels.library import SIGNATURES
from autograd.compiler.trace.program import Ints


@dataclass(frozen=True)
class Stream:
    """Places ``base + step * i`` of the memory, or by a table, ``base + table[i]``."""

    base: Offset
    step: int
    table: int | None = None

    @property
    def fixed(self) -> bool:
        """Whether all elements are one."""
        return self.table is None and self.step == 0

    def place(self, code: Code, i: Offset) -> Offset:
        """Where element i lies; a table stands alone."""
        if self.table is not None:
            return code.entry("%t", code.plus(i, self.table))
        return code.plus(self.base, code.times(i, self.step))

    def load(self, code: Code, i: Offset, mask: str | None) -> str:
        """The numbers at i and behind it, one for each lane."""
        if self.fixed:
            return code.broadcast(code.at("%v", self.base))
        if self.table is None and self.step == 1:
            return code.load(code.at("%v", code.plus(self.base, i)), mask)
        return code.gather("%v", self._places(code, i, mask), mask)

    def store(self, code: Code, i: Offset, mask: str | None, value: str) -> None:
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
        parts = self.parts or [np.zeros(1, np.int64)]
        return np.concatenate(parts).astype(np.int32)


class Cells(NamedTuple):
    """Places behind the memory that hold 0, hold 1, and take what nobody reads."""

    zero: int
    one: int
    sink: int


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
        self.needed: Needed = set()
        self.kernels: set[str] = set()
        self.stored = np.ones(bulk.size, bool)  # which positions go to memory
        self.cells = Cells(*range(layout.size, layout.size + 3))
        self.slots = layout.size + 8  # distances of the regions, in numbers
        self.scratch = 0  # how many numbers kernels want behind them
        self.ended: list[list[str]] = []  # bodies of functions before this one
        self.region_of = np.full(bulk.size, -1, np.int64)
        for k in regions:
            first, count = bulk.regions[k]
            self.region_of[first : first + count] = k
        self._load_distances(regions)
        self._baked: dict[int, float] = {}

    def cut(self) -> None:
        """End the function: what follows belongs to another one."""
        self.ended.append(self.code.redirect([]))
        self._load_distances(list(self.distances))

    def _load_distances(self, regions: Sequence[int]) -> None:
        code = self.code
        self.distances = {
            k: code.load_whole(code.at("%v", self.slots + k)) for k in regions
        }

    def distance(self, positions: Ints) -> Offset:
        """What to add to the addresses of a stream; RegionConflictError for several."""
        if not self.distances or not len(positions):
            return 0
        if positions.strides == (0,):
            positions = positions[:1]
        regions = self.region_of[positions]
        first = int(regions[0])
        if not (regions == first).all():
            raise RegionConflictError(set(regions.tolist()) - {-1})
        return self.distances[first] if first >= 0 else 0

    def resident(self, *streams: Ints) -> None:
        """Kernels that read by tables want their streams in the memory itself."""
        for positions in streams:
            regions = set(np.unique(self.region_of[positions]).tolist()) - {-1}
            if regions:
                raise RegionConflictError(regions)

    def number(self, positions: Ints) -> float | None:
        """The baked-in number that all positions hold, if there is one."""
        first = int(positions[0]) if len(positions) else -1
        if first in self.bulk.constants and (
            positions.strides == (0,) or (positions == first).all()
        ):
            return self.bulk.constants[first]
        return None

    def number_at(self, place: int) -> float | None:
        """The baked-in number at an address."""
        if not self._baked:
            for position, number in self.bulk.constants.items():
                self._baked[int(self.layout.address[position])] = number
        return self._baked.get(place)

    def scratch_for(self, count: int) -> int:
        """Where a kernel may write so many numbers that nobody else needs."""
        self.scratch = max(self.scratch, count)
        return self.slots + len(self.bulk.regions)

    def call(self, kernel: str, *arguments: Offset) -> None:
        """Call a kernel of the library; its signature knows the arguments' types."""
        self.kernels.add(kernel)
        types = [parameter.split()[0] for parameter in SIGNATURES[kernel].split(",")]
        listed = ", ".join(f"{t} {x}" for t, x in zip(types, arguments, strict=True))
        self.code.do(f"call void @autograd.{kernel}.{self.code.width}({listed})")

    def table_pointers(self, tables: Sequence[Ints]) -> list[str]:
        """Pointers to index tables, which are added to the program's."""
        starts = [self.tables.add(table) for table in tables]
        return [self.code.at("%t", start, "i32") for start in starts]

    # -- Nests of loops --------------------------------------------------------------

    def nest_of(self, streams: list[Ints], batched: bool) -> Nest:
        """The loops that streams have in common; the samples of a batch innermost."""
        nest = factor([self.layout.address[x] for x in streams])
        if not batched:
            return nest
        moves = np.array([[self.layout.sample_step(x)] for x in streams])
        return nest.within((self.layout.samples,), moves)

    def nest(
        self,
        nest: Nest,
        outer: list[int],
        streams: Sequence[Ints],
        body: Callable[[list[Offset]], object],
    ) -> None:
        """body(bases) inside the outer loops of a nest, below its table of bases."""
        code = self.code
        far = [self.distance(x) for x in streams]
        far += [0] * (len(nest.bases) - len(far))

        def descend(loops: list[int], bases: list[Offset]) -> None:
            if not loops:
                body(bases)
                return
            steps = nest.steps[:, loops[0]].tolist()

            def trip(i: Offset) -> None:
                pairs = zip(bases, steps, strict=True)
                moved = [code.plus(base, code.times(i, step)) for base, step in pairs]
                descend(loops[1:], moved)

            code.each(nest.counts[loops[0]], trip)

        def entry(bases: list[Offset]) -> None:
            descend(outer, [code.plus(b, d) for b, d in zip(bases, far, strict=True)])

        if nest.affine:
            entry(nest.bases[:, 0].tolist())
            return
        entries = [self.stream_of(bases) for bases in nest.bases]
        code.each(
            nest.bases.shape[1], lambda i: entry([x.place(code, i) for x in entries])
        )

    def stream_of(self, places: Ints) -> Stream:
        """Places that move evenly, or else by a table."""
        step = int(places[1] - places[0]) if len(places) > 1 else 0
        if (np.diff(places) == step).all():
            return Stream(int(places[0]), step)
        return Stream(0, 0, self.tables.add(places))
