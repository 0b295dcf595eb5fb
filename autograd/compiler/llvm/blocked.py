"""Large batches of larger programs: the same loops, block of rows by block of rows.

A memory for a whole large batch would not fit any cache. The rows are cut into blocks
of a size that fits; shared numbers are computed before, sums are added up block by
block in their order, and what depends on them is computed after. The last block may be
shorter: it has a program of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Bulk, Floats, Operation
from autograd.compiler.bulk.layout import Layout, Section, apart, unmixed
from autograd.compiler.llvm.backend import LLVMMachine, LLVMProgram, extra_of
from autograd.compiler.llvm.engine import processors
from autograd.compiler.llvm.loops.fusion import split
from autograd.compiler.llvm.rows import one_pass, parted, stages, totals_of
from autograd.compiler.trace.program import Ints
from autograd.threads import spread

FITTING = 1 << 19  # numbers of a memory that a cache holds: 4 MB
LEAST = 32  # rows of a block


def block_rows(bulk: Bulk) -> int:
    """How many rows a block has: a multiple of 8 whose numbers fit a cache."""
    batched = int(bulk.batched.sum())
    return max(LEAST, FITTING // max(batched, 1) // 8 * 8)


def fits(bulk: Bulk) -> bool:
    """Whether a batch is so large, and its program such, that blocks pay."""
    return bool(bulk.batch) and bulk.batch > 4 * block_rows(bulk) and one_pass(bulk)


class Blocked:
    """The programs of the parts: before, a block, the last block, and after."""

    def __init__(self, bulk: Bulk) -> None:
        bulk = self.bulk = split(parted(unmixed(replace(bulk, regions=[]))))
        self.layout = Layout(bulk, 0)
        before, rows, after = stages(bulk)
        self.rows, self.batch = block_rows(bulk), bulk.batch
        self.totals = totals_of(rows)
        self.batched = np.array(
            [p for p in bulk.outputs.tolist() if bulk.batched[p]], int
        )
        self.before, self.after = self._shared(before), self._shared(after)
        shared = ~bulk.batched
        read = np.zeros(bulk.size, bool)
        for operation in rows:
            for positions in operation.reads():
                read[positions] = True
        read[self.totals] = False
        self.handed = np.flatnonzero(read & shared)  # what the rows get from outside
        self.block = self._block(rows, self.rows)
        left = self.batch % self.rows
        self.last = self._block(rows, left) if left else None
        parts = [part for part in (self.before, self.after) if part]
        self.extra = max([extra_of(part) for part in parts], default=0)

    def _shared(self, operations: list[Operation]) -> LLVMProgram | None:
        if not operations:
            return None
        kept = np.concatenate([operation.target for operation in operations])
        part = replace(self.bulk, operations=operations, outputs=kept)
        return LLVMProgram(part, self.layout)

    def _block(self, operations: list[Operation], rows: int) -> LLVMProgram:
        kept = np.concatenate([self.totals, self.batched])
        part = replace(self.bulk, operations=operations, outputs=kept, batch=rows)
        return LLVMProgram(part, Layout(part, rows))


class BlockedMachine:
    """A memory for the shared numbers, and memories for blocks that are under way."""

    def __init__(self, program: Blocked, sections: Sequence[Section]) -> None:
        self.program, self.sections = program, sections
        self.layout = program.layout
        self.memory = self.layout.memory(program.extra)
        self.before, self.after = [
            LLVMMachine(part, self.memory) if part else None
            for part in (program.before, program.after)
        ]
        self.pools: dict[int, list[LLVMMachine]] = {}

    def call(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None]
    ) -> list[Floats]:
        """The results of all sections for the input numbers, given in parts."""
        program, memory = self.program, self.memory
        arrays = self._inputs(numbers)
        if self.before:
            self.before.run()
        results = self._results(apart(buffers, arrays))
        begins = range(0, program.batch, program.rows)
        sums = np.zeros((len(begins), len(program.totals)))

        def one(k: int) -> None:
            sums[k] = self._run_block(begins[k], arrays, results)

        alone = bool(program.block.callbacks)  # Python's code runs in its own thread
        threads = 1 if alone else min(len(begins) // 2, processors())
        spread(one, len(begins), threads)
        memory[self.layout.address[program.totals]] = sums.sum(axis=0)
        if self.after:
            self.after.run()
        return self._finished(results)

    def _inputs(self, numbers: Sequence[Floats]) -> list[Floats]:
        """Shared numbers go into the memory; arrays of rows are returned."""
        blocks = dict(self.program.bulk.blocks)
        position, arrays = 0, []
        for part in numbers:
            if position in blocks:
                arrays.append(part.reshape(self.program.batch, -1))
                position += blocks[position]
                continue
            start = int(self.layout.address[position]) if part.size else 0
            self.memory[start : start + part.size] = part
            position += part.size
        return arrays

    def _run_block(
        self, begin: int, arrays: list[Floats], results: list[Floats | None]
    ) -> Floats:
        """Run one block; its batched results are copied out, its sums are returned."""
        program = self.program
        end = min(begin + program.rows, program.batch)
        whole = end - begin == program.rows
        code = program.block if whole else program.last
        assert code is not None
        pool = self.pools.setdefault(id(code), [])
        machine = pool.pop() if pool else LLVMMachine(code)
        memory, address = machine.memory, machine.layout.address
        handed = program.handed
        memory[address[handed]] = self.memory[self.layout.address[handed]]
        for (first, _), array in zip(program.bulk.blocks, arrays, strict=True):
            part = array[begin:end].reshape(-1)
            memory[address[first] : address[first] + part.size] = part
        machine.run()
        self._collect(machine, begin, end, results)
        sums: Floats = memory[address[program.totals]]
        pool.append(machine)
        return sums

    def _collect(
        self, machine: LLVMMachine, begin: int, end: int, results: list[Floats | None]
    ) -> None:
        outputs = self.program.bulk.outputs
        for (first, last, _), result in zip(self.sections, results, strict=True):
            if result is None:
                continue
            places: Ints = outputs[first:last]
            step = machine.layout.step[places][:, np.newaxis]
            along = step * np.arange(end - begin)
            where = machine.layout.address[places][:, np.newaxis] + along
            result[:, begin:end] = machine.memory[where]

    def _results(self, buffers: Sequence[Floats | None]) -> list[Floats | None]:
        """Arrays [output, row] for what has lanes."""
        found: list[Floats | None] = []
        bulk = self.program.bulk
        for (begin, end, _), buffer in zip(self.sections, buffers, strict=True):
            lanes = bulk.batched[bulk.outputs[begin:end]]
            if begin == end or not lanes.any():
                found.append(None)
            elif buffer is not None and end - begin == 1:
                found.append(buffer.reshape(1, -1))
            else:
                found.append(np.empty((end - begin, self.program.batch)))
        return found

    def _finished(self, results: list[Floats | None]) -> list[Floats]:
        outputs, finished = self.program.bulk.outputs, []
        for (begin, end, batched), result in zip(self.sections, results, strict=True):
            if result is not None:
                finished.append(result)
                continue
            shared: Any = self.memory[self.layout.address[outputs[begin:end]]]
            if batched:
                finished.append(np.repeat(shared[:, np.newaxis], self.program.batch, 1))
            else:
                finished.append(shared)
        return finished
