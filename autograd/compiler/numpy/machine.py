"""The embedded backend: every bulk operation is one or a few calls of numpy.

    Map(tanh, [4, 5], [0, 1])               np.tanh(memory[0:2], memory[4:6])
    SumOfProducts([6], +2 products)         np.dot(memory[0:2], memory[4:6], memory[6])

All steps are made once, with the arrays that they read and write; a run only calls
them. A call binds its arrays to the memory: small ones are copied, large ones stand in
for regions of it.
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
)
from autograd.compiler.numpy.primitives import (
    EXACT,
    FOLDS,
    STEPS,
    scan_of,
    take_segments,
)
from autograd.compiler.numpy.sums import Sums, mended
from autograd.compiler.trace.program import Ints
from autograd.numbers.arrays import NUMPY
from autograd.numbers.gather import TAKE
from autograd.table.primitive import Primitive


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
        self._memory = Memory(self.layout, numbers)
        self.memory, self._do = self._memory.numbers, self._memory.do
        self._sums = Sums(self._memory)
        self._guards = Guards(self._memory, bulk.size)
        for run in runs_of(bulk.operations):
            if run[0].scan:
                self._do(scan_of(self.layout, self.memory, run))
            else:
                self._operation(run[0])
            self._guards.passed(run)
        self._memory.complete()
        self._regions = movable_regions(self._memory, bulk.regions)
        self._guard(False)

    def _guard(self, on: bool) -> None:
        """Make one function of all steps, with the guards of products or without."""
        steps = self._guards.steps(on)
        self._steps = function_of(steps, self.memory, self._regions)

    def run(self) -> None:
        """Compute everything from the inputs in the memory."""
        if not self._guards.on:  # nobody looks at the results
            self._guard(True)
        with np.errstate(all="ignore"):
            self._steps()

    def prepare(self, bulk: Bulk, sections: Sequence[Section]) -> None:
        super().prepare(bulk, sections)
        inputs = self.layout.inputs
        self.binding = Binding(self.memory, inputs, self._regions, self.outputs)
        shapes = [shape for _, shape in self.outputs]
        elsewhere = [self.memory[begin:end] for begin, end in self.binding.regions]
        self._guards.watch(bulk.outputs, sections, shapes, elsewhere)

    def call(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None]
    ) -> list[Floats]:
        """The results of all sections; in the buffers, where there are some."""
        binding = self.binding
        given, stand_ins = binding.enter(numbers, buffers)
        self.check_count(given)
        results = binding.results(buffers, stand_ins)
        with np.errstate(all="ignore"):
            self._steps(*stand_ins)
            binding.collect(results, stand_ins)
            if self._guards.missed(results):
                self._guard(True)
                self._steps(*stand_ins)
                binding.collect(results, stand_ins)
        return results

    # -- operations ------------------------------------------------------------------

    def _operation(self, operation: Operation) -> None:
        batched = self.layout.is_batched(operation.target)
        if not len(operation.target):
            return
        if isinstance(operation, Map):
            self._map(operation, batched)
        elif isinstance(operation, SegmentReduce):
            self._reduce(operation, batched)
        elif self.strict and operation.terms:
            self._in_order(operation, batched)
        else:
            self._sums.write(operation.target, operation.terms, batched)

    def _map(self, operation: Map, batched: bool) -> None:
        primitive, target = operation.primitive, operation.target
        views = self._memory.together([*operation.operands, target], batched)
        if views is not None:
            *operands, out = views
            self._apply(primitive, operands, out)
            return
        operands = self._memory.operands(operation.operands, batched)
        result = self._memory.block(target)
        shape = np.broadcast_shapes(*[x.shape for x in operands])
        self._apply(primitive, operands, result.reshape(shape))
        self._memory.store(target, result)

    def _apply(self, primitive: Primitive, operands: list[Floats], out: Floats) -> None:
        """out = primitive(*operands), in steps as few and fast as there are."""
        name = primitive.name
        known = primitive.builtin and (name in EXACT or not self.strict)
        function = NUMPY.get(name) if known else None
        if primitive in PRODUCTS:
            self._do(np.multiply, *operands, out)
            if primitive is not PRODUCTS[0]:
                self._memory.mend(mended, PRODUCTS.index(primitive), *operands, out)
        elif known and name in STEPS:
            STEPS[name](self._do, operands, out)
        elif isinstance(function, np.ufunc):
            self._do(function, *operands, out)
        else:  # last, the primitive's own evaluation, called for each element
            own = function or np.frompyfunc(primitive.evaluate, len(operands), 1)
            self._do(_evaluated, out, own, *operands)

    def _in_order(self, operation: SumOfProducts, batched: bool) -> None:
        """One part after the other, as the eager engine does: products begin with the
        neutral -0, plain sums with 0."""
        result = self._memory.block(operation.target)
        counts = np.sum([part.counts for part in operation.terms], axis=0)
        products = len(operation.terms) > 1 or operation.terms[0].is_product
        first = np.where(counts > 0, -0.0 if products else 0.0, 0.0)
        out = result.reshape(len(counts), -1)
        self._do(np.copyto, out, first[:, np.newaxis])
        for part in operation.terms:
            self._terms_in_order(part, out, batched)
        self._memory.store(operation.target, result)

    def _terms_in_order(self, part: Terms, out: Floats, batched: bool) -> None:
        terms = self._sums.terms(part, slice(None), batched or part.over_batch)
        segments, sign = part.segments, float(part.sign)
        along = np.arange(len(segments)) - part.offsets[segments]
        longest = int(part.counts.max(initial=0))
        slices = [np.flatnonzero(along == j) for j in range(longest)]

        def step(out: Floats, terms: Floats) -> None:
            flat = terms.reshape(len(segments), -1) * sign
            for chosen in slices:
                if not part.over_batch:
                    out[segments[chosen]] += flat[chosen]
                    continue
                for sample in range(flat.shape[1]):
                    out[segments[chosen], 0] += flat[chosen, sample]

        self._do(step, out, terms)

    def _reduce(self, operation: SegmentReduce, batched: bool) -> None:
        result = self._memory.block(operation.target)
        name = operation.primitive.name
        exact = name in EXACT or not self.strict  # of zeros the first is the largest
        fold = FOLDS.get(name) if operation.primitive.builtin and exact else None
        if fold is not None and not operation.has_gaps:
            self._fold(fold, operation, result, batched)
        else:
            self._one_by_one(operation, result, batched)
        self._memory.store(operation.target, result)

    def _fold(
        self, fold: Any, operation: SegmentReduce, out: Floats, batched: bool
    ) -> None:
        """A fold of a ufunc over segments, none of which is empty."""
        counts, (group, *_) = operation.counts, operation.groups
        k = int(counts[0])
        if (counts == k).all() and not self.strict:
            view = self._memory.table(group.reshape(-1, k), batched)
            if view is not None:
                self._do(fold.reduce, view, -1, None, out.reshape(view.shape[:-1]))
                return
        terms = self._memory.gathered(group, batched)
        out = out.reshape(len(counts), *terms.shape[1:])
        self._do(fold.reduceat, terms, operation.offsets[:-1], 0, None, out)

    def _one_by_one(self, operation: SegmentReduce, out: Floats, batched: bool) -> None:
        """Any primitive, segment by segment in Python; take in a few calls."""
        primitive, offsets = operation.primitive, operation.offsets
        groups = [self._memory.gathered(group, batched) for group in operation.groups]
        groups = [group.reshape(len(group), -1) for group in groups]
        out = out.reshape(len(operation.target), -1)
        if primitive is TAKE:
            self._do(take_segments, groups[0], offsets, out)
            return

        def step(out: Floats, *groups: Floats) -> None:
            for i, (a, b) in enumerate(pairwise(offsets)):
                for sample in range(out.shape[1]):
                    operands = [tuple(group[a:b, sample].tolist()) for group in groups]
                    out[i, sample] = primitive.evaluate(*operands)

        self._do(step, out, *groups)


def _evaluated(out: Floats, function: Callable[..., Any], *operands: Floats) -> None:
    out[...] = function(*operands)


StandIns = list[Floats | None]  # of each region: the array that is used in its place


class Binding:
    """How the arrays of a call meet the memory: copied, or in place of a region.

    ``inputs`` is where the inputs end, ``outputs`` says where results lie, and their
    shapes. A region that is an argument, or just one result, may be bound.
    """

    def __init__(
        self,
        memory: Floats,
        inputs: int,
        regions: Sequence[Region],
        outputs: Sequence[tuple[slice | Ints, Any]],
    ) -> None:
        self.memory, self.count = memory, len(regions)
        self.regions = {  # those that can be bound, and their numbers
            region: k
            for k, region in enumerate(regions)
            if all(_separate(where, region, inputs) for where, _ in outputs)
        }
        # a view or addresses; the shape; and the region that is bound
        self._outputs: list[tuple[Floats | None, Any, Any, int | None]] = []
        for where, shape in outputs:
            view, k = None, None
            if isinstance(where, slice):
                view = memory[where].reshape(shape)
                k = self.regions.get((where.start, where.stop))
            self._outputs.append((view, where, shape, k))

    def enter(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None]
    ) -> tuple[int, StandIns]:
        """Copy or bind the arguments; how many numbers they have.

        An argument that a result may be written over is copied.
        """
        stand_ins: StandIns = [None] * self.count
        start = 0
        for part in numbers:
            end = start + part.size
            k = self.regions.get((start, end)) if stand_ins else None
            if k is not None and not overlaps(part, buffers):
                stand_ins[k] = part
            else:
                self.memory[start:end] = part
            start = end
        return start, stand_ins

    def results(
        self, buffers: Sequence[Floats | None], stand_ins: StandIns
    ) -> list[Floats]:
        """The arrays of the results; bound to their regions."""
        results = []
        for (_, _, shape, k), buffer in zip(self._outputs, buffers, strict=True):
            result = np.empty(shape) if buffer is None else buffer
            results.append(result)
            if k is not None and stand_ins[k] is None:
                stand_ins[k] = result.reshape(shape)
        return results

    def collect(self, results: Sequence[Floats], stand_ins: StandIns) -> None:
        """Copy the results from the memory, where they are not there yet."""
        for (view, where, _, k), result in zip(self._outputs, results, strict=True):
            source = view if k is None else stand_ins[k]
            if source is None:
                source = self.memory[where]
            if k is None or not np.may_share_memory(source, result):
                np.copyto(result, source.reshape(result.shape))


def _separate(where: slice | Ints, region: Region, inputs: int) -> bool:
    """Whether the numbers of a result are those of a region, or others."""
    if not isinstance(where, slice):
        return not bool(((where >= region[0]) & (where < region[1])).any())
    if (where.start, where.stop) == region:
        return bool(region[0] >= inputs)
    return bool(where.stop <= region[0] or region[1] <= where.start)
