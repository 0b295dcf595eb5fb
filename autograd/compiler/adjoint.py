"""The gradient of a bulk program is a bulk program: reverse mode on whole operations.

Operations are visited backwards. Each pushes *shares* to its operands: (sign, target,
left, right) says that the cotangents of ``target`` grow by sign * left * right, where
one factor is a cotangent and the other a partial derivative from the row of the table.
Before an operation is visited, all shares of its results are summed, by target: a
scatter of the textbook becomes a gather, and the gradient of a matrix product two
matrix products.

Source: Griewank & Walther 2008, section 3.2; here an "elemental" is a bulk operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk import Bulk, Map, Reduce, Sum, Terms
from autograd.compiler.program import CODE, ROWS, Ints
from autograd.compiler.symbols import Block, Writer
from autograd.gather import TAKE
from autograd.primitive import Primitive
from autograd.primitives import TABLE, equal

__all__ = ["RAGGED", "adjoint"]

# Rows whose partials are maps and sums over the operands, the same for each of them:
# their rules hold for one block of ragged operands in place of the sequence.
RAGGED = {ROWS[CODE[name]] for name in ("maximum", "minimum", "logsumexp")}
_GUARDED = TABLE["guarded_multiply"]
_SIGNATURES = 4  # more groups of targets than this, and one ragged sum serves all
_SOURCES = 24  # more sources of one place than this, and those of one form are one
_TAGS = 4  # more sources than this, and sources of one form become one


@dataclass(eq=False)
class _Share:
    sign: int
    target: Ints
    left: Ints
    right: Ints | None
    over_rows: bool = False


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
        pass_.push(1, np.array([output]), place, None)
    for number in reversed(range(len(bulk.operations))):
        pass_.visit(number)
    gradient = pass_.finish()
    return pass_.writer.finished(np.concatenate([bulk.outputs, gradient])).pruned()


class _Pass:
    """One reverse pass: the shares that wait, and the cotangents that are known."""

    def __init__(self, bulk: Bulk, wrt: Ints) -> None:
        self.bulk, self.wrt, self.writer = bulk, wrt, Writer(bulk)
        count = len(bulk.operations)
        self.shares: list[list[_Share]] = [[] for _ in range(count + 1)]
        # position -> operation that computes it (count: an input), and its place there
        self.owner = np.full(bulk.size, -1, np.int64)
        self.place = np.zeros(bulk.size, np.int64)
        for number, operation in enumerate(bulk.operations):
            self.owner[operation.target] = number
            self.place[operation.target] = np.arange(len(operation.target))
        self.owner[wrt], self.place[wrt] = count, np.arange(len(wrt))
        self.needed = self._needed()
        self.wide = False  # whether the operation that pushes has lanes
        # Behind a ``where`` a cotangent of 0 may mean "not chosen": it wins over an
        # infinite or NaN partial, as if the edge were not there.
        self.behind = np.zeros(bulk.size, bool)
        self.guarded = False  # whether the operation that pushes is behind one

    def _needed(self) -> npt.NDArray[np.bool_]:
        """Which positions depend on the inputs that are asked for."""
        needed = np.zeros(self.bulk.size, bool)
        needed[self.wrt] = True
        for operation in self.bulk.operations:
            if isinstance(operation, Map):
                if not operation.row.predicate:
                    hit = [needed[x] for x in operation.operands]
                    needed[operation.target] = np.logical_or.reduce(hit)
                continue
            found = np.zeros(len(operation.target), np.int64)
            for rows, positions in _placed_reads(operation):
                hits = needed[positions]
                found += np.bincount(rows[hits], minlength=len(found))
            needed[operation.target] = found > 0
        return needed

    def push(self, sign: int, target: Ints, left: Ints, right: Ints | None) -> None:
        """Let the cotangents of ``target`` grow by sign * left * right.

        What the rows of a batch push to a number that they share is summed over them.
        """
        if self.guarded:
            self.behind[target] = True
        mask = self.needed[target]
        if not mask.all():
            target, left = target[mask], left[mask]
            right = right[mask] if right is not None else None
        if not len(target):
            return
        if right is not None:
            for number, other in (
                (self.writer.number(left), right),
                (self.writer.number(right), left),
            ):
                if number is not None and abs(number) == 1.0:
                    sign, left, right = sign * int(number), other, None
                    break
        if not self.wide:
            self._file(sign, target, left, right, False)
            return
        shared = ~self.writer.has_lanes(target)
        for over_rows in (False, True):
            mine = shared == over_rows
            if mine.any():
                part = right[mine] if right is not None else None
                self._file(sign, target[mine], left[mine], part, over_rows)

    def _file(
        self, sign: int, target: Ints, left: Ints, right: Ints | None, over_rows: bool
    ) -> None:
        """Leave a share with the operations that compute its targets."""
        writer = self.writer
        factors = [left] if right is None else [left, right]
        if over_rows:
            lanes = np.logical_or.reduce([writer.has_lanes(x) for x in factors])
            if lanes.any() and not lanes.all():
                for mine in (lanes, ~lanes):
                    part = right[mine] if right is not None else None
                    self._file(sign, target[mine], left[mine], part, True)
                return
        if over_rows and not writer.wide(*factors):  # the same for each row
            if right is not None:
                left = writer.map(TABLE["multiply"], (left, right))
            right = writer.uniform(float(self.bulk.batch), len(left))
            over_rows = False
        owners = self.owner[target]
        if not (owners == owners[0]).all():
            order = np.argsort(owners, kind="stable")
            owners, target, left = owners[order], target[order], left[order]
            right = right[order] if right is not None else None
        cuts = np.flatnonzero(np.diff(owners, prepend=-1, append=-1)).tolist()
        for a, b in pairwise(cuts):
            part = right[a:b] if right is not None else None
            share = _Share(sign, target[a:b], left[a:b], part, over_rows)
            self.shares[owners[a]].append(share)

    def visit(self, number: int) -> None:
        """Sum the shares of an operation's results, and push on to its operands."""
        operation, shares = self.bulk.operations[number], self.shares[number]
        if not shares:
            return
        self.shares[number] = []
        self.wide = self.writer.wide(operation.target)
        self.guarded = bool(self.behind[operation.target].any())
        cotangent = self._gather(shares, len(operation.target), None)
        if isinstance(operation, Sum):
            self._visit_sum(operation, cotangent)
        elif isinstance(operation, Map):
            self._visit_map(operation, cotangent)
        elif operation.row is TAKE:
            self._visit_take(operation, cotangent)
        elif operation.row in RAGGED:
            self._visit_ragged(operation, cotangent)
        else:
            self._visit_columns(operation, cotangent)

    def _visit_sum(self, operation: Sum, cotangent: Ints) -> None:
        for part in operation.terms:
            rows = part.rows
            along, left, right = cotangent[rows], part.left, part.right
            reached = along >= 0
            if not reached.all():
                along, left = along[reached], left[reached]
                right = right[reached] if right is not None else None
            if right is None:
                self.push(part.sign, left, along, None)
                continue
            for target, other in ((left, right), (right, left)):
                if self.guarded and self.needed[target].any():
                    product = self.writer.map(_GUARDED, (along, other))
                    self.push(part.sign, target, product, None)
                else:
                    self.push(part.sign, target, along, other)

    def _visit_map(self, operation: Map, cotangent: Ints) -> None:
        row, reached = operation.row, cotangent >= 0
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
                self._share(row, target, seed, rule(*given, out))

    def _visit_ragged(self, operation: Reduce, cotangent: Ints) -> None:
        """Maximum and its like: one block holds the operands of all rows."""
        rows, positions = operation.rows, operation.groups[0]
        kept = cotangent[rows] >= 0
        if not kept.all():
            used = np.flatnonzero(cotangent >= 0)
            lengths = np.diff(operation.starts)[used]
            rows, positions = np.repeat(np.arange(len(used)), lengths), positions[kept]
            result, cotangent = operation.target[used], cotangent[used]
        else:
            result = operation.target
        xs = [Block(self.writer, positions, rows)]
        (partial,) = operation.row.joint(xs, Block(self.writer, result))[0]
        seed = Block(self.writer, cotangent[rows], rows)
        self._share(operation.row, positions, seed, partial)

    def _visit_take(self, operation: Reduce, cotangent: Ints) -> None:
        """All candidates of all rows at once: the chosen one has partial 1, others 0."""
        first, lengths = operation.starts[:-1], np.diff(operation.starts) - 1
        rows = np.repeat(np.arange(len(first)), lengths)
        along = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        candidates = operation.groups[0][first[rows] + 1 + along]
        place = [self.writer.constant(float(k)) for k in range(int(lengths.max()))]
        index = Block(self.writer, operation.groups[0][first], rows)
        counted = Block(self.writer, np.array(place)[along], rows)
        length = np.array([self.writer.constant(float(k)) for k in lengths.tolist()])
        from_end = counted - Block(self.writer, length, rows)
        hit = equal.apply((index, counted)) + equal.apply((index, from_end))
        seed = Block(self.writer, cotangent, rows)
        chosen = TAKE.product(seed, hit)
        self.push(1, candidates, chosen.positions, None)

    def _visit_columns(self, operation: Reduce, cotangent: Ints) -> None:
        """Any row of many operands: rows of one length together, operand by operand."""
        lengths = np.diff(operation.starts)
        for length in np.unique(lengths[cotangent >= 0]).tolist():
            used = np.flatnonzero((lengths == length) & (cotangent >= 0))
            first = operation.starts[used]
            columns = [
                [group[first + k] for k in range(length)] for group in operation.groups
            ]
            xs = [[Block(self.writer, x) for x in column] for column in columns]
            result = Block(self.writer, operation.target[used])
            seed = Block(self.writer, cotangent[used])
            partials = operation.row.joint(*xs, result)
            for column, row in zip(columns, partials, strict=True):
                for target, partial in zip(column, row, strict=True):
                    self._share(operation.row, target, seed, partial)

    def _share(self, row: Primitive, target: Ints, seed: Block, partial: Any) -> None:
        """Push seed * partial, by the product that the row asks for."""
        n = len(target)
        if row.structural:
            if isinstance(partial, float) and partial == 0.0:
                return
            partial, plain = row.product(seed, partial), None
            self.behind[target] = True
        elif row.singular or (self.guarded and not isinstance(partial, float)):
            partial, plain = _GUARDED(seed, partial), None
        else:
            plain = seed.positions
        factor = seed.at(partial, n, seed.rows)
        if plain is None:
            self.push(1, target, factor, None)
        else:
            self.push(1, target, plain, factor)

    def finish(self) -> Ints:
        """The gradient's positions."""
        shares, n = self.shares[-1], len(self.wrt)
        if not shares:
            return self.writer.uniform(0.0, n)
        found = self._gather(shares, n, self.writer.room(n, self._wide_inputs()))
        missing = found < 0
        if missing.any():
            found[missing] = self.writer.constant(0.0)
        return found

    def _wide_inputs(self) -> Any:
        return self.writer.has_lanes(self.wrt) if self.bulk.batch else False

    def _gather(self, shares: list[_Share], n: int, into: Ints | None) -> Ints:
        """Where the sum of the shares of each of n places is found; -1 where none is.

        Places with the same sources are served by one operation, whose terms keep the
        order in which they were pushed. ``into`` says where results shall be.
        """
        many = len(shares) > _SOURCES
        if many:
            shares = _by_form(shares)
        places = [self.place[share.target] for share in shares]
        hits = [np.bincount(place, minlength=n) for place in places]
        signature = np.zeros(n, np.int64)
        marks = np.random.default_rng(len(shares)).integers(1, 2**62, len(shares))
        for mark, hit in zip(marks.tolist(), hits, strict=True):
            signature += (hit > 0) * mark
        cotangent = np.full(n, -1, np.int64)
        reached = np.flatnonzero(signature)
        kinds = np.unique(signature[reached])
        if many or len(kinds) > max(_SIGNATURES, len(reached) // 8):
            wide = into is not None and self.writer.has_lanes(into)
            signature = (signature != 0) * (1 + np.asarray(wide).astype(np.int64))
            kinds = np.unique(signature[reached])
        if into is None and len(kinds) > 1:  # one block, so that its order stays plain
            parts = [
                _terms(n, share, place)
                for share, place in zip(shares, places, strict=True)
            ]
            into = self.writer.room(n, self._is_wide(parts))
        for kind in kinds.tolist():
            members = np.flatnonzero(signature == kind)
            row = np.full(n, -1, np.int64)
            row[members] = np.arange(len(members))
            used = [
                (share, row[place])
                for share, place, hit in zip(shares, places, hits, strict=True)
                if hit[members].any()
            ]
            alias = into is None and self._alias(used, len(members))
            if alias is not False:
                cotangent[members] = alias
                continue
            parts = _merged([_terms(len(members), *pair) for pair in used])
            if into is None:
                target = self.writer.room(len(members), self._is_wide(parts))
            else:
                target = into[members]
            self.writer.operations.append(Sum(target, parts))
            cotangent[members] = target
        return cotangent

    def _is_wide(self, parts: list[Terms]) -> bool:
        return any(
            not part.over_rows
            and self.writer.wide(part.left, *[part.right] * (part.right is not None))
            for part in parts
        )

    def _alias(self, used: list[tuple[_Share, Ints]], n: int) -> Ints | bool:
        """The positions of the only share, when it is plain and reaches each once."""
        if len(used) != 1:
            return False
        share, rows = used[0]
        mine = rows >= 0
        plain = share.sign > 0 and share.right is None and not share.over_rows
        if not plain or mine.sum() != n:
            return False
        found = np.full(n, -1, np.int64)
        found[rows[mine]] = share.left[mine]
        return found if (found >= 0).all() else False


def _placed_reads(operation: Sum | Reduce) -> list[tuple[Ints, Ints]]:
    if isinstance(operation, Reduce):
        return [(operation.rows, group) for group in operation.groups]
    pairs = []
    for part in operation.terms:
        pairs.append((part.rows, part.left))
        if part.right is not None:
            pairs.append((part.rows, part.right))
    return pairs


def _by_form(shares: list[_Share]) -> list[_Share]:
    """Shares of one form become one, in the order in which they were pushed."""
    forms: dict[Any, list[_Share]] = {}
    for share in shares:
        form = share.sign, share.right is not None, share.over_rows
        forms.setdefault(form, []).append(share)
    found = []
    for (sign, product, over_rows), same in forms.items():
        target = np.concatenate([share.target for share in same])
        left = np.concatenate([share.left for share in same])
        rights = [share.right for share in same if share.right is not None]
        right = np.concatenate(rights) if product else None
        found.append(_Share(sign, target, left, right, over_rows))
    return found


def _terms(n: int, share: _Share, rows: Ints) -> Terms:
    """The part of a share that belongs to rows 0 to n - 1, ordered by row."""
    order = np.argsort(rows, kind="stable")
    order = order[np.searchsorted(rows[order], 0) :]
    starts = np.searchsorted(rows[order], np.arange(n + 1))
    right = share.right[order] if share.right is not None else None
    return Terms(share.sign, starts, share.left[order], right, share.over_rows)


def _merged(parts: list[Terms]) -> list[Terms]:
    """Many sources (time steps, consumers) of one form become one ragged sum."""
    if len(parts) <= _TAGS:
        return parts
    forms: dict[Any, list[Terms]] = {}
    for part in parts:
        form = part.sign, part.right is not None, part.over_rows
        forms.setdefault(form, []).append(part)
    return [_joined(same) for same in forms.values()]


def _joined(parts: list[Terms]) -> Terms:
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    n = len(parts[0].starts) - 1
    starts = np.searchsorted(rows[order], np.arange(n + 1))
    left = np.concatenate([part.left for part in parts])[order]
    rights = [part.right for part in parts if part.right is not None]
    right = np.concatenate(rights)[order] if rights else None
    return Terms(parts[0].sign, starts, left, right, parts[0].over_rows)
