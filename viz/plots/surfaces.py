"""Plots over a plane: where a classifier decides, and how a descent went down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.errors import DataError, ShapeError
from autograd.table.reals import short
from viz.plots.data import axes, numbers, on_grid, points

_METHODS = ("contourf", "contour", "pcolormesh")


def decision_boundary(
    predict: Callable[[Any], Any],
    X: Any,
    y: Any,
    *,
    ax: Any = None,
    grid_resolution: int = 100,
    eps: float = 0.5,
    plot_method: str = "contourf",
    threshold: float | None = None,
    cmap: Any = None,
    **kwargs: Any,
) -> Any:
    """What a classifier says over the plane, and the points it was trained on.

    Parameters
    ----------
    predict : takes an (n, 2) float array and returns n scores or n rows of scores; or,
        if it cannot, one point as a list of 2 floats at a time, like a model.
    X, y : (n, 2) points, and their n class numbers.
    ax : the axes to draw on; a new figure's by default.
    grid_resolution : the number of grid points on each axis.
    eps : how far the grid extends beyond the points.
    plot_method : "contourf", "contour" or "pcolormesh".
    threshold : for two classes, the score between them; by default half way between
        their numbers: 0 for -1 and 1, 1/2 for 0 and 1 (give 0 if scores are logits).
    cmap : a colormap; by default one that fits the number of classes.
    **kwargs : passed on to the plotting method.

    Returns the axes. Raises ShapeError when X is not (n, 2) or y has another length,
    DataError for no points or a NaN, and ValueError for an unknown plot_method.

    >>> from viz import decision_boundary
    >>> X, y = [[0.0, 0.0], [1.0, 1.0]], [-1, 1]
    >>> ax = decision_boundary(lambda p: p[:, 0] + p[:, 1] - 1, X, y)
    """
    if plot_method not in _METHODS:
        raise ValueError(f"plot_method is one of {_METHODS}, got {short(plot_method)}")
    where, classes = points(X, "X"), numbers(y, "y")
    if len(where) != len(classes):
        raise ShapeError(f"{len(where)} points in X with {len(classes)} classes in y")
    corners = where.min(0) - eps, where.max(0) + eps
    lines, grid = _grid(*corners, grid_resolution)
    kinds = np.unique(classes)
    scores = _finite(on_grid(predict, predict, grid), "predict")
    ax = axes(ax)
    draw = getattr(ax, plot_method)
    if scores.ndim == 2 or len(kinds) > 2:
        margins = _margins(scores, kinds)
        look = _fill_regions(ax, draw, lines, margins, cmap or "viridis", kwargs)
        classes = np.searchsorted(kinds, classes)
    else:
        middle = float(kinds.mean()) if threshold is None else threshold
        look = _fill_sides(ax, draw, lines, scores, middle, cmap or "RdBu", kwargs)
        reach = 1.3 * float(abs(kinds - middle).max()) or 1.0
        look["norm"] = type(look["norm"])(middle, reach)  # points in full colour
    ax.scatter(*where.T, c=classes, edgecolors="black", s=28, zorder=3, **look)
    ax.set(xlabel="x0", ylabel="x1")
    return ax


def descent_path(
    loss: Callable[[Any, Any], Any],
    path: Iterable[Any],
    *,
    ax: Any = None,
    grid_resolution: int = 60,
    **kwargs: Any,
) -> Any:
    """The steps of an optimiser over the contours of a loss of two parameters.

    Parameters
    ----------
    loss : takes the two parameters, as arrays if it can or else as floats.
    path : the (first, second) parameters before and after each step.
    ax : the axes to draw on; a new figure's by default.
    grid_resolution : the number of grid points on each axis.
    **kwargs : passed on to ``ax.plot`` for the path.

    Returns the axes. Contours enclose equal shares of the area. Raises ShapeError when
    the path is not (n, 2), and DataError when it is empty or has a NaN.

    >>> from viz import descent_path
    >>> path = [(2.0, 1.0), (1.0, 0.5), (0.5, 0.2)]
    >>> ax = descent_path(lambda a, b: a * a + 4 * b * b, path)
    """
    steps = points(path, "path")
    low, high = steps.min(0), steps.max(0)
    margin = 0.3 * (high - low).max() or 1.0
    (xs, ys), grid = _grid(low - margin, high + margin, grid_resolution)
    surface = on_grid(lambda g: loss(g[:, 0], g[:, 1]), lambda p: loss(*p), grid)
    surface = _finite(surface, "loss")
    ax = axes(ax)
    levels = np.unique(np.quantile(surface.compressed(), np.linspace(0.0, 1.0, 16)))
    if len(levels) > 2:
        heights = surface.reshape(len(ys), -1)
        ax.contourf(xs, ys, heights, levels, cmap="Blues", alpha=0.6)
        ax.contour(xs, ys, heights, levels, colors="white", linewidths=0.6)
    ax.plot(*steps.T, **{"color": "C3", "marker": "o", "ms": 3, "lw": 1, **kwargs})
    ax.plot(*steps[0], "s", color="black", label="start")
    ax.plot(*steps[-1], "*", color="black", ms=12, label="end")
    ax.set(xlabel="first parameter", ylabel="second parameter")
    ax.legend()
    return ax


def _grid(low: Any, high: Any, resolution: int) -> tuple[tuple[Any, Any], Any]:
    """The grid's lines on each axis, and its points as rows."""
    if resolution < 2:
        raise ValueError(f"grid_resolution is at least 2, got {resolution}")
    xs, ys = (np.linspace(a, b, resolution) for a, b in zip(low, high, strict=True))
    across, up = np.meshgrid(xs, ys)
    return (xs, ys), np.column_stack((across.ravel(), up.ravel()))


def _finite(scores: Any, name: str) -> Any:
    """The scores with what is not finite masked."""
    masked = np.ma.masked_invalid(scores)
    if not masked.count():
        raise DataError(f"{name} gave no finite number on {len(scores)} grid points")
    return masked


def _fill_sides(
    ax: Any, draw: Any, lines: Any, scores: Any, middle: float, cmap: Any, kwargs: Any
) -> dict[str, Any]:
    """Colours that part at the threshold; returns them for the points."""
    from matplotlib.colors import CenteredNorm

    spread = float(abs(scores - middle).max()) or 1.0
    look = {"cmap": cmap, "norm": CenteredNorm(middle, spread)}
    heights = scores.reshape(len(lines[1]), -1)
    levels = {"levels": np.linspace(middle - spread, middle + spread, 21)}
    if draw.__name__ == "pcolormesh":
        levels = {}
    draw(*lines, heights, **{**look, "alpha": 0.6, **levels, **kwargs})
    _line(ax, lines, heights - middle)
    return look


def _fill_regions(
    ax: Any, draw: Any, lines: Any, margins: Any, cmap: Any, kwargs: Any
) -> dict[str, Any]:
    """A colour for each class where it wins; returns them for the points."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    count = margins.shape[1]
    colours = colormaps.get_cmap(cmap).resampled(count)
    look = {"cmap": colours, "norm": Normalize(-0.5, count - 0.5)}
    sides = [margin.reshape(len(lines[1]), -1) for margin in margins.T]
    if draw.__name__ == "pcolormesh":
        winners = margins.argmax(axis=1).reshape(sides[0].shape)
        draw(*lines, winners, **{**look, "alpha": 0.6, **kwargs})
    for k, side in enumerate(sides):
        if draw.__name__ == "contourf" and side.max() > 0.0:
            options = {"colors": [colours(k)], "alpha": 0.6, **kwargs}
            draw(*lines, side, levels=[0.0, side.max() + 1.0], **options)
        _line(ax, lines, side)
    return look


def _margins(scores: Any, kinds: Any) -> Any:
    """For each class, by how much it wins: its score less the best of the others.

    A prediction that is a class number wins by 1.
    """
    if scores.ndim == 1:
        winners = np.abs(scores[:, None] - kinds[None, :]).argmin(axis=1)
        scores = np.ma.array(np.eye(len(kinds))[winners])
    others = [
        np.delete(scores.filled(np.nan), k, axis=1).max(axis=1)
        for k in range(scores.shape[1])
    ]
    return np.ma.masked_invalid(scores - np.column_stack(others))


def _line(ax: Any, lines: Any, margin: Any) -> None:
    """The line where the margin is 0, if it is anywhere."""
    if margin.min() < 0.0 < margin.max():
        ax.contour(*lines, margin, levels=[0.0], colors="black", linewidths=1.2)
