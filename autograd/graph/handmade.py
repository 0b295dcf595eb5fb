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
from autograd.graph.modes import MODES, finish_node
from autograd.graph.nodes import attach, operands
from autograd.graph.sweep import push
from autograd.table.primitive import Primitive
from autograd.table.reals import as_float

Node = Any


class Handmade(Primitive):
    """The operation of one node, whose derivative is a closure that adds gradients."""

    def __init__(self, name: str) -> None:
        super().__init__(name, _cannot_evaluate, joint=_cannot_evaluate)
        self.backward: Callable[[], None] | None = None

    def derive(self) -> None:
        """The sweep needs no partials."""

    def push(self, node: Node) -> None:
        """Hand the node's gradient on; raise GraphError if no closure was assigned."""
        if self.backward is not None:
            self.backward()
            return
        raise GraphError(
            f"operation {self.name!r} has no derivative: assign "
            f"`out._backward`, or better write it as a Primitive (one row, all modes)"
        )

    def refuse(self, create_graph: bool) -> None:
        """Raise GraphError where only ``backward()`` will do."""
        raise GraphError(
            f"operation {self.name!r} was made by hand, which only backward() can "
            f"follow; write it as a Primitive to differentiate it here"
        )


class LocalGradients(Handmade):
    """The operation of one node, whose partial derivatives are given numbers."""

    push = None  # type: ignore[assignment]

    def __init__(self, name: str, partials: tuple[float, ...]) -> None:
        self._partials = partials
        Primitive.__init__(self, name, _cannot_evaluate, joint=partials)

    def derive(self) -> None:
        """The sweep takes the numbers themselves."""
        self.float_rules, self.float_joint = (), self.joint

    def refuse(self, create_graph: bool) -> None:
        """Numbers cannot be differentiated again."""
        if create_graph:
            super().refuse(create_graph)

    def __reduce__(self) -> Any:
        return LocalGradients, (self.name, self._partials)


class Edited(Primitive):
    """The operation of a node whose data was changed: its rule has the old result."""

    def __init__(self, primitive: Primitive, old: float) -> None:
        self.__dict__.update(primitive.__dict__)
        self.primitive, self.old = primitive, old

        def with_old(rule: Any) -> Any:
            return lambda *arguments: rule(*arguments[:-1], old)

        self.rules = tuple(map(with_old, primitive.rules))
        self.joint = with_old(primitive.joint)
        self.derive()

    def __reduce__(self) -> Any:
        return Edited, (self.primitive, self.old)


def make_handmade(node: Node, children: Iterable[Any], rule: Any) -> None:
    """Make ``node`` an operation on ``children``.

    ``rule`` is the operation's name, or the sequence of its local gradients.
    """
    children = tuple(children)
    if not children:
        return
    for child in children:
        if getattr(type(child), "level", None) != 0:
            raise TypeError(
                f"the operands of a node must be Values, got {type(child).__name__}: "
                "write Value(x) for a number"
            )
    numbers = tuple([child._number for child in children])
    if isinstance(rule, str):
        attach(node, Handmade(rule or "custom"), (children,), (numbers,))
    else:
        partials = tuple([as_float(g) for g in rule])
        if len(partials) != len(children):
            raise GraphError(
                f"{len(children)} operands need as many local gradients, got "
                f"{len(partials)}: give one for each"
            )
        attach(node, LocalGradients("custom", partials), children, numbers)
    if MODES.active:
        finish_node(node)


def freeze_result(node: Node) -> None:
    """Before a computed node's data is edited: its rule goes on with the old result."""
    if not isinstance(node._primitive, Handmade | Edited):
        node._primitive = Edited(node._primitive, node._number)


def replace_rule(node: Node, backward: Callable[[], None]) -> None:
    """Honour ``node._backward = backward``."""
    if not isinstance(node._primitive, Handmade):
        raise GraphError(
            f"{node!r} already has its derivative from the table; to define an "
            f"operation of your own write a Primitive, or Value(data, operands, name)"
        )
    if isinstance(node._primitive, LocalGradients):
        name, operands, numbers = node._primitive.name, node._operands, node._numbers
        attach(node, Handmade(name), (operands,), (numbers,))
    node._primitive.backward = backward


def rule_of(node: Node) -> Callable[[], None]:
    """``node._backward``, which a lecture may call, or wrap and assign again."""
    primitive = node._primitive
    if isinstance(primitive, LocalGradients):
        slopes = list(zip(operands(node), primitive._partials, strict=True))

        def hand_on() -> None:
            for operand, slope in slopes:
                operand.grad += node.grad * slope

        return hand_on
    known = isinstance(primitive, Handmade) and primitive.backward
    return known or (lambda: propagate(node))


def propagate(node: Node) -> None:
    """What a lecture's ``node._backward()`` does: hand node.grad to the operands."""
    if node._primitive is not None:
        push([node])


def _cannot_evaluate(*_: Any) -> Any:
    raise GraphError(
        "an operation made by hand cannot be evaluated again: write it as a Primitive"
    )
