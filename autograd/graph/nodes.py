"""The computation graph: how nodes hold their operands, and walks that never recurse.

A node is known by its attributes alone:

    _primitive   the primitive that made it; None for a leaf
    _operands    what the primitive was applied to, in the shape in which it takes it:
                 an operand each, or groups of them when it is n-ary
    _numbers     the numbers that the operands held then, in the same shape

so that ``primitive.evaluate(*node._numbers)`` is the node's own number. An operand
that is a plain number is written CONSTANT, its number standing in ``_numbers``; so is a
group of nothing else. Groups let the neurons of a layer share their inputs.

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


def kept_number(operand: Any) -> Any:
    """The number that a node of floats keeps of an operand."""
    return operand if type(operand) is float else operand._number


def kept_operand(operand: Any) -> Any:
    """The operand that it keeps: CONSTANT for a plain number."""
    return CONSTANT if type(operand) is float else operand


def attach(node: Node, primitive: Any, operands: Any, numbers: Any) -> None:
    """Make ``node`` the result of a primitive of operands, which hold these numbers."""
    node._primitive, node._operands, node._numbers = primitive, operands, numbers


def topological_order(
    *roots: Node, known: Container[Any] = ()
) -> tuple[list[Node], list[Node]]:
    """All that the roots depend on: (interior nodes, operands first; leaves as met).

    Nodes in ``known`` are taken as visited. Raises GraphError for a cycle.

    Depth first, on a stack of our own: the nodes that are open, from a root down, each
    with an iterator of its operands.
    """
    interior: list[Node] = []
    leaves: list[Node] = []
    opened: set[Node] = set()
    finished: set[Node] = {CONSTANT}
    complete: set[int] = {id(CONSTANT)}
    path: list[Node] = [None]
    operands: list[Iterator[Node]] = [iter(roots)]
    while path:
        for node in operands[-1]:
            if node in finished:
                continue
            if node in opened:
                raise cycle_through(node)
            if node in known:
                finished.add(node)
            elif node._primitive is None:
                finished.add(node)
                leaves.append(node)
            else:
                opened.add(node)
                path.append(node)
                if node._primitive.arity is None:
                    operands.append(chain.from_iterable(groups_left(node, complete)))
                else:
                    operands.append(iter(node._operands))
                break
        else:
            operands.pop()
            node = path.pop()
            if node is not None:
                finished.add(node)
                interior.append(node)
                if node._primitive.arity is None:
                    complete.update(map(id, node._operands))
    return interior, leaves


def groups_left(node: Node, complete: set[int]) -> list[Any]:
    """The groups of an n-ary node without those, known by their ids, that are complete:
    whose operands are all finished. A layer's neurons share the group of their inputs.
    """
    return [group for group in node._operands if id(group) not in complete]


def cycle_through(node: Node) -> GraphError:
    """The error for a node that depends on itself."""
    return GraphError(
        f"the graph has a cycle through {node!r}: a node cannot depend on itself. "
        f"Build it from operations, and change leaves via `.data`."
    )
