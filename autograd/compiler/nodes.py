"""Results that stay in the graph: one node for each output of a compiled function.

When an argument or a closed-over Value takes part, gradients must flow on. The node's
partial derivatives are one compiled adjoint; asked for derivatives that can be
differentiated again, it replays the program on the nodes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.modes import MODES
from autograd.primitive import Primitive
from autograd.transforms import grad
from autograd.value import Value

__all__ = ["as_nodes", "recording"]


def recording(leaves: Sequence[Any], closed: Sequence[Value]) -> bool:
    """Whether a call's result is a node: Values take part, and gradients are on."""
    if not closed and not any(leaves):
        return False
    return not MODES.active or MODES.thread.recording


def as_nodes(plan: Any, numbers: Any, leaves: Sequence[Any], results: Any) -> list[Any]:
    """Every result as a Value whose operands are all inputs of the plan."""
    operands: list[Any] = []
    for part, own in zip(numbers, [*leaves, None], strict=False):
        operands += own if own is not None else part.tolist()
    operands[len(operands) - len(plan.closed) :] = plan.closed
    return [
        _row(plan, k).apply((tuple(operands),)) for k, _ in enumerate(results.tolist())
    ]


def _row(plan: Any, k: int) -> Primitive:
    """The operation that computes output k of a plan."""
    if k not in plan.node_rows:

        def value(xs: Sequence[float]) -> float:
            return float(plan.run([np.array(xs, float)])[k])

        def partials(xs: Sequence[Any], result: Any) -> Any:
            if all(type(x) is float for x in xs):
                return (plan.cotangents(k, xs),)
            replay = grad(lambda inputs: plan.whole(*inputs)[k])
            return (replay(list(xs)),)

        plan.node_rows[k] = Primitive(plan.name, value, joint=partials)
    row: Primitive = plan.node_rows[k]
    return row
