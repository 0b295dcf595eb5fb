"""The computation graph: how nodes hold their operands, and walks that never recurse.

A node is known by its attributes alone:

    _primitive   the primitive that made it; None for a leaf
    _operands    what the primitive was applied to, in the shape in which it takes it:
                 an operand each, or groups of them when it is n-ary
    _numbers     the numbers that the operands held then, in the same shape

so that ``primitive.evaluate(*node._numbers)`` is the node's own number. An operand that
is a plain number is written CONSTANT, its number standing in ``_numbers``; so is a group
of nothing else. Groups let the neurons of a layer share their inputs.

The one topological order is the depth-first postorder, operands first to last; the
chain rule runs through it backwards (Griewank & Walther, *Evaluating Derivatives*,
2nd ed. 2008, section 3.2).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import chain, repeat
from typing import Any

from autograd.errors import GraphError

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
UNRECORDED = _Mark("UNRECORDED")  # the operands of a result without a graph


def refuse_unrecorded(root: Node) -> None:
    """Raise GraphError for a result made under ``no_grad``: it has no gradient."""
    if root._primitive is None and root._operands is UNRECORDED:
        raise GraphError(
            f"{root!r} was computed under no_grad(), which keeps no graph: there is "
            f"nothing to differentiate. Compute it outside of no_grad"
        )


def grouped(node: Node) -> list[tuple[Any, Any]]:
    """The groups of operands, each with the numbers saved when the node was made."""
    if node._primitive.arity is None:
        return list(zip(node._operands, node._numbers, strict=True))
    return [(node._operands, node._numbers)]


def pairs(node: Node) -> Iterable[tuple[Any, float]]:
    """(operand, number) for every operand in its order, the groups chained.

    The operand is CONSTANT where a plain number took part.
    """
    if node._primitive.arity is None:
        return chain.from_iterable(map(pairs_of, node._operands, node._numbers))
    return zip(node._operands, node._numbers, strict=True)


def pairs_of(group: Any, numbers: Any) -> Iterator[tuple[Any, float]]:
    """The same for one group, which is CONSTANT where all in it are plain numbers."""
    return zip(repeat(CONSTANT) if group is CONSTANT else group, numbers, strict=False)


def operands(node: Node) -> tuple[Any, ...]:
    """The operands in their order: nodes, and floats where a plain number took part."""
    if node._primitive is None:
        return ()
    return tuple([x if p is CONSTANT else p for p, x in pairs(node)])


def attach(node: Node, primitive: Any, operands: Any, numbers: Any) -> None:
    """Make ``node`` the result of a primitive of operands, which hold these numbers."""
    node._primitive, node._operands, node._numbers = primitive, operands, numbers


def topological_order(
    *roots: Node, known: Container[Any] = ()
) -> tuple[list[Node], list[Node]]:
    """All that the roots depend on: (interior nodes, operands first; leaves as met).

    Nodes in ``known`` are taken as visited. Raises GraphError for a cycle.

    Depth first, on a stack of our own. A node is met twice: when it is opened, and its
    operands are put above it, and when they are done.

        y = p + c, p = x * x:   stack  y | y c p | y c p x x | ...   order  p, y
    """
    interior: list[Node] = []
    leaves: list[Node] = []
    finished: dict[Any, bool] = {CONSTANT: True}  # False: open
    groups: set[int] = {id(CONSTANT)}  # by identity: all in them is finished
    stack: list[Node] = [*reversed(roots)]
    while stack:
        node = stack[-1]
        state = finished.get(node)
        if state is not None:
            stack.pop()
            if not state:
                finished[node] = True
                interior.append(node)
                if node._primitive.arity is None:
                    groups.update(map(id, node._operands))
        elif node in known:
            finished[stack.pop()] = True
        elif node._primitive is None:
            finished[stack.pop()] = True
            leaves.append(node)
        else:
            finished[node] = False
            for operand in _from_the_last(node, groups):
                state = finished.get(operand)
                if state is None:
                    stack.append(operand)
                elif not state:
                    raise cycle_through(operand)
    return interior, leaves


def _from_the_last(node: Node, finished: set[int]) -> Iterable[Node]:
    if node._primitive.arity is not None:
        return reversed(node._operands)
    groups = [group for group in reversed(node._operands) if id(group) not in finished]
    return chain.from_iterable(map(reversed, groups))


def cycle_through(node: Node) -> GraphError:
    """The error for a node that depends on itself."""
    return GraphError(
        f"the graph has a cycle through {node!r}: a node cannot depend on itself. "
        f"Build it from operations, and change leaves via `.data`."
    )
