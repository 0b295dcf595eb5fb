"""The LLVM backend: a bulk program becomes one function of machine code.

bulk -> split, fused (fusion) -> loops, calls of kernels (loops, calls) -> engine
"""

from __future__ import annotations

import ctypes

from autograd.compiler.bulk import Bulk, Operation, Reduce, Sum
from autograd.compiler.calls import write_reduce, write_sum
from autograd.compiler.code import declarations
from autograd.compiler.context import Context, MixedError
from autograd.compiler.engine import engine, run_type
from autograd.compiler.foreign import Foreign
from autograd.compiler.fusion import Group, fused, split, stored
from autograd.compiler.kernels import SIGNATURES
from autograd.compiler.layout import Layout, unmixed
from autograd.compiler.loops import LoopWriter, write_scalars
from autograd.compiler.memory import MemoryMachine
from autograd.compiler.steps import has_code, write_steps
from autograd.compiler.vector_math import module_text

__all__ = ["LLVMMachine", "LLVMProgram"]


class LLVMProgram:
    """Machine code, its index tables, and how large a memory it wants."""

    def __init__(self, bulk: Bulk, layout: Layout | None = None) -> None:
        """With a layout the program is taken to be split for it already."""
        self.bulk = bulk if layout else split(unmixed(bulk)).verify()
        self.layout = layout or Layout(self.bulk, self.bulk.batch)
        host = engine()
        context = self._written(host.width)
        self.text = self._module(context, host.width)
        self.tables = context.tables.array()
        self.spare = context.scratch
        self.places = context.zero, context.one, context.dump
        self.linked = host.compiled(self.text, cached=not self.foreign)
        self.run = run_type()(self.linked("autograd.run"))

    def _written(self, width: int) -> Context:
        """The context, all code written; with as many regions outside as can be."""
        self.regions = list(range(len(self.bulk.regions)))
        while True:
            self.foreign: list[Foreign] = []
            context = Context(self.bulk, self.layout, width, self.regions)
            try:
                self.write(context)
            except MixedError as error:
                self.regions = [k for k in self.regions if k not in error.regions]
                continue
            self.slots = context.slots
            return context

    def write(self, context: Context) -> None:
        """Write the body of the function."""
        self.groups = fused(self.bulk)
        context.stored = stored(self.bulk, self.groups)
        self.write_groups(context, self.groups)

    def write_groups(self, context: Context, groups: list[Group]) -> None:
        """Write one group after the other."""
        for group in groups:
            if group.kind == "loop":
                LoopWriter(context, group).write()
            elif group.kind == "steps" and all(map(has_code, group.operations)):
                write_steps(context, group)
            elif group.kind == "steps":
                self._call_back(context, group.operations)
            elif group.kind == "scalars":
                write_scalars(context, group)
            else:
                self._call(context, group.operations[0])

    def _call(self, context: Context, operation: Operation) -> None:
        if isinstance(operation, Sum):
            write_sum(context, operation)
        elif not isinstance(operation, Reduce) or not write_reduce(context, operation):
            self._call_back(context, [operation])

    def _call_back(self, context: Context, operations: list[Operation]) -> None:
        """Let Python run what there is no code for."""
        for operation in operations:
            context.resident(operation.target, *operation.reads())
        foreign = Foreign(self.bulk, self.layout, operations)
        self.foreign.append(foreign)
        symbol = f"autograd.foreign.{id(foreign)}"
        engine().llvm.add_symbol(symbol, foreign.address)
        context.foreign.append(symbol)
        context.code.do(f"call void @{symbol}(ptr %v)")

    def _module(self, context: Context, width: int) -> str:
        parts = [
            declarations(width),
            *[
                f"declare void @autograd.{name}.{width}({SIGNATURES[name]})"
                for name in sorted(context.kernels)
            ],
            *[f"declare void @{symbol}(ptr)" for symbol in context.foreign],
            module_text(context.needed, context.code.called),
            "define void @autograd.run(ptr noalias %v, ptr noalias %t) nounwind {",
            "entry:",
            *context.code.lines,
            "  ret void",
            "}",
        ]
        return "\n".join(parts)


class LLVMMachine(MemoryMachine):
    """A program with a memory of its own (one thread at a time)."""

    def __init__(self, program: LLVMProgram) -> None:
        self.program, self.layout = program, program.layout
        extra = 8 + len(program.bulk.regions) + program.spare
        self.memory = self.layout.memory(extra)
        self.memory[program.places[1]] = 1.0
        self._where = self.memory.ctypes.data, program.tables.ctypes.data

    def addresses(self) -> tuple[int, int, int]:
        """Of the machine code, the memory and the tables."""
        code = ctypes.cast(self.program.run, ctypes.c_void_p).value
        return code or 0, *self._where

    def run(self) -> None:
        """Compute everything from the inputs in the memory."""
        self.program.run(*self._where)
        for foreign in self.program.foreign:
            foreign.raise_failure()
