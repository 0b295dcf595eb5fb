"""The embedded backend: every bulk operation is one or a few calls of numpy.

Index arrays become views of the memory where they are affine (``nests``), gathers where
they are not. All steps are made once, with the arrays that they read and write; a run
only calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import (
    PRODUCTS,
    Bulk,
    Floats,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
    Terms,
    runs_of,
)
from autograd.compiler.bulk.layout import (
    Layout,
    MemoryMachine,
    Section,
    overlaps,
    unmixed,
)
from autograd.compiler.numpy.memory import (
    Guards,
    Memory,
    Region,
    function_of,
    movable_regions,
    regions_of,
)
from autograd.compiler.numpy.products import Sums, mended
from autograd.compiler.numpy.rows import EXACT, FOLDS, STEPS, steps_of, take_rows
from autograd.errors import ShapeError
from autograd.numbers.arrays import NUMPY
from autograd.numbers.gather import TAKE
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE


class NumpyMachine(MemoryMachine):
    """A bulk program with a memory of its own, ready to run (one thread at a time)."""

    def __init__(
        self,
        bulk: Bulk,
        strict: bool = False,
        place: tuple[Layout, Floats] | None = None,
    ) -> None:
        """With a place, a layout and its memory, streams must be unmixed for it."""
        bulk = bulk if place else unmixed(bulk)
        self.layout, numbers = place or (Layout(bulk, bulk.batch), None)
        self.strict = strict
        self._store = Memory(self.layout, numbers)
        self.memory, self._do = self._store.numbers, self._store.do
        self._sums = Sums(self._store)
        self._guards = Guards(self._store, bulk.size)
        for same in runs_of(bulk.operations):
            if same[0].scan:
                self._do(steps_of(self.layout, self.memory, same))
            else:
                self._operation(same[0])
            self._guards.passed(same)
        self._store.complete()
        self._regions = movable_regions(
            self._store.steps, self.memory, regions_of(self.layout, bulk.regions)
        )
        self._guard(False)

    def _guard(self, on: bool) -> None:
        """Make one function of all steps, with the guards of products or without."""
        steps = self._guards.steps(on)
        self._steps = function_of(steps, self.memory, self._regions)

    def _operation(self, operation: Operation) -> None:
        wide = self.layout.is_batched(operation.target)
        if isinstance(operation, Map):
            self._map(operation, wide)
        elif isinstance(operation, SegmentReduce):
            self._reduce(operation, wide)
        elif self.strict and operation.terms:
            self._in_order(operation, wide)
        else:
            self._sums.write(operation.target, operation.terms, wide)

    def run(self) -> None:
        """Compute everything from the inputs in the memory."""
        if not self._guards.on:  # nobody looks at the results
            self._guard(True)
        with np.errstate(all="ignore"):
            self._steps()

    def prepare(self, bulk: Bulk, sections: Sequence[Section]) -> None:
        """Look up where the results lie; regions with parts of them stay inside."""
        super().prepare(bulk, sections)
        self._apart = {
            region: k
            for k, region in enumerate(self._regions)
            if all(self._separate(where, region) for where, _ in self.outputs)
        }
        self._results = [self._result(*output) for output in self.outputs]
        shapes = [shape for _, _, shape, _ in self._results]
        elsewhere = [self.memory[a:b] for a, b in self._apart]
        self._guards.watch(bulk.outputs, sections, shapes, elsewhere)

    def _result(self, where: Any, shape: Any) -> tuple[Any, Any, Any, int | None]:
        """A view of a section or its places, its shape, and the region that it is."""
        if not isinstance(where, slice):
            return None, where, shape, None
        region = self._apart.get((where.start, where.stop))
        return self.memory[where].reshape(shape), None, shape, region

    def _separate(self, where: Any, region: Region) -> bool:
        """Whether the numbers of a section are those of a region, or others."""
        if isinstance(where, slice) and (where.start, where.stop) == region:
            return bool(region[0] >= self.layout.inputs)
        if isinstance(where, slice):
            return bool(where.stop <= region[0] or region[1] <= where.start)
        return not bool(((where >= region[0]) & (where < region[1])).any())

    def call(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None]
    ) -> list[Floats]:
        """The results of all sections; in the buffers, where there are some."""
        apart: list[Floats | None] = [None] * len(self._regions)
        start, memory = 0, self.memory
        for part in numbers:
            end = start + part.size
            k = self._apart.get((start, end)) if apart else None
            if k is not None and not overlaps(part, buffers):
                apart[k] = part
            else:
                memory[start:end] = part
            start = end
        if start != self.layout.inputs:
            raise ShapeError(f"{self.layout.inputs} numbers are needed, got {start}")
        results = []
        for (_, _, shape, k), buffer in zip(self._results, buffers, strict=True):
            result = np.empty(shape) if buffer is None else buffer
            results.append(result)
            if k is not None and apart[k] is None:
                apart[k] = result.reshape(shape)
        with np.errstate(all="ignore"):
            self._steps(*apart)
            self._collect(results, apart)
            if self._guards.missed(results):
                self._guard(True)
                self._steps(*apart)
                self._collect(results, apart)
        return results

    def _collect(
        self, results: Sequence[Floats], apart: Sequence[Floats | None]
    ) -> None:
        """Copy the results from the memory, where they are not there yet."""
        for (view, places, shape, k), result in zip(
            self._results, results, strict=True
        ):
            found = view if k is None else apart[k]
            if found is None:
                found = self.memory[places].reshape(shape)
            if k is None or not np.may_share_memory(found, result):
                np.copyto(result, found.reshape(result.shape))

    def _map(self, operation: Map, wide: bool) -> None:
        row, target = operation.primitive, operation.target
        if not len(target):
            return
        views = self._store.together([*operation.operands, target], wide)
        if views is not None:
            *operands, out = views
            self._row(row, operands, out)
            return
        operands = self._store.operands(operation.operands, wide)
        result = self._store.block(target)
        shape = np.broadcast_shapes(*[x.shape for x in operands])
        self._row(row, operands, result.reshape(shape))
        self._store.store(target, result)

    def _row(self, row: Primitive, operands: list[Floats], out: Floats) -> None:
        """out = row(*operands), in steps as few and fast as there are."""
        known = TABLE.get(row.name) is row
        known = known and (row.name in EXACT or not self.strict)
        if row in PRODUCTS:
            self._do(np.multiply, *operands, out)
            if row is not PRODUCTS[0]:
                self._store.mend(mended, PRODUCTS.index(row), *operands, out)
            return
        if known and row.name in STEPS:
            STEPS[row.name](self._do, operands, out)
            return
        function = NUMPY.get(row.name) if known else None
        if isinstance(function, np.ufunc):
            self._do(function, *operands, out)
            return
        if function is None:  # the row's own evaluation, called for each element
            function = np.frompyfunc(row.evaluate, len(operands), 1)
        self._do(_evaluated, out, function, *operands)

    def _in_order(self, operation: SumOfProducts, wide: bool) -> None:
        """One part after the other, as the eager engine does: products begin with the
        neutral -0, plain sums with 0."""
        result = self._store.block(operation.target)
        counts = np.sum([part.counts for part in operation.terms], axis=0)
        products = len(operation.terms) > 1 or operation.terms[0].is_product
        first = np.where(counts > 0, -0.0 if products else 0.0, 0.0)
        out = result.reshape(len(counts), -1)
        self._do(np.copyto, out, first[:, np.newaxis])
        for part in operation.terms:
            self._terms_in_order(part, out, wide)
        self._store.store(operation.target, result)

    def _terms_in_order(self, part: Terms, out: Floats, wide: bool) -> None:
        """Terms added one after the other."""
        terms = self._sums.terms(part, slice(None), wide or part.over_batch)
        rows, starts, counts = part.segments, part.offsets[:-1], part.counts
        along = np.arange(len(rows)) - starts[rows]
        slices = [np.flatnonzero(along == j) for j in range(int(counts.max(initial=0)))]

        def step(out: Floats, terms: Floats) -> None:
            flat = terms.reshape(len(rows), -1) * float(part.sign)
            for chosen in slices:
                if not part.over_batch:
                    out[rows[chosen]] += flat[chosen]
                    continue
                for lane in range(flat.shape[1]):
                    out[rows[chosen], 0] += flat[chosen, lane]

        self._do(step, out, terms)

    # -- rows of many operands ---------------------------------------------------------

    def _reduce(self, operation: SegmentReduce, wide: bool) -> None:
        result = self._store.block(operation.target)
        name = operation.primitive.name
        exact = name in EXACT or not self.strict  # of zeros the first is the largest
        fold = FOLDS.get(name) if exact else None
        if TABLE.get(name) is not operation.primitive:
            fold = None
        if not len(result):
            return
        if fold is None or not self._fold(fold, operation, result, wide):
            self._by_rows(operation, result, wide)
        self._store.store(operation.target, result)

    def _fold(
        self, fold: Any, operation: SegmentReduce, out: Floats, wide: bool
    ) -> bool:
        """A fold of a ufunc over rows, none of which is empty."""
        starts, (group, *_) = operation.offsets, operation.groups
        lengths = np.diff(starts)
        k = int(lengths[0])
        if not lengths.all():
            return False
        if (lengths == k).all() and not self.strict:
            view = self._store.rows(group.reshape(-1, k), wide)
            if view is not None:
                self._do(fold.reduce, view, -1, None, out.reshape(view.shape[:-1]))
                return True
        terms = self._store.gathered(group, wide)
        out = out.reshape(len(lengths), *terms.shape[1:])
        self._do(fold.reduceat, terms, starts[:-1], 0, None, out)
        return True

    def _by_rows(self, operation: SegmentReduce, out: Floats, wide: bool) -> None:
        row, starts = operation.primitive, operation.offsets
        groups = [self._store.gathered(group, wide) for group in operation.groups]
        groups = [group.reshape(len(group), -1) for group in groups]
        out = out.reshape(len(starts) - 1, -1)
        if row is TAKE:
            self._do(take_rows, groups[0], starts, out)
            return

        def step(out: Floats, *groups: Floats) -> None:
            for i, (a, b) in enumerate(pairwise(starts)):
                for lane in range(out.shape[1]):
                    operands = [tuple(group[a:b, lane].tolist()) for group in groups]
                    out[i, lane] = row.evaluate(*operands)

        self._do(step, out, *groups)


def _evaluated(out: Floats, function: Callable[..., Any], *operands: Floats) -> None:
    out[...] = function(*operands)
