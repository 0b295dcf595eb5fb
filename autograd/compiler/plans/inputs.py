"""Inputs of a plan: flat numbers of the arguments in, parts of the memory out.

A *source* is a block of inputs: all numbers of an argument, the columns of an argument
or of an array from outside that ``vmap`` maps, or a Value from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.trace.arguments import TreeSpec
from autograd.compiler.trace.program import Ints
from autograd.compiler.trace.tracer import Source

Floats = npt.NDArray[np.float64]
LARGE = 512  # numbers of an array that is worth a region


class Inputs:
    """Where a program's inputs come from, source by source.

    Attributes
    ----------
    sources, specs : the sources, and how each argument is made of numbers.
    starts : the first input of each source, and the end.
    """

    def __init__(self, sources: list[Source], specs: list[TreeSpec]) -> None:
        self.sources, self.specs = sources, specs
        self.starts: Ints = np.cumsum([0, *map(self.count, sources)])

    def count(self, source: Source) -> int:
        """How many inputs a source has."""
        if source.kind == "value":
            return 1
        if source.kind == "array":
            return int(source.data.size // source.data.shape[source.axis])
        spec = self.specs[source.data]
        if source.kind == "samples":
            assert spec.shape is not None
            return int(spec.count // max(spec.shape[source.axis], 1))
        return int(spec.count)

    def of(self, argument: int) -> list[int]:
        """The sources that read an argument, by their numbers."""
        return [
            number
            for number, source in enumerate(self.sources)
            if source.kind in ("numbers", "samples") and source.data == argument
        ]

    def places(self, arguments: Sequence[int]) -> Ints:
        """The inputs that hold numbers of these arguments."""
        numbers = [number for argument in arguments for number in self.of(argument)]
        spans = [np.arange(*self.starts[[number, number + 1]]) for number in numbers]
        return np.concatenate(spans) if spans else np.zeros(0, np.int64)

    def origin(self) -> Ints:
        """Which source each input came from; all Values from outside are one."""
        place = [
            len(self.sources) if source.kind == "value" else number
            for number, source in enumerate(self.sources)
        ]
        return np.repeat(np.array(place, np.int64), np.diff(self.starts))

    def blocks(self) -> list[tuple[int, int]]:
        """(first input, columns) of every array that holds a row for each sample."""
        return [
            (int(self.starts[number]), self.count(source))
            for number, source in enumerate(self.sources)
            if source.kind in ("samples", "array")
        ]

    def regions(self) -> list[tuple[int, int]]:
        """(first input, count) of large arrays, which may be read where they are."""
        found = []
        for number, source in enumerate(self.sources):
            if source.kind in ("numbers", "samples"):
                spec = self.specs[source.data]
                if spec.shape is not None and spec.count >= LARGE:
                    found.append((int(self.starts[number]), self.count(source)))
        return found

    @cached_property
    def closed(self) -> list[Any]:
        """The Values from outside, which are read at each call."""
        return [source.data for source in self.sources if source.kind == "value"]

    def read(self, numbers: Sequence[Floats]) -> list[Floats]:
        """The parts of the memory's inputs, from the flat numbers of the arguments."""
        parts = []
        for source in self.sources:
            if source.kind == "value":
                parts.append(np.array([source.data.data]))
            elif source.kind == "array":
                parts.append(_by_samples(source.data, source.axis))
            elif source.kind == "samples":
                shape = self.specs[source.data].shape
                assert shape is not None
                given = numbers[source.data].reshape(shape)
                parts.append(_by_samples(given, source.axis))
            else:
                parts.append(numbers[source.data])
        return parts


def _by_samples(array: Any, axis: int) -> Floats:
    """[sample, column], as the memory has it."""
    moved = np.moveaxis(np.asarray(array, float), axis, 0)
    return np.ascontiguousarray(moved).reshape(-1)
