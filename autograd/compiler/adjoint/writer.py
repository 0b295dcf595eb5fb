"""Numbers that stand for blocks of a bulk program: what derivative rules compute on.

A rule of the table is run on ``Block`` numbers and thereby writes bulk operations, as
it writes nodes when it is run on Values. A block has one number for each row of an
operation, or, with ``rows``, one for each term of each row (*ragged*): a row's number
then stands for all its terms.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk.bulk import (
    Bulk,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
    Terms,
)
from autograd.compiler.trace.program import CODE, ROWS, Ints
from autograd.errors import TraceError
from autograd.numbers.lifted import Level
from autograd.numbers.operators import Operators
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE
from autograd.table.reals import as_float

Mask = npt.NDArray[np.bool_]
_SUM, _WHERE = ROWS[CODE["sum"]], ROWS[CODE["where"]]
_MULTIPLY = ROWS[CODE["multiply"]]
_GUARDED_LEFT, _SELECTED = TABLE["guarded_multiply"], TABLE["selected_multiply"]
_GUARDED = _GUARDED_LEFT, _SELECTED


class Writer:
    """Appends operations to a bulk program."""

    def __init__(self, bulk: Bulk) -> None:
        self.bulk, self.level = bulk, Level("adjoint")
        self.operations: list[Operation] = list(bulk.operations)
        self.size = bulk.size
        self.constants = dict(bulk.constants)
        self.places = {_key(number): place for place, number in bulk.constants.items()}
        self.known: dict[Any, Any] = {}
        self.truths: dict[int, Ints] = {}  # results that are 0 or 1
        self._lanes = bulk.is_batched(np.arange(bulk.size))

    def constant(self, number: float) -> int:
        """The position of a number that is baked in."""
        key = _key(number)
        if key not in self.places:
            self.places[key] = int(self.room(1)[0])
            self.constants[self.places[key]] = number
        return self.places[key]

    def uniform(self, number: float, n: int) -> Ints:
        """n times the position of a number, in the memory of one."""
        return np.broadcast_to(np.int64(self.constant(number)), n)

    def number(self, positions: Ints) -> float | None:
        """The baked-in number that all positions hold, if that is so."""
        if not len(positions):
            return None
        number = self.constants.get(int(positions[0]))
        if number is None or positions.strides == (0,):
            return number
        return number if (positions == positions[0]).all() else None

    def room(self, n: int, lanes: bool | Mask = False) -> Ints:
        """n fresh positions, for numbers shared by the rows of a batch or not."""
        start, self.size = self.size, self.size + n
        if self.size > len(self._lanes):
            grown = np.zeros(2 * self.size, bool)
            grown[:start] = self._lanes[:start]
            self._lanes = grown
        self._lanes[start : self.size] = lanes
        return np.arange(start, self.size)

    def is_batched(self, positions: Ints) -> Mask:
        """Which positions hold one number for each row of the batch."""
        return np.asarray(self._lanes[positions])

    def wide(self, *streams: Ints) -> bool:
        """Whether a result of these operands has lanes."""
        if not self.bulk.batch:
            return False
        return any(bool(self.is_batched(x).any()) for x in streams)

    def finished(self, outputs: Ints) -> Bulk:
        """The program as it stands, with other outputs."""
        return replace(
            self.bulk,
            operations=self.operations,
            size=self.size,
            constants=self.constants,
            outputs=outputs,
            batched=self._lanes[: self.size] if self.bulk.batch else self.bulk.batched,
        )

    def map(self, row: Primitive, operands: tuple[Ints, ...]) -> Ints:
        """Where row(operands) is found, elementwise."""
        n = len(operands[0])
        numbers = [self.number(x) for x in operands]
        if None not in numbers:
            return self.uniform(row.apply(tuple(numbers)), n)
        simpler = self._simpler(row, operands, numbers)
        if simpler is not None:
            return simpler
        marks = zip(map(id, operands), numbers, strict=True)
        key = (row, *marks)
        if key not in self.known:
            target = self.room(n, self.wide(*operands))
            self.operations.append(Map(row, target, operands))
            self.known[key] = target, operands  # operands stay alive: ids are theirs
            if row.predicate:
                self.truths[id(target)] = target
        found: Ints = self.known[key][0]
        return found

    def _simpler(
        self, row: Primitive, operands: tuple[Ints, ...], numbers: list[float | None]
    ) -> Ints | None:
        """Rows that constants decide, for every float."""
        if row is _WHERE and numbers[0] is not None:
            return operands[1] if numbers[0] != 0.0 else operands[2]
        if row is _MULTIPLY and 0.0 in numbers:  # times a truth value: 0
            other = operands[1 - numbers.index(0.0)]
            return self.uniform(0.0, len(other)) if self.is_truth(other) else None
        if row is _MULTIPLY and 1.0 in numbers:
            return operands[1 - numbers.index(1.0)]
        if row in _GUARDED:
            return self._plain_product(row, operands, numbers)
        return None

    def _plain_product(
        self, row: Primitive, operands: tuple[Ints, ...], numbers: list[float | None]
    ) -> Ints | None:
        """A product in which a constant leaves nothing to guard against."""
        strong = numbers if row is _SELECTED else numbers[:1]
        if 0.0 in strong:
            return self.uniform(0.0, len(operands[0]))
        finite = any(x is not None and isfinite(x) for x in numbers)
        if finite or (row is _GUARDED_LEFT and numbers[0] is not None):
            return self.map(_MULTIPLY, operands)
        return None

    def products(self, left: Ints, right: Ints, strong: int) -> Ints:
        """Where left[i] * right[i] is found; ``strong`` as in Terms."""
        n = len(left)
        target = self.room(n, self.wide(left, right))
        terms = Terms(1, np.arange(n + 1), (left, right), strong=strong)
        self.operations.append(SumOfProducts(target, [terms]))
        return target

    def is_truth(self, positions: Ints) -> bool:
        """Whether these are the results of a comparison: 0 or 1."""
        return self.truths.get(id(positions)) is positions

    def reduce(self, row: Primitive, starts: Ints, groups: tuple[Ints, ...]) -> Ints:
        """Where the row of many operands is found, for every row of terms."""
        target = self.room(len(starts) - 1, self.wide(*groups))
        if row is _SUM:
            self.operations.append(SumOfProducts(target, [Terms(1, starts, groups)]))
        else:
            self.operations.append(SegmentReduce(row, target, starts, groups))
        return target


def _key(number: float) -> Any:
    return number if number == number and number != 0.0 else str(number)


class Block(Operators):
    """The numbers at some positions of a bulk program that is being written."""

    __slots__ = ("positions", "rows", "writer")

    def __init__(
        self, writer: Writer, positions: Ints, rows: Ints | None = None
    ) -> None:
        self.writer, self.positions, self.rows = writer, positions, rows

    @property
    def level(self) -> int:
        """The level of the writer (see ``lifted``)."""
        return self.writer.level

    def __bool__(self) -> bool:
        raise TraceError("a block of numbers has no truth value: use where")

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Block:
        """The operation for a row some of whose operands are blocks."""
        if primitive.arity is None:
            return self._apply_many(primitive, operands)
        rows = next((x.rows for x in operands if _is_ragged(x)), None)
        sizes = [len(x.positions) for x in operands if isinstance(x, Block)]
        n = max(sizes) if rows is None else len(rows)
        placed = tuple([self.at(x, n, rows) for x in operands])
        return Block(self.writer, self.writer.map(primitive, placed), rows)

    def at(self, x: Any, n: int, rows: Ints | None) -> Ints:
        """The positions of an operand among n rows, or among their terms."""
        if not isinstance(x, Block):
            return self.writer.uniform(as_float(x), n)
        if rows is None or len(x.positions) == len(rows):
            return x.positions
        return x.positions[rows]

    def _apply_many(self, row: Primitive, groups: tuple[Any, ...]) -> Block:
        """A row of many operands: over ragged terms, or over columns of blocks."""
        if len(groups[0]) == 1 and _is_ragged(groups[0][0]):
            rows = groups[0][0].rows
            n = int(rows[-1]) + 1 if len(rows) else 0
            counts = np.bincount(rows, minlength=n)
            starts = np.concatenate([[0], np.cumsum(counts)])
            ragged = tuple([group[0].positions for group in groups])
            return Block(self.writer, self.writer.reduce(row, starts, ragged))
        rows = next((x.rows for group in groups for x in group if _is_ragged(x)), None)
        n = len(self.positions) if rows is None else len(rows)
        columns = tuple(
            [
                np.stack([self.at(x, n, rows) for x in group], 1).ravel()
                for group in groups
            ]
        )
        starts = np.arange(n + 1) * len(groups[0])
        return Block(self.writer, self.writer.reduce(row, starts, columns), rows)


def _is_ragged(x: Any) -> bool:
    return isinstance(x, Block) and x.rows is not None
