"""Results that stay in the graph: one node for each number that a function returns.

When an argument or a closed-over Value takes part, gradients must flow on. The node's
partial derivatives are one compiled adjoint; asked for derivatives that can be
differentiated again, it replays the program on the nodes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.errors import TraceError
from autograd.modes import MODES
from autograd.primitive import Primitive
from autograd.transforms import grad, vjp
from autograd.value import Value

__all__ = ["as_nodes", "recording"]


def recording(leaves: Sequence[Any], closed: Sequence[Value]) -> bool:
    """Whether a call's result is a node: Values take part, and gradients are on."""
    if not closed and not any(leaves):
        return False
    return not MODES.active or MODES.thread.recording


def as_nodes(plan: Any, inputs: Any, leaves: Sequence[Any], results: Any) -> list[Any]:
    """The results with every number a Value, whose operands are the plan's inputs."""
    operands: list[Any] = []
    for source, part in zip(plan.sources, inputs, strict=True):
        if source.kind == "value":
            operands.append(source.data)
        elif source.kind == "numbers" and leaves[source.data] is not None:
            operands += leaves[source.data]
        else:
            operands += part.tolist()
    if plan.program.batch:
        raise TraceError(
            "Values beside a batch: pass plain numbers and use value_and_grad inside "
            "jit, or compute under no_grad"
        )
    count, found = 0, []
    for result in results:
        nodes = np.empty(result.shape, dtype=object)
        for k in range(result.size):
            nodes[k] = _row(plan, count).apply((tuple(operands),))
            count += 1
        found.append(nodes)
    return found


def _row(plan: Any, k: int) -> Primitive:
    """The operation that computes number k of a plan's results."""
    if k not in plan.node_rows:

        def value(xs: Sequence[float]) -> float:
            results = plan.executor.run([np.array(xs, float)])
            return float(np.concatenate(results)[k])

        def partials(xs: Sequence[Any], result: Any) -> Any:
            if all(type(x) is float for x in xs):
                return (plan.cotangents(k, xs),)
            replay = grad(lambda inputs: plan.whole(*inputs)[k])
            return (replay(list(xs)),)

        def pull(xs: Sequence[float], sent: float) -> Any:
            return vjp(lambda *inputs: plan.whole(*inputs)[k], *xs)[1](sent)

        plan.node_rows[k] = Primitive(plan.name, value, joint=partials)
        plan.node_rows[k].pull = pull
    row: Primitive = plan.node_rows[k]
    return row
