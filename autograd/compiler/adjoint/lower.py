"""Before a backend: primitives taken apart into what machines know.

logsumexp becomes a maximum, a sum of exponentials of differences, and a logarithm;
powers with small constant exponents become products and roots. Both are written with
the table's own functions on blocks.
"""

from __future__ import annotations

from math import inf
from typing import Any

from autograd.compiler.adjoint.writer import Block, Writer
from autograd.compiler.bulk.bulk import Bulk, Map, Operation, SegmentReduce
from autograd.table.primitives import TABLE

_ADD, _DIVIDE, _MULTIPLY = TABLE["add"], TABLE["divide"], TABLE["multiply"]
_POWER, _LOGSUMEXP = TABLE["power"], TABLE["logsumexp"]


def lowered(bulk: Bulk) -> Bulk:
    """The program without primitives that no backend evaluates by itself."""
    if not any(map(_is_composite, bulk.operations)):
        return bulk
    writer = Writer(bulk)
    writer.operations = []
    for operation in bulk.operations:
        start = len(writer.operations)
        if operation.scan:  # what is written elsewhere is not there in this step
            writer.written.clear()
        if not _is_composite(operation):
            writer.operations.append(operation)
        elif isinstance(operation, SegmentReduce):
            _lower_logsumexp(writer, operation)
        else:
            assert isinstance(operation, Map)
            _lower_power(writer, operation)
        for written in writer.operations[start:]:
            written.scan = operation.scan
    return writer.finished(bulk.outputs)


def _is_composite(operation: Operation) -> bool:
    if isinstance(operation, SegmentReduce):
        return operation.primitive is _LOGSUMEXP
    return isinstance(operation, Map) and operation.primitive is _POWER


def _lower_power(writer: Writer, operation: Map) -> None:
    """Small constant exponents become products and roots, special values included."""
    exponent = writer.number(operation.operands[1])
    x = Block(writer, operation.operands[0])
    result: Any = None
    if exponent == 1.0:
        result = _ADD, x, -0.0
    elif exponent == 2.0:
        result = _MULTIPLY, x, x
    elif exponent == 3.0:
        result = _MULTIPLY, _MULTIPLY.apply((x, x)), x
    elif exponent == -1.0:
        result = _DIVIDE, 1.0, x
    elif exponent in (0.5, -0.5):
        root = TABLE["sqrt"].apply((x,)) + 0.0  # of -0 it is 0 here
        root = TABLE["where"].apply((TABLE["equal"].apply((x, -inf)), inf, root))
        result = (_ADD, root, 0.0) if exponent > 0 else (_DIVIDE, 1.0, root)
    if result is None:
        writer.operations.append(operation)
        return
    primitive, *operands = result
    n = len(operation.target)
    streams = tuple([x.at(operand, n, None) for operand in operands])
    writer.operations.append(Map(primitive, operation.target, streams))


def _lower_logsumexp(writer: Writer, operation: SegmentReduce) -> None:
    """m + log(sum of e^(x - m)), m the maximum, or 0 where that is not finite."""
    if (operation.counts == 0).any():  # of nothing: -inf
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
    writer.operations.append(Map(_ADD, operation.target, operands))
