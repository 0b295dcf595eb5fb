"""Columns: means and deviations, and the way there and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDING = 8.0 * float(np.finfo(float).eps)  # of the mean of equal numbers


@dataclass(frozen=True)
class Columns:
    """What is taken from the numbers of each column, and what divides the rest.

    >>> import numpy as np
    >>> columns = Columns.of(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> columns.standardised(np.array([[5.0, 6.0]])).tolist()
    [[3.0, 1.0]]
    """

    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, table: Floats, weights: Floats | None = None) -> Columns:
        """Of a table (samples, columns); a constant column has the scale 1."""
        mean = np.average(table, axis=0, weights=weights)
        rest = table - mean
        size = np.abs(rest).max(axis=0)  # whose square may be too large, or too small
        constant = size <= _ROUNDING * np.abs(mean)
        size = np.where(constant, 1.0, size)
        variance = np.average((rest / size) ** 2, axis=0, weights=weights)
        deviation = size * np.sqrt(variance)
        return cls(mean, np.where(constant, 1.0, deviation))

    def standardised(self, table: Floats) -> Floats:
        return (table - self.mean) / self.scale

    def restored(self, table: Floats) -> Floats:
        return table * self.scale + self.mean
