"""Value: a node of the computation graph, and ``backward()``.

A Value holds a float, the operation that made it and its operands. Operators are built
once, from the rows of the table. This is level 0 of the number model: data is always a
Python float.

    y = tanh(w * x + b);  y.backward();  w.grad  # dy/dw
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Never

from autograd.graph import handmade
from autograd.graph.nodes import operands
from autograd.notebooks import Drawn
from autograd.numbers import persistence
from autograd.numbers.engine import Node, complete
from autograd.numbers.operators import Operators
from autograd.spelling import answer
from autograd.table.reals import short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.signatures import Plain, Signatures
else:
    Signatures = Operators  # whose methods the engine replaces by faster ones


_ELSEWHERE = {
    "requires_grad": "nothing: every Value takes part, but for y.detach() and under "
    "no_grad()",
    "dtype": "nothing: data is always a float of 64 bits",
    "device": "nothing: everything runs on the processor",
    "name": "label=",
}
_BACKWARD = {
    "retain_graph": "nothing: the graph stays, and backward() may run again",
    "create_graph": "gradient(y, wrt, create_graph=True)",
    "gradient": "(c * y).backward(), or vjp",
    "inputs": "gradient(y, wrt)",
}


class Value(Node, Drawn, Signatures):
    """A real number that remembers how it was computed.

    Parameters
    ----------
    data : a real number (int, float, bool, Fraction, numpy scalar or 0-d array), stored
        as a float. Text, None, complex numbers and lists raise TypeError.
    label : a name for pictures and messages.

    Attributes
    ----------
    data : the number; assigning converts to float, or raises TypeError.
    grad : d(result)/d(self), accumulated by ``backward()``; 0.0 at first.
    label, op, operands : the name, the operation's symbol, and what it was applied to.

    Examples
    --------
    >>> from autograd import Value
    >>> x = Value(3.0, label="x")
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> x.grad
    8.0
    """

    __slots__ = ()

    level = 0
    __hash__ = object.__hash__

    if TYPE_CHECKING:

        def __init__(
            self,
            data: Plain | NDArray[Any],
            *lecture: Any,
            label: str = "",
            **names: Any,
        ) -> None: ...

    def _describe(
        self, children: Any = (), rule: Any = "", *more: Any, **names: Any
    ) -> None:
        """Set the label; honour a lecture's ``(children, operation, label)``."""
        if isinstance(children, str):
            names["label"], children = children, ()
        if more:
            (names["label"],) = more
        self.label = names.pop("label")
        for ours in ("_children", "children"):
            children = names.pop(ours, children)
        for ours in ("_op", "local_grads"):
            rule = names.pop(ours, rule)
        if names:
            own = ("data", "label")
            raise TypeError(answer("Value", next(iter(names)), own, _ELSEWHERE))
        handmade.make_handmade(self, children, rule)

    # -- What a node holds -----------------------------------------------------------

    @property
    def primal(self) -> float:
        """The number held, as in numbers of higher levels."""
        return self._number

    @property
    def label(self) -> str:
        """A name for pictures and messages; empty by default."""
        name: str = self.__dict__.get("label", "")
        return name

    @label.setter
    def label(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(
                f"a label is text, got {type(name).__name__}: {short(name)}: write "
                "label=str(...)"
            )
        self.__dict__["label"] = name

    @property
    def op(self) -> str:
        """The symbol of the operation that made this node; empty for a leaf."""
        return "" if self._primitive is None else self._primitive.symbol

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the operation was applied to: Values, and floats for plain numbers."""
        return operands(self)

    def item(self) -> float:
        """The number held, as a Python float."""
        return self._number

    def detach(self) -> Value:
        """A new leaf with the same data: gradients stop here."""
        return Value(self._number)

    # -- The chain rule --------------------------------------------------------------

    def backward(self, **elsewhere: Never) -> None:
        """Add d(self)/d(leaf) to the ``.grad`` of every leaf below.

        Leaves accumulate over calls; interior nodes are reset by each. If anything
        interrupts the pass, the leaves' gradients are as before.
        """
        if elsewhere:  # a keyword of PyTorch's
            raise TypeError(answer("backward", next(iter(elsewhere)), (), _BACKWARD))
        super().backward()

    # -- As a Python number ----------------------------------------------------------

    def __bool__(self) -> bool:
        return self._number != 0.0

    def __repr__(self) -> str:
        return f"Value(data={self._number!r}, grad={self.grad!r})"

    def __format__(self, spec: str) -> str:
        return format(self._number, spec) if spec else repr(self)

    # -- Copies and pickles: iterative, see persistence.py ---------------------------

    def __copy__(self) -> Any:
        return persistence.shallow_copy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return persistence.deep_copy(self, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return persistence.reduce(self)

    # -- micrograd's names -----------------------------------------------------------

    _op = op

    @property
    def _prev(self) -> set[Value]:
        return {p if isinstance(p, Value) else Value(p) for p in operands(self)}

    @property
    def _backward(self) -> Callable[[], None]:
        return handmade.rule_of(self)

    @_backward.setter
    def _backward(self, rule: Callable[[], None]) -> None:
        handmade.replace_rule(self, rule)


complete(Value)
