"""Elementwise operations as straight-line code, over lanes or single numbers."""

from __future__ import annotations

from typing import Any

from autograd.compiler.bulk.bulk import Map, Operation, SumOfProducts, Terms
from autograd.compiler.llvm.functions.table import emit_row
from autograd.compiler.llvm.kernels.code import Offset
from autograd.compiler.llvm.loops.context import Context
from autograd.compiler.llvm.loops.fusion import Group
from autograd.compiler.trace.program import Ints


def reads_of(operation: Operation, n: int) -> list[Ints]:
    """The streams of an operation, one for each operand of each of its n rows."""
    if not isinstance(operation, SumOfProducts):
        return list(operation.reads())
    found = []
    for part in operation.terms:
        k = len(part) // n
        found += [column(x, j, k) for j in range(k) for x in part.factors]
    return found


def column(positions: Ints, j: int, k: int) -> Ints:
    """Term j of every row of k terms."""
    return positions if k == 1 else positions[j::k]


def compute(context: Context, lanes: Any, operation: Operation, value: Any) -> str:
    """Emit an elementwise operation; ``value`` gives the register of a stream."""
    if isinstance(operation, Map):
        operands = [value(positions) for positions in operation.operands]
        return emit_row(lanes, operation.primitive.name, operands, context.needed)
    assert isinstance(operation, SumOfProducts)
    n = len(operation.target)
    result = None
    for part in sorted(operation.terms, key=lambda part: part.sign < 0):
        result = _add_terms(lanes, part, len(part) // n, value, result)
    return result if result is not None else str(lanes.constant(0.0))


def _add_terms(
    lanes: Any, part: Terms, k: int, value: Any, result: str | None
) -> str | None:
    for j in range(k):
        x, *other = [value(column(stream, j, k)) for stream in part.factors]
        if other:
            x = lanes.product(x, other[0], part.strong)
        if result is None:
            result = x if part.sign > 0 else lanes.negate(x)
        elif part.sign > 0:
            result = lanes.add(result, x)
        else:
            result = lanes.subtract(result, x)
    return result


def write_scalars(context: Context, group: Group) -> None:
    """A group of single numbers: straight-line code."""
    code, results = context.code, dict[int, str]()

    def value(positions: Ints) -> str:
        place = int(positions[0])
        if place in context.constants:
            return code.scalar.constant(context.constants[place])
        if place not in results:
            where = _place(context, positions[:1])
            results[place] = code.load_one(code.at("%v", where))
        return results[place]

    for operation in group.operations:
        place = int(operation.target[0])
        results[place] = compute(context, code.scalar, operation, value)
        if context.stored[place]:
            where = _place(context, operation.target[:1])
            code.store_one(results[place], code.at("%v", where))


def _place(context: Context, position: Ints) -> Offset:
    """Where one number lies."""
    address = int(context.layout.address[position[0]])
    return context.code.plus(address, context.distance(position))
