"""Loops over time as machine code: runs of steps whose addresses move evenly.

A step of a loop is straight-line code on single numbers. All its operands, step by
step, are a table; rows of the table that move by the same distances are one run, and
become one loop with a counter. First and last steps, which read what lies before the
loop, are runs of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Map, Operation, SumOfProducts
from autograd.compiler.llvm.functions.table import emit_primitive
from autograd.compiler.llvm.kernels.code import Offset
from autograd.compiler.llvm.loops.context import Context
from autograd.compiler.llvm.loops.elementwise import fold, signed_sum
from autograd.compiler.llvm.loops.fusion import Group, mark_of, same
from autograd.compiler.trace.program import Ints

_RUNS = 12  # with more of them, addresses come from tables


def write_steps(context: Context, group: Group) -> None:
    """The loops of a group of operations that run step by step."""
    writer = _Steps(context, group)
    table = np.stack(writer.columns, axis=1)
    for begin, end in writer.runs(table):
        writer.write(table[begin:end])


class _Steps:
    """One loop: a column of positions for each operand and each target."""

    def __init__(self, context: Context, group: Group) -> None:
        self.context, self.code = context, context.code
        self.operations = group.operations
        self.backwards = group.operations[0].scan < 0
        self.columns: list[Ints] = []
        self.known: dict[Any, list[tuple[Ints, int]]] = {}
        self.reads = [self._reads(operation) for operation in self.operations]
        self.targets = [self._column(op.target) for op in self.operations]

    def _column(self, positions: Ints) -> int:
        """The number of a column, in the order of the steps."""
        for known, number in self.known.setdefault(mark_of(positions), []):
            if same(known, positions):
                return number
        self.context.resident(positions)
        places = self.context.layout.address[np.asarray(positions)]
        self.columns.append(places[::-1] if self.backwards else places)
        self.known[mark_of(positions)].append((positions, len(self.columns) - 1))
        return len(self.columns) - 1

    def _reads(self, operation: Operation) -> Any:
        """Columns of operands; of a sum (sign, factors, strong) for each term."""
        if isinstance(operation, Map):
            return [self._column(x) for x in operation.operands]
        if not isinstance(operation, SumOfProducts):
            begin, group = operation.offsets[:-1], operation.groups[0]
            count = int(np.diff(operation.offsets).max())
            padded = [
                np.where(np.diff(operation.offsets) > k, begin + k, begin)
                for k in range(count)
            ]
            return [self._column(group[x]) for x in padded]
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
        column = np.where(there, places, self.context.zero)
        self.columns.append(column[::-1] if self.backwards else column)
        return len(self.columns) - 1

    def runs(self, table: Ints) -> list[tuple[int, int]]:
        """Stretches of steps over which all columns move evenly."""
        found, begin, n = [], 0, len(table)
        moves = np.diff(table, axis=0)
        turns = np.flatnonzero((moves[1:] != moves[:-1]).any(axis=1)) + 1
        while begin < n:
            later = turns[turns > begin]
            end = int(later[0]) + 1 if len(later) else n
            found.append((begin, end))
            begin = end
            if len(found) > _RUNS:
                return [(0, n)]
        return found

    def write(self, table: Ints) -> None:
        """One run: a loop, or one step."""
        count = len(table)
        even = np.ones(table.shape[1], bool)
        if count > 2:
            moves = np.diff(table, axis=0)
            even = (moves == moves[:1]).all(axis=0)
        steps = table[1] - table[0] if count > 1 else 0 * table[0]
        where = {
            int(k): self.context.tables.add(table[:, k]) for k in np.flatnonzero(~even)
        }

        def body(i: Offset, _: list[str]) -> list[str]:
            self._step(table[0], steps, where, i)
            return []

        self.code.loop(count, body)

    def _step(self, first: Ints, steps: Ints, where: Any, i: Offset) -> None:
        code, known = self.code, dict[Any, str]()

        def place(k: int) -> Offset:
            if k in where:
                entry = code.at("%t", code.plus(where[k], i), "i32")
                short = code.emit(f"load i32, ptr {entry}, align 4")
                return code.emit(f"sext i32 {short} to i64")
            return code.plus(int(first[k]), code.times(i, int(steps[k])))

        def mark(k: int) -> Any:
            return k if k in where else (int(first[k]), int(steps[k]))

        def value(k: int) -> str:
            constant = self.context.number_at(int(first[k])) if not steps[k] else None
            if constant is not None and k not in where:
                return code.scalar.constant(constant)
            if mark(k) not in known:
                known[mark(k)] = code.load_one(code.at("%v", place(k)))
            return known[mark(k)]

        for operation, reads, target in zip(
            self.operations, self.reads, self.targets, strict=True
        ):
            result = self._compute(operation, reads, value)
            known[mark(target)] = result
            if self.context.stored[operation.target].any():
                code.store_one(result, code.at("%v", place(target)))

    def _compute(self, operation: Operation, reads: Any, value: Any) -> str:
        lanes, needed = self.code.scalar, self.context.needed
        if isinstance(operation, SumOfProducts):
            return signed_sum(lanes, ((s, list(map(value, x)), z) for s, x, z in reads))
        numbers = map(value, reads)
        if isinstance(operation, Map):
            return emit_primitive(
                lanes, operation.primitive.name, list(numbers), needed
            )
        return fold(lanes, operation.primitive.name, numbers)
