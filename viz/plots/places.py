"""Where the circles of a network stand: columns of neurons, wide ones elided.

Plain numbers in units of the distance between two neurons, y downwards from the top;
pages and pictures scale them as they like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from autograd.table.reals import short
from nn.validation import integer

RADIUS = 0.36  # of a circle
_MARGIN = 1.6  # left and right of the outer columns, for names


@dataclass(frozen=True)
class Circle:
    """An input (column 0) or neuron ``index`` of the layer before the next column."""

    column: int
    index: int
    x: float
    y: float


@dataclass(frozen=True)
class Gap:
    """What stands for the neurons of a column that are left out."""

    x: float
    y: float
    count: int


@dataclass(frozen=True)
class Places:
    """Circles column by column, the gaps between them, and the size of it all."""

    columns: list[list[Circle]]
    gaps: list[Gap]
    width: float
    height: float

    @property
    def circles(self) -> list[Circle]:
        return [circle for column in self.columns for circle in column]

    def wires(self) -> list[tuple[Circle, Circle]]:
        """(tail, head) for every weight between circles that are shown."""
        return [
            (tail, head)
            for before, after in zip(self.columns, self.columns[1:], strict=False)
            for head in after
            for tail in before
        ]


def places(
    widths: Sequence[int], most: int = 12, first: int = 0, apart: float = 2.4
) -> Places:
    """Columns of so many circles, at most ``most`` in each, counted from ``first``.

    Columns stand ``apart``, and tall ones further.

    >>> plan = places([2, 70, 1], most=6)
    >>> [len(column) for column in plan.columns], plan.gaps[0].count
    ([2, 6, 1], 64)
    """
    if integer("most", most) < 2:
        raise ValueError(f"most must be at least 2 neurons, got {short(most)}")
    shown = [_shown(width, most) for width in widths]
    rows = [len(kept) + (len(kept) < n) for kept, n in zip(shown, widths, strict=True)]
    tallest = max(rows)
    apart = max(apart, 0.4 * tallest)
    columns, gaps = [], []
    for c, (kept, count) in enumerate(zip(shown, widths, strict=True)):
        x, top = _MARGIN + c * apart, (tallest - rows[c]) / 2 + 0.5
        half = ceil(most / 2) if len(kept) < count else count
        columns.append(
            [Circle(first + c, k, x, top + i + (i >= half)) for i, k in enumerate(kept)]
        )
        if len(kept) < count:
            gaps.append(Gap(x, top + half, count - len(kept)))
    width = 2 * _MARGIN + apart * (len(widths) - 1)
    return Places(columns, gaps, width, float(tallest))


def _shown(count: int, most: int) -> list[int]:
    """The neurons of a wide layer that are drawn: the first and the last ones."""
    if count <= most:
        return list(range(count))
    half = ceil(most / 2)
    return [*range(half), *range(count - most + half, count)]
