"""Large batches of larger programs: the same loops, block of samples by block.

A memory for a whole large batch would not fit any cache. The samples are cut into
blocks of a size that fits; each runs in a memory of its own, and sums are added up
block by block in their order. The last block may be shorter: it has a program of its
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograd.compiler.bulk.bulk import Bulk, Floats
from autograd.compiler.bulk.layout import Layout, Section
from autograd.compiler.llvm.backend import LLVMMachine, LLVMProgram
from autograd.compiler.llvm.engine import processors
from autograd.compiler.llvm.stages import StagedMachine, StagedProgram, one_pass
from autograd.threads import spread

FITTING = 1 << 19  # numbers of a memory that a cache holds: 4 MB
LEAST = 32  # samples of a block


def block_size(bulk: Bulk) -> int:
    """How many samples a block has: a multiple of 8 whose numbers fit a cache."""
    batched = int(bulk.batched.sum())
    return max(LEAST, FITTING // max(batched, 1) // 8 * 8)


def fits(bulk: Bulk) -> bool:
    """Whether a batch is so large, and its program such, that blocks pay."""
    return bool(bulk.batch) and bulk.batch > 4 * block_size(bulk) and one_pass(bulk)


class Blocked(StagedProgram):
    """The programs of a block, and of the last one if it is shorter."""

    def __init__(self, bulk: Bulk) -> None:
        super().__init__(bulk)
        self.size = block_size(self.bulk)
        read = np.zeros(self.bulk.size, bool)
        for operation in self.samples:
            for positions in operation.reads():
                read[positions] = True
        read[self.totals] = False
        self.shared = np.flatnonzero(read & ~self.bulk.batched)  # what samples read
        self.block = self._block(self.size)
        left = self.bulk.batch % self.size
        self.last = self._block(left) if left else self.block

    def _block(self, count: int) -> LLVMProgram:
        kept = np.concatenate([self.totals, self.results])
        part = replace(self.bulk, operations=self.samples, outputs=kept, batch=count)
        return LLVMProgram(part, Layout(part, count))


class BlockedMachine(StagedMachine):
    """Has memories for the blocks that are under way."""

    def __init__(self, program: Blocked, sections: Sequence[Section]) -> None:
        super().__init__(program, sections)
        self.program = program
        self.pools: dict[int, list[LLVMMachine]] = {}

    def result(self, count: int, buffer: Floats | None) -> Floats:
        if buffer is not None and count == 1:
            return buffer.reshape(1, -1)
        return np.empty((count, self.bulk.batch))

    def run_samples(self, arrays: list[Floats], results: list[Floats | None]) -> Floats:
        program, batch = self.program, self.bulk.batch
        rows = [array.reshape(batch, -1) for array in arrays]
        begins = range(0, batch, program.size)
        sums = np.zeros((len(begins), len(program.totals)))

        def one(k: int) -> None:
            sums[k] = self._run_block(begins[k], rows, results)

        alone = bool(program.block.callbacks)  # Python's code runs in its own thread
        threads = 1 if alone else min(len(begins) // 2, processors())
        spread(one, len(begins), threads)
        return sums

    def _run_block(
        self, begin: int, arrays: list[Floats], results: list[Floats | None]
    ) -> Floats:
        """Run one block; its batched results are copied out, its sums are returned."""
        program = self.program
        end = min(begin + program.size, self.bulk.batch)
        whole = end - begin == program.size
        code = program.block if whole else program.last
        pool = self.pools.setdefault(id(code), [])
        machine = pool.pop() if pool else LLVMMachine(code)
        memory, address = machine.memory, machine.layout.address
        shared = program.shared
        memory[address[shared]] = self.memory[self.layout.address[shared]]
        for (first, _), array in zip(self.bulk.blocks, arrays, strict=True):
            part = array[begin:end].reshape(-1)
            memory[address[first] : address[first] + part.size] = part
        machine.run()
        for (a, b, _), result in zip(self.sections, results, strict=True):
            if result is not None:
                places = machine.layout.addresses(self.bulk.outputs[a:b])
                result[:, begin:end] = memory[places].reshape(result.shape[0], -1)
        sums: Floats = memory[address[program.totals]]
        pool.append(machine)
        return sums
