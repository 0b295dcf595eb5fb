"""What a program repeats: numbers that are computed alike, and steps of a recurrence.

*Alike* means: by the same primitive, from operands that are computed alike. A hash of
that, bottom up, names the class; a sum hashes as the *set* of its terms' hashes, and a
set of one as its element, so that loops of any length fall into one class:

    y[0] = w * x + w * x;  y[1] = w * x + w * x + w * x;  z[0] = tanh(y[0]); ...
    hash(y[0]) = hash({hash(w * x)}) = hash(y[1]), so that z[0] and z[1] are alike.

The level, the longest way from an input, is part of the name: the graph of classes has
no circle, and levels give its order.

A *recurrence* leaves the same instructions again and again, each step reading the step
before. All its nodes have levels of their own, so that hashes find nothing; but their
signatures (primitive, number of operands) repeat with a period, and every operand is a
leaf, or from before the stretch, or always as far back, within this step or the last:

    v = v - k * sin(x);  x = x + v        sin sum sum | sin sum sum | ...: period 3

Loops whose steps do not depend on each other are no recurrences: they are classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk.bulk import Mask
from autograd.compiler.bulk.reassociate import ContractedGraph
from autograd.compiler.trace.program import (
    CODE,
    CONSTANT,
    INPUT,
    PRIMITIVES,
    Ints,
    Program,
    offsets_of,
    ranges,
    sorted_unique,
)

Hashes = npt.NDArray[np.uint64]
_SYMMETRIC = [CODE[p.name] for p in PRIMITIVES if p.symmetric and p.arity is None]
_POWER = CODE["power"]

FEWEST = 16  # steps that make a recurrence
LONGEST = 2000  # nodes of a step
_WINDOW = 8  # nodes whose signatures must agree for a first guess
_GUESSES = 6
_MOST = 16  # recurrences of a program


def mix(x: Hashes, salt: int = 0) -> Hashes:
    """Spread the bits of an array: splitmix64 (Steele, Lea & Flood 2014)."""
    x = x + np.uint64((salt * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Likeness:
    """Names of classes, found front by front.

    Attributes
    ----------
    level, hash, batched : of every number; whether it is one for each sample.
    term_hash : of every term of the graph's sums.

    ``origin`` says which argument an input came from (None: all are alike), ``scan``
    which recurrence a node belongs to (0: none), ``slot`` its place in a step (-1).
    All else comes before a recurrence or after it, which has as many levels as a step
    has nodes. Hashes stop where it is clear that the program is irregular.
    """

    def __init__(
        self, graph: ContractedGraph, origin: Ints | None, slot: Ints, scan: Ints
    ) -> None:
        n, program = len(graph.program), graph.program
        self.graph, self.level = graph, np.zeros(n, np.int64)
        self.hash = _leaf_hashes(program, origin)
        self.batched = _batched_leaves(program)
        self.term_hash = np.zeros(len(graph.terms.owner), np.uint64)
        self._few = max(64, len(graph.nodes) // 12)  # classes of a regular program
        depth, done, regular = 0, 0, True
        fronts = _Fronts(graph, scan)
        for front in fronts:
            if scan[front[0]]:
                steps = slot[front]
                self.level[front] = depth + 1 + steps
                self.hash[front] = mix(steps.astype(np.uint64), 53)
                depth += int(steps.max()) + 1
                continue
            depth += 1
            self.level[front] = depth
            if regular:
                self._hash_front(front)
                early = done <= 2 * self._few
                done += len(front)
                if early and done > 2 * self._few:  # once, among the first of the nodes
                    regular = self.keys() is not None
            if program.batch:
                total = program.code[front] == program.batch_sum
                self.batched[front] = fronts.any_operand(self.batched) & ~total
                kind = self.batched[front] + 2 * total
                self.hash[front] ^= mix(kind.astype(np.uint64), 43)
        inside = slot[graph.terms.owner] >= 0
        negative = graph.terms.sign[inside] < 0
        self.term_hash[inside] = np.where(negative, 2, 0).astype(np.uint64)

    def keys(self) -> Hashes | None:
        """The class of each number; None when hardly any two of them agree."""
        key = mix(self.hash + self._level_and_kind())
        nodes = self.graph.nodes
        reached = nodes[self.level[nodes] > 0]
        return key if len(sorted_unique(key[reached])) <= self._few else None

    def coarse_keys(self) -> Hashes:
        """For irregular programs: level, kind, and the number of operands."""
        arity = np.diff(self.graph.edge_offsets).astype(np.uint64)
        batched = mix(self.batched.astype(np.uint64), 37)
        return mix(self._level_and_kind() + batched + mix(arity, 41))

    def _level_and_kind(self) -> Hashes:
        kind = (self.graph.kind + 64).astype(np.uint64)
        return np.asarray(mix(self.level.astype(np.uint64), 29) + mix(kind, 31))

    def _hash_front(self, nodes: Ints) -> None:
        is_sum = self.graph.is_sum[nodes]
        sums, plain = nodes[is_sum], nodes[~is_sum]
        if len(sums):
            self._hash_sums(sums)
        if len(plain):
            self._hash_plain(plain)

    def _hash_sums(self, sums: Ints) -> None:
        terms, offsets = self.graph.terms, self.graph.term_offsets
        counts = offsets[sums + 1] - offsets[sums]
        span = ranges(offsets[sums], counts)
        right, left = terms.right[span], self.hash[terms.left[span]]
        strong = terms.strong[span].astype(np.uint64)
        turned = np.where(strong == 1, mix(left, 61), mix(left))  # else symmetric
        both = turned + mix(self.hash[np.maximum(right, 0)]) + strong
        h = np.where(right >= 0, mix(both, 3), left)
        h = np.where(terms.sign[span] < 0, mix(h, 5), h)
        self.term_hash[span] = h
        owner = np.repeat(np.arange(len(sums)), counts)
        self.hash[sums] = _set_hashes(h, owner, len(sums))

    def _hash_plain(self, nodes: Ints) -> None:
        """Of nodes that are no sums: the operands in order, or their set."""
        graph, program = self.graph, self.graph.program
        offsets, codes = graph.edge_offsets, program.code[nodes]
        counts = offsets[nodes + 1] - offsets[nodes]
        span = ranges(offsets[nodes], counts)
        user = np.repeat(np.arange(len(nodes)), counts)
        used = graph.used[span]
        h = self.hash[used]
        by_value = (program.code[used] == CONSTANT) & (codes[user] == _POWER)
        bits = program.constants.view(np.uint64)[program.first[used[by_value]]]
        h[by_value] = mix(bits, 13)
        total = np.zeros(len(nodes), np.uint64)
        in_order = mix(h + mix(graph.slot[span].astype(np.uint64), 17), 19)
        np.add.at(total, user, in_order)
        symmetric = np.isin(codes, _SYMMETRIC)
        if symmetric.any():
            total[symmetric] = _set_hashes(h, user, len(nodes))[symmetric]
        self.hash[nodes] = mix(total + mix((codes + 64).astype(np.uint64)), 23)


def _leaf_hashes(program: Program, origin: Ints | None) -> Hashes:
    h = np.zeros(len(program), np.uint64)
    h[program.code == CONSTANT] = 11
    given = np.flatnonzero(program.code == INPUT)
    number = program.first[given]
    h[given] = 1000 + (number * 0 if origin is None else origin[number])
    if program.batch:
        h[given] += 1000000 * program.batched[number].astype(np.uint64)
    return mix(h)


def _batched_leaves(program: Program) -> Mask:
    batched = np.zeros(len(program), bool)
    if program.batch:
        given = np.flatnonzero(program.code == INPUT)
        batched[given] = program.batched[program.first[given]]
    return batched


def _set_hashes(h: Hashes, owner: Ints, n: int) -> Hashes:
    """For each of n owners the hash of its set of hashes; of one, its element."""
    order = np.lexsort((h, owner))
    h, owner = h[order], owner[order]
    new = np.ones(len(owner), bool)
    new[1:] = (h[1:] != h[:-1]) | (owner[1:] != owner[:-1])
    h, owner = h[new], owner[new]
    counts = np.bincount(owner, minlength=n)
    first = (np.cumsum(counts) - counts)[counts > 0]
    total, element = np.zeros(n, np.uint64), np.zeros(n, np.uint64)
    if len(h):
        total[counts > 0] = np.add.reduceat(mix(h, 7), first)
        element[counts > 0] = h[first]
    return np.where(counts == 1, element, mix(total, 9))


class _Fronts:
    """Nodes all of whose operands are there, front by front.

    A recurrence is a front of its own, when there is no other: all it reads is there.
    """

    def __init__(self, graph: ContractedGraph, scan: Ints) -> None:
        n, self.scan = len(graph.program), scan
        users, used = graph.edges()
        self.waiting = np.bincount(users, minlength=n)
        order = np.argsort(used, kind="stable")
        self.users, self.user_offsets = users[order], offsets_of(used, n)
        if graph.program.batch:
            users, used = graph.all_edges()
            order = np.argsort(users, kind="stable")
            self.used, self.used_offsets = used[order], offsets_of(users, n)
        outside = graph.nodes[scan[graph.nodes] == 0]
        self.front = outside[self.waiting[outside] == 0]

    def __iter__(self) -> Iterator[Ints]:
        scans = range(1, int(self.scan.max(initial=0)) + 1)
        waiting = [np.flatnonzero(self.scan == k) for k in scans]
        while len(self.front) or waiting:
            if not len(self.front):
                self.front = waiting.pop(0)
            yield self.front
            self._advance()

    def any_operand(self, marked: Mask) -> Mask:
        """Whether any operand of each node of the front is marked (of batches)."""
        front, offsets = self.front, self.used_offsets
        counts = offsets[front + 1] - offsets[front]
        hits = marked[self.used[ranges(offsets[front], counts)]]
        owner = np.repeat(np.arange(len(front)), counts)[hits]
        return np.asarray(np.bincount(owner, minlength=len(front)) > 0)

    def _advance(self) -> None:
        """The next front is what waited for nothing but this one."""
        offsets = self.user_offsets
        counts = offsets[self.front + 1] - offsets[self.front]
        reached = self.users[ranges(offsets[self.front], counts)]
        np.subtract.at(self.waiting, reached, 1)
        ready = (self.waiting[reached] == 0) & (self.scan[reached] == 0)
        self.front = sorted_unique(reached[ready])


@dataclass(frozen=True)
class Recurrence:
    """Nodes from ``first`` on, in their order: ``count`` steps of ``length`` nodes."""

    first: int
    length: int
    count: int

    @property
    def end(self) -> int:
        return self.first + self.count * self.length


def find_recurrences(graph: ContractedGraph) -> list[Recurrence]:
    """Stretches of steps that depend on each other: the longest, then the others."""
    if graph.program.batch or len(graph.nodes) < 4 * FEWEST:
        return []
    signature, edges = _signatures(graph), _edges_by_index(graph)
    free, recurrences = [(0, len(graph.nodes))], list[Recurrence]()
    while free and len(recurrences) < _MOST:
        begin, end = free.pop()
        longest = _longest(signature[begin:end], begin, edges)
        if longest is not None:
            recurrences.append(longest)
            free += [(longest.end, end), (begin, longest.first)]
    return sorted(recurrences, key=lambda recurrence: recurrence.first)


def _longest(
    signature: Hashes, begin: int, edges: tuple[Ints, Ints]
) -> Recurrence | None:
    """The longest recurrence among the nodes from ``begin`` on, if there is one."""
    best: Recurrence | None = None
    if len(signature) < 4 * FEWEST:
        return None
    for length in _likely_periods(signature):
        stretch = _longest_stretch(signature, length)
        if stretch is None or (best and stretch[1] <= best.count * best.length):
            continue
        first, covered = stretch
        guess = Recurrence(begin + first, length, covered // length)
        checked = _checked(*edges, guess)
        if checked is not None and checked.count >= FEWEST:
            best = checked
    return best


def _signatures(graph: ContractedGraph) -> Hashes:
    """Equal for nodes of one kind with as many terms of the same forms."""
    sums, nodes = graph.terms, graph.nodes
    n = len(graph.program)
    edges = np.bincount(graph.all_edges()[0], minlength=n)[nodes]
    products = np.bincount(sums.owner, sums.right >= 0, minlength=n)[nodes]
    signs = np.bincount(sums.owner, sums.sign, minlength=n)[nodes]
    parts = [graph.kind[nodes] + 64, edges, products, signs + 1e6]
    total = np.zeros(len(nodes), np.uint64)
    for salt, part in enumerate(parts):
        total += mix(np.asarray(part).astype(np.uint64), 47 + salt)
    return total


def _likely_periods(signature: Hashes) -> list[int]:
    """Distances between equal windows, the most frequent ones first."""
    window, width = signature, 1
    while width < _WINDOW:
        window = mix(window[:-width] * np.uint64(3) + window[width:], width)
        width *= 2
    order = np.argsort(window, kind="stable")
    equal = window[order][1:] == window[order][:-1]
    distances = np.diff(order)[equal]
    counts = np.bincount(distances[distances <= LONGEST])
    likely = np.argsort(-counts * np.arange(len(counts)), kind="stable")[:_GUESSES]
    return [int(d) for d in likely if d > 0 and counts[d] >= FEWEST // 2]


def _longest_stretch(signature: Hashes, period: int) -> tuple[int, int] | None:
    """Where the longest stretch with a period begins, and how many nodes it covers."""
    equal = signature[period:] == signature[:-period]
    edges = np.flatnonzero(np.diff(equal.astype(np.int8), prepend=0, append=0))
    if not len(edges):
        return None
    begins, ends = edges[::2], edges[1::2]
    k = int(np.argmax(ends - begins))
    return int(begins[k]), int(ends[k] - begins[k]) + period


def _edges_by_index(graph: ContractedGraph) -> tuple[Ints, Ints]:
    """Indices among the nodes: of users, in order, and of operands (-1: a leaf)."""
    index = np.full(len(graph.program), -1, np.int64)
    index[graph.nodes] = np.arange(len(graph.nodes))
    users, used = graph.all_edges()
    order = np.argsort(index[users], kind="stable")
    return index[users][order], index[used][order]


def _checked(user: Ints, operand: Ints, guess: Recurrence) -> Recurrence | None:
    """The recurrence, begun later where its first steps differ; None if it is none."""
    for skip in range(3):
        first, count = guess.first + skip * guess.length, guess.count - skip
        a, b = np.searchsorted(user, [first, first + count * guess.length])
        if count < FEWEST or (b - a) % count:
            return None
        later = Recurrence(first, guess.length, count)
        slot = user[a : a + (b - a) // count] - first
        verdict = _is_recurrence(later, slot, operand[a:b].reshape(count, -1))
        if verdict is not None:
            return later if verdict else None
    return None


def _is_recurrence(guess: Recurrence, slot: Ints, operand: Ints) -> bool | None:
    """Whether steps need each other; None where an operand is out of step.

    slot : the place within the step of each edge's user.
    operand : [step, edge], indices of nodes; -1 for leaves.
    """
    step = guess.first + guess.length * np.arange(guess.count)[:, np.newaxis]
    leaf = (operand < 0).all(axis=0)
    before = ((operand >= 0) & (operand < guess.first)).all(axis=0)
    later = operand[1:]
    distance = later - step[1:]
    inside = (distance == distance[:1]).all(axis=0)
    inside &= (distance >= -guess.length).all(axis=0) & (later >= 0).all(axis=0)
    if not (leaf | before | inside).all():
        return None
    source = (later[0] - guess.first) % guess.length
    return _is_circular(source[inside], slot[inside])


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
