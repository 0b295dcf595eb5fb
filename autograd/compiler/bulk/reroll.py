"""Re-rolling: a scalar program becomes a handful of bulk operations.

Numbers that are computed alike form a class, and a class becomes one operation on index
arrays (``isomorphism``): the four products of a 2 x 2 matrix and a vector, summed in
pairs by whatever loops, are one ``SumOfProducts`` with offsets [0, 2, 4].

A collision of hashes costs speed, never correctness: the index arrays say what is
computed from what, and ``Bulk.verify`` checks them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from autograd.compiler.bulk.bulk import (
    Bulk,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
    Terms,
)
from autograd.compiler.bulk.isomorphism import (
    Likeness,
    Recurrence,
    find_recurrences,
    mix,
)
from autograd.compiler.bulk.reassociate import ContractedGraph
from autograd.compiler.trace.program import (
    CONSTANT,
    INPUT,
    Ints,
    Program,
    offsets_of,
    ranges,
    run_bounds,
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
    graph = ContractedGraph(program, exact)
    slot, scan = _slots(graph, [] if exact else find_recurrences(graph))
    like = Likeness(graph, origin, slot, scan)
    level, nodes, key = like.level, graph.nodes, like.keys()
    if exact or key is None:
        like.term_hash = np.where(graph.terms.sign < 0, 2, 0).astype(np.uint64)
        like.hash = np.zeros_like(like.hash)
    if key is None:
        key = like.coarse_keys()
        key[slot >= 0] = mix(level[slot >= 0].astype(np.uint64), 59)
    _, earliest, group = np.unique(key[nodes], return_index=True, return_inverse=True)
    by_order = np.lexsort((nodes[earliest], level[nodes][earliest]))
    rank = np.empty(len(by_order), np.int64)
    rank[by_order] = np.arange(len(by_order))
    number = rank.astype(np.min_scalar_type(len(rank)))[group]  # short ones sort fast
    order = np.argsort(number, kind="stable")
    members = nodes[order]
    cuts = run_bounds(number[order])
    position, constants, size = _positions(program, members)
    assembly = _Assembly(graph, position, like, slot)
    operations = [assembly.operation(members[a:b]) for a, b in pairwise(cuts)]
    for operation, first in zip(operations, members[cuts[:-1]].tolist(), strict=True):
        operation.scan = int(scan[first])
    bulk = Bulk(operations, size, program.inputs, constants, position[program.outputs])
    if program.batch:
        bulk.batch, bulk.batched = program.batch, np.zeros(size, bool)
        placed = position >= 0
        bulk.batched[position[placed]] = like.batched[placed]
    return bulk.verify()


def _slots(graph: ContractedGraph, recurrences: list[Recurrence]) -> tuple[Ints, Ints]:
    """Each number's place in a step, -1 outside; and which recurrence, from 1 on."""
    slot = np.full(len(graph.program), -1, np.int64)
    scan = np.zeros(len(graph.program), np.int64)
    for number, recurrence in enumerate(recurrences, 1):
        nodes = graph.nodes[recurrence.first : recurrence.end]
        slot[nodes] = np.arange(len(nodes)) % recurrence.length
        scan[nodes] = number
    return slot, scan


def _positions(program: Program, members: Ints) -> tuple[Ints, dict[int, float], int]:
    """Where every number lives: inputs, constants, then one block for each class."""
    position = np.full(len(program), -1, np.int64)
    given = program.code == INPUT
    position[given] = program.first[given]
    baked = np.flatnonzero(program.code == CONSTANT)
    start = program.inputs
    constants: dict[int, float] = {}
    if program.batch:  # the first constant is the number of samples
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
        self, graph: ContractedGraph, position: Ints, like: Likeness, slot: Ints
    ) -> None:
        self.graph, self.program = graph, graph.program
        self.position, self.like, self.slot = position, like, slot

    def operation(self, nodes: Ints) -> Operation:
        target = self.position[nodes]
        if self.graph.is_sum[nodes[0]]:
            return SumOfProducts(target, self._terms(nodes))
        code = int(self.program.code[nodes[0]])
        primitive, offsets = self.program.primitives[code], self.graph.edge_offsets
        first = offsets[nodes]
        if primitive.arity is not None:
            operands = [self._operands(first + slot) for slot in range(primitive.arity)]
            return Map(primitive, target, tuple(operands))
        groups = self.program.groups.get(code, 1)
        counts = (offsets[nodes + 1] - first) // groups
        streams = [
            self._operands(ranges(first + k * counts, counts)) for k in range(groups)
        ]
        return SegmentReduce(primitive, target, _offsets(counts), tuple(streams))

    def _operands(self, edges: Ints) -> Ints:
        return self.position[self.graph.used[edges]]

    def _terms(self, nodes: Ints) -> list[Terms]:
        """The terms of a class of sums, collected by form in order of appearance."""
        sums, offsets = self.graph.terms, self.graph.term_offsets
        counts = offsets[nodes + 1] - offsets[nodes]
        span = ranges(offsets[nodes], counts)
        owner = np.repeat(np.arange(len(nodes)), counts)
        product = (sums.right[span] >= 0) * (1 + 4 * sums.strong[span])
        form = mix(self.like.term_hash[span] + product.astype(np.uint64))
        _, earliest, group = np.unique(form, return_index=True, return_inverse=True)
        return [
            self._part(span[group == k], offsets_of(owner[group == k], len(nodes)))
            for k in np.argsort(earliest)
        ]

    def _part(self, where: Ints, offsets: Ints) -> Terms:
        """Terms of one form; products are turned like the first of them."""
        sums, program = self.graph.terms, self.program
        left, right = sums.left[where], sums.right[where]
        user, sign = sums.owner[where[0]], int(sums.sign[where[0]])
        over_batch = program.batch > 0 and program.code[user] == program.batch_sum
        if right[0] >= 0:
            strong = int(sums.strong[where[0]])
            turned = self.like.hash[left] != self.like.hash[left[0]]
            turned &= self.slot[user] < 0 and strong != 1
            left, right = np.where(turned, right, left), np.where(turned, left, right)
            factors = self.position[left], self.position[right]
            return Terms(sign, offsets, factors, bool(over_batch), strong)
        own = self.position[left]
        if over_batch and not self.like.batched[left].any():  # once for each sample
            times = np.full(len(own), program.inputs)
            return Terms(sign, offsets, (own, times))
        return Terms(sign, offsets, (own,), bool(over_batch))


def _offsets(counts: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
