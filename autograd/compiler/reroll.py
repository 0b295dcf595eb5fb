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
import numpy.typing as npt

from autograd.compiler.bulk import Bulk, Map, Operation, Reduce, Sum, Terms
from autograd.compiler.contract import Contraction, contract
from autograd.compiler.program import CODE, CONSTANT, INPUT, Ints, Program, ranges

__all__ = ["reroll"]

_SYMMETRIC = [CODE["maximum"], CODE["minimum"], CODE["logsumexp"]]
_POWER = CODE["power"]
_SUM_KIND = -3  # the code of every contracted sum
Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


def _mix(x: Hashes, salt: int = 0) -> Hashes:
    """Spread bits: the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    with np.errstate(over="ignore"):
        x = x + np.uint64((salt * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(x ^ (x >> np.uint64(31)))


class _Rows:
    """The contracted graph: for each node, the edges to its operands."""

    def __init__(self, program: Program, exact: bool) -> None:
        self.program = program
        self.sums: Contraction = contract(program, exact)
        self.nodes = self.sums.nodes
        n = len(program)
        self.kind = np.where(self.sums.is_sum, _SUM_KIND, program.code)
        if exact:
            self.kind = program.code
        terms = self.sums
        plain = np.flatnonzero(program.computed & ~terms.is_sum)
        gone = np.ones(n, bool)
        gone[self.nodes] = False
        plain = plain[~gone[plain]]
        wide = program.spread[plain]
        near, far = plain[~wide], plain[wide]
        two = near[program.second[near] >= 0]
        many = ranges(program.first[far], program.second[far])
        # edges of rows: (user, operand, slot)
        user = np.concatenate([near, two, np.repeat(far, program.second[far])])
        used = [program.first[near], program.second[two], program.operands[many]]
        slot = [0 * near, 0 * two + 1, ranges(0 * far, program.second[far])]
        order = np.argsort(user, kind="stable")
        self.user, self.used = user[order], np.concatenate(used)[order]
        self.slot = np.concatenate(slot)[order]
        self.row_starts = np.searchsorted(self.user, np.arange(n + 1))
        self.term_starts = np.searchsorted(terms.owner, np.arange(n + 1))

    def all_edges(self) -> tuple[Ints, Ints]:
        """(user, operand) of rows and of terms."""
        terms = self.sums
        product = terms.right >= 0
        users = np.concatenate([self.user, terms.owner, terms.owner[product]])
        return users, np.concatenate([self.used, terms.left, terms.right[product]])

    def edges(self) -> tuple[Ints, Ints]:
        """(user, operand) among computed numbers."""
        users, used = self.all_edges()
        computed = self.program.code[used] >= 0
        return users[computed], used[computed]


def _leaf_hashes(program: Program, origin: Ints | None) -> Hashes:
    h = np.zeros(len(program), np.uint64)
    h[program.code == CONSTANT] = 11
    given = np.flatnonzero(program.code == INPUT)
    number = program.first[given]
    h[given] = 1000 + (number * 0 if origin is None else origin[number])
    if program.batch:
        h[given] += 1000000 * program.lanes[number].astype(np.uint64)
    return _mix(h)


def _hash_level(rows: _Rows, nodes: Ints, h: Hashes, term_hash: Hashes) -> None:
    """The hashes of nodes all of whose operands have theirs."""
    is_sum = rows.sums.is_sum[nodes]
    sums, plain = nodes[is_sum], nodes[~is_sum]
    if len(sums):
        terms, lengths = rows.sums, np.diff(rows.term_starts)[sums]
        span = ranges(rows.term_starts[sums], lengths)
        right = terms.right[span]
        left = h[terms.left[span]]
        with np.errstate(over="ignore"):
            both = _mix(left) + _mix(h[np.maximum(right, 0)])  # symmetric
        found = np.where(right >= 0, _mix(both, 3), left)
        found = np.where(terms.sign[span] < 0, _mix(found, 5), found)
        term_hash[span] = found
        h[sums] = _set_hash(found, np.repeat(np.arange(len(sums)), lengths), len(sums))
    if len(plain):
        h[plain] = _row_hash(rows, plain, h)


def _set_hash(found: Hashes, row: Ints, n: int) -> Hashes:
    """For each row the hash of its set of hashes; a set of one is its element."""
    order = np.lexsort((found, row))
    found, row = found[order], row[order]
    new = np.ones(len(row), bool)
    new[1:] = (found[1:] != found[:-1]) | (row[1:] != row[:-1])
    found, row = found[new], row[new]
    counts = np.bincount(row, minlength=n)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    full = counts > 0
    total = np.zeros(n, np.uint64)
    element = np.zeros(n, np.uint64)
    if len(found):
        with np.errstate(over="ignore"):
            total[full] = np.add.reduceat(_mix(found, 7), starts[full])
        element[full] = found[starts[full]]
    return np.where(counts == 1, element, _mix(total, 9))


def _row_hash(rows: _Rows, plain: Ints, h: Hashes) -> Hashes:
    program = rows.program
    lengths = np.diff(rows.row_starts)[plain]
    span = ranges(rows.row_starts[plain], lengths)
    user = np.repeat(np.arange(len(plain)), lengths)
    used, code = rows.used[span], program.code[plain][user]
    found = h[used]
    by_value = (program.code[used] == CONSTANT) & (code == _POWER)
    bits = program.constants.view(np.uint64)[program.first[used[by_value]]]
    found[by_value] = _mix(bits, 13)
    symmetric = np.isin(program.code[plain], _SYMMETRIC)
    with np.errstate(over="ignore"):
        placed = _mix(found + _mix(rows.slot[span].astype(np.uint64), 17), 19)
        total = np.zeros(len(plain), np.uint64)
        np.add.at(total, user, placed)
    if symmetric.any():
        total[symmetric] = _set_hash(found, user, len(plain))[symmetric]
    with np.errstate(over="ignore"):
        return _mix(total + _mix((program.code[plain] + 64).astype(np.uint64)), 23)


def _levels(rows: _Rows, origin: Ints | None) -> tuple[Ints, Hashes, Hashes, Mask]:
    """Level and hash of every node, and the hash of every term, front by front.

    And which nodes hold one number for each row of the batch.
    """
    n, program = len(rows.program), rows.program
    lanes = np.zeros(n, bool)
    if program.batch:
        given = np.flatnonzero(program.code == INPUT)
        lanes[given] = program.lanes[program.first[given]]
    h = _leaf_hashes(rows.program, origin)
    term_hash = np.zeros(len(rows.sums.owner), np.uint64)
    level = np.zeros(n, np.int64)
    users, used = rows.edges()
    all_users, all_used = rows.all_edges()
    by_user = np.argsort(all_users, kind="stable")
    all_used = all_used[by_user]
    begins = np.searchsorted(all_users[by_user], np.arange(n + 1))
    waiting = np.bincount(users, minlength=n)
    order = np.argsort(used, kind="stable")
    users, starts = users[order], np.searchsorted(used[order], np.arange(n + 1))
    front = rows.nodes[waiting[rows.nodes] == 0]
    depth = 0
    while len(front):
        depth += 1
        level[front] = depth
        _hash_level(rows, front, h, term_hash)
        if program.batch:
            lengths = begins[front + 1] - begins[front]
            hits = lanes[all_used[ranges(begins[front], lengths)]]
            owner = np.repeat(np.arange(len(front)), lengths)[hits]
            found = np.bincount(owner, minlength=len(front)) > 0
            total = program.code[front] == program.total
            lanes[front] = found & ~total
            h[front] ^= _mix((lanes[front] + 2 * total).astype(np.uint64), 43)
        reached = users[ranges(starts[front], starts[front + 1] - starts[front])]
        np.subtract.at(waiting, reached, 1)
        front = np.unique(reached[waiting[reached] == 0])
    return level, h, term_hash, lanes


def reroll(program: Program, origin: Ints | None = None, exact: bool = False) -> Bulk:
    """The bulk program of a scalar one.

    Parameters
    ----------
    program : a valid program.
    origin : which argument each input came from; inputs of different arguments are
        not taken to be alike. By default all are.
    exact : keep every addition as it was traced, so that results are bit-identical.
    """
    rows = _Rows(program, exact)
    level, h, term_hash, lanes = _levels(rows, origin)
    nodes = rows.nodes
    key = _class_keys(rows, level, h)
    if exact or key is None:
        term_hash = np.where(rows.sums.sign < 0, 2, 0).astype(np.uint64)
        h = np.zeros_like(h)
    if key is None:
        key = _coarse_keys(rows, level, lanes)
    _, earliest, group = np.unique(key[nodes], return_index=True, return_inverse=True)
    by_order = np.lexsort((nodes[earliest], level[nodes][earliest]))
    rank = np.empty(len(by_order), np.int64)
    rank[by_order] = np.arange(len(by_order))
    order = np.lexsort((nodes, rank[group]))
    members = nodes[order]
    cuts = np.flatnonzero(np.diff(rank[group][order], prepend=-1, append=-1))
    position, constants, size = _positions(program, members)
    assembly = _Assembly(rows, position, h, term_hash, lanes)
    operations = [assembly.operation(members[a:b]) for a, b in pairwise(cuts)]
    bulk = Bulk(operations, size, program.inputs, constants, position[program.outputs])
    if program.batch:
        bulk.batch, bulk.lanes = program.batch, np.zeros(size, bool)
        placed = position >= 0
        bulk.lanes[position[placed]] = lanes[placed]
    return bulk.verify()


def _place(rows: _Rows, level: Ints) -> Hashes:
    kind = (rows.kind + 64).astype(np.uint64)
    with np.errstate(over="ignore"):
        return np.asarray(_mix(level.astype(np.uint64), 29) + _mix(kind, 31))


def _class_keys(rows: _Rows, level: Ints, h: Hashes) -> Hashes | None:
    """Level, row and hash; None when hardly any two of them agree."""
    with np.errstate(over="ignore"):
        key = _mix(h + _place(rows, level))
    count = len(np.unique(key[rows.nodes]))
    return key if count <= max(64, len(rows.nodes) // 12) else None


def _coarse_keys(rows: _Rows, level: Ints, lanes: Mask) -> Hashes:
    """For irregular programs: level and row, and whether a sum has many terms."""
    many = np.minimum(np.diff(rows.term_starts), 2).astype(np.uint64)
    many += 4 * lanes.astype(np.uint64)
    arity = np.diff(rows.row_starts).astype(np.uint64)
    with np.errstate(over="ignore"):
        return _mix(_place(rows, level) + _mix(many, 37) + _mix(arity, 41))


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
        rows: _Rows,
        position: Ints,
        h: Hashes,
        term_hash: Hashes,
        lanes: Mask,
    ) -> None:
        self.rows, self.position, self.h = rows, position, h
        self.term_hash, self.lanes = term_hash, lanes

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
        sums, starts = self.rows.sums, self.rows.term_starts
        lengths = starts[nodes + 1] - starts[nodes]
        span = ranges(starts[nodes], lengths)
        owner = np.repeat(np.arange(len(nodes)), lengths)
        product = (sums.right[span] >= 0).astype(np.uint64)
        with np.errstate(over="ignore"):
            form = _mix(self.term_hash[span] + product)
        over_rows = bool(self.rows.program.code[nodes[0]] == self.rows.program.total)
        over_rows &= self.rows.program.batch > 0
        _, earliest, group = np.unique(form, return_index=True, return_inverse=True)
        parts = []
        for k in np.argsort(earliest):
            mine = group == k
            where, row = span[mine], owner[mine]
            counts = np.bincount(row, minlength=len(nodes))
            left, right = sums.left[where], sums.right[where]
            sign = int(sums.sign[where[0]])
            if right[0] < 0:
                starts = _cumulative(counts)
                own, times = self.position[left], None
                if over_rows and not self.lanes[left].any():  # as often as rows
                    times = np.full(len(own), self.rows.program.inputs)
                parts.append(
                    Terms(sign, starts, own, times, over_rows and times is None)
                )
                continue
            turned = self.h[left] != self.h[left[0]]
            left, right = (
                np.where(turned, right, left),
                np.where(turned, left, right),
            )
            parts.append(
                Terms(
                    sign,
                    _cumulative(counts),
                    self.position[left],
                    self.position[right],
                    over_rows,
                )
            )
        return parts


def _cumulative(counts: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
