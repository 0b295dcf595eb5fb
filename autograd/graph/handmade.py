"""Nodes made by hand, as in lectures: the drop-in side door.

micrograd's way:   out = Value(math.tanh(x.data), (x,), "tanh")
                   out._backward = lambda: ...        # adds to x.grad
microgpt's way:    out = Value(x.data ** 2, (x,), (2 * x.data,))

Both are honoured by ``backward()``. A node whose rule never came raises, naming
``Primitive``, so that no gradient is swallowed in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from autograd.errors import GraphError
from autograd.graph.modes import MODES, admit
from autograd.graph.nodes import CONSTANT, MANY
from autograd.graph.sweep import push
from autograd.table.primitive import Primitive
from autograd.table.reals import as_float

__all__ = ["adopt", "push_to_operands", "replace_rule"]

Node = Any


def adopt(node: Node, children: Iterable[Any], rule: Any) -> None:
    """Make ``node`` an operation on ``children``.

    ``rule`` is the operation's name, or the sequence of its local gradients.
    """
    children = tuple(children)
    if not children:
        return
    for child in children:
        if getattr(type(child), "level", None) != 0:
            raise TypeError(
                f"the operands of a node must be Values, got {type(child).__name__}"
            )
    if isinstance(rule, str):
        primitive = Primitive(
            rule or "custom", _cannot_evaluate, joint=_cannot_evaluate
        )
        primitive.by_hand = missing_rule
    else:
        partials = tuple([as_float(g) for g in rule])
        if len(partials) != len(children):
            raise GraphError(
                f"{len(children)} operands need as many local gradients, "
                f"got {len(partials)}"
            )
        primitive = local_gradients("custom", partials)
    node._primitive, node._first, node._second = primitive, (children,), MANY
    node._x, node._y = (tuple([child._number for child in children]),), None
    if MODES.active:
        admit(node)


def keep_result(node: Node) -> None:
    """Before a computed node's data is edited: its rule goes on with the old result."""
    row, old = node._primitive, node._number
    if row.by_hand is not None or row.edited:
        return
    node._primitive = edited = copy(row)
    edited.edited, edited.constants = True, None

    def with_old(rule: Any) -> Any:
        return lambda *arguments: rule(*arguments[:-1], old)

    edited.float_rules = tuple(map(with_old, row.float_rules))
    edited.rules = tuple(map(with_old, row.rules))
    for name in ("joint", "grouped", "float_joint", "float_grouped"):
        setattr(edited, name, with_old(getattr(row, name)))


def replace_rule(node: Node, backward: Callable[[], None]) -> None:
    """Honour ``node._backward = backward``."""
    if node._primitive is None or node._primitive.by_hand is None:
        raise GraphError(
            f"{node!r} already has its derivative from the table; to define an "
            f"operation of your own write a Primitive, or Value(data, operands, name)"
        )
    node._primitive.by_hand = lambda _: backward()


def push_to_operands(node: Node) -> None:
    """What a lecture's ``node._backward()`` does: hand node.grad to the operands."""
    if node._primitive is not None:
        push([node])


class LocalGradients:
    """Hand the gradient on through fixed local gradients."""

    def __init__(self, name: str, partials: tuple[float, ...]) -> None:
        self.partials = partials
        self.rebuild = (local_gradients, (name, partials))

    def __call__(self, node: Node) -> None:
        for operand, partial in zip(node._first[0], self.partials, strict=True):
            if operand is not CONSTANT:
                operand.grad += node.grad * partial


def local_gradients(name: str, partials: tuple[float, ...]) -> Primitive:
    """The primitive of a node made with local gradients."""
    primitive = Primitive(name, _cannot_evaluate, joint=_cannot_evaluate)
    primitive.by_hand = LocalGradients(name, partials)
    return primitive


def missing_rule(node: Node) -> None:
    raise GraphError(
        f"operation {node._primitive.name!r} has no derivative: assign "
        f"`out._backward`, or better write it as a Primitive (one row, all modes)"
    )


def _cannot_evaluate(*_: Any) -> Any:
    raise GraphError("an operation made by hand cannot be evaluated again")
