"""The rows of a batch in registers: one number after the other, ``width`` rows at once.

What has lanes never touches memory but for inputs and results. Sums over the batch
gather in one vector each; lanes beyond the last row add nothing.

The stages of a program with a batch: before the rows, the rows, and after them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np

from autograd.compiler.bulk.bulk import (
    Bulk,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
    Terms,
)
from autograd.compiler.bulk.layout import Layout
from autograd.compiler.llvm.functions.table import Needed, emit_primitive
from autograd.compiler.llvm.kernels.code import Code, Offset
from autograd.compiler.llvm.loops.elementwise import Slopes, fold, signed_sum
from autograd.compiler.trace.program import Ints


def sums_rows(operation: Operation) -> bool:
    """Whether an operation adds numbers up over the batch."""
    return isinstance(operation, SumOfProducts) and any(
        p.over_batch for p in operation.terms
    )


def totals_of(operations: list[Operation]) -> Ints:
    """The positions of all sums over the batch."""
    found = [op.target for op in operations if sums_rows(op)]
    return np.concatenate([np.zeros(0, np.int64), *found])


class RowsWriter(ABC):
    """Writes the loop over the rows; where arrays and results lie is left open."""

    def __init__(
        self, bulk: Bulk, layout: Layout, operations: list[Operation], code: Code
    ) -> None:
        self.bulk, self.layout, self.operations = bulk, layout, operations
        self.code, self.needed = code, Needed()
        self.registers: dict[int, str] = {}
        self.columns: dict[int, tuple[int, int, int]] = {}
        for number, (first, count) in enumerate(bulk.blocks):
            for column in range(count):
                self.columns[first + column] = number, column, count
        self.totals = totals_of(operations)
        self.wide = [p for p in bulk.outputs.tolist() if bulk.batched[p]]
        self.total = 0
        of = {name: set[int]() for name in Slopes.NAMES}
        for operation in operations:
            if isinstance(operation, Map) and operation.primitive.name in of:
                of[operation.primitive.name].update(operation.operands[0].tolist())
        self.both = of["tanh"] & of["sech2"]
        self.sloped: set[str] = set()  # registers whose tanh and sech^2 are wanted

    @abstractmethod
    def array(self, number: int) -> str:
        """A pointer to an array whose rows stream through."""

    @abstractmethod
    def total_place(self, k: Offset) -> str:
        """A pointer to where the sum number k over the rows belongs."""

    @abstractmethod
    def keep(self, k: int, position: int, value: str) -> None:
        """Write the result number k of every row."""

    def look_ahead(self) -> None:
        """Ask for what later rows need; nothing by default."""
        return

    def write(self, begin: Offset, end: Offset, room: str) -> None:
        """The loop from row ``begin`` to ``end``; sums gather in ``room``."""
        code, totals = self.code, len(self.totals)
        self.begin, self.end = begin, end

        def clear(k: Offset, _: list[str]) -> list[str]:
            place = code.at(room, code.times(k, code.width))
            code.store(code.lanes.constant(0.0), place)
            return []

        code.loop(totals, clear)
        count = code.minus(end, begin)
        self.even = isinstance(count, int) and count % code.width == 0
        code.loop(count, lambda i, _: self._block(i, room), step=code.width)

        def gather(k: Offset, _: list[str]) -> list[str]:
            sums = code.load(code.at(room, code.times(k, code.width)))
            code.store_one(code.total(sums), self.total_place(k))
            return []

        code.loop(totals, gather)

    def _block(self, i: Offset, room: str) -> list[str]:
        """All numbers of ``width`` rows, or of those that are left."""
        code = self.code
        self.row = code.plus(self.begin, i)
        left = code.minus(self.end, self.row)
        self.mask = None if self.even else code.first(left)
        self.total = 0
        self.arrays = [self.array(number) for number in range(len(self.bulk.blocks))]
        self.look_ahead()
        later = self._guards > 2 * (len(self.totals) + len(self.wide))
        values = self._numbers(guarded=not later)
        if later:
            values = self._mended(values)
        for value in values[: len(self.totals)]:
            self._accumulate(value, room)
        for k, position in enumerate(self.wide):
            self.keep(k, position, values[len(self.totals) + k])
        return []

    def _numbers(self, guarded: bool) -> list[str]:
        """What is added up over the batch, then what is kept, of ``width`` rows."""
        self.guarded, self.registers = guarded, {}
        self.slopes = Slopes(self.code.lanes, self.needed)
        sums = []
        for operation in self.operations:
            for k in range(len(operation.target)):
                value = self._value(operation, k)
                if sums_rows(operation):
                    sums.append(value)
                else:
                    self._keep(int(operation.target[k]), value)
        return [*sums, *[self._read(position) for position in self.wide]]

    @property
    def _guards(self) -> int:
        """How many products of a row are guarded (``autograd.graph.strong``)."""
        parts = [
            p
            for op in self.operations
            if isinstance(op, SumOfProducts)
            for p in op.terms
        ]
        return sum(len(part) for part in parts if part.strong)

    def _mended(self, values: list[str]) -> list[str]:
        """The values of plain products; guarded, if one of them is NaN.

        Many guards cost more than a look at what came out.
        """
        code, lanes = self.code, self.code.lanes
        bad, *others = [lanes.compare("uno", value, value) for value in values]
        for other in others:
            bad = lanes.logic("or", bad, other)
        any_lane = f"@llvm.vector.reduce.or.v{code.width}i1({lanes.mask} {bad})"
        return code.choose(
            code.emit(f"call i1 {any_lane}"),
            lambda: self._numbers(guarded=True),
            values,
        )

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
            name = operation.primitive.name
            if name in Slopes.NAMES and operands[0] in self.sloped:
                return self.slopes.value(name, operands[0])
            return emit_primitive(lanes, name, operands, self.needed)
        if isinstance(operation, SegmentReduce):
            begin, end = operation.offsets[k : k + 2].tolist()
            numbers = [self._read(p) for p in operation.groups[0][begin:end].tolist()]
            return fold(lanes, operation.primitive.name, numbers)
        parts = sorted(operation.terms, key=lambda part: part.sign < 0)
        return signed_sum(
            lanes,
            (
                (
                    part.sign,
                    [self._read(int(stream[j])) for stream in part.factors],
                    part.strong * self.guarded,
                )
                for part in parts
                for j in range(int(part.offsets[k]), int(part.offsets[k + 1]))
            ),
        )

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


# -- The stages of a program with a batch: before the rows, the rows, and a


def one_pass(bulk: Bulk) -> bool:
    """Whether nothing that has lanes waits for a sum over the batch."""
    late = np.zeros(bulk.size, bool)
    for operation in bulk.operations:
        waits = any(late[positions].any() for positions in operation.reads())
        if waits and is_wide(bulk, operation):
            return False
        late[operation.target] = waits or sums_rows(operation)
    return True


def is_wide(bulk: Bulk, operation: Operation) -> bool:
    """Whether the results of an operation have lanes."""
    return bool(bulk.is_batched(operation.target[:1]).any())


def parted(bulk: Bulk) -> Bulk:
    """Sums over rows become operations of one part, which others add up."""
    operations: list[Operation] = []
    size, lanes = bulk.size, [bulk.batched]
    for operation in bulk.operations:
        alone = isinstance(operation, SumOfProducts) and len(operation.terms) == 1
        if (
            alone
            or not isinstance(operation, SumOfProducts)
            or not sums_rows(operation)
        ):
            operations.append(operation)
            continue
        n, parts = len(operation.target), []
        for part in operation.terms:
            if not part.over_batch:
                parts.append(part)
                continue
            target = np.arange(size, size + n)
            size += n
            lanes.append(np.zeros(n, bool))
            operations.append(SumOfProducts(target, [part]))
            parts.append(Terms(1, np.arange(n + 1), (target,)))
        operations.append(SumOfProducts(operation.target, parts))
    return replace(
        bulk, operations=operations, size=size, batched=np.concatenate(lanes)
    )


def stages(bulk: Bulk) -> tuple[list[Operation], list[Operation], list[Operation]]:
    """Shared operations before the rows, those of the rows, and what waits for sums."""
    before: list[Operation] = []
    rows: list[Operation] = []
    after: list[Operation] = []
    late = np.zeros(bulk.size, bool)
    for operation in bulk.operations:
        if is_wide(bulk, operation) or sums_rows(operation):
            rows.append(operation)
            late[operation.target] = sums_rows(operation)
        elif any(late[positions].any() for positions in operation.reads()):
            after.append(operation)
            late[operation.target] = True
        else:
            before.append(operation)
    return before, rows, after
