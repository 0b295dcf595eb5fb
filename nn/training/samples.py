"""Samples: the data of a training run, checked once and cut into batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import DataError, ShapeError
from autograd.table.reals import short
from nn.validation import elements, finite, is_sequence

Floats = NDArray[np.float64]


@dataclass
class Samples:
    """The inputs of each sample, and its target: a number or a list of them.

    ``arrays`` are X and y as arrays. Where samples or targets differ in shape there are
    none, and ``uneven`` has X; models of sequences take such samples.
    """

    y: list[Any]
    arrays: tuple[Floats, ...] = field(repr=False)
    uneven: list[list[Any]] | None = None
    classes: list[Any] | None = None  # by name, whose numbers y has

    def __len__(self) -> int:
        return len(self.y)

    @cached_property
    def X(self) -> list[list[Any]]:
        """Of each sample the floats, or lists of them."""
        if self.uneven is not None:
            return self.uneven
        found: list[list[Any]] = self.arrays[0].tolist()
        return found

    def take(self, order: list[int]) -> Samples:
        arrays = tuple([array[order] for array in self.arrays])
        uneven = None if self.uneven is None else [self.uneven[i] for i in order]
        return Samples([self.y[i] for i in order], arrays, uneven, self.classes)

    def batches(self, size: int, rng: Random | None) -> Iterator[Samples]:
        """All samples in pieces of ``size``, shuffled when there is a generator."""
        order = list(range(len(self)))
        if rng is not None:
            rng.shuffle(order)
        for start in range(0, len(order), size):
            yield self.take(order[start : start + size])


def checked_samples(
    X: Any, y: Any, classes: list[Any] | None = None, sequences: bool = False
) -> Samples:
    """X and y as lists; see ``fit`` for what is refused."""
    inputs: Any = table_of(X)
    if inputs is None:
        inputs = checked_inputs(elements("X", X), sequences)
    targets = elements("y", y)
    if len(inputs) != len(targets):
        raise ShapeError(
            f"X has {len(inputs)} samples, y has {len(targets)} targets: give one "
            f"target for each sample"
        )
    for i, target in enumerate(targets):
        if is_sequence(target):
            for j, t in enumerate(elements(f"y[{i}]", target)):
                finite("y", t, i, j)
        else:
            finite("y", target, i)
    try:
        arrays = np.array(inputs), np.array(targets, float)
    except ValueError:  # of different shapes
        rows = inputs.tolist() if isinstance(inputs, np.ndarray) else inputs
        return Samples(targets, (), rows, classes)
    return Samples(targets, arrays, None, classes)


def table_of(X: Any) -> Floats | None:
    """X as an array, if it is a table of finite numbers and nothing else.

    Then nothing is to be said about single cells, and none is looked at by itself.
    """
    if np.ma.is_masked(X):
        return None
    if isinstance(X, list | tuple):
        kinds = {
            kind for row in X for kind in map(type, row if _is_row(row) else [row])
        }
        if not kinds <= {float, int}:
            return None
    elif not hasattr(X, "__array__"):
        return None
    try:
        found = np.asarray(X)
    except (ValueError, OverflowError):  # rows of different widths
        return None
    if found.ndim != 2 or not found.size or found.dtype.kind not in "bfiu":
        return None
    table: Floats = found.astype(np.float64)
    return table if np.isfinite(table).all() else None


def _is_row(row: Any) -> bool:
    return type(row) in (list, tuple)


def checked_inputs(samples: list[Any], sequences: bool) -> list[list[Any]]:
    """The samples as lists of finite floats of one width, at least one.

    Of models of ``sequences`` they may differ in length, and have rows themselves.
    """
    if not samples:
        raise DataError("X is empty: at least one sample is needed")
    for i, sample in enumerate(samples):
        if not is_sequence(sample):
            raise ShapeError(
                f"X[{i}] is {short(sample)}: each sample is a row of numbers; with one "
                f"number for each sample, write [[x] for x in X]"
            )
    if sequences:
        return [_sequence(sample, i) for i, sample in enumerate(samples)]
    checked = [_checked_input(sample, i) for i, sample in enumerate(samples)]
    for i, xs in enumerate(checked):
        if len(xs) != len(checked[0]):
            raise ShapeError(
                f"X[0] has {len(checked[0])} numbers and X[{i}] has {len(xs)}: all "
                f"samples must have the same width"
            )
    return checked


def _checked_input(sample: Any, i: int) -> list[float]:
    cells = elements(f"X[{i}]", sample)
    if cells and is_sequence(cells[0]):
        raise ShapeError(
            f"X[{i}][0] is a row itself: a sample is one row of numbers; flatten an "
            f"array of more axes by X.reshape(len(X), -1)"
        )
    return [finite("X", x, i, j) for j, x in enumerate(cells)]


def _sequence(part: Any, *at: int) -> list[Any]:
    """A sequence of finite floats, or of sequences of them, at any depth."""
    place = "X" + "".join([f"[{i}]" for i in at])
    return [
        _sequence(x, *at, j) if is_sequence(x) else finite("X", x, *at, j)
        for j, x in enumerate(elements(place, part))
    ]


def hold_out(samples: Samples, share: float, seed: int) -> tuple[Samples, Samples]:
    """Training and validation samples: a share is drawn from the seed."""
    if not (isinstance(share, Real) and 0.0 < share < 1.0):
        raise ValueError(
            f"validation must be (X, y), or a share between 0 and 1, got {short(share)}"
        )
    order = list(range(len(samples)))
    Random(f"validation {seed}").shuffle(order)
    count = round(share * len(order))
    if not 0 < count < len(order):
        raise DataError(
            f"{len(order)} samples are too few to hold out a share of {short(share)}: "
            "hold out a larger share, or give more samples"
        )
    return samples.take(order[count:]), samples.take(order[:count])
