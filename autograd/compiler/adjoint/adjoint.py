"""The gradient of a bulk program is a bulk program: reverse mode on whole operations.

Operations are visited backwards. Each pushes *contributions* to its operands, products
of a cotangent and a partial derivative from the table. Before an operation is visited,
all contributions to its results are summed, by target: a scatter of the textbook
becomes a gather, and the gradient of a matrix product y = W x two matrix products,
W' = y' x^T and x' = W^T y'.

The steps of a scan depend on each other, so that none of its operations can be finished
before another begins. Their adjoint is a scan in the opposite direction: all cotangents
get their positions first, then every operation pushes, and last each sums what has
reached it. What partials need of the primal scan alone is computed before, for all
steps at once.

    x[t+1] = tanh(x[t])     before: s = sech2(x)     backwards: x'[t] = s[t] * x'[t+1]

Source: Griewank & Walther 2008, section 3.2; here an "elemental" is a bulk operation.
Backpropagation through time: Werbos 1990.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite
from typing import Any, cast

import numpy as np

from autograd.compiler.adjoint.contributions import (
    Contribution,
    by_form,
    sum_contributions,
    terms_of,
)
from autograd.compiler.adjoint.writer import Block, Writer
from autograd.compiler.bulk.bulk import (
    PRODUCTS,
    Bulk,
    Map,
    Mask,
    Operation,
    SegmentReduce,
    SumOfProducts,
    Terms,
    depends,
    runs_of,
)
from autograd.compiler.trace.program import CODE, PRIMITIVES, Ints, run_bounds
from autograd.numbers.gather import TAKE, place_of
from autograd.table.primitives import equal

# Primitives whose partials are maps and sums over the operands, the same for each of
# them: their rules hold for one block of ragged operands in place of the sequence.
RAGGED = {PRIMITIVES[CODE[name]] for name in ("maximum", "minimum", "logsumexp")}


def adjoint(bulk: Bulk, outputs: Ints, seeds: Sequence[float], wrt: Ints) -> Bulk:
    """The program, and behind its outputs the gradient of sum(seeds * outputs).

    Parameters
    ----------
    bulk : a verified program.
    outputs, seeds : positions, and the cotangent of each.
    wrt : positions of inputs; each appears once.

    The result returns what ``bulk`` returned, then d/d wrt, in that order.
    """
    reverse = _Pass(bulk, wrt)
    for output, seed in zip(outputs.tolist(), seeds, strict=True):
        cotangent = np.array([reverse.writer.constant(seed)])
        reverse.push(Contribution(1, np.array([output]), (cotangent,)), False, False)
    end = len(bulk.operations)
    for run in reversed(runs_of(bulk.operations)):
        begin = end - len(run)
        if run[0].scan:
            reverse.visit_scan(range(begin, end))
        else:
            reverse.visit(begin)
        end = begin
    gradient = reverse.finish()
    outputs = np.concatenate([bulk.outputs, gradient])
    return reverse.writer.finished(outputs).pruned()


class _Choices:
    """Where a cotangent of 0 can mean "not chosen".

    There it wins over an infinite or NaN partial, as if the edge were not there.
    """

    def __init__(self, size: int) -> None:
        self.conditional = np.zeros(size, bool)  # reached from behind a choice
        self.unconditional = np.zeros(size, bool)  # also, or only, in another way

    def mark(self, positions: Ints, conditional: bool) -> None:
        (self.conditional if conditional else self.unconditional)[positions] = True

    def may_exclude(self, positions: Ints) -> bool:
        """Whether some of these positions are reached from behind choices only."""
        only = self.conditional[positions] & ~self.unconditional[positions]
        return bool(only.any())


class _Pass:
    """One reverse pass: the contributions that wait for each operation.

    owner, index : for every position the operation that computes it (one more than
        there are: an input that is asked for), and which of its results it is.
    active : which positions depend on the inputs that are asked for.
    """

    def __init__(self, bulk: Bulk, wrt: Ints) -> None:
        self.bulk, self.wrt, self.writer = bulk, wrt, Writer(bulk)
        count = len(bulk.operations)
        self.waiting: list[list[Contribution]] = [[] for _ in range(count + 1)]
        self.owner = np.full(bulk.size, -1, np.int64)
        self.index = np.zeros(bulk.size, np.int64)
        targets = [*(operation.target for operation in bulk.operations), wrt]
        for k, target in enumerate(targets):
            self.owner[target], self.index[target] = k, np.arange(len(target))
        self.active = self._active()
        self.choices = _Choices(bulk.size)

    def _active(self) -> Mask:
        active = np.zeros(self.bulk.size, bool)
        active[self.wrt] = True
        for run in runs_of(self.bulk.operations):
            changed = True
            while changed:  # once, but for scans, whose operations feed each other
                changed = False
                for operation in run:
                    now = depends(operation, active)
                    if operation.scan:
                        now[:] = now.any()
                        changed |= bool((now & ~active[operation.target]).any())
                    active[operation.target] = now
        return active

    # -- from an operation to those that compute its operands ------------------------

    def push(self, given: Contribution, batched: bool, conditional: bool) -> None:
        """Leave a contribution with the operations that compute its targets.

        batched : whether there is one for each sample; conditional : whether a choice
        may exclude the target.
        """
        self.choices.mark(given.target, conditional)
        given = given.where(self.active[given.target])
        if not len(given.target):
            return
        given = self._without_unit(given)
        for part in self._by_batch(given) if batched else [given]:
            self._file(part)

    def _without_unit(self, given: Contribution) -> Contribution:
        """A product with 1 or -1 is plain."""
        if given.is_product:
            for x, other in (given.factors, given.factors[::-1]):
                number = self.writer.number(x)
                if number is not None and abs(number) == 1.0:
                    sign = given.sign * int(number)
                    return replace(given, sign=sign, factors=(other,), strong=0)
        return given

    def _by_batch(self, given: Contribution) -> Iterator[Contribution]:
        """What samples push to a number that they share is summed over them."""
        own = self.writer.is_batched(given.target)
        if own.any():
            yield given.where(own)
        if own.all():
            return
        shared = given.where(~own)
        columns = [self.writer.is_batched(x) for x in shared.factors]
        varies = np.logical_or.reduce(columns)
        if varies.any():
            yield replace(shared.where(varies), over_batch=True)
        if not varies.all():
            yield self._times_batch(shared.where(~varies))

    def _times_batch(self, given: Contribution) -> Contribution:
        """The same for each sample, as often as there are samples."""
        x = given.factors[0]
        if given.is_product:
            x = self.writer.map(PRODUCTS[given.strong], given.factors)
        times = self.writer.uniform(float(self.bulk.batch), len(x))
        return replace(given, factors=(x, times), strong=0)

    def _file(self, given: Contribution) -> None:
        owners = self.owner[given.target]
        given = replace(given, target=self.index[given.target])
        if (owners == owners[0]).all():
            self.waiting[owners[0]].append(given)
            return
        order = np.argsort(owners, kind="stable")
        owners, given = owners[order], given.at(order)
        for a, b in pairwise(run_bounds(owners).tolist()):
            self.waiting[owners[a]].append(given.at(slice(a, b)))

    def _taken(self, k: int) -> list[Contribution]:
        waiting, self.waiting[k] = self.waiting[k], []
        return waiting

    # -- operation by operation ------------------------------------------------------

    def visit(self, k: int) -> None:
        """Sum the contributions to an operation's results, and push on."""
        waiting, n = self._taken(k), len(self.bulk.operations[k].target)
        if waiting:
            self.push_on(k, sum_contributions(self.writer, waiting, n))

    def push_on(self, k: int, cotangent: Ints) -> None:
        """Push what an operation contributes to its operands.

        cotangent : positions; -1 for results that nothing depends on.
        """
        operation = self.bulk.operations[k]
        batched = self.writer.batched(operation.target)
        conditional = self.choices.may_exclude(operation.target)
        reached = cotangent >= 0
        if not reached.all():
            operation, cotangent = _some(operation, reached), cotangent[reached]
        _Visit(self, operation, cotangent, batched, conditional).push()

    def visit_scan(self, run: range) -> None:
        """The same for the operations of a scan: a scan in the other direction."""
        writer, operations = self.writer, self.bulk.operations
        cotangents = {
            k: writer.room(len(operations[k].target))
            for k in reversed(run)
            if self.active[operations[k].target].any()
        }
        late = _Late(writer.size)
        for cotangent in cotangents.values():
            late.mark(cotangent)
        stepwise: dict[int, list[Operation]] = {}
        for k, cotangent in cotangents.items():
            start = len(writer.operations)
            self.push_on(k, cotangent)
            fresh = writer.operations[start:]
            stepwise[k] = [operation for operation in fresh if late.depends(operation)]
            writer.operations[start:] = [op for op in fresh if op not in stepwise[k]]
        first = operations[run[0]].scan
        last = max(abs(operation.scan) for operation in operations)
        scan = -(abs(first) + last) if first > 0 else last + 1
        for k, cotangent in cotangents.items():
            n = len(cotangent)
            parts = [terms_of(n, x, x.target) for x in by_form(self._taken(k))]
            for operation in (SumOfProducts(cotangent, parts), *stepwise[k]):
                operation.scan = scan
                writer.operations.append(operation)

    def finish(self) -> Ints:
        """The gradient's positions."""
        waiting, n, writer = self._taken(-1), len(self.wrt), self.writer
        if not waiting:
            return writer.uniform(0.0, n)
        into = writer.room(n, self.bulk.is_batched(self.wrt))
        gradient = sum_contributions(writer, waiting, n, into)
        missing = gradient < 0
        if missing.all():
            return writer.uniform(0.0, n)
        batched = writer.is_batched(into)
        for holes in (missing & batched, missing & ~batched):
            if holes.any():  # zeros in their places, so that the block has none
                writer.operations.append(SumOfProducts(into[holes], []))
                gradient[holes] = into[holes]
        return gradient


@dataclass(eq=False, slots=True)
class _Visit:
    """An operation, the cotangents of its results, and what it pushes.

    batched, conditional : see ``_Pass.push``.
    """

    reverse: _Pass
    operation: Operation
    cotangent: Ints
    batched: bool
    conditional: bool

    def push(self) -> None:
        operation = self.operation
        if isinstance(operation, SumOfProducts):
            self._sum(operation)
        elif isinstance(operation, Map):
            self._map(operation)
        elif operation.scan:  # one number for each step, operand by operand
            self._columns(operation)
        elif operation.primitive is TAKE:
            self._take(operation)
        elif operation.primitive in RAGGED:
            self._ragged(operation)
        else:
            self._columns(operation)

    def _push(
        self,
        sign: int,
        target: Ints,
        factors: tuple[Ints, ...],
        strong: int = 0,
        conditional: bool | None = None,
    ) -> None:
        given = Contribution(sign, target, factors, strong=strong)
        if conditional is None:
            conditional = self.conditional
        self.reverse.push(given, self.batched, conditional)

    def _push_partial(self, target: Ints, seed: Block, partial: Any) -> None:
        """Push seed * partial, where zero is strong."""
        assert not isinstance(self.operation, SumOfProducts)
        writer, chooses = self.reverse.writer, self.operation.primitive.chooses
        strong = 2 if chooses else 1
        if isinstance(partial, float):
            if chooses and partial == 0.0:
                return
            strong *= not (partial and isfinite(partial))
        sent, factor = seed.positions, seed.at(partial, len(target), seed.segments)
        if writer.is_truth(factor):  # 0 or 1, finite
            sent, factor, strong = factor, sent, 1
        self._push(1, target, (sent, factor), strong, chooses or self.conditional)

    def _sum(self, operation: SumOfProducts) -> None:
        for part in operation.terms:
            cotangent, factors = self.cotangent[part.segments], part.factors
            if not part.is_product:
                self._push(part.sign, factors[0], (cotangent,))
                continue
            strong = 2 if part.strong else int(self.conditional)  # guarded ones choose
            for target, other in (factors, factors[::-1]):
                self._push(part.sign, target, (cotangent, other), strong, strong > 0)

    def _map(self, operation: Map) -> None:
        writer, primitive = self.reverse.writer, operation.primitive
        if primitive.predicate:
            return
        operands = operation.operands
        numbers = [writer.number(x) for x in operands]
        given = [
            Block(writer, x) if number is None else number
            for x, number in zip(operands, numbers, strict=True)
        ]
        out, seed = Block(writer, operation.target), Block(writer, self.cotangent)
        for rule, target in zip(primitive.rules, operands, strict=True):
            if self.reverse.active[target].any():
                self._push_partial(target, seed, rule(*given, out))

    def _ragged(self, operation: SegmentReduce) -> None:
        """Maximum and its like: one block holds the operands of all segments."""
        writer = self.reverse.writer
        segments, positions = operation.segments, operation.groups[0]
        xs = [Block(writer, positions, segments)]
        result = Block(writer, operation.target)
        (partial,) = operation.primitive.joint(xs, result)[0]
        seed = Block(writer, self.cotangent[segments], segments)
        self._push_partial(positions, seed, partial)

    def _columns(self, operation: SegmentReduce) -> None:
        """Any primitive: segments of one length together, operand by operand."""
        writer, counts = self.reverse.writer, operation.counts
        for count in np.unique(counts).tolist():
            used = np.flatnonzero(counts == count)
            first = operation.offsets[used]
            groups = [[x[first + k] for k in range(count)] for x in operation.groups]
            xs = [[Block(writer, x) for x in columns] for columns in groups]
            result = Block(writer, operation.target[used])
            seed = Block(writer, self.cotangent[used])
            partials = operation.primitive.joint(*xs, result)
            for columns, own in zip(groups, partials, strict=True):
                for target, partial in zip(columns, own, strict=True):
                    self._push_partial(target, seed, partial)

    def _take(self, operation: SegmentReduce) -> None:
        """Segments (index, candidates ...): the chosen candidate has partial 1.

        Which one that is, the *hits*, is computed once for all segments with the same
        index and as many candidates:

            take(i; a b), take(i; c d), take(j; e f)    hits: i = 0, i = 1, j = 0, j = 1
            a' = y0' * (i = 0)   b' = y0' * (i = 1)   c' = y1' * (i = 0)   ...
        """
        reverse, group = self.reverse, operation.groups[0]
        first, counts = operation.offsets[:-1], operation.counts - 1
        widest = int(counts.max()) + 1
        pairs, pair = np.unique(group[first] * widest + counts, return_inverse=True)
        index, count = np.divmod(pairs, widest)
        hits = self._hits(index, count)
        segment, along = _ragged_range(counts)
        candidates = group[first[segment] + 1 + along]
        which = (np.cumsum(count) - count)[pair[segment]] + along  # of the hits
        order = np.lexsort((segment, which))  # side by side in memory, as the hits are
        factors = hits[which[order]], self.cotangent[segment[order]]
        pushed = np.empty_like(order)
        pushed[order] = reverse.writer.products(*factors, strong=1)  # a hit is finite
        self._push(1, candidates, (pushed,), conditional=True)
        if not self.conditional:
            for begin, end in zip(first + 1, first + 1 + counts, strict=True):
                reverse.choices.mark(self._read_by_all(group[begin:end]), False)

    def _hits(self, index: Ints, count: Ints) -> Ints:
        """For each index, whether it says 0, 1, ... count - 1, from either end."""
        writer, longest = self.reverse.writer, int(count.max())
        whole = np.array([writer.constant(float(k)) for k in range(longest + 1)])
        place: Any = place_of(Block(writer, index), Block(writer, whole[count]))
        segment, along = _ragged_range(count)
        at = Block(writer, place.positions[segment])
        return cast(Block, equal.apply((at, Block(writer, whole[along])))).positions

    def _read_by_all(self, candidates: Ints) -> Ints:
        """Positions that every candidate reads: so does whichever is chosen."""
        owners, operations = (
            self.reverse.owner[candidates],
            self.reverse.bulk.operations,
        )
        common: list[int] = []
        if 0 <= owners[0] < len(operations) and (owners == owners[0]).all():
            results = self.reverse.index[candidates]
            for column in _operand_columns(operations[owners[0]]):
                own = column[results]
                common += own[:1].tolist() * bool((own == own[0]).all())
        return np.array(common, np.int64)


def _some(operation: Operation, kept: Mask) -> Operation:
    """The operation with some of its results."""
    target = operation.target[kept]
    if isinstance(operation, Map):
        operands = tuple([x[kept] for x in operation.operands])
        return replace(operation, target=target, operands=operands)
    if isinstance(operation, SegmentReduce):
        offsets, groups = _some_segments(operation, operation.groups, kept)
        return replace(operation, target=target, offsets=offsets, groups=groups)
    parts = []
    for part in operation.terms:
        offsets, factors = _some_segments(part, part.factors, kept)
        parts.append(replace(part, offsets=offsets, factors=factors))
    return replace(operation, target=target, terms=parts)


def _some_segments(
    given: Terms | SegmentReduce, streams: tuple[Ints, ...], kept: Mask
) -> tuple[Ints, tuple[Ints, ...]]:
    inside = kept[given.segments]
    offsets = np.concatenate([[0], np.cumsum(given.counts[kept])])
    return offsets, tuple([x[inside] for x in streams])


def _operand_columns(operation: Operation) -> list[Ints]:
    """Index arrays with one operand for each result."""
    if isinstance(operation, Map):
        return list(operation.operands)
    parts = operation.terms if isinstance(operation, SumOfProducts) else []
    return [x for part in parts if (part.counts == 1).all() for x in part.factors]


def _ragged_range(counts: Ints) -> tuple[Ints, Ints]:
    """Segment, and place in the segment, of each item of segments of these lengths."""
    segment = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return segment, np.arange(len(segment)) - np.repeat(first, counts)


class _Late:
    """Which positions depend on cotangents of a scan."""

    def __init__(self, size: int) -> None:
        self.marked = np.zeros(size, bool)

    def mark(self, positions: Ints) -> None:
        end = int(positions.max()) + 1 if len(positions) else 0
        if end > len(self.marked):
            more = np.zeros(2 * end - len(self.marked), bool)
            self.marked = np.concatenate([self.marked, more])
        self.marked[positions] = True

    def depends(self, operation: Operation) -> bool:
        """Whether an operation has to run step by step; its results are marked then."""
        for positions in operation.reads():
            inside = positions[positions < len(self.marked)]
            if self.marked[inside].any():
                self.mark(operation.target)
                return True
        return False
