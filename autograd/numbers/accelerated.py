"""The engine of eager nodes in C: what it leaves to Python, and the class it makes.

``Node`` and the functions here do what their namesakes in ``eager`` do, bit for bit.
"""

from __future__ import annotations

import gc
from typing import Any

from autograd.graph import handmade
from autograd.graph.modes import MODES, finish_node
from autograd.graph.nodes import (
    CONSTANT,
    attach,
    cycle_through,
    kept_number,
    kept_operand,
    refuse_unrecorded,
)
from autograd.graph.sweep import push
from autograd.native import EXTENSION
from autograd.numbers.operators import other_float
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE
from autograd.table.reals import as_float, comparable

# None where there is no extension, and nobody asks
Node: Any = getattr(EXTENSION, "Node", None)
affine_nodes: Any = getattr(EXTENSION, "affine_nodes", None)


def complete(kind: type) -> None:
    """Give the class of Values its interior nodes, and the engine what it asks for."""
    interior: Any = EXTENSION.complete(kind)

    def apply(node: Any, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        """A row that C has no code for."""
        numbers = primitive.map(kept_number, operands)
        data = primitive.evaluate(*numbers)
        if primitive.predicate:
            return data
        out = Node.__new__(interior)
        out._number = data
        attach(out, primitive, primitive.map(kept_operand, operands), numbers)
        return finish_node(out) if MODES.active else out

    EXTENSION.setup(
        TABLE,
        CONSTANT=CONSTANT,
        active=MODES.active,  # no mode is on while it is empty
        finish=finish_node,
        other_float=other_float,  # of operands that are no Values, floats or ints
        comparable=lambda other: other_float(comparable(other)),
        equal=_equal,
        initialise=_initialise,
        set_data=_set_data,
        apply=apply,
        push=push,  # of nodes whose row has no code
        cycle=cycle_through,
        added=_added,
        inspector=lambda: MODES.thread.inspect,
        refuse_unrecorded=refuse_unrecorded,
    )
    gc.callbacks.append(EXTENSION.trim)


def _equal(node: Any, other: Any) -> Any:
    try:
        return bool(node._number == as_float(other))
    except TypeError:
        return NotImplemented
    except OverflowError:
        return False


def _initialise(
    self: Any, data: Any, *lecture: Any, label: str = "", **names: Any
) -> None:
    self._number, self.grad = _plain(data), 0.0
    attach(self, None, (), ())
    if lecture or label or names:
        self._describe(*lecture, label=label, **names)


_initialise.__qualname__ = "Node.__init__"


def _set_data(node: Any, data: Any) -> None:
    number = _plain(data)
    if node._primitive is not None:
        handmade.freeze_result(node)
    node._number = number


def _plain(data: Any) -> float:
    if isinstance(data, Node):
        raise TypeError("data is a plain number, got a Value: pass its .data")
    return as_float(data)


def _added(before: Any, share: float) -> float:
    """A gradient that a program has assigned, with what a pass adds."""
    old = before if type(before) is float else as_float(before or 0.0)
    return float(old + share)
