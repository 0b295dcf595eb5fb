"""Periods: steps of a recurrence that a program repeats, one after the other.

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

from autograd.compiler.classes import Hashes, mix
from autograd.compiler.contract import Rows
from autograd.compiler.program import Ints

__all__ = ["Period", "find_periods"]

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
