"""Ragged rows of many operations, whose index tables are made at once.

Thousands of short operations would take longer one by one than their numbers do; all in
one go they would touch more memory than a cache holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from autograd.compiler.bulk import Terms
from autograd.compiler.context import Tables
from autograd.compiler.program import Ints, ranges, starts_of
from autograd.compiler.slices import sliced

__all__ = ["Ragged", "Spare"]

_MANY = 1 << 16  # terms that are worth tables of their own


class Spare(NamedTuple):
    """Places in the memory that hold 0, hold 1, and take what nobody reads."""

    zero: int
    one: int
    dump: int


@dataclass
class Ragged:
    """The rows of all pieces that one kind of kernel runs.

    pad : what is read where a row has no more terms; None repeats its first one.
    products : whether terms have two factors; a plain one then is a product with 1.
    """

    pad: int | None
    products: bool
    targets: list[Ints] = field(default_factory=list)
    parts: list[Terms] = field(default_factory=list)
    piece: list[int] = field(default_factory=list)  # of each part
    terms: int = 0
    where: list[tuple[int, list[int]]] = field(default_factory=list)

    def add(self, target: Ints, parts: Sequence[Terms]) -> int:
        """The number of a new piece: rows that are the sums of these parts."""
        number = len(self.targets)
        self.targets.append(target)
        self.parts += parts
        self.piece += [number] * len(parts)
        self.terms += len(target) + sum(len(part.left) for part in parts)
        return number

    @property
    def full(self) -> bool:
        """Whether further pieces should go elsewhere."""
        return self.terms > _MANY

    def finish(self, width: int, spare: Spare, tables: Tables) -> None:
        """Find how many blocks each piece has, and where its tables begin."""
        counts = np.array([len(target) for target in self.targets])
        row, streams = self._terms(counts, spare.one)
        order = np.argsort(row, kind="stable")
        (longest, targets, *entries), block, offset = sliced(
            width,
            np.concatenate(self.targets),
            starts_of(row, int(counts.sum())),
            [stream[order] for stream in streams],
            self.pad,
            spare.zero,
            spare.dump,
            counts,
        )
        begins = [block[:-1], block[:-1] * width]
        begins += [offset[block[:-1]] * width] * len(entries)
        where = [
            tables.add(table) + begin
            for table, begin in zip((longest, targets, *entries), begins, strict=True)
        ]
        where += where[2:] * (not self.products)  # kernels take two streams
        begin_of_each = np.transpose(where).tolist()
        self.where = list(zip(np.diff(block).tolist(), begin_of_each, strict=True))
        self.targets, self.parts = [], []

    def _terms(self, counts: Ints, one: int) -> tuple[Ints, list[Ints]]:
        """The row of every term, counted through all pieces; and its factors."""
        nothing = np.zeros(0, np.int64)
        first, piece = np.cumsum(counts) - counts, np.array(self.piece, np.int64)
        rows = ranges(first[piece], counts[piece])
        lengths = np.concatenate([nothing, *[part.counts for part in self.parts]])
        left = np.concatenate([nothing, *[part.left for part in self.parts]])
        streams = [left]
        if self.products:
            rights = [
                np.full(len(part.left), one) if part.right is None else part.right
                for part in self.parts
            ]
            streams.append(np.concatenate([nothing, *rights]))
        return np.repeat(rows, lengths), streams
