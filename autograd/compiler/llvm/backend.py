"""The LLVM backend: a bulk program becomes functions of machine code.

    program -> split, fused (fusion) -> loops, calls of kernels (loops) -> engine

There is one function, and one more after each turn of Python's: operations that LLVM
has no code for, such as primitives of the user's own. Machine code never calls Python:
between two functions the numpy backend runs them on the same memory, in the same
layout. So an error or an interrupt arrives as in any Python code. ``report()`` names
the primitives.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from autograd.compiler.bulk.bulk import (
    Bulk,
    Floats,
    Operation,
    SegmentReduce,
    SumOfProducts,
)
from autograd.compiler.bulk.layout import Layout, MemoryMachine, unmixed
from autograd.compiler.llvm.engine import engine, run_type
from autograd.compiler.llvm.functions.table import module_text
from autograd.compiler.llvm.kernels.code import declarations
from autograd.compiler.llvm.kernels.library import SIGNATURES
from autograd.compiler.llvm.loops.calls import write_reduce, write_sum
from autograd.compiler.llvm.loops.context import Context, RegionConflictError
from autograd.compiler.llvm.loops.elementwise import has_code
from autograd.compiler.llvm.loops.fusion import Group, fused, split, stored
from autograd.compiler.llvm.loops.loops import write_loop, write_scalars
from autograd.compiler.llvm.loops.steps import write_steps
from autograd.compiler.numpy.machine import NumpyMachine


class PythonCallback:
    """Some operations of a program whose streams are unmixed for its layout."""

    def __init__(self, bulk: Bulk, layout: Layout, operations: list[Operation]) -> None:
        self.bulk = replace(bulk, operations=operations, regions=[])
        self.layout = layout

    def on(self, memory: Floats) -> Callable[[], None]:
        """What runs them on a memory."""
        return NumpyMachine(self.bulk, place=(self.layout, memory)).run


class LLVMProgram:
    """Machine code, its index tables, and how large a memory it wants."""

    def __init__(self, bulk: Bulk, layout: Layout | None = None) -> None:
        """With a layout the program is taken to be split for it already."""
        self.bulk = bulk if layout else split(unmixed(bulk)).verify()
        self.layout = layout or Layout(self.bulk, self.bulk.batch)
        host = engine()
        context = self._written(host.width)
        bodies = [*context.ended, context.code.lines]
        self.text = self._module(context, bodies)
        self.tables = context.tables.array()
        self.extra = 8 + len(self.bulk.regions) + context.scratch  # behind the layout
        self.slots, self.one = context.slots, context.cells.one
        self.linked = host.compiled(self.text)
        self.functions = [
            run_type()(self.linked(f"autograd.run.{k}")) for k in range(len(bodies))
        ]

    def _written(self, width: int) -> Context:
        """The context, all code written; with as many regions outside as can be."""
        self.regions = list(range(len(self.bulk.regions)))
        while True:
            self.callbacks: list[PythonCallback] = []  # they run between the functions
            context = Context(self.bulk, self.layout, width, self.regions)
            try:
                self.write(context)
            except RegionConflictError as error:
                self.regions = [k for k in self.regions if k not in error.regions]
                continue
            return context

    def write(self, context: Context) -> None:
        """Write the body of the function."""
        groups = fused(self.bulk)
        context.stored = stored(self.bulk, groups)
        self.write_groups(context, groups)

    def write_groups(self, context: Context, groups: list[Group]) -> None:
        for group in groups:
            if group.kind == "loop":
                write_loop(context, group)
            elif group.kind == "scalars":
                write_scalars(context, group)
            elif group.kind == "steps" and all(map(has_code, group.operations)):
                write_steps(context, group)
            elif group.kind == "steps" or not _call(context, group.operations[0]):
                self._call_back(context, group.operations)

    def _call_back(self, context: Context, operations: list[Operation]) -> None:
        """Let Python run what there is no code for."""
        for operation in operations:
            context.resident(operation.target, *operation.reads())
        self.callbacks.append(PythonCallback(self.bulk, self.layout, operations))
        context.cut()

    def _module(self, context: Context, bodies: list[list[str]]) -> str:
        code = context.code
        parts = [
            declarations(code.width),
            *[
                f"declare void @autograd.{name}.{code.width}({SIGNATURES[name]})"
                for name in sorted(context.kernels)
            ],
            module_text(context.needed, code.called),
        ]
        for k, lines in enumerate(bodies):
            code.redirect(lines)
            parameters = "ptr noalias %v, ptr noalias %t"
            parts.append(code.function(f"autograd.run.{k}", parameters))
        return "\n".join(parts)


def _call(context: Context, operation: Operation) -> bool:
    """Call a kernel for an operation, if there is one."""
    if isinstance(operation, SumOfProducts):
        write_sum(context, operation)
        return True
    return isinstance(operation, SegmentReduce) and write_reduce(context, operation)


class LLVMMachine(MemoryMachine):
    """A program with a memory of its own (one thread at a time)."""

    def __init__(self, program: LLVMProgram, memory: Floats | None = None) -> None:
        """A memory that is given has ``program.extra`` numbers behind the layout."""
        self.program, self.layout = program, program.layout
        if memory is None:
            memory = self.layout.memory(program.extra)
        self.memory = memory
        memory[program.one] = 1.0
        self._where = memory.ctypes.data, program.tables.ctypes.data
        self._steps: list[Callable[[], None]] = []
        for k, function in enumerate(program.functions):
            self._steps.append(partial(function, *self._where))
            self._steps += [turn.on(memory) for turn in program.callbacks[k : k + 1]]

    def addresses(self) -> tuple[int, int, int]:
        """Of the machine code, the memory and the tables."""
        code = ctypes.cast(self.program.functions[0], ctypes.c_void_p).value
        return code or 0, *self._where

    def run(self) -> None:
        for step in self._steps:
            step()
