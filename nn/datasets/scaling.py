"""Scaler: columns brought to mean 0 and deviation 1, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd import DataError, ShapeError
from nn.validation import array, is_sequence

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

    As parts of a network it takes and gives the numbers of one sample, so that models
    are trained, used and saved in the units of the data:

    >>> from nn import MLP, Sequential
    >>> X, y = [[1.0], [3.0]], [100.0, 500.0]
    >>> model = Sequential(Scaler(X), MLP(1, [1], seed=0), Scaler(y).inverse)
    >>> model.layers[1].layers[0].neurons[0].w[0].data = 1.0
    >>> model([4.0]).data
    700.0
    """

    def __init__(self, data: ArrayLike, weights: ArrayLike | None = None) -> None:
        found = _finite(data)
        if not found.size:
            what = "column" if len(found) else "sample"
            raise DataError(f"there is no {what} to take a mean of: give at least one")
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

    @classmethod
    def of(cls, mean: ArrayLike, scale: ArrayLike) -> Scaler:
        """A scaler of known means and deviations, of one shape.

        >>> Scaler.of([1.0], [2.0])([[5.0]]).tolist()
        [[2.0]]
        """
        made = cls.__new__(cls)
        made.mean = np.asarray(mean, dtype=float)
        made.scale = np.asarray(scale, dtype=float)
        if made.mean.shape != made.scale.shape or made.mean.ndim > 1:
            raise ShapeError(
                f"means of shape {made.mean.shape}, deviations of {made.scale.shape}: "
                "give one of each for every column"
            )
        if not (np.isfinite([made.mean, made.scale]).all() and (made.scale > 0).all()):
            raise DataError("means must be finite, and deviations finite and above 0")
        return made

    def __call__(self, data: Any) -> Any:
        """The data, scaled; or the numbers of one sample."""
        if (sample := self._sample(data)) is not None:
            return [(x - m) / s for x, m, s in sample]
        return np.asarray((self._checked(data) - self.mean) / self.scale)

    def inverse(self, data: Any) -> Any:
        """Scaled data, or predictions of them, as they were; or those of one sample."""
        if (sample := self._sample(data)) is not None:
            return [x * s + m for x, m, s in sample]
        return np.asarray(self._checked(data) * self.scale + self.mean)

    def _sample(self, data: Any) -> list[tuple[Any, float, float]] | None:
        """The numbers of one sample, each with its mean and deviation."""
        means, scales = np.ravel(self.mean).tolist(), np.ravel(self.scale).tolist()
        if isinstance(data, np.ndarray) and data.ndim == np.ndim(self.mean) == 1:
            data = array("data", data).tolist()
        elif not isinstance(data, list | tuple) or any(map(is_sequence, data or [[]])):
            return None
        if np.ndim(self.mean) == 0:
            means, scales = means * len(data), scales * len(data)
        if len(data) != len(means):
            raise self._other_width(data)
        return list(zip(data, means, scales, strict=True))

    def _checked(self, data: ArrayLike) -> Floats:
        found = _array(data)
        if found.shape[1:] != np.shape(self.mean):
            raise self._other_width(found[0] if len(found) else None)
        return found

    def _other_width(self, row: Any) -> ShapeError:
        found = "no sample" if row is None else _width(row)
        return ShapeError(
            f"this scaler was made of data with {_width(self.mean)}, and got {found}: "
            f"give it the columns that it was made of"
        )

    def __repr__(self) -> str:
        return f"Scaler of {_width(self.mean)}"


def _finite(data: ArrayLike) -> Floats:
    found = _array(data)
    if not np.isfinite(found).all():
        place = tuple(np.argwhere(~np.isfinite(found))[0].tolist())
        raise DataError(
            f"the data at {place} are not finite: {found[place]}: remove that sample, "
            "or fill it in"
        )
    return found


def _array(data: Any) -> Floats:
    found = array("data", data)
    if found.ndim not in (1, 2):
        axes = f"{found.ndim} axes" if found.ndim else "a single number"
        raise ShapeError(
            f"a scaler takes a number or a row for each sample, got {axes}: give a "
            "list with one entry a sample"
        )
    return found


def scaler_of(part: Any) -> Scaler | None:
    """The scaler that a part of a network is, or whose ``inverse`` it is."""
    found = getattr(part, "__self__", part)
    return found if isinstance(found, Scaler) else None


def _width(row: Any) -> str:
    count = np.size(row)
    return f"{count} column{'s' * (count != 1)}" if np.ndim(row) else "no columns"
