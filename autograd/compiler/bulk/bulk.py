"""The operations of bulk programs: index arrays of what is read and written.

Bulk programs: a handful of operations on index arrays over one flat memory.

Number k lives at position k of the memory. Inputs come first, constants follow, every
operation writes a block of its own. Three kinds of operation are enough:

- ``Map``: target[i] = row(operand1[i], operand2[i], ...);
- ``Sum``: target[i] = sum over terms j of row i: sign * factor[j] * factor[j];
- ``Reduce``: target[i] = row(all operands j of row i), for maximum and its like.

Operations with the same number ``loop`` (not 0) stand together and run step by step:
row t of all of them before row t + 1, or with a negative number before row t - 1.

Positions are plain arrays, so that gathers, shifts, transposes and broadcasts all look
the same here; what is regular about them is found when they are lowered (``nests``).

The proof that a bulk program stays in its memory and computes before it reads.

All index arrays are checked at once: an operation costs little more than its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.trace.program import Ints
from autograd.errors import TraceError
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE

# The row of a product, by how strong zero is in it: see Terms.strong.
PRODUCTS = TABLE["multiply"], TABLE["guarded_multiply"], TABLE["selected_multiply"]


@dataclass(eq=False)
class Map:
    """target[i] = row(operands[0][i], operands[1][i], ...)."""

    row: Primitive
    target: Ints
    operands: tuple[Ints, ...]
    loop: int = 0

    def reads(self) -> Iterator[Ints]:
        """Every index array that is read."""
        yield from self.operands


@dataclass(eq=False)
class Terms:
    """Terms of one form: row i has starts[i] to starts[i + 1] of them.

    ``factors`` are one stream of numbers, or two whose products are added up.
    ``strong`` says whose exact 0 beats infinity and NaN in the products: 1 the left
    factor's, 2 either's; with 0 they are plain IEEE (see ``autograd.graph.strong``).
    """

    sign: int
    starts: Ints
    factors: tuple[Ints, ...]
    over_rows: bool = False  # summed over the batch as well
    strong: int = 0

    def __len__(self) -> int:
        return len(self.factors[0])

    @property
    def is_product(self) -> bool:
        """Whether each term is a product of two numbers."""
        return len(self.factors) == 2

    @property
    def counts(self) -> Ints:
        """How many terms each row has."""
        return self.starts[1:] - self.starts[:-1]

    @property
    def rows(self) -> Ints:
        """The row of each term."""
        return np.repeat(np.arange(len(self.starts) - 1), self.counts)


@dataclass(eq=False)
class Sum:
    """target[i] = the sum of all terms of row i."""

    target: Ints
    terms: list[Terms]
    loop: int = 0

    def reads(self) -> Iterator[Ints]:
        """Every index array that is read."""
        for part in self.terms:
            yield from part.factors


@dataclass(eq=False)
class Reduce:
    """target[i] = row(operands starts[i] to starts[i + 1]); groups side by side."""

    row: Primitive
    target: Ints
    starts: Ints
    groups: tuple[Ints, ...]
    loop: int = 0

    def reads(self) -> Iterator[Ints]:
        """Every index array that is read."""
        yield from self.groups

    @property
    def counts(self) -> Ints:
        """How many operands each row has."""
        return self.starts[1:] - self.starts[:-1]

    @property
    def rows(self) -> Ints:
        """The row of each operand."""
        return np.repeat(np.arange(len(self.starts) - 1), self.counts)


Operation = Map | Sum | Reduce


def runs_of(operations: list[Operation]) -> list[list[Operation]]:
    """Operations one by one, those of a loop together."""
    runs: list[list[Operation]] = []
    for operation in operations:
        if operation.loop and runs and runs[-1][0].loop == operation.loop:
            runs[-1].append(operation)
        else:
            runs.append([operation])
    return runs


def reads_by_row(operation: Operation) -> Iterator[tuple[Ints, Ints]]:
    """(row, position) of everything that an operation reads."""
    if isinstance(operation, Map):
        rows = np.arange(len(operation.target))
        yield from [(rows, positions) for positions in operation.operands]
    elif isinstance(operation, Reduce):
        yield from [(operation.rows, positions) for positions in operation.groups]
    else:
        for part in operation.terms:
            yield from [(part.rows, positions) for positions in part.factors]


def describe(operation: Operation) -> str:
    """One line: what an operation computes, how often, from how many terms."""
    n = len(operation.target)
    if isinstance(operation, Map):
        return f"{operation.row.name} x {n}"
    if isinstance(operation, Reduce):
        return f"{operation.row.name} x {n} of {_span(operation.starts)}"
    parts = [
        f"{'-' if part.sign < 0 else '+'}{_span(part.starts)}"
        f"{' guarded' if part.strong else ''}"
        f"{' products' if part.is_product else ''}"
        f"{' over the batch' if part.over_rows else ''}"
        for part in operation.terms
    ]
    return f"sum x {n} of {' '.join(parts)}"


def _span(starts: Ints) -> str:
    counts = np.diff(starts)
    low, high = (int(counts.min()), int(counts.max())) if len(counts) else (0, 0)
    return f"{high}" if low == high else f"{low}..{high}"


def depends(operation: Operation, needed: npt.NDArray[np.bool_]) -> Any:
    """Which results of an operation depend on what is needed."""
    if isinstance(operation, Map):
        if operation.row.predicate:
            return np.zeros(len(operation.target), bool)
        return np.logical_or.reduce([needed[x] for x in operation.operands])
    found = np.zeros(len(operation.target), np.int64)
    for rows, positions in reads_by_row(operation):
        hits = needed[positions]
        found += np.bincount(rows[hits], minlength=len(found))
    return found > 0


# -- Bulk programs: a handful of operations on index arrays over one flat m

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(eq=False)
class Bulk:
    """Operations in order, over a memory of ``size`` numbers.

    Attributes
    ----------
    inputs : inputs are positions 0 to inputs - 1.
    constants : position -> number, of what was baked in.
    outputs : the positions that are returned.
    batch, lanes : how many rows stream through, and which positions hold one number
        for each of them; all others are shared by the rows.
    blocks : (first input, columns) of every array whose rows stream through: it lies
        in memory row by row, as it comes.
    regions : (first position, count) of arrays that may lie outside of the memory.
    """

    operations: list[Operation]
    size: int
    inputs: int
    constants: dict[int, float]
    outputs: Ints
    batch: int = 0
    lanes: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    blocks: list[tuple[int, int]] = field(default_factory=list)
    regions: list[tuple[int, int]] = field(default_factory=list)

    def has_lanes(self, positions: Ints) -> npt.NDArray[np.bool_]:
        """Which positions hold one number for each row of the batch."""
        if not len(self.lanes):
            return np.zeros(len(positions), bool)
        return np.asarray(self.lanes[positions])

    def memory(self) -> Floats:
        """A fresh memory with the constants in place; 64-byte aligned."""
        room = np.zeros(self.size + 16)
        offset = -(room.ctypes.data // 8) % 8
        memory = room[offset : offset + self.size]
        if self.constants:
            memory[list(self.constants)] = list(self.constants.values())
        return memory

    def verify(self) -> Bulk:
        """Self, after proving that nothing is read before, or beside, what is written.

        Every position read holds an input, a constant or an earlier result; every
        position is written once; rows of terms follow each other. A wrong grouping
        could then only cost speed, never memory.
        """
        verify(self)
        return self

    def pruned(self) -> Bulk:
        """The program without the operations that no output needs."""
        needed = np.zeros(self.size, bool)
        needed[self.outputs] = True
        kept: list[Operation] = []
        for run in reversed(runs_of(self.operations)):
            wanted: set[int] = set()
            while True:  # within a loop what comes first may need what comes last
                found = {
                    k for k, op in enumerate(run) if needed[op.target].any()
                } - wanted
                if not found:
                    break
                wanted |= found
                for k in found:
                    for positions in run[k].reads():
                        needed[positions] = True
            kept += [run[k] for k in sorted(wanted, reverse=True)]
        return replace(self, operations=kept[::-1])

    def __str__(self) -> str:
        head = f"{len(self.operations)} bulk operations, {self.size} numbers"
        return "\n".join([head, *("  " + describe(op) for op in self.operations)])


# -- The proof that a bulk program stays in its memory and computes before

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
        pairs = [(p.starts, len(x)) for p in operation.terms for x in p.factors]
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
