"""Results that stay in the graph: one node for each number that a function returns.

When an argument or a closed-over Value takes part, gradients must flow on. The node's
partial derivatives are one compiled adjoint; asked for derivatives that can be
differentiated again, it replays the program on the nodes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.plans.plan import Plan
from autograd.errors import TraceError
from autograd.graph.modes import MODES
from autograd.numbers.value import Value
from autograd.table.primitive import Composite
from autograd.transforms.gradients import grad, vjp


def recording(leaves: Sequence[Any], closed: Sequence[Value]) -> bool:
    """Whether a call's result is a node: Values take part, and gradients are on."""
    if not closed and not any(leaves):
        return False
    return not MODES.active or MODES.thread.recording


def as_nodes(plan: Plan, parts: Any, leaves: Sequence[Any], results: Any) -> list[Any]:
    """The results with every number a Value, whose operands are the plan's inputs."""
    if plan.program.batch:
        raise TraceError(
            "Values beside a batch: pass plain numbers and use value_and_grad inside "
            "jit, or compute under no_grad"
        )
    operands: list[Any] = []
    for source, part in zip(plan.inputs.sources, parts, strict=True):
        if source.kind == "value":
            operands.append(source.data)
        elif source.kind == "numbers" and leaves[source.data] is not None:
            operands += leaves[source.data]
        else:
            operands += part.tolist()
    count, made = 0, []
    for result in results:
        nodes = np.empty(result.shape, dtype=object)
        for k in range(result.size):
            nodes[k] = _operation(plan, count).apply((tuple(operands),))
            count += 1
        made.append(nodes)
    return made


def _operation(plan: Plan, k: int) -> Composite:
    """The operation that computes number k of a plan's results."""
    if k not in plan.operations:

        def value(xs: Sequence[float]) -> float:
            results = plan.executor.run([np.array(xs, float)])
            return float(np.concatenate(results)[k])

        def partials(xs: Sequence[Any], result: Any) -> Any:
            if all(type(x) is float for x in xs):
                return (plan.slopes(k, xs),)
            return (grad(lambda inputs: plan.replay(*inputs)[k])(list(xs)),)

        def pull(xs: Sequence[float], cotangent: float) -> Any:
            return vjp(lambda *inputs: plan.replay(*inputs)[k], *xs)[1](cotangent)

        plan.operations[k] = Composite(plan.name, value, partials, pull)
    return plan.operations[k]
