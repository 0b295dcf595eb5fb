"""Nodes made by hand, as in lectures: the drop-in side door.

micrograd's way:   out = Value(math.tanh(x.data), (x,), "tanh")
                   out._backward = lambda: ...        # adds to x.grad
microgpt's way:    out = Value(x.data ** 2, (x,), (2 * x.data,))

Both are honoured by ``backward()``. A node whose rule never came raises, naming
``Primitive``, so that no gradient is swallowed in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autograd.errors import GraphError
from autograd.graph import CONSTANT, MANY
from autograd.primitive import Primitive, as_float
from autograd.sweep import push

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
    primitive = Primitive(
        rule if isinstance(rule, str) and rule else "custom",
        _cannot_evaluate,
        joint=_cannot_evaluate,
    )
    node._primitive, node._first, node._second = primitive, (children,), MANY
    node._x, node._y = (tuple([child._data for child in children]),), None
    if isinstance(rule, str):
        primitive.by_hand = _missing_rule
    else:
        partials = tuple([as_float(g) for g in rule])
        if len(partials) != len(children):
            raise GraphError(
                f"{len(children)} operands need as many local gradients, "
                f"got {len(partials)}"
            )
        primitive.by_hand = _LocalGradients(partials)


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


class _LocalGradients:
    """Hand the gradient on through fixed local gradients."""

    def __init__(self, partials: tuple[float, ...]) -> None:
        self.partials = partials

    def __call__(self, node: Node) -> None:
        for operand, partial in zip(node._first[0], self.partials, strict=True):
            if operand is not CONSTANT:
                operand.grad += node.grad * partial


def _missing_rule(node: Node) -> None:
    raise GraphError(
        f"operation {node._primitive.name!r} has no derivative: assign "
        f"`out._backward`, or better write it as a Primitive (one row, all modes)"
    )


def _cannot_evaluate(*_: Any) -> Any:
    raise GraphError("an operation made by hand cannot be evaluated again")
