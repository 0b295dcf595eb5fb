"""The computation graph: how nodes hold their operands, and walks that never recurse.

A node is known by its attributes alone:

    _primitive   the row that made it; None for a leaf
    _first       its first operand; when ``_second is MANY``, a tuple of groups of them
    _second      its second operand; None after a function of one operand
    _x, _y       the numbers that the operands held when the node was made (``_x`` is
                 a tuple of groups when ``_second is MANY``)

An operand that is a plain number is written CONSTANT, its number standing in ``_x`` or
``_y``; so is a group of nothing else. Two operand slots instead of a tuple save 56
bytes a node and an allocation; groups let the neurons of a layer share their inputs.

The one topological order is the depth-first postorder, operands first to last; the
chain rule runs through it backwards (Griewank & Walther, *Evaluating Derivatives*,
2nd ed. 2008, section 3.2).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from autograd.errors import GraphError

__all__ = [
    "CONSTANT",
    "MANY",
    "Statistics",
    "ancestors",
    "attach",
    "depth",
    "grouped",
    "operands",
    "statistics",
    "topological_order",
]

Node = Any


class _Mark:
    """A mark with a name, equal only to itself, that stays itself when copied."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str:
        return self.name


CONSTANT = _Mark("CONSTANT")
MANY = _Mark("MANY")
UNRECORDED = _Mark("UNRECORDED")  # the first operand of a result without a graph


def refuse_unrecorded(root: Node) -> None:
    """Raise GraphError for a result made under ``no_grad``: it has no gradient."""
    if root._primitive is None and root._first is UNRECORDED:
        raise GraphError(
            f"{root!r} was computed under no_grad(), which keeps no graph: there is "
            f"nothing to differentiate. Compute it outside of no_grad"
        )


def operands(node: Node) -> tuple[Any, ...]:
    """The operands in their order: nodes, and floats where a plain number took part."""
    if node._primitive is None:
        return ()
    return tuple(
        [
            number if holder is CONSTANT else holder
            for group, numbers in grouped(node)
            for holder, number in zip(
                repeat(CONSTANT) if group is CONSTANT else group, numbers, strict=False
            )
        ]
    )


def attach(node: Node, primitive: Any, holders: Any, numbers: Any) -> None:
    """Make ``node`` the result of a row: its operands, and the numbers they hold."""
    node._primitive, node._second, node._y = primitive, None, None
    if primitive.arity in (1, 2):
        node._first, node._x = holders[0], numbers[0]
        if primitive.arity == 2:
            node._second, node._y = holders[1], numbers[1]
    elif primitive.arity is None:
        node._first, node._second, node._x = holders, MANY, numbers
    else:
        node._first, node._second, node._x = (holders,), MANY, (numbers,)


def grouped(node: Node) -> list[tuple[Any, Any]]:
    """The groups of operands, each with the numbers saved when the node was made."""
    if node._second is MANY:
        return list(zip(node._first, node._x, strict=True))
    if node._second is None:
        return [((node._first,), (node._x,))]
    return [((node._first, node._second), (node._x, node._y))]


def topological_order(
    *roots: Node, seen: set[Any] | None = None
) -> tuple[list[Node], list[Node]]:
    """All that the roots depend on: (interior nodes, operands first; leaves as met).

    Nodes in ``seen`` are taken as visited; the ones met here are added to it.
    """
    interior: list[Node] = []
    leaves: list[Node] = []
    seen = set() if seen is None else seen
    seen.update((CONSTANT, None, id(CONSTANT)))
    for root in roots:
        if root not in seen:
            seen.add(root)
            if root._primitive is None:
                leaves.append(root)
            else:
                _visit(root, seen, interior, leaves)
    return interior, leaves


def _visit(
    node: Node, seen: set[Any], interior: list[Node], leaves: list[Node]
) -> None:
    """Depth-first postorder below an interior node, on a stack of our own.

    The stack holds nodes to visit, and ``node, None`` for one to finish when all that
    was put above it is done.
    """
    stack: list[Node] = []
    while True:
        seen.add(node)
        stack.append(node)
        stack.append(None)
        first, second = node._first, node._second
        if second is MANY:
            for group in first:
                if id(group) in seen:
                    continue
                if not seen.issuperset(group):
                    _push_groups(first, seen, leaves, stack)
                    break
                seen.add(id(group))
        else:
            if second not in seen:
                if second._primitive is None:
                    leaves.append(second)
                    seen.add(second)
                else:
                    stack.append(second)
            if first not in seen:
                if first._primitive is None:
                    leaves.append(first)
                    seen.add(first)
                else:
                    node = first
                    continue
        while stack:
            node = stack.pop()
            if node is None:
                interior.append(stack.pop())
            elif node not in seen:
                break
        else:
            return


def _push_groups(
    groups: Any, seen: set[Any], leaves: list[Node], stack: list[Node]
) -> None:
    """Put what is new in the groups on the stack, so that the first comes off first."""
    for group in reversed(groups):
        if group is CONSTANT:
            continue
        for operand in reversed(group):
            if operand not in seen:
                if operand._primitive is None:
                    leaves.append(operand)
                    seen.add(operand)
                else:
                    stack.append(operand)


def check_acyclic(interior: list[Node]) -> None:
    """Raise GraphError if an operand comes after the node that uses it."""
    position = {node: i for i, node in enumerate(interior)}
    for i, node in enumerate(interior):
        for operand in operands(node):
            if position.get(operand, -1) >= i:
                raise cycle_through(node)


def cycle_through(node: Node) -> GraphError:
    """The error for a node that depends on itself."""
    return GraphError(
        f"the graph has a cycle through {node!r}: a node cannot depend on itself. "
        f"Build it from operations, and change leaves via `.data`."
    )


def ancestors(root: Node) -> list[Node]:
    """The root and every node it depends on, each once, operands before users."""
    interior, leaves = topological_order(root)
    check_acyclic(interior)
    return leaves + interior


def depth(root: Node) -> int:
    """The number of operations on the longest path from a leaf to the root."""
    interior, _ = topological_order(root)
    level: dict[Node, int] = {}
    for node in interior:
        below = [level.get(p, 0) for p in operands(node) if type(p) is not float]
        level[node] = 1 + max(below, default=0)
    return level.get(root, 0)


@dataclass(frozen=True)
class Statistics:
    """The size of a graph: nodes, edges, depth, and the operations by name."""

    leaves: int
    operations: int
    edges: int
    depth: int
    by_name: dict[str, int]


def statistics(root: Node) -> Statistics:
    """Count the nodes, the edges, the depth and the operations of a graph."""
    interior, leaves = topological_order(root)
    edges = sum(sum(type(p) is not float for p in operands(node)) for node in interior)
    names = Counter(node._primitive.name for node in interior)
    return Statistics(len(leaves), len(interior), edges, depth(root), dict(names))
