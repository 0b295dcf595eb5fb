"""Straight-line batches: a small program runs in registers, eight rows at a time.

What has lanes never touches memory but for inputs and results, which are read and
written where they are. Shared numbers are computed before the rows; sums over the
batch gather in one vector each, and what depends on them is computed after.

Large batches are cut into blocks of a fixed size, whose sums are added in their order:
no result depends on how many threads ran them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from autograd.compiler.bulk import Bulk, Floats, Map, Operation, Reduce, Sum, Terms
from autograd.compiler.code import Code, declarations
from autograd.compiler.engine import engine
from autograd.compiler.fusion import split
from autograd.compiler.layout import Layout, unmixed
from autograd.compiler.llvm_backend import LLVMProgram
from autograd.compiler.memory import Section
from autograd.compiler.vector_math import (
    Needed,
    emit_row,
    emit_tanh_and_sech2,
    module_text,
)
from autograd.primitives import TABLE

__all__ = ["BLOCK", "Straight", "StraightMachine", "applicable"]

LIMIT = 4000  # numbers computed for each row: beyond, loops win
BLOCK = 8192  # rows whose sums are added up as one
_FOLDS = ("maximum", "minimum", "prod")


def applicable(bulk: Bulk) -> bool:
    """Whether a program with a batch fits: small, known rows, one pass over the rows."""
    if not bulk.batch:
        return False
    size, late = 0, np.zeros(bulk.size, bool)
    for operation in bulk.operations:
        wide = _is_wide(bulk, operation)
        waits = any(late[positions].any() for positions in operation.reads())
        over_rows = _sums_rows(operation)
        if wide and waits:
            return False
        late[operation.target] = waits or over_rows
        if wide or over_rows:
            size += sum(len(x) for x in operation.reads()) + len(operation.target)
            if not _is_known(operation):
                return False
    return size <= 3 * LIMIT


def _is_wide(bulk: Bulk, operation: Operation) -> bool:
    return bool(bulk.has_lanes(operation.target[:1]).any())


def _sums_rows(operation: Operation) -> bool:
    return isinstance(operation, Sum) and any(p.over_rows for p in operation.terms)


def _is_known(operation: Operation) -> bool:
    if isinstance(operation, Reduce):
        full = bool((np.diff(operation.starts) > 0).all())
        return operation.row.name in _FOLDS and full
    if isinstance(operation, Map):
        return TABLE.get(operation.row.name) is operation.row
    return True


class Straight:
    """The code of a program: before the rows, for a range of them, and after."""

    def __init__(self, bulk: Bulk) -> None:
        bulk = self.bulk = split(_parted(unmixed(bulk)))
        self.layout = Layout(bulk, 0)
        before, rows, after = _stages(bulk)
        self.totals = np.concatenate(
            [op.target for op in rows if _sums_rows(op)] or [np.zeros(0, np.int64)]
        )
        self.wide = [int(p) for p in bulk.outputs.tolist() if bulk.lanes[p]]
        self.width = engine().width
        self.before = self._shared(before)
        self.after = self._shared(after)
        parts = [part for part in (self.before, self.after) if part]
        self.spare = max([part.spare for part in parts], default=0)
        self.text = _Rows(self, rows).module()
        pointer, whole = ctypes.c_void_p, ctypes.c_int64
        kind = ctypes.CFUNCTYPE(None, pointer, pointer, whole, whole, pointer)
        self.run_rows = kind(engine().compiled(self.text)("autograd.rows"))

    def _shared(self, operations: list[Operation]) -> LLVMProgram | None:
        """Code for operations on shared numbers, all of whose results are kept."""
        if not operations:
            return None
        kept = np.concatenate([operation.target for operation in operations])
        bulk = replace(self.bulk, operations=operations, outputs=kept)
        return LLVMProgram(bulk, self.layout)


class StraightMachine:
    """A memory for the shared numbers, and the rows where they are."""

    def __init__(self, program: Straight, sections: Sequence[Section]) -> None:
        self.program, self.layout = program, program.layout
        self.sections, self.rows = sections, program.bulk.batch
        self.memory = self.layout.memory(extra=8 + program.spare)
        self.memory[self.layout.size + 1] = 1.0
        self.pointers = np.zeros(len(program.bulk.blocks) + 2 * len(program.wide) + 1, np.int64)
        count = len(program.totals)
        self.ranges = [
            (begin, min(begin + BLOCK, self.rows))
            for begin in range(0, self.rows, BLOCK)
        ]
        self.sums = np.zeros((len(self.ranges), count * (1 + program.width)))
        self.places = self.layout.address[program.totals]

    def call(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None]
    ) -> list[Floats]:
        """The results of all sections; wide ones are written into buffers, if given."""
        program, memory = self.program, self.memory
        firsts = {first: k for k, (first, _) in enumerate(program.bulk.blocks)}
        position, kept = 0, []
        for part in numbers:
            if position in firsts:
                kept.append(part)
                self.pointers[firsts[position]] = part.ctypes.data
                position += program.bulk.blocks[firsts[position]][1]
            else:
                start = int(self.layout.address[position]) if part.size else 0
                memory[start : start + part.size] = part
                position += part.size
        results = self._results(buffers)
        where = memory.ctypes.data
        if program.before:
            program.before.run(where, program.before.tables.ctypes.data)
        self._run_rows(where)
        memory[self.places] = self.sums[:, : len(self.places)].sum(axis=0)
        if program.after:
            program.after.run(where, program.after.tables.ctypes.data)
        outputs = program.bulk.outputs
        for k, (begin, end, wide) in enumerate(self.sections):
            if results[k] is None:
                found = memory[self.layout.address[outputs[begin:end]]]
                results[k] = np.repeat(found[:, np.newaxis], self.rows, 1) if wide else found
        return results  # type: ignore[return-value]

    def _results(self, buffers: Sequence[Floats | None]) -> list[Floats | None]:
        """Arrays for what has lanes, and their addresses in the table."""
        program = self.program
        results: list[Floats | None] = []
        entry = len(program.bulk.blocks)
        for (begin, end, _), buffer in zip(self.sections, buffers, strict=True):
            lanes = program.bulk.lanes[program.bulk.outputs[begin:end]]
            if not lanes.all() or begin == end:
                results.append(None)
                continue
            array = buffer if buffer is not None else np.empty((self.rows, end - begin))
            for column in range(end - begin):
                self.pointers[entry] = array.ctypes.data + 8 * column
                self.pointers[entry + 1] = end - begin
                entry += 2
            results.append(array.reshape(self.rows, end - begin).T)
        return results

    def _run_rows(self, memory: int) -> None:
        program, table = self.program, self.pointers.ctypes.data
        first, width = self.sums.ctypes.data, self.sums.strides[0]

        def one(k: int) -> None:
            begin, end = self.ranges[k]
            program.run_rows(memory, table, begin, end, first + k * width)

        threads = threads_for(len(self.ranges))
        if threads < 2:
            for k in range(len(self.ranges)):
                one(k)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(len(self.ranges))))


def threads_for(blocks: int) -> int:
    """How many threads pay: a hand-over costs some 50 microseconds."""
    return min(blocks // 4, len(os.sched_getaffinity(0)))


def _parted(bulk: Bulk) -> Bulk:
    """Sums over rows become operations of one part, which others add up."""
    operations: list[Operation] = []
    size, lanes = bulk.size, [bulk.lanes]
    for operation in bulk.operations:
        if not _sums_rows(operation) or len(operation.terms) == 1:  # type: ignore[union-attr]
            operations.append(operation)
            continue
        assert isinstance(operation, Sum)
        n, parts = len(operation.target), []
        for part in operation.terms:
            if not part.over_rows:
                parts.append(part)
                continue
            target = np.arange(size, size + n)
            size += n
            lanes.append(np.zeros(n, bool))
            operations.append(Sum(target, [part]))
            parts.append(Terms(1, np.arange(n + 1), target))
        operations.append(Sum(operation.target, parts))
    return replace(bulk, operations=operations, size=size, lanes=np.concatenate(lanes))


def _stages(bulk: Bulk) -> tuple[list[Operation], list[Operation], list[Operation]]:
    """Shared operations before the rows, those of the rows, and what waits for sums."""
    before: list[Operation] = []
    rows: list[Operation] = []
    after: list[Operation] = []
    late = np.zeros(bulk.size, bool)
    for operation in bulk.operations:
        if _is_wide(bulk, operation) or _sums_rows(operation):
            rows.append(operation)
            late[operation.target] = _sums_rows(operation)
        elif any(late[positions].any() for positions in operation.reads()):
            after.append(operation)
            late[operation.target] = True
        else:
            before.append(operation)
    return before, rows, after


class _Rows:
    """Writes the loop over the rows."""

    def __init__(self, straight: Straight, operations: list[Operation]) -> None:
        self.straight, self.operations = straight, operations
        self.bulk, self.layout = straight.bulk, straight.layout
        self.code, self.needed = Code(straight.width), Needed()
        self.registers: dict[int, str] = {}
        self.columns: dict[int, tuple[int, int, int]] = {}
        for number, (first, count) in enumerate(self.bulk.blocks):
            for column in range(count):
                self.columns[first + column] = number, column, count
        self.total = 0
        self.pairs: dict[str, tuple[str, str]] = {}
        of = {"tanh": set[int](), "sech2": set[int]()}
        for operation in operations:
            if isinstance(operation, Map) and operation.row.name in of:
                of[operation.row.name].update(operation.operands[0].tolist())
        self.both = of["tanh"] & of["sech2"]
        self.sloped: set[str] = set()  # registers whose tanh and sech^2 are wanted

    def module(self) -> str:
        """The text of the module."""
        code, totals = self.code, len(self.straight.totals)
        room = code.at("%totals", totals)

        def clear(k: str, _: list[str]) -> list[str]:
            place = code.at(room, code.times(k, code.width))
            code.store(code.lanes.constant(0.0), place)
            return []

        code.loop(totals, clear)
        count = code.minus("%end", "%begin")
        code.loop(count, lambda i, _: self._block(i, room), step=code.width)

        def gather(k: str, _: list[str]) -> list[str]:
            sums = code.load(code.at(room, code.times(k, code.width)))
            code.store_one(code.total(sums), code.at("%totals", k))
            return []

        code.loop(totals, gather)
        parts = [
            declarations(code.width),
            module_text(self.needed, code.called),
            "define void @autograd.rows(ptr noalias %v, ptr noalias %p, i64 %begin, "
            "i64 %end, ptr noalias %totals) nounwind {",
            "entry:",
            *code.lines,
            "  ret void",
            "}",
        ]
        return "\n".join(parts)

    def _block(self, i: str, room: str) -> list[str]:
        """All numbers of ``width`` rows, or of those that are left."""
        code = self.code
        self.row = code.plus("%begin", "0" if i == "0" else i)
        left = code.minus("%end", self.row)
        self.mask = code.first(left)
        self.registers, self.pairs, self.total = {}, {}, 0
        self.arrays = [
            code.emit(f"load ptr, ptr {code.at('%p', k, 'ptr')}, align 8")
            for k in range(len(self.bulk.blocks))
        ]
        for operation in self.operations:
            for k in range(len(operation.target)):
                value = self._value(operation, k)
                if _sums_rows(operation):
                    self._accumulate(value, room)
                else:
                    self._keep(int(operation.target[k]), value)
        for k, position in enumerate(self.straight.wide):
            self._return(k, position)
        return []

    def _keep(self, position: int, value: str) -> None:
        self.registers[position] = value
        if position in self.both:
            self.sloped.add(value)

    def _read(self, position: int) -> str:
        if position not in self.registers:
            self._keep(position, self._load(position))
        return self.registers[position]

    def _load(self, position: int) -> str:
        code = self.code
        if position in self.bulk.constants:
            return code.lanes.constant(self.bulk.constants[position])
        if position not in self.columns:  # shared by the rows
            return code.broadcast(code.at("%v", int(self.layout.address[position])))
        number, column, count = self.columns[position]
        array = self.arrays[number]
        if count == 1:
            return code.load(code.at(array, self.row), self.mask)
        start = code.plus(code.times(self.row, count), column)
        return code.gather(array, code.steps(start, count), self.mask)

    def _value(self, operation: Operation, k: int) -> str:
        lanes = self.code.lanes
        if isinstance(operation, Map):
            operands = [self._read(int(x[k])) for x in operation.operands]
            if operation.row.name in ("tanh", "sech2"):
                return self._pair(operation.row.name, operands[0])
            return emit_row(lanes, operation.row.name, operands, self.needed)
        if isinstance(operation, Reduce):
            begin, end = operation.starts[k : k + 2].tolist()
            numbers = [self._read(p) for p in operation.groups[0][begin:end].tolist()]
            return self._fold(operation.row.name, numbers)
        total: str | None = None
        for part in sorted(operation.terms, key=lambda part: part.sign < 0):
            total = self._terms(part, k, total)
        return total if total is not None else lanes.constant(0.0)

    def _pair(self, name: str, x: str) -> str:
        """Tanh and sech^2 of one number cost hardly more than one of them."""
        lanes = self.code.lanes
        if x not in self.sloped:
            return emit_row(lanes, name, [x], self.needed)
        if x not in self.pairs:
            self.pairs[x] = emit_tanh_and_sech2(lanes, x, self.needed)
        return self.pairs[x][name == "sech2"]

    def _terms(self, part: Terms, k: int, total: str | None) -> str | None:
        lanes = self.code.lanes
        for j in range(int(part.starts[k]), int(part.starts[k + 1])):
            x = self._read(int(part.left[j]))
            if part.right is not None:
                x = lanes.multiply(x, self._read(int(part.right[j])))
            if total is None:
                total = x if part.sign > 0 else lanes.negate(x)
            else:
                combine = lanes.add if part.sign > 0 else lanes.subtract
                total = combine(total, x)
        return total

    def _fold(self, name: str, numbers: list[str]) -> str:
        lanes, result = self.code.lanes, numbers[0]
        for x in numbers[1:]:
            if name == "prod":
                result = lanes.multiply(result, x)
                continue
            wins = lanes.compare("ogt" if name == "maximum" else "olt", x, result)
            wins = lanes.logic("or", wins, lanes.compare("uno", x, x))
            result = lanes.select(wins, x, result)
        return result

    def _accumulate(self, value: str, room: str) -> None:
        """Add a vector to a sum over the batch; lanes beyond the end add nothing."""
        code = self.code
        place = code.at(room, self.total * code.width)
        self.total += 1
        before = code.load(place)
        after = code.lanes.add(before, value)
        if self.mask is not None:
            chosen = f"{code.type} {after}, {code.type} {before}"
            after = code.emit(f"select <{code.width} x i1> {self.mask}, {chosen}")
        code.store(after, place)

    def _return(self, k: int, position: int) -> None:
        """Write a result of every row where it belongs: (pointer, step) in the table."""
        code = self.code
        entry = len(self.bulk.blocks) + 2 * k
        pointer = code.emit(f"load ptr, ptr {code.at('%p', entry, 'ptr')}, align 8")
        place = code.at("%p", entry + 1, "ptr")
        step = code.emit(f"load i64, ptr {place}, align 8")
        value = self._read(position)
        near = code.emit(f"icmp eq i64 {step}, 1")
        code.when(near, lambda: code.store(value, code.at(pointer, self.row), self.mask))
        far = code.emit(f"icmp ne i64 {step}, 1")

        def spread() -> None:
            start = code.times(self.row, step)
            code.scatter(value, pointer, code.steps(start, step), self.mask)

        code.when(far, spread)
