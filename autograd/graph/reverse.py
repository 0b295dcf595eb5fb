"""The chain rule backwards: cotangents flow from results to operands.

For y = f(x1, ..., xn), each operand's cotangent grows by (cotangent of y) * dy/dxi,
a product in which zero is ``strong``.
``pullback`` is the general pass: any numbers, kept in a dictionary of its own.
``sweep`` has the first-order one.

Source: Griewank & Walther 2008, section 3.2 (incremental reverse mode).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from math import isfinite, nan
from typing import Any

from autograd.errors import GraphError, StaleValueError
from autograd.graph.modes import MODES
from autograd.graph.nodes import (
    CONSTANT,
    MANY,
    check_acyclic,
    grouped,
    topological_order,
)
from autograd.graph.strong import is_zero, share
from autograd.table.rules import check_lengths

__all__ = ["edges", "pullback"]

Node = Any
Number = Any


def edges(node: Node, again: bool = False) -> Iterator[tuple[Node, Number]]:
    """The node's operands that are nodes, each with its partial derivative.

    With ``again`` the partials are computed on the nodes themselves, so that they can
    be differentiated once more; else on the numbers saved when the node was made.
    """
    primitive, saved = node._primitive, grouped(node)
    if primitive.by_hand:
        numbers, partials = [xs for _, xs in saved], _fixed_partials(primitive, again)
    else:
        if again:
            _refuse_stale(node, saved)
        numbers = [_nodes(*pair) if again else pair[1] for pair in saved]
        result = node if again else node.primal
        if node._second is MANY:
            partials = primitive.grouped(*numbers, result)
        else:
            partials = (primitive.partials(numbers[0], result),)
    check_lengths(primitive.name, numbers, partials)
    for (group, _), row in zip(saved, partials, strict=True):
        for operand, partial in _pairs(group, row):
            if operand is not CONSTANT:
                yield operand, partial


def _fixed_partials(primitive: Any, again: bool) -> Any:
    """The local gradients of a node made by hand, if it has any and they will do."""
    partials = getattr(primitive.by_hand, "partials", None)
    if partials is None or again:
        raise GraphError(
            f"operation {primitive.name!r} was made by hand, which only backward() can "
            f"follow; write it as a Primitive to differentiate it here"
        )
    return (partials,)


def _nodes(group: Any, numbers: Any) -> tuple[Any, ...]:
    """A group with its plain numbers in place of the marks."""
    return tuple([x if p is CONSTANT else p for p, x in _pairs(group, numbers)])


def _pairs(group: Any, numbers: Any) -> Iterator[tuple[Any, Any]]:
    return zip(repeat(CONSTANT) if group is CONSTANT else group, numbers, strict=False)


def _refuse_stale(node: Node, saved: list[tuple[Any, Any]]) -> None:
    if node._primitive.edited:
        raise StaleValueError(
            f"{node!r} was computed by {node._primitive.name!r} and its data changed "
            f"since; run the forward pass again, and change leaves only"
        )
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


def _shares(
    node: Node, cotangent: Number, again: bool
) -> Iterator[tuple[Node, Number, Number]]:
    """Operand, partial derivative and share of the cotangent, for each operand.

    A node that stands for many (a checkpoint) pulls an infinite cotangent through them:
    what it chose on the way cannot be told from its partial derivatives.
    """
    primitive = node._primitive
    if not (primitive.pull and type(cotangent) is float and not isfinite(cotangent)):
        for operand, partial in edges(node, again):
            yield operand, partial, share(primitive, cotangent, partial)
        return
    parts = primitive.pull(node._x[0], cotangent)
    for operand, part in zip(node._first[0], parts, strict=True):
        if operand is not CONSTANT:
            yield operand, nan, part


def pullback(
    seeds: Sequence[tuple[Node, Number]], again: bool = False
) -> dict[Node, Number]:
    """The cotangent of every node below the seeded ones, as {node: cotangent}.

    Nothing of the graph is written. Nodes without a path from a seed are absent.
    """
    interior, _ = topological_order(*[node for node, _ in seeds])
    check_acyclic(interior)
    cotangents: dict[Node, Number] = {}
    watch = MODES.thread.watch if MODES.active else None
    for node, seed in seeds:
        cotangents[node] = cotangents[node] + seed if node in cotangents else seed
    for node in reversed(interior):
        if node not in cotangents:
            continue
        cotangent, primitive = cotangents[node], node._primitive
        for operand, partial, part in _shares(node, cotangent, again):
            if watch is not None:
                watch(node, operand, cotangent, partial, part)
            if primitive.chooses and is_zero(partial):
                continue  # not chosen
            if operand in cotangents:
                cotangents[operand] = cotangents[operand] + part
            else:
                cotangents[operand] = part
    return cotangents
