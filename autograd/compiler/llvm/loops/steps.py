"""Loops over time as machine code: runs of steps whose addresses move evenly.

A step is straight-line code on single numbers. The addresses of all its operands, step
by step, are a table; stretches of steps that move by the same distances are one run,
and become one loop with a counter. First steps, which read what lies before the loop,
are in a run of their own. With x[t + 1] = tanh(x[t]) * w, x[0] at 7 and w at 2:

    step   reads    writes
    0      7  2     10        one run: two steps always move evenly, by 3, 0 and 1
    1      10 2     11
    2      11 2     12        another: by 1, 0 and 1, up to the end
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Map, Operation, SumOfProducts
from autograd.compiler.llvm.functions.table import emit_primitive
from autograd.compiler.llvm.kernels.code import Offset
from autograd.compiler.llvm.loops.context import Context, Stream
from autograd.compiler.llvm.loops.elementwise import fold, signed_sum
from autograd.compiler.llvm.loops.fusion import ByPositions, Group
from autograd.compiler.trace.program import Ints

_RUNS = 12  # with more of them, addresses come from tables


def write_steps(context: Context, group: Group) -> None:
    """The loops of a group of operations that run step by step."""
    steps = _Steps(context, group)
    table = np.stack(steps.columns, axis=1)
    for begin, end in _runs(table):
        streams = [context.stream_of(column) for column in table[begin:end].T]
        context.code.each(end - begin, partial(steps.write, streams))


def _runs(table: Ints) -> list[tuple[int, int]]:
    """Stretches of steps over which all columns move evenly."""
    runs, begin, n = [], 0, len(table)
    moves = np.diff(table, axis=0)
    turns = np.flatnonzero((moves[1:] != moves[:-1]).any(axis=1)) + 1
    while begin < n:
        later = turns[turns > begin]
        end = int(later[0]) + 1 if len(later) else n
        runs.append((begin, end))
        begin = end
        if len(runs) > _RUNS:
            return [(0, n)]
    return runs


class _Steps:
    """One loop: a column of addresses for each operand and each target."""

    def __init__(self, context: Context, group: Group) -> None:
        self.context, self.operations = context, group.operations
        self.backwards = group.operations[0].scan < 0
        self.columns: list[Ints] = []
        self.numbers = ByPositions[int]()
        self.reads = [self._reads(operation) for operation in self.operations]
        self.targets = [self._column(op.target) for op in self.operations]

    def _column(self, positions: Ints) -> int:
        """The number of a column, in the order of the steps."""
        number = self.numbers.get(positions)
        if number is None:
            self.context.resident(positions)
            places = self.context.layout.address[np.asarray(positions)]
            number = self.numbers.add(positions, self._add(places))
        return number

    def _add(self, places: Ints) -> int:
        self.columns.append(places[::-1] if self.backwards else places)
        return len(self.columns) - 1

    def _reads(self, operation: Operation) -> Any:
        """Columns of operands; of a sum (sign, factors, strong) for each term."""
        if isinstance(operation, Map):
            return [self._column(x) for x in operation.operands]
        if not isinstance(operation, SumOfProducts):
            begin, counts = operation.offsets[:-1], np.diff(operation.offsets)
            return [  # a shorter fold reads its first operand again
                self._column(
                    operation.groups[0][np.where(counts > k, begin + k, begin)]
                )
                for k in range(int(counts.max()))
            ]
        terms = []
        for part in sorted(operation.terms, key=lambda part: part.sign < 0):
            for k in range(int(part.counts.max(initial=0))):
                there = part.counts > k
                at = np.where(there, part.offsets[:-1] + k, 0)
                factors = [self._padded(x, at, there) for x in part.factors]
                terms.append((part.sign, factors, part.strong))
        return terms

    def _padded(self, positions: Ints, at: Ints, there: Any) -> int:
        """A column of terms; a step without the term reads a zero."""
        if there.all():
            return self._column(positions[at])
        self.context.resident(positions)
        places = self.context.layout.address[positions[at]]
        return self._add(np.where(there, places, self.context.cells.zero))

    def write(self, streams: list[Stream], i: Offset) -> None:
        """Step i of a run."""
        code, registers = self.context.code, dict[Stream, str]()

        def value(column: int) -> str:
            stream = streams[column]
            if stream.fixed and isinstance(stream.base, int):
                constant = self.context.number_at(stream.base)
                if constant is not None:
                    return code.scalar.constant(constant)
            if stream not in registers:
                place = stream.place(code, i)
                registers[stream] = code.load_one(code.at("%v", place))
            return registers[stream]

        for operation, reads, target in zip(
            self.operations, self.reads, self.targets, strict=True
        ):
            result = registers[streams[target]] = self._compute(operation, reads, value)
            if self.context.stored[operation.target].any():
                place = streams[target].place(code, i)
                code.store_one(result, code.at("%v", place))

    def _compute(self, operation: Operation, reads: Any, value: Any) -> str:
        lanes, needed = self.context.code.scalar, self.context.needed
        if isinstance(operation, SumOfProducts):
            return signed_sum(lanes, ((s, list(map(value, x)), z) for s, x, z in reads))
        numbers = map(value, reads)
        if isinstance(operation, Map):
            name = operation.primitive.name
            return emit_primitive(lanes, name, list(numbers), needed)
        return fold(lanes, operation.primitive.name, numbers)
