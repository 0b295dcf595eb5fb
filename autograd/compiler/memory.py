"""Machines that keep all their numbers in one memory: numbers in, run, results out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.bulk import Bulk, Floats
from autograd.compiler.layout import Layout
from autograd.errors import ShapeError

__all__ = ["MemoryMachine", "Section", "apart", "overlaps"]

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
