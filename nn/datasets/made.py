"""Data sets made by a formula: points of the plane, and the articles' few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.table.reals import short
from nn.validation import integer, real

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
    n, noise = integer("n", n), real("noise", noise)
    if n < least or not noise >= 0.0:
        raise ValueError(
            f"{name} needs n >= {least} and noise >= 0, got {n} and {short(noise)}"
        )


def _mixed(X: Floats, y: Any, noise: float, seed: int) -> tuple[Floats, Any]:
    """The points with noise, in an order that says nothing."""
    rng = np.random.RandomState(seed)
    order = rng.permutation(len(X))
    return X[order] + rng.normal(scale=noise, size=X.shape), y[order]
