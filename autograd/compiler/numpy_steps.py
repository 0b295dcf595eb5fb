"""Loops over time without LLVM: step by step, in Python's own floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd.compiler.bulk import PRODUCTS, Floats, Map, Operation, Reduce, Sum
from autograd.compiler.layout import Layout
from autograd.compiler.program import Ints

__all__ = ["steps_of"]


def steps_of(
    layout: Layout, numbers: Floats, operations: Sequence[Operation]
) -> Callable[[], None]:
    """What runs a loop on the numbers of a memory."""
    order = range(len(operations[0].target))
    if operations[0].loop < 0:
        order = order[::-1]
    parts = [(_address(layout, op.target), _evaluator(layout, op)) for op in operations]
    places = [target for target, _ in parts]

    def run() -> None:
        values = numbers.tolist()
        for step in order:
            for target, evaluate in parts:
                values[target[step]] = evaluate(values, step)
        for target in places:
            numbers[target] = [values[place] for place in target]

    return run


def _address(layout: Layout, positions: Ints) -> list[int]:
    found: list[int] = layout.address[positions].tolist()
    return found


def _evaluator(layout: Layout, operation: Operation) -> Callable[[Any, int], float]:
    if isinstance(operation, Map):
        columns = [_address(layout, x) for x in operation.operands]
        evaluate = operation.row.evaluate
        return lambda values, t: evaluate(*[values[x[t]] for x in columns])
    if isinstance(operation, Reduce):
        return _reduction(layout, operation)
    return _sum(layout, operation)


def _reduction(layout: Layout, operation: Reduce) -> Callable[[Any, int], float]:
    starts, evaluate = operation.starts.tolist(), operation.row.evaluate
    groups = [_address(layout, group) for group in operation.groups]

    def reduced(values: Any, t: int) -> float:
        own = slice(starts[t], starts[t + 1])
        return float(evaluate(*[tuple([values[k] for k in g[own]]) for g in groups]))

    return reduced


def _sum(layout: Layout, operation: Sum) -> Callable[[Any, int], float]:
    parts = [
        (
            float(part.sign),
            part.starts.tolist(),
            _address(layout, part.left),
            _address(layout, part.right) if part.right is not None else None,
            PRODUCTS[part.strong].evaluate,
        )
        for part in operation.terms
    ]

    def added(values: Any, t: int) -> float:
        total = 0.0
        for sign, starts, left, right, product in parts:
            for k in range(starts[t], starts[t + 1]):
                x = values[left[k]]
                total += sign * (x if right is None else product(x, values[right[k]]))
        return total

    return added
