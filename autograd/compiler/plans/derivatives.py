"""Second derivatives: the adjoint of (gradient . direction) is Hessian times direction.

Source: Pearlmutter 1994.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autograd.compiler.adjoint.adjoint import adjoint
from autograd.compiler.adjoint.writer import Writer
from autograd.compiler.bulk.bulk import (
    Bulk,
    SumOfProducts,
    Terms,
    with_reads,
)
from autograd.compiler.trace.program import Ints
from autograd.errors import ShapeError


def with_more_inputs(bulk: Bulk, count: int) -> Bulk:
    """The program with ``count`` inputs behind the others, which nothing reads."""

    def moved(x: Ints) -> Ints:
        return np.where(x >= bulk.inputs, x + count, x)

    operations = [
        replace(with_reads(operation, moved), target=moved(operation.target))
        for operation in bulk.operations
    ]
    start = bulk.inputs
    return replace(
        bulk,
        operations=operations,
        size=bulk.size + count,
        inputs=start + count,
        constants={place + count: x for place, x in bulk.constants.items()},
        outputs=moved(bulk.outputs),
        batched=np.insert(bulk.batched, start, np.zeros(count, bool))
        if bulk.batch
        else bulk.batched,
    )


def along_direction(first: Bulk, wrt: Ints, direction: Ints) -> Bulk:
    """From a program that returns a value and its gradient, with the positions of a
    direction among its inputs: one that returns them, and Hessian times direction."""
    n = len(wrt)
    if len(direction) != n:
        raise ShapeError(f"{n} numbers and a direction of {len(direction)}")
    writer = Writer(first)
    target = writer.room(1)
    starts = np.array([0, n])
    terms = Terms(1, starts, (first.outputs[1:], direction))
    writer.operations.append(SumOfProducts(target, [terms]))
    return adjoint(writer.finished(target), target, [1.0], wrt)
