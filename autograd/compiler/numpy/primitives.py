"""What numpy knows of primitives: exact ones, folds, steps, choosing by an index.

And scans without LLVM: step by step, in Python's own floats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import (
    PRODUCTS,
    Floats,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
)
from autograd.compiler.bulk.layout import Layout
from autograd.compiler.numpy.memory import Do
from autograd.compiler.trace.program import Ints

FOLDS: dict[str, Any] = {  # primitives of many operands that are folds of a ufunc
    "maximum": np.maximum,
    "minimum": np.minimum,
    "prod": np.multiply,
}

# Primitives that numpy evaluates with the very bits of the float evaluation.
EXACT = {
    *("add", "subtract", "multiply", "divide"),
    *("negative", "absolute", "sign"),
    *("sqrt", "where"),
    *("less", "less_equal", "greater", "greater_equal"),
    *("equal", "not_equal", "guarded_multiply", "selected_multiply", "relu"),
    *("step", "nonnegative", "one_minus_square", "prod"),
}

# Numbers as arrays: a ufunc would make one of a float, each time anew.
ZERO, _ONE, _TWO = np.zeros(()), np.ones(()), np.array(2.0)


def _put(do: Do, out: Floats, x: Floats, mask: Any) -> None:
    """out = x where the mask is true."""
    do(np.copyto, out, x, "same_kind", mask)


def _where(do: Do, operands: Sequence[Floats], out: Floats) -> None:
    condition, x, y = operands
    mask = np.empty(out.shape, bool)
    do(np.not_equal, condition, ZERO, mask)
    do(np.copyto, out, y)
    _put(do, out, x, mask)


def _relu(do: Do, operands: Sequence[Floats], out: Floats) -> None:
    do(np.maximum, operands[0], ZERO, out=out)
    do(np.add, out, ZERO, out)  # of -0 it is 0


def _step(do: Do, operands: Sequence[Floats], out: Floats) -> None:
    do(np.sign, operands[0], out)
    _relu(do, [out], out)


def _one_minus_square(do: Do, operands: Sequence[Floats], out: Floats) -> None:
    (x,), more = operands, np.empty(out.shape)
    do(np.subtract, _ONE, x, out)
    do(np.add, _ONE, x, more)
    do(np.multiply, out, more, out)


def _sech2(do: Do, operands: Sequence[Floats], out: Floats) -> None:
    """(2 / (e^x + e^-x))^2."""
    power, inverse = np.empty(out.shape), np.empty(out.shape)
    do(np.exp, operands[0], power)
    do(np.divide, _ONE, power, inverse)
    do(np.add, power, inverse, power)
    do(np.divide, _TWO, power, power)
    do(np.multiply, power, power, out)


def _small_power(do: Do, x: Floats, out: Floats) -> None:
    """e^-|x|."""
    do(np.absolute, x, out)
    do(np.negative, out, out)
    do(np.exp, out, out)


def _sigmoid(do: Do, operands: Sequence[Floats], out: Floats) -> None:
    """e / (1 + e) with e = e^-|x|; and 1 in the place of the upper e where x >= 0."""
    (x,), power, below = operands, np.empty(out.shape), np.empty(out.shape)
    mask = np.empty(out.shape, bool)
    _small_power(do, x, power)
    do(np.add, power, _ONE, below)
    do(np.greater_equal, x, ZERO, mask)
    _put(do, power, _ONE, mask)
    do(np.divide, power, below, out)


def _softplus(do: Do, operands: Sequence[Floats], out: Floats) -> None:
    """log(1 + e^-|x|) + max(x, 0)."""
    (x,), power = operands, np.empty(out.shape)
    _small_power(do, x, power)
    do(np.log1p, power, power)
    do(np.maximum, x, ZERO, out=out)
    do(np.add, out, power, out)


def _compare(function: Any, do: Do, operands: Sequence[Floats], out: Floats) -> None:
    mask = np.empty(out.shape, bool)
    do(function, *operands, mask)
    do(np.copyto, out, mask)


# name -> the steps that evaluate a primitive into ``out``, which no operand overlaps
STEPS: dict[str, Callable[[Do, Sequence[Floats], Floats], None]] = {
    "where": _where,
    "relu": _relu,
    "step": _step,
    "one_minus_square": _one_minus_square,
    "sech2": _sech2,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    **{
        function.__name__: partial(_compare, function)
        for function in (
            *(np.less, np.less_equal, np.greater, np.greater_equal),
            *(np.equal, np.not_equal),
        )
    },
}


def take_segments(operands: Floats, offsets: Ints, out: Floats) -> None:
    """Segments (index, candidates ...): the candidate at the index; NaN outside."""
    count = (np.diff(offsets) - 1)[:, np.newaxis]
    index = np.trunc(operands[offsets[:-1]])
    along = np.where(index < 0, index + count, index)
    inside = (along >= 0) & (along < count)
    along = np.where(inside, along, 0).astype(np.int64)
    sample = np.arange(operands.shape[1])
    chosen = operands[offsets[:-1, np.newaxis] + 1 + along, sample]
    out[...] = np.where(inside, chosen, np.nan)


def scan_of(
    layout: Layout, numbers: Floats, operations: Sequence[Operation]
) -> Callable[[], None]:
    """What runs a scan on the numbers of a memory."""
    order = range(len(operations[0].target))
    if operations[0].scan < 0:
        order = order[::-1]
    targets = [_addresses(layout, operation.target) for operation in operations]
    evaluators = [_evaluator(layout, operation) for operation in operations]
    parts = [*zip(targets, evaluators, strict=True)]

    def run() -> None:
        values = numbers.tolist()
        for step in order:
            for target, evaluate in parts:
                values[target[step]] = evaluate(values, step)
        for target in targets:
            numbers[target] = [values[address] for address in target]

    return run


def _addresses(layout: Layout, positions: Ints) -> list[int]:
    addresses: list[int] = layout.address[positions].tolist()
    return addresses


def _evaluator(layout: Layout, operation: Operation) -> Callable[[Any, int], float]:
    if isinstance(operation, Map):
        columns = [_addresses(layout, x) for x in operation.operands]
        evaluate = operation.primitive.evaluate
        return lambda values, t: evaluate(*[values[x[t]] for x in columns])
    if isinstance(operation, SegmentReduce):
        return _reduction(layout, operation)
    return _sum(layout, operation)


def _reduction(layout: Layout, operation: SegmentReduce) -> Callable[[Any, int], float]:
    offsets, evaluate = operation.offsets.tolist(), operation.primitive.evaluate
    groups = [_addresses(layout, group) for group in operation.groups]

    def reduced(values: Any, t: int) -> float:
        own = slice(offsets[t], offsets[t + 1])
        return float(evaluate(*[tuple([values[k] for k in g[own]]) for g in groups]))

    return reduced


def _sum(layout: Layout, operation: SumOfProducts) -> Callable[[Any, int], float]:
    parts: list[tuple[float, list[int], list[int], list[int] | None, Any]] = []
    for part in operation.terms:
        left, *other = [_addresses(layout, x) for x in part.factors]
        right = other[0] if other else None
        product = PRODUCTS[part.strong].evaluate
        parts.append((float(part.sign), part.offsets.tolist(), left, right, product))

    def added(values: Any, t: int) -> float:
        total = 0.0
        for sign, offsets, left, right, product in parts:
            for k in range(offsets[t], offsets[t + 1]):
                x = values[left[k]]
                total += sign * (x if right is None else product(x, values[right[k]]))
        return total

    return added
