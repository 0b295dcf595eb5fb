"""Straight-line batches that are small: copied into the memory, in one function."""

from __future__ import annotations

from dataclasses import replace

from autograd.compiler.bulk import Bulk
from autograd.compiler.fusion import fused, split
from autograd.compiler.layout import Layout, unmixed
from autograd.compiler.llvm_backend import LLVMProgram
from autograd.compiler.loops import Context
from autograd.compiler.rows import RowsWriter
from autograd.compiler.stages import parted, stages

__all__ = ["ResidentProgram"]


class ResidentRows(RowsWriter):
    """Rows of a small batch, copied into the memory."""

    def array(self, number: int) -> str:
        """At the address of its first column."""
        first = self.bulk.blocks[number][0]
        return self.code.at("%v", int(self.layout.address[first]))

    sums = 0  # where the sums gather: spare room of the memory

    def total_place(self, k: str) -> str:
        """Behind each other: they are moved to their places afterwards."""
        return self.code.at("%v", self.code.plus(self.sums, 0 if k == "0" else k))

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
        writer = ResidentRows(self.bulk, self.layout, rows, code)
        count = len(writer.totals)
        writer.sums = context.spare(count * (1 + code.width))
        writer.write(0, self.bulk.batch, code.at("%v", writer.sums + count))
        context.needed |= writer.needed
        for k, position in enumerate(writer.totals.tolist()):
            place = code.at("%v", int(self.layout.address[position]))
            code.store_one(code.load_one(code.at("%v", writer.sums + k)), place)
        self.write_groups(context, fused(replace(self.bulk, operations=after)))
