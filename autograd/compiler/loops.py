"""Loops: groups of fused operations, and calls of kernels, as LLVM IR.

A loop group is a nest over the joint index space. Its innermost loop runs over lanes;
streams are loaded as neighbours (step 1), broadcasts (step 0), or gathers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.bulk import Bulk, Map, Operation, Sum, Terms
from autograd.compiler.code import Code, Offset
from autograd.compiler.fusion import Group, same
from autograd.compiler.layout import Layout
from autograd.compiler.nests import Nest, factor
from autograd.compiler.program import Ints
from autograd.compiler.vector_math import Needed, emit_row, emit_tanh_and_sech2

__all__ = ["Context", "LoopWriter", "Tables", "write_scalars"]

_DEEPEST = 3
_PAIR = ("tanh", "sech2")


class Tables:
    """Index tables of a program, one behind the other, as int32."""

    def __init__(self) -> None:
        self.parts: list[Ints] = []
        self.size = 0

    def add(self, entries: Ints) -> int:
        """Where the entries begin."""
        start = self.size
        self.parts.append(np.ascontiguousarray(entries))
        self.size += len(entries)
        return start

    def array(self) -> Any:
        """All of them."""
        parts = self.parts or [np.zeros(1, np.int64)]
        return np.concatenate(parts).astype(np.int32)


class Stream:
    """Where the elements of an index array lie along the innermost loop."""

    def __init__(self, base: Offset, step: int, table: int | None = None) -> None:
        self.base, self.step, self.table = base, step, table


class Context:
    """What all groups of a program share while they are written."""

    def __init__(self, bulk: Bulk, layout: Layout, width: int) -> None:
        self.bulk, self.code, self.tables = bulk, Code(width), Tables()
        self.layout = layout
        self.constants = bulk.constants
        self.needed: Needed = set()
        self.stored = np.ones(bulk.size, bool)  # which positions go to memory
        # Behind the memory: 0, 1, a place to write what nobody reads, and spare room.
        self.zero, self.one, self.dump = range(layout.size, layout.size + 3)
        self.scratch = 0
        self.kernels: set[str] = set()
        self.foreign: list[str] = []  # symbols of operations that Python runs

    def number(self, positions: Ints) -> float | None:
        """The baked-in number that all positions hold, if that is so."""
        if not len(positions):
            return None
        first = int(positions[0])
        if first in self.constants and (
            positions.strides == (0,) or (positions == first).all()
        ):
            return self.constants[first]
        return None

    def address(self, place: int) -> str:
        """A pointer to a place of the memory."""
        return self.code.at("%v", place)

    def nest_of(self, streams: list[Ints], wide: bool) -> Nest:
        """The loops that streams have in common; the rows of the batch innermost."""
        nest = factor([self.layout.address[x] for x in streams])
        if not wide:
            return nest
        moves = np.array([[self.layout.lane_step(x)] for x in streams])
        steps = np.concatenate([nest.steps, moves], axis=1)
        return Nest((*nest.counts, self.layout.rows), steps, nest.bases)

    def spare(self, count: int) -> int:
        """Where a kernel finds spare room for so many numbers."""
        self.scratch = max(self.scratch, count)
        return self.layout.size + 8

    def call(self, kernel: str, arguments: str) -> None:
        """Call a kernel of the library."""
        self.kernels.add(kernel)
        self.code.do(f"call void @autograd.{kernel}.{self.code.width}({arguments})")

    def nest(self, nest: Nest, outer: list[int], body: Any) -> None:
        """body(bases) inside the outer loops of a nest, below its table of bases."""
        code = self.code

        def descend(depth: int, bases: list[Offset]) -> None:
            if depth == len(outer):
                body(bases)
                return
            steps = nest.steps[:, outer[depth]].tolist()

            def trip(i: str, _: list[str]) -> list[str]:
                moved = [
                    code.plus(base, code.times(_known(i), step))
                    for base, step in zip(bases, steps, strict=True)
                ]
                descend(depth + 1, moved)
                return []

            code.loop(nest.counts[outer[depth]], trip)

        if nest.affine:
            descend(0, nest.bases[:, 0].tolist())
            return
        entries = [self._base_table(bases) for bases in nest.bases]

        def entry(i: str, _: list[str]) -> list[str]:
            descend(0, [self._base(found, _known(i)) for found in entries])
            return []

        code.loop(nest.bases.shape[1], entry)

    def _base_table(self, bases: Ints) -> Stream:
        step = int(bases[1] - bases[0])
        if (np.diff(bases) == step).all():
            return Stream(int(bases[0]), step)
        return Stream(0, 0, self.tables.add(bases))

    def _base(self, entry: Stream, i: Offset) -> Offset:
        code = self.code
        if entry.table is None:
            return code.plus(entry.base, code.times(i, entry.step))
        place = code.at("%t", code.plus(i, entry.table), "i32")
        short = code.emit(f"load i32, ptr {place}, align 4")
        return code.emit(f"sext i32 {short} to i64")


def _known(i: str) -> Offset:
    return 0 if i == "0" else i


class LoopWriter:
    """One loop group."""

    def __init__(self, context: Context, group: Group) -> None:
        self.context, self.code, self.group = context, context.code, group
        self.streams: list[Ints] = []
        self.numbers: dict[Any, list[tuple[Ints, int]]] = {}
        self.local: list[Ints] = []
        for operation in group.operations:
            self._collect(operation)
            self.local.append(operation.target)
            if context.stored[operation.target].any():
                self._stream(operation.target)
        for total in group.totals:
            self._collect(total)

    def _collect(self, operation: Operation) -> None:
        for positions in reads_of(operation, self.group.n):
            if self.context.number(positions) is not None:
                continue
            if not any(same(positions, target) for target in self.local):
                self._stream(positions)

    def _stream(self, positions: Ints) -> int:
        """The number of a stream; equal index arrays are one."""
        mark = (int(positions[0]), int(positions[-1]))
        for known, number in self.numbers.setdefault(mark, []):
            if same(known, positions):
                return number
        self.numbers[mark].append((positions, len(self.streams)))
        self.streams.append(positions)
        return len(self.streams) - 1

    def write(self) -> None:
        """The nest of loops, its body, and the totals behind it."""
        wide, count = self.group.wide, self.group.n
        nest = self.context.nest_of(self.streams, wide) if self.streams else None
        if nest is None or (nest.affine and len(nest.counts) < 2):
            lanes = [] if nest is None else self._flat(nest)
            rows = count * self.context.layout.rows if wide else count
            self._totals(self._innermost(lanes, rows, self._zeros()))
            return
        deep = nest.counts and max(nest.counts) >= 4 and not self.group.totals
        if wide or deep:
            self._nest(nest)
            return
        lanes = [self._one_by_one(positions) for positions in self.streams]
        self._totals(self._innermost(lanes, count, self._zeros()))

    def _flat(self, nest: Nest) -> list[Stream]:
        steps = nest.steps[:, 0] if nest.counts else 0 * nest.bases[:, 0]
        pairs = zip(nest.bases[:, 0].tolist(), steps.tolist(), strict=True)
        return [Stream(base, step) for base, step in pairs]

    def _one_by_one(self, positions: Ints) -> Stream:
        positions = self.context.layout.address[positions]
        own = factor([positions])
        if own.affine and len(own.counts) == 1:
            return Stream(int(own.bases[0, 0]), int(own.steps[0, 0]))
        return Stream(0, 0, self.context.tables.add(positions))

    def _nest(self, nest: Nest) -> None:
        """Outer loops around the best innermost one, below a table of bases."""
        nest = nest.limited(_DEEPEST)
        inner = max(range(len(nest.counts)), key=lambda d: self._quality(nest, d))
        if self.group.wide:
            inner = len(nest.counts) - 1
        outer = [d for d in range(len(nest.counts)) if d != inner]

        def innermost(bases: list[Offset]) -> None:
            lanes = [
                Stream(base, int(step))
                for base, step in zip(bases, nest.steps[:, inner], strict=True)
            ]
            self._innermost(lanes, nest.counts[inner], [])

        self.context.nest(nest, outer, innermost)

    def _quality(self, nest: Nest, d: int) -> tuple[int, int, int]:
        steps = np.abs(nest.steps[:, d])
        width = self.code.width
        return min(nest.counts[d], width), int((steps <= 1).sum()), nest.counts[d]

    # -- the innermost loop ----------------------------------------------------------

    def _zeros(self) -> list[str]:
        return ["zeroinitializer"] * len(self.group.totals)

    def _innermost(
        self, lanes: list[Stream], count: int, totals: list[str]
    ) -> list[str]:
        code, width = self.code, self.code.width
        whole = count // width * width

        def body(i: str, sums: list[str]) -> list[str]:
            return self._body(lanes, i, None, sums)

        carried = [(code.type, total) for total in totals]
        totals = code.loop(whole, body, carried, step=width)
        if count > whole:
            totals = self._body(lanes, whole, code.first(count - whole), totals)
        return totals

    def _body(
        self, lanes: list[Stream], i: Offset, mask: str | None, sums: list[str]
    ) -> list[str]:
        registers: dict[int, str] = {}
        results: list[tuple[Ints, str]] = []
        code = self.code
        i = _known(i) if isinstance(i, str) else i

        def value(positions: Ints) -> str:
            number = self.context.number(positions)
            if number is not None:
                return code.lanes.constant(number)
            for target, register in reversed(results):
                if same(target, positions):
                    return register
            stream = self._stream(positions)
            if stream not in registers:
                registers[stream] = self._load(lanes[stream], i, mask)
            return registers[stream]

        pairs: dict[str, tuple[str, str]] = {}
        for operation in self.group.operations:
            register = self._pair(operation, value, pairs)
            if register is None:
                register = compute(self.context, code.lanes, operation, value)
            results.append((operation.target, register))
            if self.context.stored[operation.target].any():
                stream = lanes[self._stream(operation.target)]
                self._store(stream, i, mask, register)
        return [
            self._accumulate(total, sums[k], value, mask)
            for k, total in enumerate(self.group.totals)
        ]

    def _pair(
        self, operation: Operation, value: Any, pairs: dict[str, tuple[str, str]]
    ) -> str | None:
        """Tanh and sech^2 of one stream from one exponential."""
        if not isinstance(operation, Map) or operation.row.name not in _PAIR:
            return None
        operand = operation.operands[0]
        wanted = {
            other.row.name
            for other in self.group.operations
            if isinstance(other, Map)
            and other.row.name in _PAIR
            and same(other.operands[0], operand)
        }
        if len(wanted) < 2:
            return None
        x = value(operand)
        if x not in pairs:
            pairs[x] = emit_tanh_and_sech2(self.code.lanes, x, self.context.needed)
        return pairs[x][operation.row.name == "sech2"]

    def _accumulate(self, total: Sum, sum_: str, value: Any, mask: str | None) -> str:
        code, part = self.code, total.terms[0]
        x = value(part.left)
        if part.right is not None:
            x = code.lanes.multiply(x, value(part.right))
        if mask is not None:
            zero = f"{code.type} zeroinitializer"
            kind = f"<{code.width} x i1>"
            x = code.emit(f"select {kind} {mask}, {code.type} {x}, {zero}")
        return code.lanes.add(sum_, x)

    def _totals(self, sums: list[str]) -> None:
        for total, sum_ in zip(self.group.totals, sums, strict=True):
            value = self.code.total(sum_)
            if total.terms[0].sign < 0:
                value = self.code.scalar.negate(value)
            place = self.context.layout.address[total.target[0]]
            self.code.store_one(value, self.code.at("%v", int(place)))

    def _load(self, stream: Stream, i: Offset, mask: str | None) -> str:
        code = self.code
        if stream.table is None and stream.step == 0:
            return code.broadcast(code.at("%v", stream.base))
        if stream.table is None and stream.step == 1:
            return code.load(code.at("%v", code.plus(stream.base, i)), mask)
        return code.gather("%v", self._places(stream, i, mask), mask)

    def _places(self, stream: Stream, i: Offset, mask: str | None) -> str:
        code = self.code
        if stream.table is not None:
            place = code.at("%t", code.plus(i, stream.table), "i32")
            return code.load_indices(place, mask)
        start = code.plus(stream.base, code.times(i, stream.step))
        return code.steps(start, stream.step)

    def _store(self, stream: Stream, i: Offset, mask: str | None, value: str) -> None:
        code = self.code
        if stream.table is None and stream.step == 1:
            code.store(value, code.at("%v", code.plus(stream.base, i)), mask)
        else:
            code.scatter(value, "%v", self._places(stream, i, mask), mask)


def reads_of(operation: Operation, n: int) -> list[Ints]:
    """The streams of an operation, one for each operand of each of its n rows."""
    if not isinstance(operation, Sum):
        return list(operation.reads())
    found = []
    for part in operation.terms:
        k = len(part.left) // n
        for j in range(k):
            found.append(column(part.left, j, k))
            if part.right is not None:
                found.append(column(part.right, j, k))
    return found


def column(positions: Ints, j: int, k: int) -> Ints:
    """Term j of every row of k terms."""
    return positions if k == 1 else positions[j::k]


def compute(context: Context, lanes: Any, operation: Operation, value: Any) -> str:
    """Emit an elementwise operation; ``value`` gives the register of a stream."""
    if isinstance(operation, Map):
        operands = [value(positions) for positions in operation.operands]
        return emit_row(lanes, operation.row.name, operands, context.needed)
    assert isinstance(operation, Sum)
    n = len(operation.target)
    result = None
    for part in sorted(operation.terms, key=lambda part: part.sign < 0):
        result = _add_terms(lanes, part, len(part.left) // n, value, result)
    return result if result is not None else str(lanes.constant(0.0))


def _add_terms(
    lanes: Any, part: Terms, k: int, value: Any, result: str | None
) -> str | None:
    for j in range(k):
        x = value(column(part.left, j, k))
        if part.right is not None:
            x = lanes.multiply(x, value(column(part.right, j, k)))
        if result is None:
            result = x if part.sign > 0 else lanes.negate(x)
        elif part.sign > 0:
            result = lanes.add(result, x)
        else:
            result = lanes.subtract(result, x)
    return result


def write_scalars(context: Context, group: Group) -> None:
    """A group of single numbers: straight-line code."""
    code, results = context.code, dict[int, str]()

    def value(positions: Ints) -> str:
        place = int(positions[0])
        if place in context.constants:
            return code.scalar.constant(context.constants[place])
        if place not in results:
            where = int(context.layout.address[place])
            results[place] = code.load_one(code.at("%v", where))
        return results[place]

    for operation in group.operations:
        place = int(operation.target[0])
        results[place] = compute(context, code.scalar, operation, value)
        if context.stored[place]:
            where = int(context.layout.address[place])
            code.store_one(results[place], code.at("%v", where))
