"""Scaler: columns brought to mean 0 and deviation 1, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd import DataError, ShapeError

Floats = NDArray[np.float64]


class Scaler:
    """A shift and a scale for each column, taken from the data that it is made of.

    Parameters
    ----------
    data : an array of shape (samples, columns), or (samples,). Its columns get mean 0
        and deviation 1; constant ones become 0, and come back as they were.
    weights : how often each sample counts; None for once.

    Called with data of as many columns it gives them scaled; ``inverse`` goes back.
    Raises DataError for no sample, NaN or infinities, ShapeError for another width.

    >>> from nn import Scaler
    >>> scaler = Scaler([[1.0, 5.0], [3.0, 5.0]])
    >>> scaler([[5.0, 6.0]]).tolist(), scaler.inverse([[3.0, 1.0]]).tolist()
    ([[3.0, 1.0]], [[5.0, 6.0]])
    """

    def __init__(self, data: ArrayLike, weights: ArrayLike | None = None) -> None:
        found = _finite(data)
        if not len(found):
            raise DataError("there is no sample to take a mean of")
        counts = None if weights is None else np.asarray(weights, dtype=float)
        self.mean: Any = np.average(found, axis=0, weights=counts)
        rest = found - self.mean
        # by a power of 2, so that squares are neither too large nor too small
        size = np.ldexp(1.0, np.frexp(np.abs(rest).max(axis=0))[1] - 1)
        variance = np.average((rest / size) ** 2, axis=0, weights=counts)
        deviation = size * np.sqrt(variance)
        # what rounding leaves of a constant column is no deviation
        real = deviation > 1e-12 * (np.abs(self.mean) + np.abs(found).max(axis=0))
        self.scale: Any = np.where(real, deviation, 1.0)

    def __call__(self, data: ArrayLike) -> Floats:
        """The data, scaled."""
        return np.asarray((self._checked(data) - self.mean) / self.scale)

    def inverse(self, data: ArrayLike) -> Floats:
        """Scaled data, or predictions of them, as they were."""
        return np.asarray(self._checked(data) * self.scale + self.mean)

    def _checked(self, data: ArrayLike) -> Floats:
        found = np.asarray(data, dtype=float)
        if found.shape[1:] != np.shape(self.mean):
            raise ShapeError(
                f"this scaler was made of data with {_width(self.mean)}, and got "
                f"{_width(found[0]) if len(found) else 'no sample'}"
            )
        return found


def _finite(data: ArrayLike) -> Floats:
    found = np.asarray(data, dtype=float)
    if found.ndim == 0:
        raise ShapeError("a scaler is made of samples, got a single number")
    if not np.isfinite(found).all():
        place = tuple(np.argwhere(~np.isfinite(found))[0].tolist())
        raise DataError(f"the data at {place} are not finite: {found[place]}")
    return found


def _width(row: Any) -> str:
    count = np.size(row)
    return f"{count} column{'s' * (count != 1)}" if np.ndim(row) else "no columns"
