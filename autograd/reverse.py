"""The chain rule backwards: cotangents flow from the result to the operands.

For y = f(x1, ..., xn), each operand's cotangent grows by (cotangent of y) * dy/dxi.
``sweep`` is the first-order pass behind ``Value.backward``: floats, accumulated in
``.grad``. ``pullback`` is the general one: any numbers, kept in a dictionary of its own.

Source: Griewank & Walther 2008, section 3.2 (incremental reverse mode).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from math import isfinite
from typing import Any

from autograd.errors import GraphError, StaleValueError
from autograd.graph import (
    CONSTANT,
    MANY,
    check_acyclic,
    cycle_through,
    grouped,
    topological_order,
)

__all__ = ["edges", "pullback", "sweep"]

Node = Any
Number = Any


def sweep(root: Node, inspect: Callable[[list[Node]], None] | None = None) -> None:
    """Add d(root)/d(leaf) to every leaf's ``.grad``; reset the interior ones.

    Either every leaf gets its share or none does: the old gradients are set aside, and
    the new ones are committed by one call that no signal can interrupt.
    """
    leaves: list[Node] = []
    before: list[float] = []
    try:
        interior = _order(root, leaves, before)
        root.grad = 1.0
        _run(interior)
        if inspect is not None:
            inspect(interior)
        after = [
            (old or 0.0) + leaf.grad for old, leaf in zip(before, leaves, strict=True)
        ]
        _set_gradients(leaves, after)
    except BaseException:
        _set_gradients(leaves, before)
        raise


def _set_gradients(nodes: list[Node], values: Any) -> None:
    deque(map(setattr, nodes, repeat("grad"), values), maxlen=0)


def _order(root: Node, leaves: list[Node], before: list[float]) -> list[Node]:
    """The topological order of ``graph.topological_order``, with ``.grad`` as the mark.

    A node being visited holds one fresh NaN, a finished one one fresh 0.0: the pass
    then starts from zeros, needs no set, and meets a cycle for what it is. Leaves and
    the gradients they had are appended to the two lists.
    """
    visiting, finished = float("nan"), float("0")
    if root._primitive is None:
        leaves.append(root)
        before.append(root.grad)
        root.grad = finished
        return []
    interior: list[Node] = []
    stack: list[Node] = []
    complete = {id(CONSTANT)}  # ids of groups whose operands are all finished
    node = root
    while True:
        node.grad = visiting
        stack.append(node)
        first, second = node._first, node._second
        if second is MANY:
            for group in first:
                if id(group) not in complete:
                    stack += _unfinished(first, complete, finished, leaves, before)
                    break
        else:
            if second is not None and second is not CONSTANT:
                state = second.grad
                if state is not finished:
                    if second._primitive is None:
                        leaves.append(second)
                        before.append(state)
                        second.grad = finished
                    elif state is visiting:
                        raise cycle_through(second)
                    else:
                        stack.append(second)
            if first is not CONSTANT:
                state = first.grad
                if state is not finished:
                    if first._primitive is None:
                        leaves.append(first)
                        before.append(state)
                        first.grad = finished
                    elif state is visiting:
                        raise cycle_through(first)
                    else:
                        node = first
                        continue
        while stack:
            node = stack.pop()
            state = node.grad
            if state is visiting:
                node.grad = finished
                interior.append(node)
            elif state is not finished:
                break
        else:
            return interior


def _unfinished(
    groups: Any, complete: set[int], finished: float, leaves: Any, before: Any
) -> list[Node]:
    """The operands still to visit, last to first; new leaves are noted down.

    The neurons of a layer share the group of their inputs: it is looked through until
    all in it is finished, and passed by its id from then on.
    """
    pending: list[Node] = []
    for group in reversed(groups):
        if id(group) in complete:
            continue
        found = len(pending)
        for operand in reversed(group):
            if operand is CONSTANT or operand.grad is finished:
                continue
            if operand._primitive is not None:
                pending.append(operand)
            else:
                leaves.append(operand)
                before.append(operand.grad)
                operand.grad = finished
        if len(pending) == found:
            complete.add(id(group))
    return pending


def _run(interior: list[Node]) -> None:
    """The hot loop: each node hands its gradient to its operands."""
    for node in reversed(interior):
        g = node.grad
        primitive = node._primitive
        if not g and (
            primitive.singular or (primitive.tame and isfinite(node._data))
        ):
            continue
        first, second = node._first, node._second
        if second is None:
            first.grad += g * primitive.float_rules[0](node._x, node._data)
        elif second is MANY:
            if primitive.by_hand or primitive.structural:
                _push_special(node, primitive, g)
                continue
            groups = primitive.float_grouped(*node._x, node._data)
            for group, partials in zip(first, groups):  # noqa: B905 (hot)
                if group is not CONSTANT:
                    for operand, partial in zip(group, partials):  # noqa: B905
                        if operand is not CONSTANT:
                            operand.grad += g * partial
        elif second is CONSTANT:
            first.grad += g * primitive.float_rules[0](node._x, node._y, node._data)
        elif first is CONSTANT:
            second.grad += g * primitive.float_rules[1](node._x, node._y, node._data)
        else:
            dx, dy = primitive.constants or primitive.float_joint(
                node._x, node._y, node._data
            )
            first.grad += g * dx
            second.grad += g * dy


def _push_special(node: Node, primitive: Any, g: float) -> None:
    """Rows that select (a partial of exactly 0 sends nothing), and nodes by hand."""
    if primitive.by_hand:
        primitive.by_hand(node)
        return
    (partials,) = primitive.float_grouped(*node._x, node._data)
    for operand, partial in zip(node._first[0], partials, strict=True):
        if operand is not CONSTANT and partial:
            operand.grad += g * partial


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
