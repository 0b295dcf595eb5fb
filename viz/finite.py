"""The gradient of every leaf by central differences, from the graph itself.

The rows are evaluated again with one leaf moved; nothing in the graph is written. The
step is the one of ``autograd.gradcheck``: eps^(1/3) max(1, |x|).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from autograd.graph.nodes import CONSTANT, grouped, topological_order

__all__ = ["finite_differences"]

Node = Any
_CUBE_ROOT = sys.float_info.epsilon ** (1 / 3)


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
    steps = [(node, grouped(node)) for node in interior]
    start = {leaf: leaf.data for leaf in below}
    for node, groups in steps:
        by_hand = node._primitive.by_hand is not None
        start[node] = node.data if by_hand else _evaluate(node, groups, start, {})
    slopes: dict[Node, float | None] = {}
    for leaf in leaves:
        x = leaf.data
        h = _CUBE_ROOT * max(1.0, abs(x))
        high, low = (_rerun(steps, roots, start, {leaf: v}) for v in (x + h, x - h))
        known = high is not None and low is not None
        slopes[leaf] = (high - low) / ((x + h) - (x - h)) if known else None
    return slopes


def _rerun(steps: Any, roots: Any, start: Any, moved: dict[Node, float]) -> Any:
    """The sum of the roots after a leaf moved; only what depends on it is redone."""
    for node, groups in steps:
        if any(holder in moved for group, _ in groups for holder in _holders(group)):
            if node._primitive.by_hand is not None:
                return None
            moved[node] = _evaluate(node, groups, start, moved)
    total = 0.0
    for root in roots:
        total += moved.get(root, start[root])
    return total


def _holders(group: Any) -> Any:
    return () if group is CONSTANT else group


def _evaluate(node: Node, groups: Any, start: Any, moved: Any) -> float:
    """The row on the numbers that its operands have now."""

    def now(holder: Any, x: float) -> float:
        return x if holder is CONSTANT else moved.get(holder, start[holder])

    numbers = [
        xs if group is CONSTANT else tuple(map(now, group, xs)) for group, xs in groups
    ]
    primitive = node._primitive
    value = primitive.evaluate(*(numbers if primitive.arity is None else numbers[0]))
    return float(value)
