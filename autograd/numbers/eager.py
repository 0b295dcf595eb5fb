"""The engine of eager nodes in Python: how a node is made, and what it holds.

Each operation evaluates its primitive on floats and notes down which one it was, its
operands and their numbers; derivatives come later, from ``graph``. The accelerator in C
does the same, many times faster: here it can be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.graph import handmade
from autograd.graph.modes import MODES, finish_node
from autograd.graph.nodes import CONSTANT, kept_number, kept_operand, refuse_unrecorded
from autograd.graph.sweep import sweep
from autograd.numbers.operators import (
    COMPARISONS,
    METHODS,
    install,
    method_of,
    other_float,
)
from autograd.table.primitive import Primitive
from autograd.table.reals import as_float, comparable


class Node:
    """What a Value holds: see ``nodes`` for the slots."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_number",
        "_numbers",
        "_operands",
        "_primitive",
        "grad",
    )

    def __init__(self, data: Any, *lecture: Any, label: str = "", **names: Any) -> None:
        self._number = data if type(data) is float else _plain(data)
        self.grad = 0.0
        self._primitive: Any = None
        self._operands: Any = ()
        self._numbers: Any = ()
        if lecture or label or names:
            self._describe(*lecture, label=label, **names)

    def _describe(self, *lecture: Any, label: str, **names: Any) -> None:
        raise NotImplementedError

    @property
    def data(self) -> float:
        """The number held."""
        return self._number

    @data.setter
    def data(self, data: Any) -> None:
        if self._primitive is not None:
            handmade.freeze_result(self)
        self._number = data if type(data) is float else _plain(data)

    @property
    def _attributes(self) -> dict[str, Any] | None:
        """What a program has given it, to look at."""
        return self.__dict__

    @property
    def _is_leaf(self) -> bool:
        """Whether nothing is known of how it was made."""
        return self._primitive is None and self._operands == ()

    def backward(self) -> None:
        """Add d(self)/d(leaf) to the ``.grad`` of every leaf below.

        Leaves accumulate over calls; interior nodes are reset by each. If anything
        interrupts the pass, the leaves' gradients are as before.
        """
        if self._primitive is None:
            refuse_unrecorded(self)
        sweep(self, MODES.thread.inspect if MODES.active else None)

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        """The node for a primitive applied to Values and floats."""
        numbers = primitive.map(kept_number, operands)
        if primitive.predicate:
            return primitive.evaluate(*numbers)
        return record(primitive, primitive.map(kept_operand, operands), numbers)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Node):
            return self is other
        try:
            return self._number == as_float(other)
        except TypeError:
            return NotImplemented
        except OverflowError:
            return False

    def __ne__(self, other: object) -> bool:
        same = self.__eq__(other)
        return same if same is NotImplemented else not same

    __hash__ = object.__hash__


class _Factory:
    """Makes interior nodes: of a class that ``complete`` derives from Value."""

    new: Callable[[], Any]


def record(primitive: Primitive, operands: Any, numbers: Any) -> Any:
    """The node for a primitive applied to operands that hold these numbers."""
    out = _Factory.new()
    out._number = primitive.evaluate(*numbers)
    out._primitive, out._operands, out._numbers = primitive, operands, numbers
    out.grad = 0.0
    return finish_node(out) if MODES.active else out


def complete(kind: type[Node]) -> None:
    """Give the class of Values its operators, and interior nodes their own class."""

    class Interior(kind):  # type: ignore[misc, valid-type]
        """A Value that is filled in by the operation that makes it."""

        __slots__ = ()
        __init__ = object.__init__
        written_as = kind  # in pickles

    Interior.__name__ = Interior.__qualname__ = kind.__name__
    Interior.__module__ = kind.__module__
    _Factory.new = Interior
    install(kind, _binary, _unary, _comparison, COMPARISONS)
    for name, primitive in METHODS.items():
        make = _unary if primitive.arity == 1 else method_of
        setattr(kind, name, make(primitive))


def _unary(primitive: Primitive) -> Callable[[Node], Any]:
    def method(self: Node) -> Any:
        return record(primitive, (self,), (self._number,))

    method.__doc__ = primitive.__doc__
    return method


def _binary(primitive: Primitive) -> tuple[Callable[..., Any], Callable[..., Any]]:
    new, evaluate = _Factory.new, primitive.evaluate

    def forward(self: Node, other: Any) -> Any:
        x, operands = self._number, (self, other)
        if isinstance(other, Node):
            y = other._number
        else:
            y = other if type(other) is float else other_float(other)
            if y is NotImplemented:
                return y
            operands = self, CONSTANT
        out = new()  # what _record does, without a call
        out._number = evaluate(x, y)
        out._primitive, out._operands, out._numbers = primitive, operands, (x, y)
        out.grad = 0.0
        return finish_node(out) if MODES.active else out

    def reflected(self: Node, other: Any) -> Any:
        x = other if type(other) is float else other_float(other)
        if x is NotImplemented:
            return x
        return record(primitive, (CONSTANT, self), (x, self._number))

    return forward, reflected


def _comparison(primitive: Primitive) -> Callable[[Node, Any], Any]:
    evaluate = primitive.evaluate

    def method(self: Node, other: Any) -> Any:
        y = other._number if isinstance(other, Node) else other_float(comparable(other))
        return y if y is NotImplemented else bool(evaluate(self._number, y))

    return method


def _plain(data: Any) -> float:
    if isinstance(data, Node):
        raise TypeError("data is a plain number, got a Value: pass its .data")
    return as_float(data)
