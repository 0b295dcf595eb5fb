"""Data in parts: some to train on, some held out, all scaled alike."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from autograd import DataError, ShapeError
from autograd.table.reals import short
from nn.datasets.scaling import Floats, Scaler


def split(
    X: ArrayLike,
    y: ArrayLike,
    test: float = 0.25,
    seed: int = 0,
    stratify: bool = False,
) -> tuple[Any, Any, Any, Any]:
    """X_train, X_test, y_train, y_test: samples drawn at random for a test.

    ``test`` is the share of samples held out; ``stratify`` takes that share of every
    class. Raises ShapeError when X and y differ in length, ValueError for a share
    outside (0, 1), DataError when it would leave a part empty.

    >>> from nn.datasets import moons, split
    >>> X, y = moons(100)
    >>> [part.shape for part in split(X, y, test=0.2)]
    [(80, 2), (20, 2), (80,), (20,)]
    """
    X, y = np.asarray(X), np.asarray(y)
    if len(X) != len(y):
        raise ShapeError(f"{len(X)} samples with {len(y)} targets")
    if not 0.0 < test < 1.0:
        raise ValueError(f"test must be a share between 0 and 1, got {short(test)}")
    order = np.random.RandomState(seed).permutation(len(X))
    labels = y[order] if stratify else np.zeros(len(order))
    groups = [order[labels == label] for label in np.unique(labels)]
    held_out = np.concatenate([g[: round(test * len(g))] for g in groups])
    held = np.isin(order, held_out)
    train, rest = order[~held], order[held]
    if not len(train) or not len(rest):
        raise DataError(f"{len(X)} samples are too few to hold out a share of {test}")
    return X[train], X[rest], y[train], y[rest]


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
    parts = [scaler(np.asarray(part)) for part in (train, *others)]
    return tuple(parts) if others else parts[0]
