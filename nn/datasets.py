"""Small data sets, as arrays: ``X`` with a row for each sample, ``y`` for targets.

Everything is made here or read from scikit-learn's own files; nothing is downloaded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd import DataError, MissingDependencyError, ShapeError
from autograd.table.reals import short

__all__ = ["descent_points", "digits", "hours_and_grades", "iris", "moons", "split"]
__all__ += ["standardise", "xor"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def xor() -> tuple[Floats, Ints]:
    """The four points of exclusive or: X (4, 2) of 0 and 1, y (4,) of -1 and 1."""
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return X, np.array([-1, 1, 1, -1])


def hours_and_grades() -> tuple[Floats, Floats]:
    """Hours of study X (5, 1), and the grades y (5,) that came of them."""
    hours = np.array([[2.0], [4.0], [6.0], [8.0], [10.0]])
    return hours, np.array([3.0, 5.0, 4.0, 6.0, 8.0])


def descent_points() -> tuple[Floats, Floats]:
    """Three points for a first gradient descent: X (3, 1), y (3,)."""
    return np.array([[0.5], [2.0], [1.0]]), np.array([0.8, 1.0, 1.5])


def moons(n: int = 100, noise: float = 0.1, seed: int = 0) -> tuple[Floats, Ints]:
    """Two interleaving half circles: X (n, 2), y (n,) of -1 and 1, in mixed order.

    ``noise`` is the standard deviation of what is added to each coordinate. Raises
    ValueError for n < 2 or a negative noise.

    >>> X, y = moons(100, seed=7)
    >>> X.shape, sorted(set(y.tolist()))
    ((100, 2), [-1, 1])
    """
    if n < 2 or not noise >= 0.0:
        raise ValueError(
            f"moons needs n >= 2 and noise >= 0, got {n} and {short(noise)}"
        )
    rng = np.random.RandomState(seed)  # a stream that never changes between versions
    outer, inner = np.linspace(0, np.pi, n // 2), np.linspace(0, np.pi, n - n // 2)
    upper = np.column_stack([np.cos(outer), np.sin(outer)])
    lower = np.column_stack([1.0 - np.cos(inner), 0.5 - np.sin(inner)])
    y = np.repeat([-1, 1], [n // 2, n - n // 2])
    order = rng.permutation(n)
    X = np.concatenate([upper, lower])[order]
    return X + rng.normal(scale=noise, size=(n, 2)), y[order]


def iris() -> tuple[Floats, Ints]:
    """Fisher's irises: X (150, 4) in cm, y (150,) of the species 0, 1, 2.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("iris")


def digits() -> tuple[Floats, Ints]:
    """Handwritten digits, 8 x 8 pixels: X (1797, 64) in [0, 1], y (1797,) of 0 to 9.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    X, y = _of_sklearn("digits")
    return X / 16.0, y


def _of_sklearn(name: str) -> tuple[Floats, Ints]:
    try:
        from sklearn import datasets
    except ImportError as cause:
        raise MissingDependencyError(
            "this data set comes with scikit-learn, which is not installed: "
            "pip install 'scalar-autograd[examples]'"
        ) from cause
    data = getattr(datasets, f"load_{name}")()
    return data.data, data.target


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


def standardise(train: ArrayLike, *others: ArrayLike) -> tuple[Floats, ...]:
    """The arrays shifted and scaled so that ``train`` has mean 0 and deviation 1.

    Mean and deviation are taken column by column from ``train`` alone, so that nothing
    about the test data leaks; constant columns become 0. Always returns a tuple.

    >>> standardise([[1.0], [3.0]], [[5.0]])[1].tolist()
    [[3.0]]
    """
    first = np.asarray(train, dtype=float)
    deviation = first.std(axis=0)
    scale = np.where(deviation > 0.0, deviation, 1.0)
    mean = first.mean(axis=0)
    parts = [first, *(np.asarray(other, dtype=float) for other in others)]
    return tuple((part - mean) / scale for part in parts)
