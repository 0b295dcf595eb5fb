"""The first-order sweep behind ``Value.backward``: floats, accumulated in ``.grad``.

The hot loops of the eager engine. Everything is read from the nodes' slots and from the
rows; see ``nodes`` for what the slots mean, ``reverse`` for the general pass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import repeat
from math import isfinite
from types import FunctionType
from typing import Any

from autograd.graph.nodes import CONSTANT, MANY, cycle_through
from autograd.table.primitive import Primitive, check_lengths, checked, join, separate
from autograd.table.primitives import TABLE
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
        finished = float("0")
        interior = _order(root, leaves, before, finished)
        root.grad = 1.0
        push(interior)
        if inspect is not None:
            inspect(interior)
        _set_gradients(leaves, _accumulated(before, leaves))
    except BaseException:
        _set_gradients(leaves, before)
        raise


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


def _order(
    root: Node, leaves: list[Node], before: list[Any], finished: float
) -> list[Node]:
    """The topological order of ``nodes``, with ``.grad`` as the mark.

    A node being visited holds one fresh NaN, a finished one the very 0.0 given: the
    pass then starts from zeros, needs no set, and meets a cycle for what it is. Leaves
    and the gradients they had are appended to the two lists.
    """
    visiting = float("nan")
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


def derive(primitive: Any) -> None:
    """What the sweep keeps on a primitive: its partials, floats in, floats out.

    float_first, float_second : one operand's partial; of one or two operands.
    float_joint : all partials of these.
    float_grouped : all partials of any primitive, group by group.
    plain : whether each operand gets gradient * partial, whatever they are.
    """
    made = _of_table(primitive) if primitive.builtin else _of_users(primitive)
    rules, primitive.float_joint, primitive.float_grouped = made
    primitive.float_first, primitive.float_second = (*rules, None, None)[:2]
    primitive.plain = not (primitive.chooses or primitive.pull or primitive.push)


def _of_table(primitive: Any) -> Any:
    """The very partials of the table without dispatch.

    The same code objects get a namespace in which its name means its evaluation on
    floats. Nothing is written twice; backward through a tanh becomes twice as fast.
    """
    if primitive.arity is None:
        return (), None, _on_floats(primitive.joint)
    if primitive.rules[0].__closure__ is None:
        rules = tuple(map(_on_floats, primitive.rules))
        joint = join(rules)
    else:  # a joint function, or constants
        rules, joint = primitive.rules, primitive.joint
    return rules, joint, _group(joint)


def _on_floats(rule: Any) -> Any:
    names = rule.__globals__ | {name: row.evaluate for name, row in TABLE.items()}
    return FunctionType(rule.__code__, names, closure=rule.__closure__)


def _of_users(primitive: Any) -> Any:
    """Partials that are converted to floats and counted."""
    name, joint = primitive.name, primitive.joint
    if primitive.one_by_one:
        rules = [checked(name, rule, "a partial") for rule in primitive.rules]
        joint = join(tuple(rules))
        return rules, joint, _group(joint)
    raw = joint if primitive.arity is None else _group(joint)
    call = checked(name, raw, "the partials", _floats)

    def grouped(*arguments: Any) -> Any:
        partials = call(*arguments)
        check_lengths(name, arguments[:-1], partials)
        return partials

    def joint_on_floats(*arguments: Any) -> Any:
        return grouped(arguments[:-1], arguments[-1])[0]

    return separate(joint_on_floats, primitive.arity), joint_on_floats, grouped


def _group(joint: Any) -> Any:
    """The partials of fixed arity, as those of one group of operands."""
    return lambda operands, result: (joint(*operands, result),)


def _floats(groups: Any) -> Any:
    return tuple([_listed(group) for group in groups])


def _listed(group: Any) -> tuple[float, ...]:
    if isinstance(group, list | tuple) or getattr(group, "ndim", 0) == 1:
        return tuple(map(as_float, group))
    raise TypeError(f"expected a sequence of numbers, got {type(group).__name__}")


Primitive.derive = derive
for _row in TABLE.values():
    derive(_row)


def push(interior: list[Node]) -> None:
    """The hot loop: each node hands its gradient to its operands.

    Zero is strong here as everywhere (see ``strong``): a node whose gradient is 0 sends
    nothing, and neither does a primitive that chooses to what it did not choose.
    """
    for node in reversed(interior):
        g = node.grad
        if not g:
            continue
        primitive = node._primitive
        first, second = node._first, node._second
        if second is None:
            partial = primitive.float_first(node._x, node._number)
            if partial or not primitive.chooses:
                first.grad += g * partial
        elif second is MANY:
            if not primitive.plain:
                _push_special(node, primitive, g)
                continue
            groups = primitive.float_grouped(*node._x, node._number)
            for group, slopes in zip(first, groups):  # noqa: B905 (hot)
                if group is not CONSTANT:
                    for operand, partial in zip(group, slopes):  # noqa: B905
                        if operand is not CONSTANT:
                            operand.grad += g * partial
        elif primitive.chooses:
            slopes = primitive.float_joint(node._x, node._y, node._number)
            _push_chosen(g, (first, second), slopes)
        elif second is CONSTANT:
            first.grad += g * primitive.float_first(node._x, node._y, node._number)
        elif first is CONSTANT:
            second.grad += g * primitive.float_second(node._x, node._y, node._number)
        else:
            dx, dy = primitive.constants or primitive.float_joint(
                node._x, node._y, node._number
            )
            first.grad += g * dx
            second.grad += g * dy


def _push_special(node: Node, primitive: Any, g: float) -> None:
    """Nodes made by hand, primitives that choose, and nodes that stand for many."""
    if primitive.push:
        primitive.push(node)
    elif primitive.pull and not isfinite(g):
        _push_chosen(1.0, node._first[0], primitive.pull(node._x[0], g))
    else:
        (slopes,) = primitive.float_grouped(*node._x, node._number)
        if primitive.chooses:
            _push_chosen(g, node._first[0], slopes)
            return
        for operand, slope in zip(node._first[0], slopes, strict=True):
            if operand is not CONSTANT:
                operand.grad += g * slope


def _push_chosen(g: float, operands: Any, slopes: Any) -> None:
    """A partial of exactly 0 says "not chosen", and sends nothing."""
    for operand, slope in zip(operands, slopes, strict=True):
        if operand is not CONSTANT and slope:
            operand.grad += g * slope
