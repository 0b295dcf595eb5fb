"""Small data sets, as arrays: ``X`` with a row for each sample, ``y`` for targets.

Everything is made here or read from scikit-learn's own files; nothing is downloaded.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd import DataError, MissingDependencyError, ShapeError
from autograd.table.reals import short
from nn.scaling import Scaler

__all__ = ["blobs", "breast_cancer", "checkerboard", "circles", "descent_points"]
__all__ += ["diabetes", "digits", "hours_and_grades", "iris", "moons", "ripples"]
__all__ += ["spirals", "split", "standardise", "wine", "xor"]

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
    _check("moons", n, noise, least=2)
    rng = np.random.RandomState(seed)  # a stream that never changes between versions
    outer, inner = np.linspace(0, np.pi, n // 2), np.linspace(0, np.pi, n - n // 2)
    upper = np.column_stack([np.cos(outer), np.sin(outer)])
    lower = np.column_stack([1.0 - np.cos(inner), 0.5 - np.sin(inner)])
    y = np.repeat([-1, 1], [n // 2, n - n // 2])
    order = rng.permutation(n)
    X = np.concatenate([upper, lower])[order]
    return X + rng.normal(scale=noise, size=(n, 2)), y[order]


def circles(
    n: int = 100, noise: float = 0.05, seed: int = 0, factor: float = 0.5
) -> tuple[Floats, Ints]:
    """A circle inside another: X (n, 2), y (n,) of -1 outside and 1 inside, mixed.

    ``factor`` is the inner radius, of an outer one of 1. Raises ValueError for n < 2, a
    negative noise, or a factor outside (0, 1).

    >>> X, y = circles(100, noise=0.0)
    >>> sorted(set(np.hypot(*X.T).round(6).tolist()))
    [0.5, 1.0]
    """
    _check("circles", n, noise, least=2)
    if not 0.0 < factor < 1.0:
        raise ValueError(f"factor must be between 0 and 1, got {short(factor)}")
    y = np.repeat([-1, 1], [n // 2, n - n // 2])
    turns = np.concatenate([np.arange(k) / k for k in (n // 2, n - n // 2)])
    radii = np.where(y < 0, 1.0, factor)
    X = np.column_stack([np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)])
    return _mixed(X * radii[:, None], y, noise, seed)


def spirals(
    n: int = 150, noise: float = 0.05, seed: int = 0, arms: int = 3
) -> tuple[Floats, Ints]:
    """Arms of a spiral: X (n, 2) within a unit circle, y (n,) of 0 to arms - 1, mixed.

    Raises ValueError for fewer points than arms, no arm, or a negative noise.

    >>> X, y = spirals(90, arms=3)
    >>> np.bincount(y).tolist()
    [30, 30, 30]
    """
    if arms < 1:
        raise ValueError(f"spirals needs at least one arm, got {arms}")
    _check("spirals", n, noise, least=arms)
    y = np.arange(n) % arms
    along = (np.arange(n) // arms + 1.0) / -(-n // arms)
    angles = 2.0 * np.pi * (y / arms + 0.75 * along)
    X = np.column_stack([along * np.cos(angles), along * np.sin(angles)])
    return _mixed(X, y, noise, seed)


def blobs(
    n: int = 100, noise: float = 1.0, seed: int = 0, centres: int = 3
) -> tuple[Floats, Ints]:
    """Clouds around centres on a circle of radius 4: X (n, 2), y (n,) of 0, 1 ... .

    Raises ValueError for fewer points than centres, no centre, or a negative noise.

    >>> blobs(10, centres=2)[1].tolist().count(0)
    5
    """
    if centres < 1:
        raise ValueError(f"blobs needs at least one centre, got {centres}")
    _check("blobs", n, noise, least=centres)
    y = np.arange(n) % centres
    angles = 2.0 * np.pi * y / centres
    X = 4.0 * np.column_stack([np.cos(angles), np.sin(angles)])
    return _mixed(X, y, noise, seed)


def checkerboard(
    n: int = 200, noise: float = 0.0, seed: int = 0, cells: int = 4
) -> tuple[Floats, Ints]:
    """Points in a square of cells x cells: X (n, 2), y (n,) of -1 and 1 as its colours.

    Raises ValueError for n < 2, a negative noise, or no cell.

    >>> X, y = checkerboard(100, cells=2)
    >>> bool((y == np.where((X[:, 0] < 1) == (X[:, 1] < 1), -1, 1)).all())
    True
    """
    _check("checkerboard", n, noise, least=2)
    if cells < 1:
        raise ValueError(f"checkerboard needs at least one cell, got {cells}")
    X = np.random.RandomState(seed).uniform(0.0, cells, size=(n, 2))
    y = np.where(np.floor(X).sum(axis=1) % 2 == 0, -1, 1)
    return _mixed(X, y, noise, seed + 1)


def ripples(n: int = 200, noise: float = 0.05, seed: int = 0) -> tuple[Floats, Floats]:
    """A surface to fit: X (n, 2) in [-1, 1], y (n,) of sin(3 x0) cos(3 x1) + noise.

    Raises ValueError for no point or a negative noise.

    >>> X, y = ripples(5, noise=0.0)
    >>> bool(np.allclose(y, np.sin(3 * X[:, 0]) * np.cos(3 * X[:, 1])))
    True
    """
    _check("ripples", n, noise, least=1)
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1.0, 1.0, size=(n, 2))
    y = np.sin(3.0 * X[:, 0]) * np.cos(3.0 * X[:, 1])
    return X, y + rng.normal(scale=noise, size=n)


def _check(name: str, n: int, noise: float, least: int) -> None:
    if n < least or not noise >= 0.0:
        raise ValueError(
            f"{name} needs n >= {least} and noise >= 0, got {n} and {short(noise)}"
        )


def _mixed(X: Floats, y: Any, noise: float, seed: int) -> tuple[Floats, Any]:
    """The points with noise, in an order that says nothing."""
    rng = np.random.RandomState(seed)
    order = rng.permutation(len(X))
    return X[order] + rng.normal(scale=noise, size=X.shape), y[order]


def iris() -> tuple[Floats, Ints]:
    """Fisher's irises: X (150, 4) in cm, y (150,) of the species 0, 1, 2.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("iris")


def wine() -> tuple[Floats, Ints]:
    """Wines by 13 measurements: X (178, 13), y (178,) of the growers 0, 1, 2.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("wine")


def breast_cancer() -> tuple[Floats, Ints]:
    """Tumours by 30 measurements: X (569, 30), y (569,) of 0 malignant, 1 benign.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("breast_cancer")


def diabetes() -> tuple[Floats, Floats]:
    """Patients by 10 measurements: X (442, 10), y (442,) how far the disease came.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("diabetes")


def digits() -> tuple[Floats, Ints]:
    """Handwritten digits, 8 x 8 pixels: X (1797, 64) in [0, 1], y (1797,) of 0 to 9.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    X, y = _of_sklearn("digits")
    return X / 16.0, y


def _of_sklearn(name: str) -> tuple[Floats, Any]:
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
    parts = [scaler(part) for part in (train, *others)]
    return tuple(parts) if others else parts[0]
