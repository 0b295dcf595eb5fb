"""The LLVM backend: a bulk program becomes functions of machine code.

    bulk -> split, fused (fusion) -> loops, calls of kernels (loops, calls) -> engine

There is one function, and one more after each turn of Python's: what LLVM has no code
for, primitives of the user's own, runs between two of them. Machine code never calls
Python; the numpy backend runs such operations on the same memory, in the same layout.
So an error or an interrupt arrives as in any Python code. ``report()`` names them.
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
from autograd.compiler.llvm.loops.elementwise import has_code, write_scalars
from autograd.compiler.llvm.loops.fusion import Group, fused, split, stored
from autograd.compiler.llvm.loops.loops import LoopWriter
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
        self.text = self._module(context, host.width)
        self.tables = context.tables.array()
        self.scratch = context.scratch
        self.places = context.zero, context.one, context.sink
        self.linked = host.compiled(self.text)
        self.functions = [
            run_type()(self.linked(name)) for name, _ in self._functions(context)
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
        if isinstance(operation, SumOfProducts):
            write_sum(context, operation)
        elif not isinstance(operation, SegmentReduce) or not write_reduce(
            context, operation
        ):
            self._call_back(context, [operation])

    def _call_back(self, context: Context, operations: list[Operation]) -> None:
        """Let Python run what there is no code for."""
        for operation in operations:
            context.resident(operation.target, *operation.reads())
        self.callbacks.append(PythonCallback(self.bulk, self.layout, operations))
        context.cut()

    def _functions(self, context: Context) -> list[tuple[str, list[str]]]:
        """Names and bodies of the functions, in the order in which they run."""
        bodies = [*context.ended, context.code.lines]
        return [(f"autograd.run.{k}", body) for k, body in enumerate(bodies)]

    def _module(self, context: Context, width: int) -> str:
        parts = [
            declarations(width),
            *[
                f"declare void @autograd.{name}.{width}({SIGNATURES[name]})"
                for name in sorted(context.kernels)
            ],
            module_text(context.needed, context.code.called),
        ]
        for name, lines in self._functions(context):
            head = f"define void @{name}(ptr noalias %v, ptr noalias %t) nounwind {{"
            parts += [head, "entry:", *lines, "  ret void", "}"]
        return "\n".join(parts)


class LLVMMachine(MemoryMachine):
    """A program with a memory of its own (one thread at a time)."""

    def __init__(self, program: LLVMProgram, memory: Floats | None = None) -> None:
        """In a memory that is given, ``extra_of(program)`` numbers lie behind it."""
        self.program, self.layout = program, program.layout
        if memory is None:
            memory = self.layout.memory(extra_of(program))
        self.memory = memory
        memory[program.places[1]] = 1.0
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
        """Compute everything from the inputs in the memory."""
        for step in self._steps:
            step()


def extra_of(program: LLVMProgram) -> int:
    """How many numbers a program wants behind the memory of its layout."""
    return 8 + len(program.bulk.regions) + program.scratch
