"""Before a backend: rows of many operands taken apart into what machines know.

logsumexp becomes a maximum, a sum of exponentials of differences, and a logarithm,
written with the table's own functions on blocks.
"""

from __future__ import annotations

from math import inf

import numpy as np

from autograd.compiler.bulk import Bulk, Map, Reduce
from autograd.compiler.program import CODE, ROWS
from autograd.compiler.symbols import Block, Writer
from autograd.primitives import TABLE

__all__ = ["lowered"]

_LOGSUMEXP = ROWS[CODE["logsumexp"]]


def lowered(bulk: Bulk) -> Bulk:
    """The program without rows that no backend evaluates by itself."""
    if not any(_is_logsumexp(operation) for operation in bulk.operations):
        return bulk
    writer = Writer(bulk)
    writer.operations = []
    for operation in bulk.operations:
        if isinstance(operation, Reduce) and _is_logsumexp(operation):
            _logsumexp(writer, operation)
        else:
            writer.operations.append(operation)
    return writer.finished(bulk.outputs)


def _is_logsumexp(operation: object) -> bool:
    return isinstance(operation, Reduce) and operation.row is _LOGSUMEXP


def _logsumexp(writer: Writer, operation: Reduce) -> None:
    """m + log(sum of e^(x - m)), m the maximum, or 0 where that is not finite."""
    if (np.diff(operation.starts) == 0).any():  # of nothing: -inf
        writer.operations.append(operation)
        return
    x = Block(writer, operation.groups[0], operation.rows)
    largest = TABLE["maximum"].apply(((x,),))
    finite = TABLE["less"].apply((TABLE["absolute"].apply((largest,)), inf))
    shift = TABLE["where"].apply((finite, largest, 0.0))
    total = TABLE["sum"].apply(((TABLE["exp"].apply((x - shift,)),),))
    parts = TABLE["log"].apply((total,)), shift
    operands = tuple([part.positions for part in parts])
    writer.operations.append(Map(TABLE["add"], operation.target, operands))
