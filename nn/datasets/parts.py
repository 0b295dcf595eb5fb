"""Data in parts: some to train on, some held out, all scaled alike."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from autograd import DataError, ShapeError
from autograd.table.reals import short
from nn.datasets.scaling import Floats, Scaler
from nn.validation import array, real, refuse_masked


def split(
    X: ArrayLike,
    y: ArrayLike,
    test: float = 0.25,
    seed: int = 0,
    stratify: bool = False,
) -> tuple[Any, Any, Any, Any]:
    """X_train, X_test, y_train, y_test: samples drawn at random for a test.

    ``test`` is the share of samples held out; ``stratify`` takes that share of every
    class. Parts of a DataFrame or Series keep their names. Raises ShapeError when X and
    y differ in length, ValueError for a share outside (0, 1), DataError for masked
    elements, and when a part would be empty.

    >>> from nn.datasets import moons, split
    >>> X, y = moons(100)
    >>> [part.shape for part in split(X, y, test=0.2)]
    [(80, 2), (20, 2), (80,), (20,)]
    """
    samples, targets = _samples("X", X), _samples("y", y)
    if len(samples) != len(targets):
        raise ShapeError(
            f"{len(samples)} samples with {len(targets)} targets: give one target for "
            "each sample"
        )
    if not 0.0 < real("test", test) < 1.0:
        raise ValueError(f"test must be a share between 0 and 1, got {short(test)}")
    order = np.random.RandomState(seed).permutation(len(samples))
    labels = _labels(targets)[order] if stratify else np.zeros(len(order))
    groups = [order[labels == label] for label in np.unique(labels)]
    held_out = np.concatenate([order[:0], *[g[: round(test * len(g))] for g in groups]])
    held = np.isin(order, held_out)
    train, rest = order[~held], order[held]
    if not len(train) or not len(rest):
        raise DataError(
            f"{len(order)} samples are too few to hold out a share of {test}: hold out "
            "a larger share, or give more samples"
        )
    return tuple(_at(x, part) for x in (samples, targets) for part in (train, rest))


def _samples(name: str, data: Any) -> Any:
    """The data as an array; a DataFrame or Series as it is."""
    refuse_masked(name, data)
    if hasattr(data, "iloc"):
        return data
    try:
        found = np.asarray(data)
    except ValueError:
        raise ShapeError(
            f"the rows of {name} have different lengths: give each the same number of "
            "columns"
        ) from None
    if not found.ndim:
        raise TypeError(f"{name} must be a sequence of samples, got {short(data)}")
    return found


def _labels(y: Any) -> Any:
    """The classes of the samples: numbers, or names."""
    labels = np.asarray(y)
    if labels.size != len(labels):
        raise ShapeError(
            f"stratify wants one class for each sample, y is of shape {labels.shape}: "
            "give labels, or leave stratify out"
        )
    labels = labels.reshape(-1)
    for i, label in enumerate(labels.tolist()):
        if label is None or label != label:
            raise DataError(f"y[{i}] is {short(label)}: remove that sample")
    return labels if labels.dtype.kind in "biufU" else labels.astype(str)


def _at(data: Any, places: Any) -> Any:
    return data.iloc[places] if hasattr(data, "iloc") else data[places]


@overload
def standardise(train: ArrayLike) -> Floats: ...
@overload
def standardise(train: ArrayLike, *others: ArrayLike) -> tuple[Floats, ...]: ...
def standardise(train: ArrayLike, *others: ArrayLike) -> Floats | tuple[Floats, ...]:
    """The arrays shifted and scaled so that ``train`` has mean 0 and deviation 1.

    Mean and deviation are taken column by column from ``train`` alone, so that nothing
    about the test data leaks; constant columns become 0. One array gives an array, more
    give a tuple. A ``nn.Scaler`` remembers mean and deviation, and goes back.

    >>> standardise([[1.0], [3.0]], [[5.0]])[1].tolist()
    [[3.0]]
    >>> standardise([[1.0], [3.0]]).tolist()
    [[-1.0], [1.0]]
    """
    scaler = Scaler(train)
    parts = [scaler(array("data", part)) for part in (train, *others)]
    return tuple(parts) if others else parts[0]
