"""The chain rule backwards: cotangents flow from results to operands.

For y = f(x1, ..., xn), each operand's cotangent grows by (cotangent of y) * dy/dxi.
``pullback`` is the general pass: any numbers, kept in a dictionary of its own.
``sweep`` has the first-order one.

Source: Griewank & Walther 2008, section 3.2 (incremental reverse mode).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from autograd.errors import GraphError, StaleValueError
from autograd.graph import CONSTANT, MANY, check_acyclic, grouped, topological_order

__all__ = ["edges", "pullback"]

Node = Any
Number = Any


def edges(node: Node, again: bool = False) -> Iterator[tuple[Node, Number]]:
    """The node's operands that are nodes, each with its partial derivative.

    With ``again`` the partials are computed on the nodes themselves, so that they can
    be differentiated once more; else on the numbers saved when the node was made.
    """
    primitive = node._primitive
    if primitive.by_hand:
        raise GraphError(
            f"operation {primitive.name!r} was made by hand (`_backward`), which only "
            f"backward() can follow; write it as a Primitive to differentiate it here"
        )
    saved = grouped(node)
    if again:
        _refuse_stale(node, saved)
    result = node if again else node.primal
    numbers = [
        tuple([x if p is CONSTANT else p for p, x in _pairs(group, xs)])
        if again
        else xs
        for group, xs in saved
    ]
    if node._second is MANY:
        partials = primitive.grouped(*numbers, result)
    else:
        partials = (primitive.partials(numbers[0], result),)
    for (group, _), row in zip(saved, partials, strict=True):
        for operand, partial in _pairs(group, row):
            if operand is not CONSTANT:
                yield operand, partial


def _pairs(group: Any, numbers: Any) -> Iterator[tuple[Any, Any]]:
    return zip(repeat(CONSTANT) if group is CONSTANT else group, numbers, strict=False)


def _refuse_stale(node: Node, saved: list[tuple[Any, Any]]) -> None:
    for group, numbers in saved:
        for holder, number in _pairs(group, numbers):
            if holder is CONSTANT or holder.primal is number:
                continue
            now = holder.primal
            if now != number and (now == now or number == number):
                raise StaleValueError(
                    f"{holder!r} had data {number!r} when {node._primitive.name!r} "
                    f"used it, and was changed since; run the forward pass again "
                    f"before asking for derivatives that can be differentiated"
                )


def pullback(
    seeds: Sequence[tuple[Node, Number]], again: bool = False
) -> dict[Node, Number]:
    """The cotangent of every node below the seeded ones, as {node: cotangent}.

    Nothing of the graph is written. Nodes without a path from a seed are absent.
    """
    interior, _ = topological_order(*[node for node, _ in seeds])
    check_acyclic(interior)
    cotangents: dict[Node, Number] = {}
    for node, seed in seeds:
        cotangents[node] = cotangents[node] + seed if node in cotangents else seed
    for node in reversed(interior):
        if node not in cotangents:
            continue
        cotangent, product = cotangents[node], node._primitive.product
        for operand, partial in edges(node, again):
            share = product(cotangent, partial)
            if operand in cotangents:
                cotangents[operand] = cotangents[operand] + share
            else:
                cotangents[operand] = share
    return cotangents
