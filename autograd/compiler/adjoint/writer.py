"""Numbers that stand for blocks of a bulk program: what derivative rules compute on.

A rule of the table, run on ``Block`` numbers, writes bulk operations, as it writes
nodes when it is run on Values: with positions x = [0, 1, 2] and t = [5, 6, 7],

    1.0 - t * t    writes multiply([8, 9, 10] = [5, 6, 7] * [5, 6, 7]), subtract(...)

and returns the block of the results. A block has one number for each result of an
operation, or, with ``segments``, one for each operand of each result (*ragged*): beside
it, the number of a result stands for all its operands.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import (
    Bulk,
    Map,
    Mask,
    Operation,
    SegmentReduce,
    SumOfProducts,
    Terms,
)
from autograd.compiler.trace.program import Ints
from autograd.errors import TraceError
from autograd.numbers.lifted import Level
from autograd.numbers.operators import Operators
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE
from autograd.table.reals import as_float

_SUM, _WHERE, _MULTIPLY = TABLE["sum"], TABLE["where"], TABLE["multiply"]
_GUARDED, _SELECTED = TABLE["guarded_multiply"], TABLE["selected_multiply"]


class Writer:
    """Appends operations to a bulk program."""

    def __init__(self, bulk: Bulk) -> None:
        self.bulk, self.level = bulk, Level("adjoint")
        self.operations: list[Operation] = list(bulk.operations)
        self.size = bulk.size
        self.constants = dict(bulk.constants)
        self.baked = {_key(number): at for at, number in bulk.constants.items()}
        self.written: dict[Any, tuple[Ints, Any]] = {}  # common subexpressions
        self.truths: dict[int, Ints] = {}  # results that are 0 or 1
        self._batched = bulk.is_batched(np.arange(bulk.size))

    def constant(self, number: float) -> int:
        """The position of a number that is baked in."""
        key = _key(number)
        if key not in self.baked:
            self.baked[key] = int(self.room(1)[0])
            self.constants[self.baked[key]] = number
        return self.baked[key]

    def uniform(self, number: float, n: int) -> Ints:
        """n times the position of a number, in the memory of one."""
        return np.broadcast_to(np.int64(self.constant(number)), n)

    def number(self, positions: Ints) -> float | None:
        """The baked-in number that all positions hold, or None."""
        if not len(positions):
            return None
        number = self.constants.get(int(positions[0]))
        if number is None or positions.strides == (0,):
            return number
        return number if (positions == positions[0]).all() else None

    def room(self, n: int, batched: bool | Mask = False) -> Ints:
        """n fresh positions, for numbers that samples share or not."""
        start, self.size = self.size, self.size + n
        if self.size > len(self._batched):
            grown = np.zeros(2 * self.size, bool)
            grown[:start] = self._batched[:start]
            self._batched = grown
        self._batched[start : self.size] = batched
        return np.arange(start, self.size)

    def is_batched(self, positions: Ints) -> Mask:
        """Which positions hold one number for each sample of the batch."""
        return np.asarray(self._batched[positions])

    def batched(self, *streams: Ints) -> bool:
        """Whether a result of these operands is one for each sample."""
        if not self.bulk.batch:
            return False
        return any(bool(self.is_batched(x).any()) for x in streams)

    def finished(self, outputs: Ints) -> Bulk:
        """The program as it stands, with other outputs."""
        batch = self.bulk.batch
        return replace(
            self.bulk,
            operations=self.operations,
            size=self.size,
            constants=self.constants,
            outputs=outputs,
            batched=self._batched[: self.size] if batch else self.bulk.batched,
        )

    def map(self, primitive: Primitive, operands: tuple[Ints, ...]) -> Ints:
        """Positions of primitive(*operands), elementwise; writes a Map if it is new."""
        n = len(operands[0])
        numbers = [self.number(x) for x in operands]
        if None not in numbers:
            return self.uniform(primitive.apply(tuple(numbers)), n)
        simpler = self._simpler(primitive, operands, numbers)
        if simpler is not None:
            return simpler
        key = primitive, *zip(map(id, operands), numbers, strict=True)
        if key not in self.written:
            target = self.room(n, self.batched(*operands))
            self.operations.append(Map(primitive, target, operands))
            self.written[key] = target, operands  # operands live on: ids are theirs
            if primitive.predicate:
                self.truths[id(target)] = target
        return self.written[key][0]

    def _simpler(
        self,
        primitive: Primitive,
        operands: tuple[Ints, ...],
        numbers: list[float | None],
    ) -> Ints | None:
        """What constants decide, for every float."""
        if primitive is _WHERE and numbers[0] is not None:
            return operands[1] if numbers[0] != 0.0 else operands[2]
        if primitive is _MULTIPLY and 0.0 in numbers:  # times a truth value: 0
            other = operands[1 - numbers.index(0.0)]
            return self.uniform(0.0, len(other)) if self.is_truth(other) else None
        if primitive is _MULTIPLY and 1.0 in numbers:
            return operands[1 - numbers.index(1.0)]
        if primitive not in (_GUARDED, _SELECTED):
            return None
        strong = numbers if primitive is _SELECTED else numbers[:1]
        if 0.0 in strong:
            return self.uniform(0.0, len(operands[0]))
        finite = any(x is not None and isfinite(x) for x in numbers)
        if finite or (primitive is _GUARDED and numbers[0] is not None):
            return self.map(_MULTIPLY, operands)  # nothing is left to guard against
        return None

    def products(self, left: Ints, right: Ints, strong: int) -> Ints:
        """Positions of left[i] * right[i]; ``strong`` as in Terms."""
        n = len(left)
        target = self.room(n, self.batched(left, right))
        terms = Terms(1, np.arange(n + 1), (left, right), strong=strong)
        self.operations.append(SumOfProducts(target, [terms]))
        return target

    def is_truth(self, positions: Ints) -> bool:
        """Whether these are the results of a comparison: 0 or 1."""
        return self.truths.get(id(positions)) is positions

    def reduce(
        self, primitive: Primitive, offsets: Ints, groups: tuple[Ints, ...]
    ) -> Ints:
        """Positions of primitive(operands of a segment), for all segments."""
        target = self.room(len(offsets) - 1, self.batched(*groups))
        if primitive is _SUM:
            self.operations.append(SumOfProducts(target, [Terms(1, offsets, groups)]))
        else:
            self.operations.append(SegmentReduce(primitive, target, offsets, groups))
        return target


def _key(number: float) -> Any:
    return number if number == number and number != 0.0 else str(number)


class Block(Operators):
    """The numbers at some positions of a bulk program that is being written."""

    __slots__ = ("positions", "segments", "writer")

    def __init__(
        self, writer: Writer, positions: Ints, segments: Ints | None = None
    ) -> None:
        self.writer, self.positions, self.segments = writer, positions, segments

    @property
    def level(self) -> int:
        return self.writer.level

    def __bool__(self) -> bool:
        raise TraceError(
            "a partial derivative is computed for many numbers at once, which have no "
            "truth value: use autograd.where(condition, x, y) instead of if"
        )

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Block:
        """The results of a primitive some of whose operands are blocks."""
        if primitive.arity is None:
            return self._apply_many(primitive, operands)
        segments = _segments_of(operands)
        sizes = [len(x.positions) for x in operands if isinstance(x, Block)]
        n = max(sizes) if segments is None else len(segments)
        streams = tuple([self.at(x, n, segments) for x in operands])
        return Block(self.writer, self.writer.map(primitive, streams), segments)

    def at(self, x: Any, n: int, segments: Ints | None) -> Ints:
        """The positions of an operand of n results, or of all their segments."""
        if not isinstance(x, Block):
            return self.writer.uniform(as_float(x), n)
        if segments is None or len(x.positions) == len(segments):
            return x.positions
        return x.positions[segments]

    def _apply_many(self, primitive: Primitive, groups: tuple[Any, ...]) -> Block:
        """Of groups of operands: each one ragged block, or one block a column."""
        write = self.writer.reduce
        if len(groups[0]) == 1 and _segments_of(groups[0]) is not None:
            segments = groups[0][0].segments
            offsets = np.concatenate([[0], np.cumsum(np.bincount(segments))])
            ragged = tuple([group[0].positions for group in groups])
            return Block(self.writer, write(primitive, offsets, ragged))
        segments = _segments_of([x for group in groups for x in group])
        n = len(self.positions) if segments is None else len(segments)
        columns = [[self.at(x, n, segments) for x in group] for group in groups]
        flat = tuple([np.stack(group, 1).ravel() for group in columns])
        offsets = np.arange(n + 1) * len(groups[0])
        return Block(self.writer, write(primitive, offsets, flat), segments)


def _segments_of(operands: Any) -> Ints | None:
    ragged = (x.segments for x in operands if isinstance(x, Block))
    return next((segments for segments in ragged if segments is not None), None)
