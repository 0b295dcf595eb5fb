"""Bulk programs: a handful of operations on index arrays over one flat memory.

Number k lives at position k of the memory. Inputs come first, constants follow, every
operation writes positions of its own. Three kinds of operation are enough:

- ``Map``: target[i] = primitive(x[i], y[i], ...);
- ``SumOfProducts``: target[i] = the sum of all terms of segment i, each a signed number
  or product of two;
- ``SegmentReduce``: target[i] = primitive(all operands of segment i): maximum, take.

Segments are given by *offsets*, as in compressed sparse rows: segment i holds the terms
offsets[i] to offsets[i + 1]. A 2 x 2 matrix at positions 0 to 3 times the vector at 4
and 5, into 6 and 7, is

    SumOfProducts([6, 7], [Terms(1, [0, 2, 4], ([0, 1, 2, 3], [4, 5, 4, 5]))])

Positions are plain arrays, so that gathers, shifts, transposes and broadcasts all look
the same here; what is regular about them is found when they are lowered (``nests``).

Operations with the same number ``scan`` (not 0) stand together and run step by step:
element t of all of them before element t + 1; with a negative number, before t - 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from autograd.compiler.trace.program import Ints
from autograd.errors import TraceError
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# The primitive of a product, by how strong zero is in it: see Terms.strong.
PRODUCTS = TABLE["multiply"], TABLE["guarded_multiply"], TABLE["selected_multiply"]


@dataclass(eq=False)
class Map:
    """target[i] = primitive(operands[0][i], operands[1][i], ...)."""

    primitive: Primitive
    target: Ints
    operands: tuple[Ints, ...]
    scan: int = 0

    def reads(self) -> Sequence[Ints]:
        """Every index array that is read."""
        return self.operands


class _Segments:
    offsets: Ints

    @property
    def counts(self) -> Ints:
        return self.offsets[1:] - self.offsets[:-1]

    @property
    def segments(self) -> Ints:
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts)


@dataclass(eq=False)
class Terms(_Segments):
    """Terms of one form: sign * x, or sign * x * y, with one or two ``factors``.

    ``strong`` says whose exact 0 beats infinity and NaN in the products: 1 the first
    factor's, 2 either's; with 0 they are plain IEEE (see ``autograd.graph.strong``).
    """

    sign: int
    offsets: Ints
    factors: tuple[Ints, ...]
    over_batch: bool = False  # summed over the samples of the batch as well
    strong: int = 0

    def __len__(self) -> int:
        return len(self.factors[0])

    @property
    def is_product(self) -> bool:
        return len(self.factors) == 2


@dataclass(eq=False)
class SumOfProducts:
    """target[i] = the sum of segment i of all terms."""

    target: Ints
    terms: list[Terms]
    scan: int = 0

    def reads(self) -> Sequence[Ints]:
        return [positions for part in self.terms for positions in part.factors]


@dataclass(eq=False)
class SegmentReduce(_Segments):
    """target[i] = primitive(segment i of the first group, of the second, ...)."""

    primitive: Primitive
    target: Ints
    offsets: Ints
    groups: tuple[Ints, ...]
    scan: int = 0

    def reads(self) -> Sequence[Ints]:
        return self.groups

    @property
    def has_gaps(self) -> bool:
        """Whether a segment is empty."""
        return not bool((np.diff(self.offsets) > 0).all())


Operation = Map | SumOfProducts | SegmentReduce


def runs_of(operations: list[Operation]) -> list[list[Operation]]:
    """Operations one by one, those of a scan together."""
    runs: list[list[Operation]] = []
    for operation in operations:
        if operation.scan and runs and runs[-1][0].scan == operation.scan:
            runs[-1].append(operation)
        else:
            runs.append([operation])
    return runs


def reads_by_result(operation: Operation) -> Iterator[tuple[Ints, Ints]]:
    """(index of the result, position) of everything that an operation reads."""
    if isinstance(operation, Map):
        results = np.arange(len(operation.target))
        yield from [(results, positions) for positions in operation.operands]
    elif isinstance(operation, SegmentReduce):
        yield from [(operation.segments, positions) for positions in operation.groups]
    else:
        for part in operation.terms:
            yield from [(part.segments, positions) for positions in part.factors]


def with_reads(operation: Operation, f: Callable[[Ints], Ints]) -> Operation:
    """The operation with f applied to every index array that it reads."""

    def each(streams: tuple[Ints, ...]) -> tuple[Ints, ...]:
        return tuple([f(positions) for positions in streams])

    if isinstance(operation, Map):
        return replace(operation, operands=each(operation.operands))
    if isinstance(operation, SegmentReduce):
        return replace(operation, groups=each(operation.groups))
    parts = [replace(part, factors=each(part.factors)) for part in operation.terms]
    return replace(operation, terms=parts)


def depends(operation: Operation, active: Mask) -> Mask:
    """Which results of an operation depend on active positions."""
    if isinstance(operation, Map):
        if operation.primitive.predicate:
            return np.zeros(len(operation.target), bool)
        return np.asarray(np.any([active[x] for x in operation.operands], axis=0))
    hits = np.zeros(len(operation.target), np.int64)
    for results, positions in reads_by_result(operation):
        hits += np.bincount(results[active[positions]], minlength=len(hits))
    return hits > 0


def describe(operation: Operation) -> str:
    """One line: what an operation computes, how often, from how many terms."""
    n = len(operation.target)
    if isinstance(operation, Map):
        return f"{operation.primitive.name} x {n}"
    if isinstance(operation, SegmentReduce):
        return f"{operation.primitive.name} x {n} of {_lengths(operation)}"
    parts = [
        f"{'-' if part.sign < 0 else '+'}{_lengths(part)}"
        f"{' guarded' if part.strong else ''}"
        f"{' products' if part.is_product else ''}"
        f"{' over the batch' if part.over_batch else ''}"
        for part in operation.terms
    ]
    return f"sum x {n} of {' '.join(parts)}"


def _lengths(segments: _Segments) -> str:
    counts = segments.counts
    low, high = (int(counts.min()), int(counts.max())) if len(counts) else (0, 0)
    return f"{high}" if low == high else f"{low}..{high}"


@dataclass(eq=False)
class Bulk:
    """Operations in order, over a memory of ``size`` numbers.

    Attributes
    ----------
    inputs : inputs are positions 0 to inputs - 1.
    constants : position -> number, of what was baked in.
    outputs : the positions that are returned.
    batch, batched : how many samples stream through, and which positions hold one
        number for each of them; all others are shared by the samples.
    blocks : (first input, columns) of every array whose samples stream through: it
        lies in memory sample by sample, as it comes.
    regions : (first position, count) of arrays that may lie outside of the memory.
    """

    operations: list[Operation]
    size: int
    inputs: int
    constants: dict[int, float]
    outputs: Ints
    batch: int = 0
    batched: Mask = field(default_factory=lambda: np.zeros(0, bool))
    blocks: list[tuple[int, int]] = field(default_factory=list)
    regions: list[tuple[int, int]] = field(default_factory=list)

    def is_batched(self, positions: Ints) -> Mask:
        """Which positions hold one number for each sample of the batch."""
        if not len(self.batched):
            return np.zeros(len(positions), bool)
        return np.asarray(self.batched[positions])

    def pruned(self) -> Bulk:
        """The program without the operations that no output needs."""
        needed = np.zeros(self.size, bool)
        needed[self.outputs] = True
        kept: list[Operation] = []
        for run in reversed(runs_of(self.operations)):
            wanted: set[int] = set()
            while True:  # within a scan what comes first may need what comes last
                more = {k for k, op in enumerate(run) if needed[op.target].any()}
                if more <= wanted:
                    break
                for k in more - wanted:
                    for positions in run[k].reads():
                        needed[positions] = True
                wanted |= more
            kept += [run[k] for k in sorted(wanted, reverse=True)]
        return replace(self, operations=kept[::-1])

    def verify(self) -> Bulk:
        """Self, after proving that nothing is read before, or beside, what is written.

        Every position read holds an input, a constant or an earlier result; every
        position is written once; segments follow each other. A wrong grouping could
        then only cost speed, never memory. All index arrays are checked at once: an
        operation costs little more than its numbers.
        """
        for k, operation in enumerate(self.operations):
            _check(_shapes_fit(operation), k, "has segments that do not fit")
        runs = runs_of(self.operations)
        count = 0
        for run in runs:
            steps = {len(operation.target) for operation in run}
            _check(
                len(steps) == 1, count, "begins a scan of operations of unequal steps"
            )
            count += len(run)
        moment = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
        ready = _moments_of_results(self, moment, len(runs))
        reads = [(k, x) for k, op in enumerate(self.operations) for x in op.reads()]
        reader = np.repeat([k for k, _ in reads], [len(x) for _, x in reads])
        reader = reader.astype(np.int64)
        read = np.concatenate([np.zeros(0, np.int64), *(x for _, x in reads)])
        _check_all(_inside(read, self.size), reader, "reads outside")
        in_time = ready[read] < moment[reader]
        if any(run[0].scan for run in runs):
            in_time |= (ready[read] == moment[reader]) & _earlier_step(self, runs, read)
        _check_all(in_time, reader, "reads too early")
        outputs = np.full(len(self.outputs), -1)
        _check_all(_inside(self.outputs, self.size), outputs, "returns from outside")
        computed = ready[self.outputs] < len(runs)
        _check_all(computed, outputs, "returns what was not computed")
        return self

    def __str__(self) -> str:
        head = f"{len(self.operations)} bulk operations, {self.size} numbers"
        return "\n".join([head, *("  " + describe(op) for op in self.operations)])


def _moments_of_results(bulk: Bulk, moment: Ints, never: int) -> Ints:
    """The moment that computes each position: of its run, -1 if it is given."""
    ready = np.full(bulk.size, never, np.int64)
    baked = np.array(list(bulk.constants), np.int64)
    inside = _inside(baked, bulk.size)
    _check(bool(inside.all()), -1, "has constants outside")
    _check(not (baked < bulk.inputs).any(), -1, "has constants in place of inputs")
    ready[: bulk.inputs] = ready[baked] = -1
    targets = [operation.target for operation in bulk.operations]
    writer = np.repeat(np.arange(len(targets)), [len(x) for x in targets])
    written = np.concatenate([np.zeros(0, np.int64), *targets])
    _check_all(_inside(written, bulk.size), writer, "writes outside")
    once = np.bincount(written, minlength=bulk.size)[written] == 1
    _check_all(once & (ready[written] == never), writer, "writes twice")
    first = np.array([x[0] if len(x) else 0 for x in targets], np.int64)
    alike = bulk.is_batched(written) == bulk.is_batched(first)[writer]
    _check_all(alike, writer, "writes both for all samples and for each")
    ready[written] = moment[writer]
    return ready


def _earlier_step(bulk: Bulk, runs: list[list[Operation]], read: Ints) -> Mask:
    """Which reads within scans are of numbers that have been computed by then.

    Time counts through the steps of a scan and the operations of a step.
    """
    written = np.full(bulk.size, np.iinfo(np.int64).max)
    now = []
    for run in runs:
        for k, operation in enumerate(run):
            step = np.arange(len(operation.target))
            if operation.scan < 0:
                step = step[::-1]
            time = step * len(run) + k
            if operation.scan:
                written[operation.target] = time
            for results, positions in reads_by_result(operation):
                now.append(time[results] if operation.scan else 0 * positions)
    return written[read] < np.concatenate(now)


def _shapes_fit(operation: Operation) -> bool:
    n = len(operation.target)
    if isinstance(operation, Map):
        fits = operation.primitive.arity == len(operation.operands)
        return fits and all(len(x) == n for x in operation.operands)
    if isinstance(operation, SegmentReduce):
        if operation.primitive.arity is not None or not operation.groups:
            return False
        segments = [(operation.offsets, operation.groups)]
    else:
        segments = [(part.offsets, part.factors) for part in operation.terms]
    return all(
        len(offsets) == n + 1
        and offsets[0] == 0
        and all(len(x) == offsets[-1] for x in streams)
        and bool((offsets[1:] >= offsets[:-1]).all())
        for offsets, streams in segments
    )


def _inside(positions: Ints, size: int) -> Mask:
    return (positions >= 0) & (positions < size)


def _check_all(holds: Mask, operations: Ints, what: str) -> None:
    """Raise for the first operation of which it does not hold."""
    if not holds.all():
        _check(False, int(operations[np.flatnonzero(~holds)].min()), what)


def _check(holds: bool, operation: int, what: str) -> None:
    if not holds:
        raise TraceError(
            f"an invalid bulk program: operation {operation} {what}; please report it"
        )
