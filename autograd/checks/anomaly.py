"""detect_anomaly: the first NaN or infinity becomes an error that says where.

While the mode is on, every new node is looked at, and the source line that made it is
noted. After a backward pass the gradients are looked through in the order in which they
were made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

from autograd.checks.sources import line_of, note_line
from autograd.errors import AnomalyError
from autograd.graph.modes import Mode
from autograd.graph.nodes import operands
from autograd.graph.reverse import edges
from autograd.graph.strong import share
from autograd.numbers.lifted import primal_of

_UNKNOWN = "an unknown line"


@dataclass(frozen=True)
class Decision:
    """A place where a strong zero beat an infinity or a NaN (see ``strong``).

    ``str`` says it in a line: the operation sent 0, or did not choose the operand.
    """

    operation: str
    operand: str
    sent: float
    partial: float
    source: str

    def __str__(self) -> str:
        why = "was sent 0" if self.sent == 0.0 else "did not choose it"
        return (
            f"{self.operation} sent 0 to {self.operand}, for it {why}: "
            f"{self.sent} * {self.partial}, made at {self.source}"
        )


class detect_anomaly(Mode):
    """Raise AnomalyError at the first NaN or infinity, in this thread.

    Forward: as soon as an operation gives one; with ``at_once=False`` when ``backward``
    is called, and then the message also tells the way from there to the result.
    Backward: when a node hands a non-finite gradient to an operand. The message names
    the operation, its operands, its label and the source line that made it; the
    leaves' gradients are as before.

    ``with detect_anomaly() as decided`` gives a list: every place where an exact 0 was
    strong against an infinity or NaN, so that none appeared.

    >>> from autograd import Value, detect_anomaly, AnomalyError
    >>> try:
    ...     with detect_anomaly():
    ...         Value(-1.0, label="x").log()
    ... except AnomalyError as error:
    ...     print(str(error).splitlines()[0])
    log gave nan from operands x = -1.0
    """

    def __init__(self, at_once: bool = True) -> None:
        self.observer = _check_forward if at_once else _check_backward_only
        self.given: list[Decision] = []

    def changes(self, state: Any) -> dict[str, Any]:
        """New nodes are looked at, and so are backward passes."""
        observers = (*state.observers, self.observer)
        inspect = partial(_check_backward, self.given)
        watch = partial(_check_share, self.given)
        return {"observers": observers, "inspect": inspect, "watch": watch}


def _check_backward_only(number: Any, primitive: Any, operands_given: Any) -> None:
    note_line(number)


def _check_forward(number: Any, primitive: Any, operands_given: Any) -> None:
    line = note_line(number)
    if not isfinite(primal_of(number)):
        label = f" {number.label!r}" if getattr(number, "label", "") else ""
        raise AnomalyError(
            f"{primitive.name}{label} gave {primal_of(number)} from operands "
            f"{_listed(operands_given)}\n  at {line}"
        )


def _check_backward(decided: list[Decision], interior: list[Any]) -> None:
    for node in interior:
        if not isfinite(node.data):
            raise AnomalyError(
                f"{_named(node)} gave {node.data} from operands "
                f"{_listed(operands(node))}{_path(node, interior)}"
            )
    for node in reversed(interior):
        if node.grad is None or not isfinite(node.grad):
            raise AnomalyError(
                f"the gradient of {_named(node)} became {node.grad} by summation over "
                f"its uses{_path(node, interior)}"
            )
        if node._primitive.push:  # a closure, which has no slopes to look at
            continue
        for operand, slope in edges(node):
            part = share(node._primitive, node.grad, slope)
            _check(decided, node, operand, node.grad, slope, part, interior)


def _check_share(
    decided: list[Decision], node: Any, operand: Any, sent: Any, slope: Any, part: Any
) -> None:
    numbers = primal_of(sent), primal_of(slope), primal_of(part)
    _check(decided, node, operand, *numbers, [])


def _check(
    decided: list[Decision],
    node: Any,
    operand: Any,
    sent: float,
    slope: float,
    part: float,
    interior: list[Any],
) -> None:
    """Raise for a share that is not finite; note down where a strong zero made it 0."""
    if not isfinite(part):
        _raise_share(node, operand, sent, slope, part, interior)
    if not isfinite(sent * slope):
        source = str(line_of(node) or _UNKNOWN)
        place = _named(node), _described(operand)
        decided.append(Decision(*place, sent, slope, source))


def _raise_share(
    node: Any, operand: Any, sent: float, slope: float, part: float, interior: Any
) -> None:
    raise AnomalyError(
        f"backward through {_named(node)} gave gradient {part} to "
        f"{_described(operand)}: incoming gradient {sent}, partial derivative {slope}, "
        f"operands {_listed(operands(node))}{_path(node, interior)}"
    )


def _path(node: Any, interior: list[Any]) -> str:
    """Where a node was made, and the way from it to the result of the pass."""
    text = f"\n  made at {line_of(node) or _UNKNOWN}"
    names, current = [], node
    for user in interior[interior.index(node) + 1 :] if interior else []:
        if any(p is current for p in operands(user)):
            names.append(_named(user))
            current = user
    return text + (
        f"\n  from there to the result: {' -> '.join(names)}" if names else ""
    )


def _named(node: Any) -> str:
    label = f" {node.label!r}" if getattr(node, "label", "") else ""
    return f"{node._primitive.name}{label}"


def _described(operand: Any) -> str:
    number = primal_of(operand)
    label = getattr(operand, "label", "")
    return f"{label} = {number!r}" if label else repr(number)


def _listed(shown: Any) -> str:
    text = ", ".join([_described(p) for p in shown[:8]])
    return text + (f", ... ({len(shown)} in all)" if len(shown) > 8 else "")
