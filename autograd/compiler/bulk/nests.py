"""Nests: what is regular about index arrays.

Index arrays of one length, read side by side (*streams*), are factored into a nest of
counted loops with a constant step for every stream: base + i * step_i + j * step_j ...
What is left over is a table of bases for the outermost loop.

Source: Feautrier 1991 calls such accesses affine; here they are found, not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograd.compiler.trace.program import Ints


@dataclass(frozen=True, eq=False)
class Nest:
    """Loops, outermost first, below a table of bases.

    Attributes
    ----------
    counts : trips of each loop. steps : [stream, loop], how far a stream moves.
    bases : [stream, entry of the table], where the streams start.
    """

    counts: tuple[int, ...]
    steps: Ints
    bases: Ints

    @property
    def affine(self) -> bool:
        """Whether loops alone describe every stream."""
        return bool(self.bases.shape[1] == 1)

    def within(self, counts: tuple[int, ...], steps: Ints) -> Nest:
        """The same around further loops, with their steps [stream, loop]."""
        joined = np.concatenate([self.steps, steps], axis=1)
        return Nest((*self.counts, *counts), joined, self.bases)

    def limited(self, depth: int) -> Nest:
        """The same with at most ``depth`` loops; outer ones move into the table."""
        extra = len(self.counts) - depth
        if extra <= 0:
            return self
        bases = self.bases
        for loop in range(extra):
            moves = self.steps[:, loop, np.newaxis] * np.arange(self.counts[loop])
            bases = bases[:, :, np.newaxis] + moves[:, np.newaxis, :]
            bases = bases.reshape(len(self.bases), -1)
        return Nest(self.counts[extra:], self.steps[:, extra:], bases)


def factor(streams: Sequence[Ints]) -> Nest:
    """The loops that streams of one length have in common.

    >>> import numpy as np
    >>> nest = factor([np.array([0, 1, 2, 10, 11, 12]), np.array([7, 7, 7, 8, 8, 8])])
    >>> nest.counts, nest.steps.tolist(), nest.bases.tolist()
    ((2, 3), [[10, 1], [1, 0]], [[0], [7]])
    """
    bases = np.stack(streams)
    counts: list[int] = []
    steps: list[Ints] = []
    while bases.shape[1] > 1:
        n = bases.shape[1]
        moves = np.diff(bases, axis=1)
        step = moves[:, 0].copy()
        breaks = np.flatnonzero((moves != step[:, np.newaxis]).any(axis=0))
        count = n if not len(breaks) else int(breaks[0]) + 1
        if count < 2 or n % count:
            break
        grid = bases.reshape(len(bases), n // count, count)
        along = np.arange(count) * step[:, np.newaxis, np.newaxis]
        if len(breaks) and not (grid == grid[:, :, :1] + along).all():
            break
        counts.append(count)
        steps.append(step)
        bases = grid[:, :, 0]
    table = np.array(steps[::-1], np.int64).reshape(len(counts), len(bases)).T
    return Nest(tuple(counts[::-1]), table, bases)
