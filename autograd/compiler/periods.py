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

__all__ = ["Period", "find_period"]

FEWEST = 16  # steps that make a loop
LONGEST = 2000  # nodes of a step
_WINDOW = 8  # nodes whose signatures must agree for a first guess
_GUESSES = 6


@dataclass(frozen=True)
class Period:
    """Nodes from ``first`` on, in their order: ``count`` steps of ``length`` nodes."""

    first: int
    length: int
    count: int


def find_period(rows: Rows) -> Period | None:
    """The longest stretch of steps that depend on each other, if there is one."""
    nodes = rows.nodes
    if rows.program.batch or len(nodes) < 4 * FEWEST:
        return None
    signature = _signatures(rows)
    best: Period | None = None
    edges: tuple[Ints, Ints] | None = None
    for length in _guesses(signature):
        found = _longest_run(signature, length)
        if found is None or (best and found[1] <= best.count * best.length):
            continue
        first, covered = found
        edges = edges or _edges(rows)
        period = _checked(*edges, Period(first, length, covered // length))
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
    size = len(signature) - _WINDOW + 1
    window = np.zeros(size, np.uint64)
    for k in range(_WINDOW):
        window = mix(window + signature[k : k + size], k)
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
        verdict = _verdict(now, operand[a:b].reshape(count, -1))
        if verdict is not None:
            return now if verdict else None
    return None


def _verdict(period: Period, operand: Ints) -> bool | None:
    """Whether steps read each other; None where an operand is out of step.

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
    carried = moving & near & (later < step[1:]).all(axis=0)
    return bool(carried.any())


def _constant(table: Ints) -> npt.NDArray[np.bool_]:
    return np.asarray((table == table[:1]).all(axis=0))
