"""Re-rolling: a scalar program becomes a handful of bulk operations.

Numbers that are computed alike form a class, and a class becomes one operation on index
arrays. Alike means: by the same row, from operands that are computed alike. A hash of
that, bottom up, names the class; a sum hashes as the *set* of its terms' hashes, and a
set of one as its element, so that loops of any length (the rows of a causal attention)
fall into one class. The level, the longest way from an input, is part of the name:
the graph of classes has no circle, and levels give its order.

A collision of hashes costs speed, never correctness: the index arrays say what is
computed from what, and ``Bulk.verify`` checks them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Bulk, Map, Operation, Reduce, Sum, Terms
from autograd.compiler.bulk.isomorphism import (
    Hashes,
    Mask,
    Period,
    class_keys,
    coarse_keys,
    find_periods,
    levels_and_hashes,
    mix,
)
from autograd.compiler.bulk.reassociate import Rows
from autograd.compiler.trace.program import (
    CONSTANT,
    INPUT,
    Ints,
    Program,
    cuts_of,
    ranges,
)


def reroll(program: Program, origin: Ints | None = None, exact: bool = False) -> Bulk:
    """The bulk program of a scalar one.

    Parameters
    ----------
    program : a valid program.
    origin : which argument each input came from; inputs of different arguments are
        not taken to be alike. By default all are.
    exact : keep every addition as it was traced, so that results are bit-identical.
    """
    rows = Rows(program, exact)
    slot, loop = _slots(rows, [] if exact else find_periods(rows))
    level, h, term_hash, lanes = levels_and_hashes(rows, origin, slot, loop)
    nodes = rows.nodes
    key = class_keys(rows, level, h)
    if exact or key is None:
        term_hash = np.where(rows.sums.sign < 0, 2, 0).astype(np.uint64)
        h = np.zeros_like(h)
    if key is None:
        key = coarse_keys(rows, level, lanes)
        key[slot >= 0] = mix(level[slot >= 0].astype(np.uint64), 59)
    _, earliest, group = np.unique(key[nodes], return_index=True, return_inverse=True)
    by_order = np.lexsort((nodes[earliest], level[nodes][earliest]))
    rank = np.empty(len(by_order), np.int64)
    rank[by_order] = np.arange(len(by_order))
    number = rank.astype(np.min_scalar_type(len(rank)))[group]  # short ones sort fast
    order = np.argsort(number, kind="stable")
    members = nodes[order]
    cuts = cuts_of(number[order])
    position, constants, size = _positions(program, members)
    assembly = _Assembly(rows, position, h, term_hash, lanes, slot)
    operations = [assembly.operation(members[a:b]) for a, b in pairwise(cuts)]
    for operation, first in zip(operations, members[cuts[:-1]].tolist(), strict=True):
        operation.loop = int(loop[first])
    bulk = Bulk(operations, size, program.inputs, constants, position[program.outputs])
    if program.batch:
        bulk.batch, bulk.lanes = program.batch, np.zeros(size, bool)
        placed = position >= 0
        bulk.lanes[position[placed]] = lanes[placed]
    return bulk.verify()


def _slots(rows: Rows, periods: list[Period]) -> tuple[Ints, Ints]:
    """Each number's place in the steps of a loop over time, -1 outside; and which loop,
    counted from 1."""
    slot = np.full(len(rows.program), -1, np.int64)
    loop = np.zeros(len(rows.program), np.int64)
    for number, period in enumerate(periods, 1):
        nodes = rows.nodes[period.first : period.end]
        slot[nodes] = np.arange(len(nodes)) % period.length
        loop[nodes] = number
    return slot, loop


def _positions(program: Program, members: Ints) -> tuple[Ints, dict[int, float], int]:
    """Where every number lives: inputs, constants, then one block for each class."""
    position = np.full(len(program), -1, np.int64)
    given = program.code == INPUT
    position[given] = program.first[given]
    baked = np.flatnonzero(program.code == CONSTANT)
    start = program.inputs
    constants: dict[int, float] = {}
    if program.batch:  # the first constant is the number of rows
        constants[start] = float(program.batch)
        start += 1
    position[baked] = start + np.arange(len(baked))
    start += len(baked)
    position[members] = start + np.arange(len(members))
    numbers = program.constants[program.first[baked]].tolist()
    constants |= dict(zip(position[baked].tolist(), numbers, strict=True))
    return position, constants, start + len(members)


class _Assembly:
    """Index arrays of one class after the other."""

    def __init__(
        self,
        rows: Rows,
        position: Ints,
        h: Hashes,
        term_hash: Hashes,
        lanes: Mask,
        slot: Ints,
    ) -> None:
        self.rows, self.position, self.h = rows, position, h
        self.term_hash, self.lanes, self.slot = term_hash, lanes, slot

    def operation(self, nodes: Ints) -> Operation:
        """The operation that computes a class."""
        program, target = self.rows.program, self.position[nodes]
        if self.rows.sums.is_sum[nodes[0]]:
            return Sum(target, self._terms(nodes))
        code = int(program.code[nodes[0]])
        row = program.rows[code]
        starts = self.rows.row_starts
        if row.arity is not None:
            operands: Any = [
                self.position[self.rows.used[starts[nodes] + slot]]
                for slot in range(row.arity)
            ]
            return Map(row, target, tuple(operands))
        count = program.groups.get(code, 1)
        lengths = (starts[nodes + 1] - starts[nodes]) // count
        groups = [
            self.position[self.rows.used[ranges(starts[nodes] + k * lengths, lengths)]]
            for k in range(count)
        ]
        return Reduce(row, target, _cumulative(lengths), tuple(groups))

    def _terms(self, nodes: Ints) -> list[Terms]:
        """The terms of a class of sums, gathered by form in order of appearance."""
        self.looped = bool(self.slot[nodes[0]] >= 0)
        sums, starts = self.rows.sums, self.rows.term_starts
        lengths = starts[nodes + 1] - starts[nodes]
        span = ranges(starts[nodes], lengths)
        owner = np.repeat(np.arange(len(nodes)), lengths)
        product = (sums.right[span] >= 0) * (1 + 4 * sums.strong[span])
        form = mix(self.term_hash[span] + product.astype(np.uint64))
        over_rows = bool(self.rows.program.code[nodes[0]] == self.rows.program.total)
        over_rows &= self.rows.program.batch > 0
        _, earliest, group = np.unique(form, return_index=True, return_inverse=True)
        return [
            self._part(span[group == k], owner[group == k], len(nodes), over_rows)
            for k in np.argsort(earliest)
        ]

    def _part(self, where: Ints, row: Ints, n: int, over_rows: bool) -> Terms:
        """Terms of one form; products are turned like the first of them."""
        sums = self.rows.sums
        starts = _cumulative(np.bincount(row, minlength=n))
        left, right = sums.left[where], sums.right[where]
        sign = int(sums.sign[where[0]])
        if right[0] >= 0:
            strong = int(sums.strong[where[0]])
            turned = self.h[left] != self.h[left[0]]
            turned &= not self.looped and strong != 1
            left, right = np.where(turned, right, left), np.where(turned, left, right)
            factors = self.position[left], self.position[right]
            return Terms(sign, starts, factors, over_rows, strong)
        own = self.position[left]
        if over_rows and not self.lanes[left].any():  # as often as there are rows
            times = np.full(len(own), self.rows.program.inputs)
            return Terms(sign, starts, (own, times))
        return Terms(sign, starts, (own,), over_rows)


def _cumulative(counts: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
