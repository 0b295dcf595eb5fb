"""Classes: which numbers of a program are computed alike.

Alike means: by the same row, from operands that are computed alike. A hash of that,
bottom up, names the class; a sum hashes as the *set* of its terms' hashes, and a set of
one as its element, so that loops of any length fall into one class. The level, the
longest way from an input, is part of the name.

Periods: steps of a recurrence that a program repeats, one after the other.

A Python loop over time leaves the same instructions again and again, each step reading
the step before. Such a stretch is found in the contracted program as it was traced: the
signatures of its nodes repeat with a period, and every operand is a leaf, or from
before the stretch, or always as far back, within this step or the one before.

Loops whose steps do not depend on each other are none of this: re-rolling makes one
operation of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk.reassociate import Rows
from autograd.compiler.trace.program import (
    CODE,
    CONSTANT,
    INPUT,
    Ints,
    Program,
    distinct,
    ranges,
    starts_of,
)

_SYMMETRIC = [CODE["maximum"], CODE["minimum"], CODE["logsumexp"]]


_POWER = CODE["power"]


Hashes = npt.NDArray[np.uint64]


Mask = npt.NDArray[np.bool_]


def mix(x: Hashes, salt: int = 0) -> Hashes:
    """Spread the bits of an array: splitmix64 (Steele, Lea & Flood 2014)."""
    x = x + np.uint64((salt * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _leaf_hashes(program: Program, origin: Ints | None) -> Hashes:
    h = np.zeros(len(program), np.uint64)
    h[program.code == CONSTANT] = 11
    given = np.flatnonzero(program.code == INPUT)
    number = program.first[given]
    h[given] = 1000 + (number * 0 if origin is None else origin[number])
    if program.batch:
        h[given] += 1000000 * program.lanes[number].astype(np.uint64)
    return mix(h)


def _hash_level(rows: Rows, nodes: Ints, h: Hashes, term_hash: Hashes) -> None:
    """The hashes of nodes all of whose operands have theirs."""
    is_sum = rows.sums.is_sum[nodes]
    sums, plain = nodes[is_sum], nodes[~is_sum]
    if len(sums):
        terms = rows.sums
        lengths = rows.term_starts[sums + 1] - rows.term_starts[sums]
        span = ranges(rows.term_starts[sums], lengths)
        right = terms.right[span]
        left = h[terms.left[span]]
        strong = terms.strong[span].astype(np.uint64)
        turned = np.where(strong == 1, mix(left, 61), mix(left))  # else symmetric
        both = turned + mix(h[np.maximum(right, 0)]) + strong
        found = np.where(right >= 0, mix(both, 3), left)
        found = np.where(terms.sign[span] < 0, mix(found, 5), found)
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
        total[full] = np.add.reduceat(mix(found, 7), starts[full])
        element[full] = found[starts[full]]
    return np.where(counts == 1, element, mix(total, 9))


def _row_hash(rows: Rows, plain: Ints, h: Hashes) -> Hashes:
    program = rows.program
    lengths = rows.row_starts[plain + 1] - rows.row_starts[plain]
    span = ranges(rows.row_starts[plain], lengths)
    user = np.repeat(np.arange(len(plain)), lengths)
    used, code = rows.used[span], program.code[plain][user]
    found = h[used]
    by_value = (program.code[used] == CONSTANT) & (code == _POWER)
    bits = program.constants.view(np.uint64)[program.first[used[by_value]]]
    found[by_value] = mix(bits, 13)
    symmetric = np.isin(program.code[plain], _SYMMETRIC)
    placed = mix(found + mix(rows.slot[span].astype(np.uint64), 17), 19)
    total = np.zeros(len(plain), np.uint64)
    np.add.at(total, user, placed)
    if symmetric.any():
        total[symmetric] = _set_hash(found, user, len(plain))[symmetric]
    return mix(total + mix((program.code[plain] + 64).astype(np.uint64)), 23)


def levels_and_hashes(
    rows: Rows, origin: Ints | None, slot: Ints, loop: Ints
) -> tuple[Ints, Hashes, Hashes, Mask]:
    """Level and hash of every node, and the hash of every term, front by front.

    And which nodes hold one number for each row of the batch. ``slot`` is the place of
    a node in the steps of a loop over time, -1 outside, ``loop`` that loop's number.
    What is outside comes before a loop or after it, and a loop has as many levels as a
    step has nodes. Hashes are left out from the level on at which it is clear that the
    program is irregular.
    """
    n, program = len(rows.program), rows.program
    fronts, done, irregular = _Fronts(rows, slot), 0, False
    h = _leaf_hashes(program, origin)
    term_hash = np.zeros(len(rows.sums.owner), np.uint64)
    level, lanes = np.zeros(n, np.int64), _leaf_lanes(program)
    count, depth = int(loop.max(initial=0)), 0
    loops = [np.flatnonzero(loop == k) for k in range(count, 0, -1)]
    while len(fronts.front) or loops:
        if not len(fronts.front):  # all that the next loop reads is there
            looped = loops.pop()
            level[looped] = depth + 1 + slot[looped]
            h[looped] = mix(slot[looped].astype(np.uint64), 53)
            depth += int(slot[looped].max()) + 1
            fronts.advance(looped)
            continue
        front, depth = fronts.front, depth + 1
        level[front] = depth
        if not irregular:
            _hash_level(rows, front, h, term_hash)
            early = done <= 2 * _few(rows)
            done += len(front)
            if early and done > 2 * _few(rows):  # once, among the first of the nodes
                irregular = class_keys(rows, level, h) is None
        if program.batch:
            total = program.code[front] == program.total
            lanes[front] = fronts.any_operand(lanes) & ~total
            h[front] ^= mix((lanes[front] + 2 * total).astype(np.uint64), 43)
        fronts.advance(front)
    in_loop = slot[rows.sums.owner] >= 0
    term_hash[in_loop] = np.where(rows.sums.sign[in_loop] < 0, 2, 0).astype(np.uint64)
    return level, h, term_hash, lanes


def _leaf_lanes(program: Program) -> Mask:
    """Which inputs have lanes."""
    lanes = np.zeros(len(program), bool)
    if program.batch:
        given = np.flatnonzero(program.code == INPUT)
        lanes[given] = program.lanes[program.first[given]]
    return lanes


class _Fronts:
    """Nodes all of whose operands are there, front by front; loops stand aside."""

    def __init__(self, rows: Rows, slot: Ints) -> None:
        n, self.slot = len(rows.program), slot
        users, used = rows.edges()
        self.waiting = np.bincount(users, minlength=n)
        order = np.argsort(used, kind="stable")
        self.users = users[order]
        self.starts = starts_of(used, n)
        if rows.program.batch:
            all_users, all_used = rows.all_edges()
            order = np.argsort(all_users, kind="stable")
            self.used, self.begins = all_used[order], starts_of(all_users, n)
        outside = rows.nodes[slot[rows.nodes] < 0]
        self.front = outside[self.waiting[outside] == 0]

    def any_operand(self, marked: Mask) -> Mask:
        """Whether any operand of each node of the front is marked (of batches)."""
        front = self.front
        lengths = self.begins[front + 1] - self.begins[front]
        hits = marked[self.used[ranges(self.begins[front], lengths)]]
        owner = np.repeat(np.arange(len(front)), lengths)[hits]
        return np.asarray(np.bincount(owner, minlength=len(front)) > 0)

    def advance(self, done: Ints) -> None:
        """These nodes are there: the next front is what waited for nothing else."""
        lengths = self.starts[done + 1] - self.starts[done]
        reached = self.users[ranges(self.starts[done], lengths)]
        np.subtract.at(self.waiting, reached, 1)
        ready = (self.waiting[reached] == 0) & (self.slot[reached] < 0)
        self.front = distinct(reached[ready])


def _place(rows: Rows, level: Ints) -> Hashes:
    kind = (rows.kind + 64).astype(np.uint64)
    return np.asarray(mix(level.astype(np.uint64), 29) + mix(kind, 31))


def _few(rows: Rows) -> int:
    """As many classes as a regular program may have."""
    return max(64, len(rows.nodes) // 12)


def class_keys(rows: Rows, level: Ints, h: Hashes) -> Hashes | None:
    """Level, row and hash; None when hardly any two of them agree."""
    key = mix(h + _place(rows, level))
    reached = rows.nodes[level[rows.nodes] > 0]
    return key if len(distinct(key[reached])) <= _few(rows) else None


def coarse_keys(rows: Rows, level: Ints, lanes: Mask) -> Hashes:
    """For irregular programs: level, row, and the number of operands."""
    arity = np.diff(rows.row_starts).astype(np.uint64)
    return mix(_place(rows, level) + mix(lanes.astype(np.uint64), 37) + mix(arity, 41))


# -- Periods: steps of a recurrence that a program repeats, one after the o

FEWEST = 16  # steps that make a loop
LONGEST = 2000  # nodes of a step
_WINDOW = 8  # nodes whose signatures must agree for a first guess
_GUESSES = 6
_MOST = 16  # loops of a program


@dataclass(frozen=True)
class Period:
    """Nodes from ``first`` on, in their order: ``count`` steps of ``length`` nodes."""

    first: int
    length: int
    count: int

    @property
    def end(self) -> int:
        """The first node behind it."""
        return self.first + self.count * self.length


def find_periods(rows: Rows) -> list[Period]:
    """Stretches of steps that depend on each other: the longest, then the others."""
    if rows.program.batch or len(rows.nodes) < 4 * FEWEST:
        return []
    signature, edges = _signatures(rows), _edges(rows)
    free, found = [(0, len(rows.nodes))], list[Period]()
    while free and len(found) < _MOST:
        begin, end = free.pop()
        period = _longest(signature[begin:end], begin, edges)
        if period is not None:
            found.append(period)
            free += [(period.end, end), (begin, period.first)]
    return sorted(found, key=lambda period: period.first)


def _longest(signature: Hashes, begin: int, edges: tuple[Ints, Ints]) -> Period | None:
    """The longest stretch among the nodes from ``begin`` on, if there is one."""
    best: Period | None = None
    if len(signature) < 4 * FEWEST:
        return None
    for length in _guesses(signature):
        found = _longest_run(signature, length)
        if found is None or (best and found[1] <= best.count * best.length):
            continue
        first, covered = found
        guess = Period(begin + first, length, covered // length)
        period = _checked(*edges, guess)
        if period is not None and period.count >= FEWEST:
            best = period
    return best


def _signatures(rows: Rows) -> Hashes:
    """Equal for nodes of one row with as many terms of the same kinds."""
    sums, nodes = rows.sums, rows.nodes
    n = len(rows.program)
    edges = np.bincount(rows.all_edges()[0], minlength=n)[nodes]
    products = np.bincount(sums.owner, sums.right >= 0, minlength=n)[nodes]
    signs = np.bincount(sums.owner, sums.sign, minlength=n)[nodes]
    parts = [rows.kind[nodes] + 64, edges, products, signs + 1e6]
    total = np.zeros(len(nodes), np.uint64)
    for salt, part in enumerate(parts):
        total += mix(np.asarray(part).astype(np.uint64), 47 + salt)
    return total


def _guesses(signature: Hashes) -> list[int]:
    """Distances between equal windows, the most frequent ones first."""
    window, width = signature, 1
    while width < _WINDOW:
        window = mix(window[:-width] * np.uint64(3) + window[width:], width)
        width *= 2
    order = np.argsort(window, kind="stable")
    same = window[order][1:] == window[order][:-1]
    distances = np.diff(order)[same]
    counts = np.bincount(distances[distances <= LONGEST])
    likely = np.argsort(-counts * np.arange(len(counts)), kind="stable")[:_GUESSES]
    return [int(d) for d in likely if d > 0 and counts[d] >= FEWEST // 2]


def _longest_run(signature: Hashes, length: int) -> tuple[int, int] | None:
    """Where the longest stretch with a period begins, and how many nodes it covers."""
    equal = signature[length:] == signature[:-length]
    edges = np.flatnonzero(np.diff(equal.astype(np.int8), prepend=0, append=0))
    if not len(edges):
        return None
    begins, ends = edges[::2], edges[1::2]
    k = int(np.argmax(ends - begins))
    return int(begins[k]), int(ends[k] - begins[k]) + length


def _edges(rows: Rows) -> tuple[Ints, Ints]:
    """The places of users in order, and of their operands (-1: a leaf)."""
    place = np.full(len(rows.program), -1, np.int64)
    place[rows.nodes] = np.arange(len(rows.nodes))
    users, used = rows.all_edges()
    order = np.argsort(place[users], kind="stable")
    return place[users][order], place[used][order]


def _checked(at: Ints, operand: Ints, period: Period) -> Period | None:
    """The period, begun later where its first steps differ; None if it is no loop."""
    for skip in range(3):
        first, count = period.first + skip * period.length, period.count - skip
        a, b = np.searchsorted(at, [first, first + count * period.length])
        if count < FEWEST or (b - a) % count:
            return None
        now = Period(first, period.length, count)
        user = at[a : a + (b - a) // count] - first
        verdict = _verdict(now, user, operand[a:b].reshape(count, -1))
        if verdict is not None:
            return now if verdict else None
    return None


def _verdict(period: Period, user: Ints, operand: Ints) -> bool | None:
    """Whether steps need each other; None where an operand is out of step.

    user : the place within the step of each edge's user.
    operand : [step, edge], places of nodes; -1 for leaves.
    """
    step = period.first + period.length * np.arange(period.count)[:, np.newaxis]
    leaf = (operand < 0).all(axis=0)
    before = ((operand >= 0) & (operand < period.first)).all(axis=0)
    later = operand[1:]
    moving = _constant(later - step[1:])
    near = (later >= step[1:] - period.length).all(axis=0) & (later >= 0).all(axis=0)
    if not (leaf | before | (moving & near)).all():
        return None
    inside = moving & near
    source = (later[0] - period.first) % period.length
    return _is_circular(source[inside], user[inside])


def _is_circular(source: Ints, user: Ints) -> bool:
    """Whether edges close a circle: a step needs what it makes in the step before.

    Without one, the steps are independent, only cut at another place.
    """
    while len(user):
        waiting = np.zeros(int(max(source.max(), user.max())) + 1, bool)
        waiting[user] = True
        kept = waiting[source]  # all others come from what waits for nothing
        if kept.all():
            return True
        source, user = source[kept], user[kept]
    return False


def _constant(table: Ints) -> npt.NDArray[np.bool_]:
    return np.asarray((table == table[:1]).all(axis=0))
