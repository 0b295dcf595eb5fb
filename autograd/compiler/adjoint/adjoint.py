"""The gradient of a bulk program is a bulk program: reverse mode on whole operations.

Operations are visited backwards. Each pushes *shares* to its operands: (sign, target,
factors) says that the cotangents of ``target`` grow by the product of the factors, a
cotangent and a partial derivative from the row of the table.
Before an operation is visited, all shares of its results are summed, by target: a
scatter of the textbook becomes a gather, and the gradient of a matrix product two
matrix products.

Source: Griewank & Walther 2008, section 3.2; here an "elemental" is a bulk operation.

The adjoints of rows of many operands: ragged, chosen by an index, or by columns.

The adjoint of a loop over time: the same steps backwards.

Steps depend on each other, so that no operation of a loop can be finished before
another begins. All cotangents get their places first; then every operation pushes its
shares, and last each sums what has reached it. What partial derivatives need of the
primal loop alone is computed before, for all steps at once; what depends on cotangents
runs step by step, in the opposite direction.

Source: Griewank & Walther 2008, section 3.2; backpropagation through time, Werbos 1990.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import isfinite
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from autograd.compiler.adjoint.contributions import (
    Choices,
    Share,
    by_form,
    gathered,
    merged,
    read_by_all,
    terms_of,
)
from autograd.compiler.adjoint.writer import Block, Writer
from autograd.compiler.bulk.bulk import (
    PRODUCTS,
    Bulk,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
    depends,
    runs_of,
)
from autograd.compiler.trace.program import CODE, ROWS, Ints, cuts_of
from autograd.numbers.gather import TAKE, place_of
from autograd.table.primitive import Primitive
from autograd.table.primitives import equal


def adjoint(bulk: Bulk, outputs: Ints, seeds: Sequence[float], wrt: Ints) -> Bulk:
    """The program, and behind its outputs the gradient of sum(seeds * outputs).

    Parameters
    ----------
    bulk : a verified program.
    outputs, seeds : positions, and the cotangent of each.
    wrt : positions of inputs; each appears once.

    The result returns what ``bulk`` returned, then d/d wrt, in that order.
    """
    pass_ = _Pass(bulk, wrt)
    for output, seed in zip(outputs.tolist(), seeds, strict=True):
        place = np.array([pass_.writer.constant(seed)])
        pass_.push(1, np.array([output]), (place,))
    end = len(bulk.operations)
    for same in reversed(runs_of(bulk.operations)):
        begin = end - len(same)
        if same[0].scan:
            visit_loop(pass_, list(range(begin, end)))
        else:
            pass_.visit(begin)
        end = begin
    gradient = pass_.finish()
    return pass_.writer.finished(np.concatenate([bulk.outputs, gradient])).pruned()


class _Pass:
    """One reverse pass: the shares that wait, and the cotangents that are known."""

    def __init__(self, bulk: Bulk, wrt: Ints) -> None:
        self.bulk, self.wrt, self.writer = bulk, wrt, Writer(bulk)
        count = len(bulk.operations)
        self.shares: list[list[Share]] = [[] for _ in range(count + 1)]
        # position -> operation that computes it (count: an input), and its place there
        self.owner = np.full(bulk.size, -1, np.int64)
        self.place = np.zeros(bulk.size, np.int64)
        for number, operation in enumerate(bulk.operations):
            self.owner[operation.target] = number
            self.place[operation.target] = np.arange(len(operation.target))
        self.owner[wrt], self.place[wrt] = count, np.arange(len(wrt))
        self.needed = self._needed()
        self.wide = False  # whether the operation that pushes has lanes
        self.choices = Choices(bulk.size)
        self.guarded = False  # whether the operation that pushes is behind one

    def _needed(self) -> npt.NDArray[np.bool_]:
        """Which positions depend on the inputs that are asked for."""
        needed = np.zeros(self.bulk.size, bool)
        needed[self.wrt] = True
        for run in runs_of(self.bulk.operations):
            changed = True
            while changed:  # once, but for loops, whose operations feed each other
                changed = False
                for operation in run:
                    found = depends(operation, needed)
                    if operation.scan:
                        found[:] = found.any()
                        changed |= bool((found & ~needed[operation.target]).any())
                    needed[operation.target] = found
        return needed

    def push(
        self,
        sign: int,
        target: Ints,
        factors: tuple[Ints, ...],
        strong: int = 0,
        behind: bool | None = None,
    ) -> None:
        """Let the cotangents of ``target`` grow by sign * the product of the factors.

        What the rows of a batch push to a number that they share is summed over them.
        ``strong`` says whose exact 0 wins in the product (see ``Terms``), ``behind``
        whether a choice may leave the target out; by default what holds for the
        operation that pushes.
        """
        self.choices.reach(target, self.guarded if behind is None else behind)
        mask = self.needed[target]
        share = Share(sign, target, factors, strong=strong)
        if not mask.all():
            share = share.at(mask)
        if not len(share.target):
            return
        share = self._without_unit(share)
        if not self.wide:
            self._file(share)
            return
        shared = ~self.writer.is_batched(share.target)
        for over_batch in (False, True):
            mine = shared == over_batch
            if mine.any():
                self._file(replace(share.at(mine), over_batch=over_batch))

    def _without_unit(self, share: Share) -> Share:
        """A product with 1 or -1 is plain."""
        if len(share.factors) == 2:
            for x, other in (share.factors, share.factors[::-1]):
                number = self.writer.number(x)
                if number is not None and abs(number) == 1.0:
                    sign = share.sign * int(number)
                    return replace(share, sign=sign, factors=(other,), strong=0)
        return share

    def _file(self, share: Share) -> None:
        """Leave a share with the operations that compute its targets."""
        writer = self.writer
        if share.over_batch:
            columns = [writer.is_batched(x) for x in share.factors]
            lanes = np.logical_or.reduce(columns)
            if lanes.any() and not lanes.all():
                for mine in (lanes, ~lanes):
                    self._file(share.at(mine))
                return
        if share.over_batch and not writer.wide(
            *share.factors
        ):  # the same for each row
            own, *other = share.factors
            if other:
                own = writer.map(PRODUCTS[share.strong], (own, *other))
            times = writer.uniform(float(self.bulk.batch), len(own))
            share = Share(share.sign, share.target, (own, times))
        owners = self.owner[share.target]
        if not (owners == owners[0]).all():
            order = np.argsort(owners, kind="stable")
            owners, share = owners[order], share.at(order)
        for a, b in pairwise(cuts_of(owners).tolist()):
            self.shares[owners[a]].append(share.at(slice(a, b)))

    def visit(self, number: int) -> None:
        """Sum the shares of an operation's results, and push on to its operands."""
        operation, shares = self.bulk.operations[number], self.shares[number]
        if not shares:
            return
        self.shares[number] = []
        n = len(operation.target)
        self.push_on(number, gathered(self.writer, self.place, shares, n, None))

    def push_on(self, number: int, cotangent: Ints) -> None:
        """Push the shares of an operation to its operands."""
        operation = self.bulk.operations[number]
        self.wide = self.writer.wide(operation.target)
        self.guarded = self.choices.leave_out(operation.target)
        if isinstance(operation, SumOfProducts):
            self._visit_sum(operation, cotangent)
        elif isinstance(operation, Map):
            self._visit_map(operation, cotangent)
        else:
            visit_reduce(self, operation, cotangent)

    def _visit_sum(self, operation: SumOfProducts, cotangent: Ints) -> None:
        for part in operation.terms:
            rows = part.segments
            along, factors = cotangent[rows], part.factors
            reached = along >= 0
            if not reached.all():
                along, factors = along[reached], tuple([x[reached] for x in factors])
            if not part.is_product:
                self.push(part.sign, factors[0], (along,))
                continue
            strong = 2 if part.strong else int(self.guarded)  # guarded products choose
            for target, other in (factors, factors[::-1]):
                self.push(part.sign, target, (along, other), strong, strong > 0)

    def _visit_map(self, operation: Map, cotangent: Ints) -> None:
        row, reached = operation.primitive, cotangent >= 0
        if row.predicate:
            return
        operands, result = list(operation.operands), operation.target
        if not reached.all():
            cotangent, result = cotangent[reached], result[reached]
            operands = [x[reached] for x in operands]
        blocks = [Block(self.writer, x) for x in operands]
        numbers = [self.writer.number(x) for x in operands]
        given = [
            block if number is None else number
            for block, number in zip(blocks, numbers, strict=True)
        ]
        out, seed = Block(self.writer, result), Block(self.writer, cotangent)
        for rule, target in zip(row.rules, operands, strict=True):
            if self.needed[target].any():
                self.share(row, target, seed, rule(*given, out))

    def share(self, row: Primitive, target: Ints, seed: Block, partial: Any) -> None:
        """Push seed * partial, where zero is strong."""
        behind = row.chooses or self.guarded
        strong = 2 if row.chooses else 1
        if isinstance(partial, float):
            if row.chooses and partial == 0.0:
                return
            strong *= not (partial and isfinite(partial))
        sent, factor = seed.positions, seed.at(partial, len(target), seed.rows)
        if self.writer.is_truth(factor):  # 0 or 1, finite
            sent, factor, strong = factor, sent, 1
        self.push(1, target, (sent, factor), strong, behind)

    def finish(self) -> Ints:
        """The gradient's positions."""
        shares, n = self.shares[-1], len(self.wrt)
        if not shares:
            return self.writer.uniform(0.0, n)
        into = self.writer.room(n, self._wide_inputs())
        found = gathered(self.writer, self.place, shares, n, into)
        missing = found < 0
        if missing.all():
            return self.writer.uniform(0.0, n)
        lanes = self.writer.is_batched(into)
        for holes in (missing & lanes, missing & ~lanes):
            if holes.any():  # zeros in their places, so that the block has none
                self.writer.operations.append(SumOfProducts(into[holes], []))
                found[holes] = into[holes]
        return found

    def _wide_inputs(self) -> Any:
        return self.writer.is_batched(self.wrt) if self.bulk.batch else False


# -- The adjoints of rows of many operands: ragged, chosen by an index, or

# Rows whose partials are maps and sums over the operands, the same for each of them:
# their rules hold for one block of ragged operands in place of the sequence.
RAGGED = {ROWS[CODE[name]] for name in ("maximum", "minimum", "logsumexp")}


def visit_reduce(run: Any, operation: SegmentReduce, cotangent: Ints) -> None:
    """Push the shares of an operation to its operands; ``run`` is the reverse pass."""
    if operation.scan:  # one number for each step, operand by operand
        _columns(run, operation, cotangent)
    elif operation.primitive is TAKE:
        _take(run, operation, cotangent)
    elif operation.primitive in RAGGED:
        _ragged(run, operation, cotangent)
    else:
        _columns(run, operation, cotangent)


def _ragged(run: Any, operation: SegmentReduce, cotangent: Ints) -> None:
    """Maximum and its like: one block holds the operands of all rows."""
    rows, positions = operation.segments, operation.groups[0]
    kept = cotangent[rows] >= 0
    if not kept.all():
        used = np.flatnonzero(cotangent >= 0)
        lengths = operation.counts[used]
        rows, positions = np.repeat(np.arange(len(used)), lengths), positions[kept]
        result, cotangent = operation.target[used], cotangent[used]
    else:
        result = operation.target
    xs = [Block(run.writer, positions, rows)]
    (partial,) = operation.primitive.joint(xs, Block(run.writer, result))[0]
    seed = Block(run.writer, cotangent[rows], rows)
    run.share(operation.primitive, positions, seed, partial)


def _take(run: Any, operation: SegmentReduce, cotangent: Ints) -> None:
    """All candidates of all rows at once: the chosen one has partial 1.

    Which one that is, is found once for all rows with one index and length.
    """
    used = cotangent >= 0
    first = operation.offsets[:-1][used]
    lengths = operation.counts[used] - 1
    widest = int(lengths.max()) + 1
    pairs, pair = np.unique(
        operation.groups[0][first] * widest + lengths, return_inverse=True
    )
    index, count = np.divmod(pairs, widest)
    hit = _hits(run.writer, index, count)
    row, along = _ragged_range(lengths)
    candidates = operation.groups[0][first[row] + 1 + along]
    chosen = (np.cumsum(count) - count)[pair[row]] + along  # which of the hits
    order = np.lexsort((row, chosen))  # side by side in memory, as the hits are
    hits, seeds = hit.positions[chosen[order]], cotangent[used][row[order]]
    pushed = np.empty_like(order)
    pushed[order] = run.writer.products(hits, seeds, strong=1)  # a hit is finite
    run.push(1, candidates, (pushed,), behind=True)
    if not run.guarded:
        for begin, end in zip(first + 1, first + 1 + lengths, strict=True):
            own = operation.groups[0][begin:end]
            common = read_by_all(run.bulk, run.owner, run.place, own)
            run.choices.reach(common, False)


def _hits(writer: Writer, index: Ints, count: Ints) -> Block:
    """For each index, whether it says 0, 1, ... count - 1, from either end."""
    whole = np.array([writer.constant(float(k)) for k in range(int(count.max()) + 1)])
    place: Any = place_of(Block(writer, index), Block(writer, whole[count]))
    row, along = _ragged_range(count)
    at = Block(writer, place.positions[row])
    return cast(Block, equal.apply((at, Block(writer, whole[along]))))


def _ragged_range(lengths: Ints) -> tuple[Ints, Ints]:
    """Row and place in the row of each item of rows of these lengths."""
    row = np.repeat(np.arange(len(lengths)), lengths)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _columns(run: Any, operation: SegmentReduce, cotangent: Ints) -> None:
    """Any row of many operands: rows of one length together, operand by operand."""
    lengths = operation.counts
    for length in np.unique(lengths[cotangent >= 0]).tolist():
        used = np.flatnonzero((lengths == length) & (cotangent >= 0))
        first = operation.offsets[used]
        columns = [
            [group[first + k] for k in range(length)] for group in operation.groups
        ]
        xs = [[Block(run.writer, x) for x in column] for column in columns]
        result = Block(run.writer, operation.target[used])
        seed = Block(run.writer, cotangent[used])
        partials = operation.primitive.joint(*xs, result)
        for column, row in zip(columns, partials, strict=True):
            for target, partial in zip(column, row, strict=True):
                run.share(operation.primitive, target, seed, partial)


# -- The adjoint of a loop over time: the same steps backwards.


def visit_loop(run: Any, numbers: list[int]) -> None:
    """Push the shares of the operations of a loop; ``run`` is the reverse pass."""
    writer, operations = run.writer, run.bulk.operations
    places = {
        number: writer.room(len(operations[number].target))
        for number in reversed(numbers)
        if run.needed[operations[number].target].any()
    }
    late = _Late(writer.size)
    for place in places.values():
        late.mark(place)
    pushed: dict[int, list[Operation]] = {}
    for number, place in places.items():
        start = len(writer.operations)
        run.push_on(number, place)
        fresh = writer.operations[start:]
        waiting = [operation for operation in fresh if late.depends(operation)]
        writer.operations[start:] = [op for op in fresh if op not in waiting]
        pushed[number] = waiting
    first = operations[numbers[0]].scan
    loop = -(abs(first) + _loops(operations)) if first > 0 else _loops(operations) + 1
    for number, place in places.items():
        total = _total(run, number, place)
        for operation in (total, *pushed[number]):
            operation.scan = loop
            writer.operations.append(operation)


def _loops(operations: list[Operation]) -> int:
    """The largest number of a loop so far."""
    return max(abs(operation.scan) for operation in operations)


class _Late:
    """Which positions depend on cotangents of the loop."""

    def __init__(self, size: int) -> None:
        self.marked = np.zeros(size, bool)

    def mark(self, positions: Ints) -> None:
        end = int(positions.max()) + 1 if len(positions) else 0
        if end > len(self.marked):
            self.marked = np.concatenate(
                [self.marked, np.zeros(2 * end - len(self.marked), bool)]
            )
        self.marked[positions] = True

    def depends(self, operation: Operation) -> bool:
        """Whether an operation has to run step by step; its results are marked then."""
        for positions in operation.reads():
            inside = positions[positions < len(self.marked)]
            if self.marked[inside].any():
                self.mark(operation.target)
                return True
        return False


def _total(run: Any, number: int, place: Ints) -> SumOfProducts:
    """The sum of all shares of an operation's results, one for each step."""
    shares = by_form(run.shares[number])
    run.shares[number] = []
    n = len(place)
    parts = [terms_of(n, share, run.place[share.target]) for share in shares]
    return SumOfProducts(place, merged(parts))
