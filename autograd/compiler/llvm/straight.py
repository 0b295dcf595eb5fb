"""Straight-line batches: a small program runs in registers, some samples at once.

All numbers of as many samples as there are lanes stay in registers: what is batched
touches memory for inputs and results only. Sums over the batch gather in one vector
each, in the place that ``sums`` points to; lanes beyond the last sample add nothing.

    for i in vectors of samples:  x = load inputs[i ...];  y = tanh(x * w)
                                  store y to results[i ...];  sums[0] += y * y

A small batch is copied into the memory, and all stages are one function (``Resident``).
In a large one inputs and results are read and written where they are. It is cut into
blocks of a fixed size, whose sums are added in their order: no result depends on how
many threads ran them.
"""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograd.compiler.bulk.bulk import (
    Bulk,
    Floats,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
)
from autograd.compiler.bulk.layout import Layout, Section
from autograd.compiler.llvm.backend import LLVMProgram
from autograd.compiler.llvm.engine import engine, processors
from autograd.compiler.llvm.functions.table import Needed, emit_primitive, module_text
from autograd.compiler.llvm.kernels.code import Code, Offset, declarations
from autograd.compiler.llvm.loops.context import Context
from autograd.compiler.llvm.loops.elementwise import Slopes, fold, has_code, signed_sum
from autograd.compiler.llvm.loops.fusion import fused
from autograd.compiler.llvm.stages import (
    StagedMachine,
    StagedProgram,
    adds_up_samples,
    of_samples,
    one_pass,
    staged,
    stages,
    totals_of,
)
from autograd.threads import spread

LIMIT = 400  # numbers computed for each sample: beyond, loops win
AHEAD, LINE = 64, 8  # samples; numbers of a line of memory
BLOCK = 8192  # samples whose sums are added up as one


def is_large(bulk: Bulk) -> bool:
    """Whether a batch that fits is so large that its samples stay where they are."""
    return bulk.batch > BLOCK and fits(bulk)


def fits(bulk: Bulk) -> bool:
    """Whether a batch's program is small, all machine code, and one pass."""
    if not bulk.batch or not one_pass(bulk):
        return False
    size = 0
    for operation in bulk.operations:
        if of_samples(bulk, operation):
            size += sum(len(x) for x in operation.reads()) + len(operation.target)
            gaps = isinstance(operation, SegmentReduce) and operation.has_gaps
            if gaps or not has_code(operation):
                return False
    return size <= 3 * LIMIT


# -- The code of the samples ---------------------------------------------------------


class _SamplesWriter(ABC):
    """Writes the loop over the samples; where arrays and results lie is left open."""

    def __init__(
        self, bulk: Bulk, layout: Layout, operations: list[Operation], code: Code
    ) -> None:
        self.bulk, self.layout, self.operations = bulk, layout, operations
        self.code, self.needed = code, Needed()
        self.columns = {  # position of an input -> (array, column, columns)
            first + column: (number, column, count)
            for number, (first, count) in enumerate(bulk.blocks)
            for column in range(count)
        }
        self.totals = totals_of(operations)
        self.results = [p for p in bulk.outputs.tolist() if bulk.batched[p]]
        operands = {name: set[int]() for name in Slopes.NAMES}
        self.guards = 0  # products of a sample that are guarded (``Terms.strong``)
        for operation in operations:
            if isinstance(operation, Map) and operation.primitive.name in operands:
                name = operation.primitive.name
                operands[name].update(operation.operands[0].tolist())
            elif isinstance(operation, SumOfProducts):
                self.guards += sum(len(p) for p in operation.terms if p.strong)
        self.both = operands["tanh"] & operands["sech2"]
        self.sloped: set[str] = set()  # registers whose tanh and sech^2 are wanted

    @abstractmethod
    def array(self, number: int) -> str:
        """A pointer to an array whose samples stream through."""

    @abstractmethod
    def total(self, k: Offset) -> str:
        """A pointer to where the sum number k over the samples belongs."""

    @abstractmethod
    def keep(self, k: int, position: int, value: str) -> None:
        """Write the result number k of every sample."""

    def look_ahead(self) -> None:
        """Ask for what later samples need; nothing by default."""
        return

    def write(self, begin: Offset, end: Offset, sums: str) -> None:
        """The loop from sample ``begin`` to ``end``."""
        code, totals = self.code, len(self.totals)
        self.begin, self.end = begin, end

        def clear(k: Offset) -> None:
            place = code.at(sums, code.times(k, code.width))
            code.store(code.lanes.constant(0.0), place)

        def add_up(k: Offset) -> None:
            vector = code.load(code.at(sums, code.times(k, code.width)))
            code.store_one(code.total(vector), self.total(k))

        code.each(totals, clear)
        count = code.minus(end, begin)
        self.even = isinstance(count, int) and count % code.width == 0
        code.each(count, lambda i: self._block(i, sums), code.width)
        code.each(totals, add_up)

    def _block(self, i: Offset, sums: str) -> None:
        """All numbers of ``width`` samples, or of those that are left."""
        code, totals = self.code, len(self.totals)
        self.sample = code.plus(self.begin, i)
        left = code.minus(self.end, self.sample)
        self.mask = None if self.even else code.first(left)
        self.arrays = [self.array(number) for number in range(len(self.bulk.blocks))]
        self.look_ahead()
        # many guards cost more than a look at what came out of plain products
        later = self.guards > 2 * (totals + len(self.results))
        values = self._numbers(guarded=not later)
        if later:
            values = code.choose(
                code.any_nan(code.lanes, values),
                lambda: self._numbers(guarded=True),
                values,
            )
        for k, value in enumerate(values[:totals]):
            place = code.at(sums, k * code.width)
            before = code.load(place)
            after = code.lanes.add(before, value)
            code.store(code.masked(self.mask, after, before), place)
        for k, position in enumerate(self.results):
            self.keep(k, position, values[totals + k])

    def _numbers(self, guarded: bool) -> list[str]:
        """What is added up over the batch, then the results."""
        self.guarded, self.registers = guarded, dict[int, str]()
        self.slopes = Slopes(self.code.lanes, self.needed)
        sums = []
        for operation in self.operations:
            for k in range(len(operation.target)):
                value = self._value(operation, k)
                if adds_up_samples(operation):
                    sums.append(value)
                else:
                    self._set(int(operation.target[k]), value)
        return [*sums, *[self._get(position) for position in self.results]]

    def _set(self, position: int, value: str) -> None:
        self.registers[position] = value
        if position in self.both:
            self.sloped.add(value)

    def _get(self, position: int) -> str:
        if position not in self.registers:
            self._set(position, self._load(position))
        return self.registers[position]

    def _load(self, position: int) -> str:
        code = self.code
        if position in self.bulk.constants:
            return code.lanes.constant(self.bulk.constants[position])
        if position not in self.columns:  # shared by the samples
            return code.broadcast(code.at("%v", int(self.layout.address[position])))
        number, column, count = self.columns[position]
        array = self.arrays[number]
        if count == 1:
            return code.load(code.at(array, self.sample), self.mask)
        start = code.plus(code.times(self.sample, count), column)
        return code.gather(array, code.steps(start, count), self.mask)

    def _value(self, operation: Operation, k: int) -> str:
        lanes = self.code.lanes
        if isinstance(operation, Map):
            operands = [self._get(int(x[k])) for x in operation.operands]
            name = operation.primitive.name
            if name in Slopes.NAMES and operands[0] in self.sloped:
                return self.slopes.value(name, operands[0])
            return emit_primitive(lanes, name, operands, self.needed)
        if isinstance(operation, SegmentReduce):
            begin, end = operation.offsets[k : k + 2].tolist()
            numbers = [self._get(p) for p in operation.groups[0][begin:end].tolist()]
            return fold(lanes, operation.primitive.name, numbers)
        return signed_sum(
            lanes,
            (
                (
                    part.sign,
                    [self._get(int(stream[j])) for stream in part.factors],
                    part.strong * self.guarded,
                )
                for part in sorted(operation.terms, key=lambda part: part.sign < 0)
                for j in range(int(part.offsets[k]), int(part.offsets[k + 1]))
            ),
        )


# -- Small batches, in the memory ----------------------------------------------------


class ResidentProgram(LLVMProgram):
    """A small program with a small batch: one function, all in one memory."""

    def __init__(self, bulk: Bulk) -> None:
        ready = staged(bulk)
        super().__init__(ready, Layout(ready, ready.batch))

    def write(self, context: Context) -> None:
        """Before the samples, the samples, and after."""
        before, samples, after = stages(self.bulk)
        code = context.code
        self.write_groups(context, fused(replace(self.bulk, operations=before)))
        writer = _ResidentWriter(self.bulk, self.layout, samples, code)
        count = len(writer.totals)
        writer.scratch = context.scratch_for(count * (1 + code.width))
        writer.write(0, self.bulk.batch, code.at("%v", writer.scratch + count))
        context.needed |= writer.needed
        for k, address in enumerate(self.layout.address[writer.totals].tolist()):
            place = code.at("%v", address)
            code.store_one(code.load_one(writer.total(k)), place)
        self.write_groups(context, fused(replace(self.bulk, operations=after)))


class _ResidentWriter(_SamplesWriter):
    scratch = 0  # where the sums gather, and move from to their places

    def array(self, number: int) -> str:
        first = self.bulk.blocks[number][0]
        return self.code.at("%v", int(self.layout.address[first]))

    def total(self, k: Offset) -> str:
        return self.code.at("%v", self.code.plus(self.scratch, k))

    def keep(self, k: int, position: int, value: str) -> None:
        code = self.code
        if position not in self.columns:  # inputs are there already
            place = code.plus(int(self.layout.address[position]), self.sample)
            code.store(value, code.at("%v", place), self.mask)


# -- Large batches, where they are ---------------------------------------------------


class Straight(StagedProgram):
    """The code of a range of samples: f(memory, pointers, begin, end, sums)."""

    def __init__(self, bulk: Bulk) -> None:
        super().__init__(bulk)
        self.width = engine().width
        code = Code(self.width)
        writer = _PointerWriter(self.bulk, self.layout, self.samples, code)
        self.text = writer.module()
        pointer, whole = ctypes.c_void_p, ctypes.c_int64
        kind = ctypes.CFUNCTYPE(None, pointer, pointer, whole, whole, pointer)
        self.linked = engine().compiled(self.text)
        self.run_range = kind(self.linked("autograd.rows"))


class StraightMachine(StagedMachine):
    """Has a table: pointers to input arrays, then (pointer, step) of each result."""

    def __init__(self, program: Straight, sections: Sequence[Section]) -> None:
        super().__init__(program, sections)
        self.program = program
        entries = len(self.bulk.blocks) + 2 * len(program.results)
        self.pointers = np.zeros(entries + 1, np.int64)
        begins = range(0, self.bulk.batch, BLOCK)
        self.ranges = [(k, min(k + BLOCK, self.bulk.batch)) for k in begins]
        vectors = len(program.totals) * (1 + program.width)
        self.sums = np.zeros((len(self.ranges), vectors))

    def result(self, count: int, buffer: Floats | None) -> Floats:
        shape = self.bulk.batch, count
        return (np.empty(shape) if buffer is None else buffer.reshape(shape)).T

    def run_samples(self, arrays: list[Floats], results: list[Floats | None]) -> Floats:
        self.pointers[: len(arrays)] = [array.ctypes.data for array in arrays]
        entry = len(arrays)
        for result in results:
            if result is not None:
                start, count = result.ctypes.data, len(result)
                for column in range(count):
                    self.pointers[entry : entry + 2] = start + 8 * column, count
                    entry += 2
        memory, table = self.memory.ctypes.data, self.pointers.ctypes.data
        first, width = self.sums.ctypes.data, self.sums.strides[0]

        def one(k: int) -> None:
            begin, end = self.ranges[k]
            self.program.run_range(memory, table, begin, end, first + k * width)

        count = len(self.ranges)  # a thread pays from four: it costs 50 microseconds
        spread(one, count, min(count // 4, processors()))
        return self.sums[:, : len(self.totals)]


class _PointerWriter(_SamplesWriter):
    """Samples where they are: pointers come in a table, %p."""

    def module(self) -> str:
        """The text of the module: a function for a range of samples."""
        code = self.code
        self.write("%begin", "%end", code.at("%totals", len(self.totals)))
        parameters = "ptr noalias %v, ptr noalias %p, i64 %begin, i64 %end, "
        return "\n".join(
            [
                declarations(code.width),
                module_text(self.needed, code.called),
                code.function("autograd.rows", parameters + "ptr noalias %totals"),
            ]
        )

    def array(self, number: int) -> str:
        place = self.code.at("%p", number, "ptr")
        return self.code.emit(f"load ptr, ptr {place}, align 8")

    def total(self, k: Offset) -> str:
        return self.code.at("%totals", k)

    def _step(self, entry: int) -> str:
        """How far apart the samples of the result with this entry are."""
        return self.code.load_whole(self.code.at("%p", entry + 1, "ptr"))

    def look_ahead(self) -> None:
        """Large batches wait for memory: lines are on the way some samples before.

        Nothing fails where there are no such samples.
        """
        code, number = self.code, len(self.bulk.blocks)
        later = code.plus(self.sample, AHEAD)
        for array, (_, count) in zip(self.arrays, self.bulk.blocks, strict=True):
            start = code.times(later, count)
            for line in range(max(1, count * code.width // LINE)):
                code.prefetch(code.at(array, code.plus(start, line * LINE)))
        for entry in range(number, number + 2 * len(self.results), 2):
            step = self._step(entry)
            place = code.at(self.array(entry), code.times(later, step))
            code.prefetch(place, write=True)

    def keep(self, k: int, position: int, value: str) -> None:
        """Side by side, or a column of a table."""
        code, entry = self.code, len(self.bulk.blocks) + 2 * k
        pointer, step = self.array(entry), self._step(entry)
        near = code.emit(f"icmp eq i64 {step}, 1")
        code.when(
            near, lambda: code.store(value, code.at(pointer, self.sample), self.mask)
        )
        far = code.emit(f"icmp ne i64 {step}, 1")

        def column() -> None:
            start = code.times(self.sample, step)
            code.scatter(value, pointer, code.steps(start, step), self.mask)

        code.when(far, column)
