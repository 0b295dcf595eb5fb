"""The chain rule backwards: cotangents flow from results to operands.

For y = f(x1, ..., xn), each operand's cotangent grows by (cotangent of y) * dy/dxi,
a product in which zero is ``strong``.
``cotangents_of`` is the general pass: any numbers, kept in a dictionary of its own.
``sweep`` has the first-order one.

Source: Griewank & Walther 2008, section 3.2 (incremental reverse mode).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite, nan
from typing import Any

from autograd.errors import StaleValueError
from autograd.graph.handmade import Edited, Handmade
from autograd.graph.modes import MODES
from autograd.graph.nodes import CONSTANT, grouped, pairs, topological_order
from autograd.graph.strong import is_zero, share

Node = Any
Number = Any


def edges(node: Node, create_graph: bool = False) -> Iterator[tuple[Node, Number]]:
    """The node's operands that are nodes, each with its partial derivative.

    With ``create_graph`` the partials are computed on the nodes themselves, so that
    they can be differentiated once more; else on the numbers saved when the node was
    made.
    """
    primitive = node._primitive
    if isinstance(primitive, Handmade):
        primitive.refuse(create_graph)
    if create_graph:
        _refuse_stale(node)
    known = list(pairs(node))
    through = node._numbers
    if create_graph:
        flat = [x if p is CONSTANT else p for p, x in known]
        through = primitive.regroup(flat, [len(xs) for _, xs in grouped(node)])
    partials = primitive.partials(through, node if create_graph else node.primal)
    for (operand, _), partial in zip(known, partials, strict=True):
        if operand is not CONSTANT:
            yield operand, partial


def _refuse_stale(node: Node) -> None:
    if isinstance(node._primitive, Edited):
        raise StaleValueError(
            f"{node!r} was computed by {node._primitive.name!r} and its data changed "
            f"since; run the forward pass again, and change leaves only"
        )
    for operand, number in pairs(node):
        if operand is CONSTANT or operand.primal is number:
            continue
        now = operand.primal
        if now != number and (now == now or number == number):
            raise StaleValueError(
                f"{operand!r} had data {number!r} when {node._primitive.name!r} "
                f"used it, and was changed since; run the forward pass again "
                f"before asking for derivatives that can be differentiated"
            )


def _shares(
    node: Node, cotangent: Number, create_graph: bool
) -> Iterator[tuple[Node, Number, Number]]:
    """Operand, partial derivative and share of the cotangent, for each operand.

    A node that stands for many (a checkpoint) pulls an infinite cotangent through them:
    what it chose on the way cannot be told from its partial derivatives.
    """
    primitive = node._primitive
    if not (primitive.pull and type(cotangent) is float and not isfinite(cotangent)):
        for operand, partial in edges(node, create_graph):
            yield operand, partial, share(primitive, cotangent, partial)
        return
    parts = primitive.pull(*node._numbers, cotangent)
    for operand, part in zip(*node._operands, parts, strict=True):
        if operand is not CONSTANT:
            yield operand, nan, part


def cotangents_of(
    seeds: Sequence[tuple[Node, Number]], create_graph: bool = False
) -> dict[Node, Number]:
    """The cotangent of every node below the seeded ones, as {node: cotangent}.

    Nothing of the graph is written. Nodes without a path from a seed are absent.
    """
    interior, _ = topological_order(*[node for node, _ in seeds])
    cotangents: dict[Node, Number] = {}
    watch = MODES.thread.watch if MODES.active else None
    for node, seed in seeds:
        cotangents[node] = cotangents[node] + seed if node in cotangents else seed
    for node in reversed(interior):
        if node not in cotangents:
            continue
        cotangent, primitive = cotangents[node], node._primitive
        for operand, partial, part in _shares(node, cotangent, create_graph):
            if watch is not None:
                watch(node, operand, cotangent, partial, part)
            if primitive.chooses and is_zero(partial):
                continue  # not chosen
            if operand in cotangents:
                cotangents[operand] = cotangents[operand] + part
            else:
                cotangents[operand] = part
    return cotangents
