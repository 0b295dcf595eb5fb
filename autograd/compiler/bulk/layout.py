"""Layout: where the numbers of a bulk program lie in memory.

A number that the rows of a batch share takes one place; one that has lanes takes a
place for each row, side by side. Without a batch a number's address is its position.

Machines that keep all their numbers in one memory: numbers in, run, results out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Bulk, Floats, Map, Operation, Reduce, Sum, Terms
from autograd.compiler.trace.program import Ints
from autograd.errors import ShapeError

_FEW = 32  # columns of an array whose lanes are copied side by side before use


class Layout:
    """Addresses for ``rows`` rows of a batch.

    Attributes
    ----------
    address : where the number at a position lies, or its first lane.
    step : how far the next lane is; 0 for what the rows share.
    size : of the memory; inputs : where the inputs end.
    """

    def __init__(self, bulk: Bulk, rows: int) -> None:
        self.rows = rows if bulk.batch else 1
        lanes = bulk.lanes if bulk.batch else np.zeros(bulk.size, bool)
        width = np.where(lanes, self.rows, 1)
        ends = np.cumsum(width)
        self.address = (ends - width).astype(np.int64)
        self.step = lanes.astype(np.int64)
        for first, columns in bulk.blocks:
            place = np.arange(first, first + columns)
            self.address[place] = self.address[first] + np.arange(columns)
            self.step[place] = columns
        self.size = int(ends[-1]) if bulk.size else 0
        self.inputs = int(ends[bulk.inputs - 1]) if bulk.inputs else 0
        self.constants = bulk.constants

    def memory(self, extra: int = 0) -> Floats:
        """A fresh memory with the constants in place; 64-byte aligned."""
        room = np.zeros(self.size + extra + 16)
        offset = -(room.ctypes.data // 8) % 8
        memory = room[offset : offset + self.size + extra]
        if self.constants:
            places = self.address[list(self.constants)]
            memory[places] = list(self.constants.values())
        return memory

    def wide(self, positions: Ints) -> bool:
        """Whether these numbers, all alike, have lanes."""
        return self.lane_step(positions) != 0

    def lane_step(self, positions: Ints) -> int:
        """How far the next lane of these numbers is, all alike."""
        return int(self.step[positions[0]]) if len(positions) else 0

    def places(self, positions: Ints) -> Ints:
        """The addresses of all numbers, lane by lane."""
        found = self.address[positions]
        if not self.wide(positions):
            return found
        along = self.step[positions][:, np.newaxis] * np.arange(self.rows)
        return np.asarray((found[:, np.newaxis] + along).ravel())


def unmixed(bulk: Bulk) -> Bulk:
    """The program with streams that either have lanes or have none.

    Where both meet in one stream, or lanes of different steps, copies are made first.
    """
    if not bulk.batch:
        return bulk
    return _Unmixing(bulk).result


class _Unmixing:
    def __init__(self, bulk: Bulk) -> None:
        self.bulk, self.size = bulk, bulk.size
        self.step = Layout(bulk, bulk.batch).step
        self.copy = np.full(bulk.size, -1, np.int64)  # where a number was copied to
        self.operations: list[Operation] = []
        for operation in bulk.operations:
            self.operations.append(self._operation(operation))
        lanes = np.ones(self.size, bool)
        lanes[: bulk.size] = bulk.lanes
        self.result = Bulk(
            self.operations,
            self.size,
            bulk.inputs,
            bulk.constants,
            bulk.outputs,
            bulk.batch,
            lanes,
            bulk.blocks,
            bulk.regions,
        )

    def _operation(self, operation: Operation) -> Operation:
        if isinstance(operation, Map):
            streams = tuple([self._stream(x) for x in operation.operands])
            return Map(operation.row, operation.target, streams)
        if isinstance(operation, Reduce):
            groups = tuple([self._stream(x) for x in operation.groups])
            return Reduce(operation.row, operation.target, operation.starts, groups)
        parts = [self._terms(part) for part in operation.terms]
        return Sum(operation.target, parts)

    def _terms(self, part: Terms) -> Terms:
        # the right factor's copies come first
        factors = [self._stream(x) for x in part.factors[::-1]]
        return replace(part, factors=tuple(factors[::-1]))

    def _stream(self, positions: Ints) -> Ints:
        step = self.step[positions]
        if not len(step):
            return positions
        few = (step > 1) & (step <= _FEW)
        if (step == step[0]).all() and not few.any():
            return positions
        lanes = step == 1  # all others are copied into lanes side by side
        wanted = np.unique(positions[~lanes])
        missing = wanted[self.copy[wanted] < 0]
        for distance in np.unique(self.step[missing]).tolist():
            new = missing[self.step[missing] == distance]
            copies = np.arange(self.size, self.size + len(new))
            self.size += len(new)
            self.copy[new] = copies
            one_each = np.arange(len(new) + 1)
            self.operations.append(Sum(copies, [Terms(1, one_each, (new,))]))
        return np.where(lanes, positions, self.copy[positions])


# -- Machines that keep all their numbers in one memory: numbers in, run, r

Section = tuple[int, int, bool]  # outputs begin to end; whether one for each row


def overlaps(array: Floats, others: Sequence[Floats | None]) -> bool:
    """Whether an array may share memory with one of the others."""
    return any(x is not None and np.may_share_memory(array, x) for x in others)


def apart(
    buffers: Sequence[Floats | None], numbers: Sequence[Floats]
) -> list[Floats | None]:
    """The buffers, without those that share memory with numbers still to be read."""
    return [None if x is None or overlaps(x, numbers) else x for x in buffers]


class MemoryMachine(ABC):
    """What is common to machines that run in a memory (one thread at a time)."""

    memory: Floats
    layout: Layout

    @abstractmethod
    def run(self) -> None:
        """Compute everything from the inputs in the memory."""

    def prepare(self, bulk: Bulk, sections: Sequence[Section]) -> None:
        """Look up where the results of the sections lie."""
        self.outputs = [self._output(bulk, *section) for section in sections]

    def _output(self, bulk: Bulk, begin: int, end: int, wide: bool) -> Any:
        """Where a section lies in the memory: a slice or indices; and its shape."""
        positions = bulk.outputs[begin:end]
        places = self.layout.address[positions]
        shape: tuple[int, ...] = (end - begin,)
        if wide or bulk.has_lanes(positions).any():
            rows = self.layout.rows
            shape = (end - begin, rows)
            along = np.arange(rows) * self.layout.step[positions][:, np.newaxis]
            places = (places[:, np.newaxis] + along).ravel()
        if len(places) and (np.diff(places) == 1).all():
            return slice(int(places[0]), int(places[-1]) + 1), shape
        return places, shape

    def call(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None]
    ) -> list[Floats]:
        """The results of all sections for the input numbers, given in parts."""
        start, memory = 0, self.memory
        for part in numbers:
            memory[start : start + part.size] = part.reshape(-1)
            start += part.size
        if start != self.layout.inputs:
            raise ShapeError(f"{self.layout.inputs} numbers are needed, got {start}")
        self.run()
        return [np.array(memory[where]).reshape(shape) for where, shape in self.outputs]
