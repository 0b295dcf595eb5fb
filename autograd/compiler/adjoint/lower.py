"""Before a backend: rows of many operands taken apart into what machines know.

logsumexp becomes a maximum, a sum of exponentials of differences, and a logarithm;
powers with small constant exponents become products and roots. Both are written with
the table's own functions on blocks.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from autograd.compiler.adjoint.writer import Block, Writer
from autograd.compiler.bulk.bulk import Bulk, Map, SegmentReduce
from autograd.compiler.trace.program import CODE, ROWS
from autograd.table.primitives import TABLE

_LOGSUMEXP = ROWS[CODE["logsumexp"]]


def lowered(bulk: Bulk) -> Bulk:
    """The program without rows that no backend evaluates by itself."""
    if not any(map(_is_composite, bulk.operations)):
        return bulk
    writer = Writer(bulk)
    writer.operations = []
    for operation in bulk.operations:
        start = len(writer.operations)
        if operation.scan:  # what is known elsewhere is not known in this step
            writer.known.clear()
        if isinstance(operation, SegmentReduce) and _is_logsumexp(operation):
            _logsumexp(writer, operation)
        elif isinstance(operation, Map) and operation.primitive is TABLE["power"]:
            _power(writer, operation)
        else:
            writer.operations.append(operation)
        for written in writer.operations[start:]:
            written.scan = operation.scan
    return writer.finished(bulk.outputs)


def _is_composite(operation: object) -> bool:
    power = isinstance(operation, Map) and operation.primitive is TABLE["power"]
    return power or _is_logsumexp(operation)


def _power(writer: Writer, operation: Map) -> None:
    """Small constant exponents become products and roots, special values included."""
    exponent = writer.number(operation.operands[1])
    x = Block(writer, operation.operands[0])
    result: Any = None
    if exponent == 1.0:
        result = TABLE["add"], x, -0.0
    elif exponent == 2.0:
        result = TABLE["multiply"], x, x
    elif exponent == 3.0:
        result = TABLE["multiply"], TABLE["multiply"].apply((x, x)), x
    elif exponent == -1.0:
        result = TABLE["divide"], 1.0, x
    elif exponent in (0.5, -0.5):
        root = TABLE["sqrt"].apply((x,)) + 0.0  # of -0 it is 0 here
        root = TABLE["where"].apply((TABLE["equal"].apply((x, -inf)), inf, root))
        result = (
            (TABLE["add"], root, 0.0) if exponent > 0 else (TABLE["divide"], 1.0, root)
        )
    if result is None:
        writer.operations.append(operation)
        return
    row, *operands = result
    n = len(operation.target)
    places = tuple([x.at(operand, n, None) for operand in operands])
    writer.operations.append(Map(row, operation.target, places))


def _is_logsumexp(operation: object) -> bool:
    return isinstance(operation, SegmentReduce) and operation.primitive is _LOGSUMEXP


def _logsumexp(writer: Writer, operation: SegmentReduce) -> None:
    """m + log(sum of e^(x - m)), m the maximum, or 0 where that is not finite."""
    if (np.diff(operation.offsets) == 0).any():  # of nothing: -inf
        writer.operations.append(operation)
        return
    xs: tuple[Any, ...] = (Block(writer, operation.groups[0], operation.segments),)
    if operation.scan:  # one number for each step: term by term
        count = len(operation.groups[0]) // len(operation.target)
        columns = [operation.groups[0][k::count] for k in range(count)]
        xs = tuple([Block(writer, column) for column in columns])
    largest = TABLE["maximum"].apply((xs,))
    finite = TABLE["less"].apply((TABLE["absolute"].apply((largest,)), inf))
    shift = TABLE["where"].apply((finite, largest, 0.0))
    powers = [TABLE["exp"].apply((x - shift,)) for x in xs]
    total = TABLE["sum"].apply((tuple(powers),))
    parts = TABLE["log"].apply((total,)), shift
    operands = tuple([part.positions for part in parts])
    writer.operations.append(Map(TABLE["add"], operation.target, operands))
