"""Loops: groups of fused operations, and calls of kernels, as LLVM IR.

A loop group is a nest over the joint index space. Its innermost loop runs over lanes;
streams are loaded as neighbours (step 1), broadcasts (step 0), or gathers.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

from autograd.compiler.bulk.bulk import Map, Operation, SumOfProducts
from autograd.compiler.bulk.nests import Nest, factor
from autograd.compiler.llvm.kernels.code import Offset
from autograd.compiler.llvm.loops.context import Context, Stream
from autograd.compiler.llvm.loops.elementwise import Slopes, compute, reads_of
from autograd.compiler.llvm.loops.fusion import Group, is_same_stream
from autograd.compiler.trace.program import Ints

_DEEPEST = 3
_HELD = 16  # vectors of an innermost loop that may become the outer one


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
            if not any(is_same_stream(positions, target) for target in self.local):
                self._stream(positions)

    def _stream(self, positions: Ints) -> int:
        """The number of a stream; equal index arrays are one."""
        mark = (int(positions[0]), int(positions[-1]))
        for other, number in self.numbers.setdefault(mark, []):
            if is_same_stream(other, positions):
                return number
        self.numbers[mark].append((positions, len(self.streams)))
        self.streams.append(positions)
        return len(self.streams) - 1

    def write(self) -> None:
        """The nest of loops, its body, and the totals behind it."""
        batched, count = self.group.batched, self.group.n
        nest = self.context.nest_of(self.streams, batched) if self.streams else None
        if nest is None or (nest.affine and len(nest.counts) < 2):
            lanes = [] if nest is None else self._flat(nest)
            rows = count * self.context.layout.samples if batched else count
            self._totals(self._innermost(lanes, rows, self._zeros()))
            return
        deep = nest.counts and max(nest.counts) >= 4 and not self.group.totals
        if batched or deep:
            self._nest(nest)
            return
        lanes = [self._one_by_one(positions) for positions in self.streams]
        self._totals(self._innermost(lanes, count, self._zeros()))

    def _flat(self, nest: Nest) -> list[Stream]:
        steps = nest.steps[:, 0] if nest.counts else 0 * nest.bases[:, 0]
        far = [self.context.distance(x) for x in self.streams]
        bases = [
            self.code.plus(base, distance)
            for base, distance in zip(nest.bases[:, 0].tolist(), far, strict=True)
        ]
        return [Stream(b, s) for b, s in zip(bases, steps.tolist(), strict=True)]

    def _one_by_one(self, positions: Ints) -> Stream:
        far = self.context.distance(positions)
        places = self.context.layout.address[positions]
        own = factor([places])
        if own.affine and len(own.counts) == 1:
            base = self.code.plus(int(own.bases[0, 0]), far)
            return Stream(base, int(own.steps[0, 0]))
        return Stream(far, 0, self.context.tables.add(places))

    def _nest(self, nest: Nest) -> None:
        """Outer loops around the best innermost one, below a table of bases."""
        nest = nest.limited(_DEEPEST)
        inner = max(range(len(nest.counts)), key=lambda d: self._quality(nest, d))
        if self.group.batched:
            inner = len(nest.counts) - 1
        outer = [d for d in range(len(nest.counts)) if d != inner]
        held = self._held(nest, inner, outer)
        if held:
            self._interchanged(nest, inner, outer, held)
            return

        def innermost(bases: list[Offset]) -> None:
            lanes = [
                Stream(base, int(step))
                for base, step in zip(bases, nest.steps[:, inner], strict=True)
            ]
            self._innermost(lanes, nest.counts[inner], [])

        self.context.nest(nest, outer, self.streams, innermost)

    def _held(self, nest: Nest, inner: int, outer: list[int]) -> list[int]:
        """Streams that the outer loops do not move, when gathers are among them."""
        if not nest.affine or not outer or nest.counts[inner] > _HELD * self.code.width:
            return []
        fixed = (nest.steps[:, outer] == 0).all(axis=1)
        gathers = np.abs(nest.steps[:, inner]) > 1
        return np.flatnonzero(fixed).tolist() if (fixed & gathers).any() else []

    def _interchanged(
        self, nest: Nest, inner: int, outer: list[int], held: list[int]
    ) -> None:
        """The outer loops inside: gathers that they do not move are done once."""
        code, width, count = self.code, self.code.width, nest.counts[inner]
        whole = count // width * width
        first = self._flat(Nest((count,), nest.steps[:, [inner]], nest.bases))

        def block(i: Offset, mask: str | None) -> None:
            loaded = {k: first[k].load(self.code, i, mask) for k in held}

            def body(bases: list[Offset]) -> None:
                steps = nest.steps[:, inner].tolist()
                lanes = [Stream(b, s) for b, s in zip(bases, steps, strict=True)]
                self._body(lanes, i, mask, [], loaded)

            self.context.nest(nest, outer, self.streams, body)

        def step(i: Offset, _: list[str]) -> list[str]:
            block(i, None)
            return []

        code.loop(whole, step, step=width)
        if count > whole:
            block(whole, code.first(count - whole))

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
        fixed = {
            k: stream.load(code, 0, None)
            for k, stream in enumerate(lanes)
            if stream.fixed
        }

        def body(i: Offset, sums: list[str]) -> list[str]:
            return self._body(lanes, i, None, sums, fixed)

        carried = [(code.type, total) for total in totals]
        totals = code.loop(whole, body, carried, step=width)
        if count > whole:
            mask = code.first(count - whole)
            totals = self._body(lanes, whole, mask, totals, fixed)
        return totals

    def _body(
        self,
        lanes: list[Stream],
        i: Offset,
        mask: str | None,
        sums: list[str],
        loaded: dict[int, str] | None = None,
    ) -> list[str]:
        """One step; ``loaded`` are streams that are in registers already."""
        registers = dict(loaded or {})
        results: list[tuple[Ints, str]] = []
        code = self.code

        def value(positions: Ints) -> str:
            number = self.context.number(positions)
            if number is not None:
                return code.lanes.constant(number)
            for target, register in reversed(results):
                if is_same_stream(target, positions):
                    return register
            stream = self._stream(positions)
            if stream not in registers:
                registers[stream] = lanes[stream].load(code, i, mask)
            return registers[stream]

        slopes = Slopes(code.lanes, self.context.needed)
        for operation in self.group.operations:
            if self._is_paired(operation):
                x = value(operation.operands[0])
                register = slopes.value(operation.primitive.name, x)
            else:
                register = compute(self.context, code.lanes, operation, value)
            results.append((operation.target, register))
            if self.context.stored[operation.target].any():
                stream = lanes[self._stream(operation.target)]
                stream.store(code, i, mask, register)
        return [
            self._accumulate(total, sums[k], value, mask)
            for k, total in enumerate(self.group.totals)
        ]

    def _is_paired(self, operation: Operation) -> TypeGuard[Map]:
        """Whether both tanh and sech^2 of the operand are wanted."""
        if not isinstance(operation, Map):
            return False
        wanted = {
            other.primitive.name
            for other in self.group.operations
            if isinstance(other, Map)
            and other.primitive.name in Slopes.NAMES
            and is_same_stream(other.operands[0], operation.operands[0])
        }
        return operation.primitive.name in wanted and len(wanted) == 2

    def _accumulate(
        self, total: SumOfProducts, sum_: str, value: Any, mask: str | None
    ) -> str:
        code, part = self.code, total.terms[0]
        x, *other = [value(stream) for stream in part.factors]
        if other:
            x = code.lanes.product(x, other[0], part.strong)
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
            self.context.resident(total.target)
            place = self.context.layout.address[total.target[0]]
            self.code.store_one(value, self.code.at("%v", int(place)))
