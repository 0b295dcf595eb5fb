"""Groups of fused operations as loops of LLVM IR.

A group is a nest over the joint index space. Its innermost loop runs over lanes;
streams are loaded as neighbours (step 1), broadcasts (step 0), or gathers:

    z[3 i + j] = x[i] + y[j],  i < 4, j < 3:    for i:  for j in vectors:
                                                    z[3 i + j ...] = x[i] + y[j ...]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

import numpy as np

from autograd.compiler.bulk.bulk import Map, Operation, SumOfProducts
from autograd.compiler.bulk.nests import Nest, factor
from autograd.compiler.llvm.kernels.code import Offset
from autograd.compiler.llvm.loops.context import Context, Stream
from autograd.compiler.llvm.loops.elementwise import Slopes, compute, reads_of
from autograd.compiler.llvm.loops.fusion import ByPositions, Group, equal_positions
from autograd.compiler.trace.program import Ints

_DEEPEST = 3
_HELD = 16  # vectors of an innermost loop that may become the outer one


def write_loop(context: Context, group: Group) -> None:
    _LoopWriter(context, group).write()


def write_scalars(context: Context, group: Group) -> None:
    """A group of single numbers: straight-line code."""
    code, results = context.code, dict[int, str]()

    def pointer(position: Ints) -> str:
        address = int(context.layout.address[position[0]])
        return code.at("%v", code.plus(address, context.distance(position[:1])))

    def value(position: Ints) -> str:
        number = context.number(position[:1])
        if number is not None:
            return code.scalar.constant(number)
        key = int(position[0])
        if key not in results:
            results[key] = code.load_one(pointer(position))
        return results[key]

    for operation in group.operations:
        key = int(operation.target[0])
        results[key] = compute(code.scalar, operation, value, context.needed)
        if context.stored[key]:
            code.store_one(results[key], pointer(operation.target))


class _LoopWriter:
    def __init__(self, context: Context, group: Group) -> None:
        self.context, self.code, self.group = context, context.code, group
        self.streams: list[Ints] = []
        self.numbers = ByPositions[int]()
        self.local = ByPositions[bool]()
        for operation in group.operations:
            self._collect(operation)
            self.local.add(operation.target, True)
            if context.stored[operation.target].any():
                self._stream(operation.target)
        for total in group.totals:
            self._collect(total)

    def _collect(self, operation: Operation) -> None:
        for positions in reads_of(operation, self.group.n):
            if self.context.number(positions) is None and not self.local.get(positions):
                self._stream(positions)

    def _stream(self, positions: Ints) -> int:
        """The number of a stream; equal index arrays are one."""
        number = self.numbers.get(positions)
        if number is None:
            number = self.numbers.add(positions, len(self.streams))
            self.streams.append(positions)
        return number

    def write(self) -> None:
        """The nest of loops, its body, and the totals behind it."""
        batched, count = self.group.batched, self.group.n
        nest = self.context.nest_of(self.streams, batched) if self.streams else None
        if nest is None or (nest.affine and len(nest.counts) < 2):
            streams = [] if nest is None else self._flat(nest)
            rows = count * self.context.layout.samples if batched else count
            self._totals(self._innermost(streams, rows))
        elif batched or (max(nest.counts, default=0) >= 4 and not self.group.totals):
            self._nest(nest)
        else:
            streams = [self._one_by_one(positions) for positions in self.streams]
            self._totals(self._innermost(streams, count))

    def _flat(self, nest: Nest) -> list[Stream]:
        """The streams of a nest of one loop."""
        steps = nest.steps[:, 0] if nest.counts else 0 * nest.bases[:, 0]
        far = [self.context.distance(x) for x in self.streams]
        bases = list(map(self.code.plus, nest.bases[:, 0].tolist(), far))
        return list(map(Stream, bases, steps.tolist()))

    def _one_by_one(self, positions: Ints) -> Stream:
        """A stream for itself, where all together are irregular."""
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
        loops = range(len(nest.counts))
        inner = max(loops, key=lambda d: self._quality(nest, d))
        if self.group.batched:
            inner = len(nest.counts) - 1
        outer = [d for d in loops if d != inner]
        held = self._held(nest, inner, outer)
        if held:
            self._interchanged(nest, inner, outer, held)
            return

        def innermost(bases: list[Offset]) -> None:
            streams = list(map(Stream, bases, nest.steps[:, inner].tolist()))
            self._innermost(streams, nest.counts[inner])

        self.context.nest(nest, outer, self.streams, innermost)

    def _quality(self, nest: Nest, d: int) -> tuple[int, int, int]:
        steps = np.abs(nest.steps[:, d])
        width = self.code.width
        return min(nest.counts[d], width), int((steps <= 1).sum()), nest.counts[d]

    def _held(self, nest: Nest, inner: int, outer: list[int]) -> list[int]:
        """Numbers of streams to load once, outside of the outer loops.

        Those that the outer loops do not move, when gathers are among them.
        """
        if not nest.affine or not outer or nest.counts[inner] > _HELD * self.code.width:
            return []
        fixed = (nest.steps[:, outer] == 0).all(axis=1)
        gathers = np.abs(nest.steps[:, inner]) > 1
        return np.flatnonzero(fixed).tolist() if (fixed & gathers).any() else []

    def _interchanged(
        self, nest: Nest, inner: int, outer: list[int], held: list[int]
    ) -> None:
        """The outer loops inside: gathers that they do not move are done once.

            for i:  for j in vectors:  z[i, j ...] = gather x[9 j ...] + y[i, j ...]
        ->  for j in vectors:  x' = gather x[9 j ...];  for i:  z[i, j ...] = x' + ...
        """
        steps = nest.steps[:, inner].tolist()
        first = self._flat(
            Nest((nest.counts[inner],), nest.steps[:, [inner]], nest.bases)
        )

        def block(i: Offset, mask: str | None) -> None:
            loaded = {k: first[k].load(self.code, i, mask) for k in held}

            def body(bases: list[Offset]) -> None:
                self._body(list(map(Stream, bases, steps)), i, mask, [], loaded)

            self.context.nest(nest, outer, self.streams, body)

        self.code.vectors(nest.counts[inner], block)

    # -- The innermost loop ----------------------------------------------------------

    def _innermost(self, streams: list[Stream], count: int) -> list[str]:
        """Returns the vectors of the totals."""
        code, width = self.code, self.code.width
        whole = count // width * width
        fixed = {
            k: stream.load(code, 0, None)
            for k, stream in enumerate(streams)
            if stream.fixed
        }

        def body(i: Offset, sums: list[str]) -> list[str]:
            return self._body(streams, i, None, sums, fixed)

        carried = [(code.type, "zeroinitializer")] * len(self.group.totals)
        totals = code.loop(whole, body, carried, step=width)
        if count > whole:
            mask = code.first(count - whole)
            totals = self._body(streams, whole, mask, totals, fixed)
        return totals

    def _body(
        self,
        streams: list[Stream],
        i: Offset,
        mask: str | None,
        sums: list[str],
        loaded: dict[int, str],
    ) -> list[str]:
        """One step; ``loaded`` are streams that are in registers already."""
        code, registers, results = self.code, dict(loaded), ByPositions[str]()

        def value(positions: Ints) -> str:
            number = self.context.number(positions)
            if number is not None:
                return code.lanes.constant(number)
            result = results.get(positions)
            if result is not None:
                return result
            k = self._stream(positions)
            if k not in registers:
                registers[k] = streams[k].load(code, i, mask)
            return registers[k]

        slopes = Slopes(code.lanes, self.context.needed)
        for operation in self.group.operations:
            if self._is_paired(operation):
                x = value(operation.operands[0])
                register = slopes.value(operation.primitive.name, x)
            else:
                register = compute(code.lanes, operation, value, self.context.needed)
            results.add(operation.target, register)
            if self.context.stored[operation.target].any():
                stream = streams[self._stream(operation.target)]
                stream.store(code, i, mask, register)
        pairs = zip(self.group.totals, sums, strict=True)
        return [self._accumulated(total, s, value, mask) for total, s in pairs]

    def _is_paired(self, operation: Operation) -> TypeGuard[Map]:
        """Whether both tanh and sech^2 of the operand are wanted."""
        if not isinstance(operation, Map):
            return False
        wanted = {
            other.primitive.name
            for other in self.group.operations
            if isinstance(other, Map)
            and other.primitive.name in Slopes.NAMES
            and equal_positions(other.operands[0], operation.operands[0])
        }
        return operation.primitive.name in wanted and len(wanted) == 2

    def _accumulated(
        self,
        total: SumOfProducts,
        sum_: str,
        value: Callable[[Ints], str],
        mask: str | None,
    ) -> str:
        lanes, part = self.code.lanes, total.terms[0]
        x = lanes.product([value(stream) for stream in part.factors], part.strong)
        return lanes.add(sum_, self.code.masked(mask, x))

    def _totals(self, sums: list[str]) -> None:
        """The sums of all lanes, where they belong."""
        code = self.code
        for total, sum_ in zip(self.group.totals, sums, strict=True):
            value = code.total(sum_)
            if total.terms[0].sign < 0:
                value = code.scalar.negate(value)
            self.context.resident(total.target)
            place = self.context.layout.address[total.target[0]]
            code.store_one(value, code.at("%v", int(place)))
