"""The gradient of every leaf by central differences, from the graph itself.

The rows are evaluated again with one leaf moved; nothing in the graph is written. The
step is the one of ``autograd.gradcheck``: eps^(1/3) max(1, |x|).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.checks.differences import central_step
from autograd.graph.handmade import Handmade
from autograd.graph.nodes import CONSTANT, grouped, pairs, topological_order

Node = Any


def finite_differences(
    roots: Sequence[Node], leaves: Sequence[Node]
) -> dict[Node, float | None]:
    """{leaf: d(sum of roots)/d(leaf)}, None where a handmade node is in the way.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> round(finite_differences([x * x], [x])[x], 6)
    6.0
    """
    interior, below = topological_order(*roots)
    start = {leaf: leaf.data for leaf in below}
    for node in interior:
        fixed = isinstance(node._primitive, Handmade)
        start[node] = node.data if fixed else _evaluate(node, start, {})
    slopes: dict[Node, float | None] = {}
    for leaf in leaves:
        x = leaf.data
        h = central_step(x)
        high, low = (_rerun(interior, roots, start, {leaf: v}) for v in (x + h, x - h))
        known = high is not None and low is not None
        slopes[leaf] = (high - low) / ((x + h) - (x - h)) if known else None
    return slopes


def _rerun(interior: Any, roots: Any, start: Any, moved: dict[Node, float]) -> Any:
    """The sum of the roots after a leaf moved; only what depends on it is redone."""
    for node in interior:
        if any(operand in moved for operand, _ in pairs(node)):
            if isinstance(node._primitive, Handmade):
                return None
            moved[node] = _evaluate(node, start, moved)
    total = 0.0
    for root in roots:
        total += moved.get(root, start[root])
    return total


def _evaluate(node: Node, start: Any, moved: Any) -> float:
    """The row on the numbers that its operands have now."""
    flat = [
        x if operand is CONSTANT else moved.get(operand, start[operand])
        for operand, x in pairs(node)
    ]
    primitive = node._primitive
    numbers = primitive.regroup(flat, [len(xs) for _, xs in grouped(node)])
    return float(primitive.evaluate(*numbers))
