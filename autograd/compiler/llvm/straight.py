"""Batches of small programs: straight-line code, a vector of samples at a time.

Small batches are copied into the memory of one function. Of large ones inputs and
results are read and written where they are: shared numbers are computed before, sums
over the batch gather in one vector each, and what depends on them is computed after.

Large batches are cut into blocks of a fixed size, whose sums are added in their order:
no result depends on how many threads ran them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograd.compiler.bulk.bulk import Bulk, Floats, Operation, SegmentReduce
from autograd.compiler.bulk.layout import Layout, Section, apart, unmixed
from autograd.compiler.llvm.backend import LLVMMachine, LLVMProgram, extra_of
from autograd.compiler.llvm.engine import engine, processors
from autograd.compiler.llvm.functions.table import module_text
from autograd.compiler.llvm.kernels.code import Code, Offset, declarations
from autograd.compiler.llvm.loops.context import Context
from autograd.compiler.llvm.loops.elementwise import has_code
from autograd.compiler.llvm.loops.fusion import fused, split
from autograd.compiler.llvm.rows import (
    SamplesWriter,
    is_batched_operation,
    one_pass,
    parted,
    stages,
    sums_samples,
    totals_of,
)
from autograd.threads import spread


class ResidentSamples(SamplesWriter):
    """Rows of a small batch, copied into the memory."""

    def array(self, number: int) -> str:
        """At the address of its first column."""
        first = self.bulk.blocks[number][0]
        return self.code.at("%v", int(self.layout.address[first]))

    sums = 0  # where the sums gather: spare room of the memory

    def total_place(self, k: Offset) -> str:
        """Behind each other: they are moved to their places afterwards."""
        return self.code.at("%v", self.code.plus(self.sums, k))

    def keep(self, k: int, position: int, value: str) -> None:
        """Side by side at the number's address; inputs are there already."""
        code = self.code
        if position in self.columns:
            return
        place = code.plus(int(self.layout.address[position]), self.row)
        code.store(value, code.at("%v", place), self.mask)


class ResidentProgram(LLVMProgram):
    """A small program with a small batch: one function, all in one memory."""

    def __init__(self, bulk: Bulk) -> None:
        ready = split(parted(unmixed(bulk)))
        ready = replace(ready, regions=[])
        super().__init__(ready, Layout(ready, ready.batch))

    def write(self, context: Context) -> None:
        """Before the rows, the rows, and after."""
        before, rows, after = stages(self.bulk)
        self.write_groups(context, fused(replace(self.bulk, operations=before)))
        code = context.code
        writer = ResidentSamples(self.bulk, self.layout, rows, code)
        count = len(writer.totals)
        writer.sums = context.scratch_room(count * (1 + code.width))
        writer.write(0, self.bulk.batch, code.at("%v", writer.sums + count))
        context.needed |= writer.needed
        for k, position in enumerate(writer.totals.tolist()):
            place = code.at("%v", int(self.layout.address[position]))
            code.store_one(code.load_one(code.at("%v", writer.sums + k)), place)
        self.write_groups(context, fused(replace(self.bulk, operations=after)))


# -- Large batches: arrays where they are ----------------------------------------------

LIMIT = 400  # numbers computed for each row: beyond, loops win
AHEAD, LINE = 64, 8  # rows; numbers of a line of memory
BLOCK = 8192  # rows whose sums are added up as one


def is_large(bulk: Bulk) -> bool:
    """Whether a batch that fits is large enough for its rows to stay where they are."""
    return bulk.batch > BLOCK and fits(bulk)


def fits(bulk: Bulk) -> bool:
    """Whether a batch's program is small, of known rows, and one pass over the rows."""
    if not bulk.batch or not one_pass(bulk):
        return False
    size = 0
    for operation in bulk.operations:
        if is_batched_operation(bulk, operation) or sums_samples(operation):
            size += sum(len(x) for x in operation.reads()) + len(operation.target)
            gaps = isinstance(operation, SegmentReduce) and operation.has_gaps
            if gaps or not has_code(operation):
                return False
    return size <= 3 * LIMIT


class Straight:
    """The code of a program: before the rows, for a range of them, and after."""

    def __init__(self, bulk: Bulk) -> None:
        bulk = self.bulk = split(parted(unmixed(replace(bulk, regions=[]))))
        self.layout = Layout(bulk, 0)
        before, rows, after = stages(bulk)
        self.totals = totals_of(rows)
        self.batched = [int(p) for p in bulk.outputs.tolist() if bulk.batched[p]]
        self.width = engine().width
        self.before = self._shared(before)
        self.after = self._shared(after)
        parts = [part for part in (self.before, self.after) if part]
        self.extra = max([extra_of(part) for part in parts], default=0)
        self.text = _SamplesInPlace(bulk, self.layout, rows, Code(self.width)).module()
        pointer, whole = ctypes.c_void_p, ctypes.c_int64
        kind = ctypes.CFUNCTYPE(None, pointer, pointer, whole, whole, pointer)
        self.linked = engine().compiled(self.text)
        self.run_rows = kind(self.linked("autograd.rows"))

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
        self.memory = self.layout.memory(program.extra)
        self.before, self.after = [
            LLVMMachine(part, self.memory) if part else None
            for part in (program.before, program.after)
        ]
        entries = len(program.bulk.blocks) + 2 * len(program.batched)
        self.pointers = np.zeros(entries + 1, np.int64)
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
        """The results of all sections; batched ones go into buffers, if given."""
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
        results = self._results(apart(buffers, kept))
        if self.before:
            self.before.run()
        self._run_rows(memory.ctypes.data)
        memory[self.places] = self.sums[:, : len(self.places)].sum(axis=0)
        if self.after:
            self.after.run()
        outputs = program.bulk.outputs
        for k, (begin, end, batched) in enumerate(self.sections):
            if results[k] is None:
                found = memory[self.layout.address[outputs[begin:end]]]
                results[k] = (
                    np.repeat(found[:, np.newaxis], self.rows, 1) if batched else found
                )
        return results  # type: ignore[return-value]

    def _results(self, buffers: Sequence[Floats | None]) -> list[Floats | None]:
        """Arrays for what has lanes, and their addresses in the table."""
        program = self.program
        results: list[Floats | None] = []
        entry = len(program.bulk.blocks)
        for (begin, end, _), buffer in zip(self.sections, buffers, strict=True):
            lanes = program.bulk.batched[program.bulk.outputs[begin:end]]
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

        spread(one, len(self.ranges), threads_for(len(self.ranges)))


def threads_for(blocks: int) -> int:
    """How many threads pay: a hand-over costs some 50 microseconds."""
    return min(blocks // 4, processors())


class _SamplesInPlace(SamplesWriter):
    """Rows where they are: pointers come in a table, results go by (pointer, step)."""

    def module(self) -> str:
        """The text of the module: a function for a range of rows."""
        code = self.code
        room = code.at("%totals", len(self.totals))
        self.write("%begin", "%end", room)
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

    def array(self, number: int) -> str:
        """Its pointer stands in the table."""
        place = self.code.at("%p", number, "ptr")
        return self.code.emit(f"load ptr, ptr {place}, align 8")

    def look_ahead(self) -> None:
        """Large batches wait for memory: their lines are on the way some rows before.

        Nothing fails where there are no such rows.
        """
        code, number = self.code, len(self.bulk.blocks)
        later = code.plus(self.row, AHEAD)
        for array, (_, count) in zip(self.arrays, self.bulk.blocks, strict=True):
            start = code.times(later, count)
            for line in range(max(1, count * code.width // LINE)):
                code.prefetch(code.at(array, code.plus(start, line * LINE)))
        for entry in range(number, number + 2 * len(self.batched), 2):
            step = code.emit(
                f"load i64, ptr {code.at('%p', entry + 1, 'ptr')}, align 8"
            )
            place = code.at(self.array(entry), code.times(later, step))
            code.prefetch(place, write=True)

    def total_place(self, k: Offset) -> str:
        """Behind each other."""
        return self.code.at("%totals", k)

    def keep(self, k: int, position: int, value: str) -> None:
        """Side by side, or a column of rows."""
        code, entry = self.code, len(self.bulk.blocks) + 2 * k
        pointer = self.array(entry)
        place = code.at("%p", entry + 1, "ptr")
        step = code.emit(f"load i64, ptr {place}, align 8")
        near = code.emit(f"icmp eq i64 {step}, 1")
        code.when(
            near, lambda: code.store(value, code.at(pointer, self.row), self.mask)
        )
        far = code.emit(f"icmp ne i64 {step}, 1")

        def spread() -> None:
            start = code.times(self.row, step)
            code.scatter(value, pointer, code.steps(start, step), self.mask)

        code.when(far, spread)
