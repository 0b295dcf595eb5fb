"""Layout: where the numbers of a bulk program lie in memory, and who runs on one.

A number that the samples of a batch share takes one address; a batched one takes an
address for each sample. Without a batch a number's address is its position.

    positions    0: shared    1: batched        2: shared      (3 samples)
    addresses    0            1  2  3           4
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import (
    Bulk,
    Floats,
    Operation,
    SumOfProducts,
    Terms,
    with_reads,
)
from autograd.compiler.trace.program import Ints
from autograd.errors import ShapeError

_FEW = 32  # columns of an array whose samples are copied side by side before use
Section = tuple[int, int, bool]  # outputs begin to end; whether one for each sample


class Layout:
    """Addresses for so many samples of a batch.

    Attributes
    ----------
    address : where the number at a position lies, or that of the first sample.
    step : how far the next sample's is; 0 for what the samples share.
    size : of the memory; inputs : where the inputs end.
    """

    def __init__(self, bulk: Bulk, samples: int) -> None:
        self.samples = samples if bulk.batch else 1
        batched = bulk.batched if bulk.batch else np.zeros(bulk.size, bool)
        width = np.where(batched, self.samples, 1)
        ends = np.cumsum(width)
        self.address = (ends - width).astype(np.int64)
        self.step = batched.astype(np.int64)
        for first, columns in bulk.blocks:
            block = np.arange(first, first + columns)
            self.address[block] = self.address[first] + np.arange(columns)
            self.step[block] = columns
        self.size = int(ends[-1]) if bulk.size else 0
        self.inputs = int(ends[bulk.inputs - 1]) if bulk.inputs else 0
        self.constants = bulk.constants

    def memory(self, extra: int = 0) -> Floats:
        """A fresh memory with the constants in place; 64-byte aligned."""
        room = np.zeros(self.size + extra + 16)
        start = -(room.ctypes.data // 8) % 8
        memory = room[start : start + self.size + extra]
        if self.constants:
            addresses = self.address[list(self.constants)]
            memory[addresses] = list(self.constants.values())
        return memory

    def is_batched(self, positions: Ints) -> bool:
        """Whether these numbers, all alike, are batched."""
        return self.sample_step(positions) != 0

    def sample_step(self, positions: Ints) -> int:
        """How far the next sample of these numbers is, all alike."""
        return int(self.step[positions[0]]) if len(positions) else 0

    def addresses(self, positions: Ints) -> Ints:
        """The addresses of all samples of these numbers, all alike."""
        if self.is_batched(positions):
            return self._spread(positions)
        return self.address[positions]

    def section(self, bulk: Bulk, section: Section) -> tuple[slice | Ints, Any]:
        """Where a section of outputs lies, a slice or addresses; and its shape."""
        begin, end, batched = section
        positions = bulk.outputs[begin:end]
        addresses = self.address[positions]
        shape: tuple[int, ...] = (end - begin,)
        if batched or bulk.is_batched(positions).any():
            shape = (end - begin, self.samples)
            addresses = self._spread(positions)
        if len(addresses) and (np.diff(addresses) == 1).all():
            return slice(int(addresses[0]), int(addresses[-1]) + 1), shape
        return addresses, shape

    def _spread(self, positions: Ints) -> Ints:
        along = self.step[positions][:, np.newaxis] * np.arange(self.samples)
        return np.asarray((self.address[positions][:, np.newaxis] + along).ravel())


def unmixed(bulk: Bulk) -> Bulk:
    """The program with streams whose numbers all are batched, or all are shared.

    Where both meet in one stream, or samples of different steps, copies are made first.
    """
    return _Unmixing(bulk).result() if bulk.batch else bulk


class _Unmixing:
    def __init__(self, bulk: Bulk) -> None:
        self.bulk, self.size = bulk, bulk.size
        self.step = Layout(bulk, bulk.batch).step
        self.copy = np.full(bulk.size, -1, np.int64)  # where a number was copied to
        self.operations: list[Operation] = []

    def result(self) -> Bulk:
        bulk = self.bulk
        for operation in bulk.operations:
            self.operations.append(with_reads(operation, self._stream))
        batched = np.ones(self.size, bool)  # copies are
        batched[: bulk.size] = bulk.batched
        return replace(
            bulk, operations=self.operations, size=self.size, batched=batched
        )

    def _stream(self, positions: Ints) -> Ints:
        step = self.step[positions]
        if not len(step):
            return positions
        few = (step > 1) & (step <= _FEW)
        if (step == step[0]).all() and not few.any():
            return positions
        good = step == 1  # all others are copied, with samples side by side
        wanted = np.unique(positions[~good])
        missing = wanted[self.copy[wanted] < 0]
        for distance in np.unique(self.step[missing]).tolist():
            new = missing[self.step[missing] == distance]
            copies = np.arange(self.size, self.size + len(new))
            self.size += len(new)
            self.copy[new] = copies
            terms = Terms(1, np.arange(len(new) + 1), (new,))
            self.operations.append(SumOfProducts(copies, [terms]))
        return np.where(good, positions, self.copy[positions])


def overlaps(array: Floats, others: Sequence[Floats | None]) -> bool:
    """Whether an array may share memory with one of the others."""
    return any(x is not None and np.may_share_memory(array, x) for x in others)


def apart(
    buffers: Sequence[Floats | None], numbers: Sequence[Floats]
) -> list[Floats | None]:
    """The buffers, without those that share memory with numbers still to be read."""
    return [None if x is None or overlaps(x, numbers) else x for x in buffers]


class MemoryMachine(ABC):
    """What is common to machines that keep all numbers in one memory.

    One thread at a time.
    """

    memory: Floats
    layout: Layout

    @abstractmethod
    def run(self) -> None:
        """Compute everything from the inputs in the memory."""

    def prepare(self, bulk: Bulk, sections: Sequence[Section]) -> None:
        """Look up where the results of the sections lie."""
        self.outputs = [self.layout.section(bulk, section) for section in sections]

    def call(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None]
    ) -> list[Floats]:
        """The results of all sections for the input numbers, given in parts."""
        start, memory = 0, self.memory
        for part in numbers:
            memory[start : start + part.size] = part.reshape(-1)
            start += part.size
        self.check_count(start)
        self.run()
        return [np.array(memory[where]).reshape(shape) for where, shape in self.outputs]

    def check_count(self, given: int) -> None:
        """Raise unless so many numbers fill the inputs."""
        if given != self.layout.inputs:
            raise ShapeError(f"{self.layout.inputs} numbers are needed, got {given}")
