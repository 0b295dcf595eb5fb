"""The first-order sweep behind ``Value.backward``: floats, accumulated in ``.grad``.

The chain rule of ``reverse`` once more, in place, on the numbers that the nodes saved.
The accelerator has the same in C; here it can be read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from math import isfinite
from typing import Any

from autograd.graph import partials as partials  # that the rows have theirs on floats
from autograd.graph.nodes import CONSTANT, cycle_through, groups_left
from autograd.table.reals import as_float

Node = Any


def sweep(root: Node, inspect: Callable[[list[Node]], None] | None = None) -> None:
    """Add d(root)/d(leaf) to every leaf's ``.grad``; reset the interior ones.

    Either every leaf gets its share or none does: the old gradients are set aside, and
    the new ones are committed by one call that no signal can interrupt.
    """
    leaves: list[Node] = []
    before: list[Any] = []
    try:
        interior = _order(root, leaves, before)
        root.grad = 1.0
        push(interior)
        if inspect is not None:
            inspect(interior)
        _set_gradients(leaves, _accumulated(before, leaves))
    except BaseException:
        _set_gradients(leaves, before)
        raise


def _order(root: Node, leaves: list[Node], before: list[Any]) -> list[Node]:
    """The topological order of ``nodes``; leaves, and what they had, go to the lists.

    ``.grad`` tells who has been met: an open node holds this walk's own NaN, a finished
    one its own 0.0, from which the pass starts. No set of nodes is faster.
    """
    finished, opened = float("0"), float("nan")
    interior: list[Node] = []
    path: list[Node] = [None]
    operands: list[Iterator[Node]] = [iter((root,))]
    complete = {id(CONSTANT)}
    while path:
        for node in operands[-1]:
            mark = finished if node is CONSTANT else node.grad
            if mark is finished:
                continue
            if mark is opened:
                raise cycle_through(node)
            if node._primitive is None:
                before.append(mark)
                leaves.append(node)
                node.grad = finished
            else:
                node.grad = opened
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
                node.grad = finished
                interior.append(node)
                if node._primitive.arity is None:
                    complete.update(map(id, node._operands))
    return interior


def _accumulated(before: list[Any], leaves: list[Node]) -> list[float]:
    # Not inlined in sweep: an exception inside an inlined comprehension can pass by the
    # try block around it (CPython 3.13).
    pairs = zip(before, leaves, strict=True)
    return [
        (old if type(old) is float else as_float(old or 0.0)) + leaf.grad
        for old, leaf in pairs
    ]


def _set_gradients(nodes: list[Node], values: Any) -> None:
    deque(map(setattr, nodes, repeat("grad"), values), maxlen=0)


def push(interior: list[Node]) -> None:
    """The chain rule: each node, last to first, hands its gradient to its operands.

    Zero is strong here as everywhere (see ``strong``): a node whose gradient is 0 sends
    nothing, and neither does a primitive that chooses to what it did not choose.
    """
    for node in reversed(interior):
        g, primitive = node.grad, node._primitive
        if not g:
            continue
        if primitive.arity is None:
            _push_groups(node, primitive, g)
        elif primitive.float_rules:
            for operand, rule in zip(node._operands, primitive.float_rules):  # noqa: B905
                if operand is not CONSTANT:
                    slope = rule(*node._numbers, node._number)
                    if slope or not primitive.chooses:
                        operand.grad += g * slope
        else:
            slopes = primitive.constants or primitive.float_joint(
                *node._numbers, node._number
            )
            for operand, slope in zip(node._operands, slopes):  # noqa: B905
                if operand is not CONSTANT and (slope or not primitive.chooses):
                    operand.grad += g * slope


def _push_groups(node: Node, primitive: Any, g: float) -> None:
    """The same for primitives of many operands, and for nodes made by hand."""
    if primitive.push:
        primitive.push(node)
        return
    if primitive.pull and not isfinite(g):
        g, groups, chooses = 1.0, (primitive.pull(*node._numbers, g),), True
    else:
        groups = primitive.float_joint(*node._numbers, node._number)
        chooses = primitive.chooses
    for operands, slopes in zip(node._operands, groups, strict=True):
        if operands is not CONSTANT:
            for operand, slope in zip(operands, slopes, strict=True):
                if operand is not CONSTANT and (slope or not chooses):
                    operand.grad += g * slope
