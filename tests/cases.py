"""Operands at which every row is tested: drawn from its domain, plus tails and kinks."""

import math
import random

from autograd.graph.nodes import topological_order
from autograd.table.primitives import TABLE

# Rows whose operands are not any numbers: an order, or what other rows made.
PARTICULAR = {"polygamma", "nonnegative", "guarded_multiply", "selected_multiply"}
_TAILS = [1e-8, 1e-3, 0.3, 0.7, 1.5, 2.6, 7.25, 20.25, 30.5]
_UNBOUNDED = [*_TAILS, *[-x for x in _TAILS]]
# rows that leave the floats, or their own accuracy, in the common tails
_POINTS = {
    "tan": [x for x in _UNBOUNDED if abs(x) < 20],
    "lgamma": [1e-3, 0.3, 0.7, 1.5, 2.6, 7.0, 20.0, -0.3, -1.5, -2.6],
    "erfc": [x for x in _UNBOUNDED if x < 20],
}
_PAIRS = [(0.7, 1.3), (2.5, 0.4), (-1.25, 2.0), (3.0, -0.6), (1e-3, 20.0)]
_BINARY = {
    "power": [(0.7, 1.3), (2.5, -0.4), (3.0, 2.0), (20.0, 0.3), (1e-3, 2.5)],
    "remainder": [(5.3, 2.0), (-5.3, 2.0), (5.3, -2.0), (0.3, 7.0)],
    "floor_divide": [(5.3, 2.0), (-5.3, 2.0), (5.3, -2.0), (0.3, 7.0)],
    "polygamma": [(0.0, 0.7), (0.0, 7.5), (1.0, 2.5), (2.0, 0.3), (0.0, -0.3)],
}
_GROUPS = [([0.7],), ([0.5, -1.25],), ([1.5, 2.0, -0.75, 3.0],)]


def inside(low, high):
    """Points inside an interval, close to its ends included."""
    points = [x for x in _UNBOUNDED if low < x < high]
    if math.isfinite(low):
        points += [low + 1e-6, low + 0.1]
    if math.isfinite(high):
        points += [high - 1e-6, high - 0.1]
    return [x for x in points if low < x < high]


def operands(name):
    """Operand tuples for a row: away from kinks, where all derivatives exist."""
    row = TABLE[name]
    if name == "dot":
        return [(g, [x + 0.5 for x in g]) for (g,) in _GROUPS]
    if row.arity is None:
        return _GROUPS
    if name == "where":
        return [(1.0, 0.7, 1.3), (0.0, 0.7, 1.3), (-2.0, -1.0, 2.0)]
    if row.arity == 2:
        return _BINARY.get(name, _PAIRS)
    points = _POINTS.get(name) or inside(*row.domain[0])
    return [(x,) for x in points if x not in row.kinks]


def random_operands(name, count, seed=0):
    """Random operand tuples near the tested ones."""
    rng = random.Random(f"{name}{seed}")
    chosen = [rng.choice(operands(name)) for _ in range(count)]

    def near(x):
        return x * rng.uniform(0.9, 1.1)

    if TABLE[name].arity is None:
        return [tuple([near(x) for x in g] for g in groups) for groups in chosen]
    low = [d[0] for d in TABLE[name].domain]
    high = [d[1] for d in TABLE[name].domain]
    moved = [tuple(near(x) for x in xs) for xs in chosen]
    return [
        xs
        for xs in moved
        if all(a < x < b for x, a, b in zip(xs, low, high, strict=False))
    ]


def flat(row, xs):
    """All operands in one list."""
    return [x for g in xs for x in g] if row.arity is None else list(xs)


def regroup(row, xs, like):
    """The list of operands in the row's groups again."""
    if row.arity is not None:
        return tuple(xs)
    rest = iter(xs)
    return tuple([next(rest) for _ in g] for g in like)


def positions(row, xs):
    """What ``oracles.partial`` calls each operand."""
    if row.arity is None:
        return [(i, j) for i, g in enumerate(xs) for j in range(len(g))]
    return list(range(len(xs)))


def nodes_below(root):
    """All that a node depends on and itself, each once, operands before users."""
    interior, leaves = topological_order(root)
    return leaves + interior
