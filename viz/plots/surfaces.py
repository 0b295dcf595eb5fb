"""Plots over a plane: where a classifier decides, and how a descent went down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.errors import DataError, ShapeError
from autograd.table.reals import short
from viz.plots.data import axes, classes, column_names, on_grid, plain, points
from viz.plots.palette import LIGHT, MARKERS, class_colours, signs

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
    labels: Sequence[str] = (),
    cmap: Any = None,
    **kwargs: Any,
) -> Any:
    """What a classifier says over the plane, and the points it was trained on.

    Parameters
    ----------
    predict : takes an (n, 2) float array and returns n scores, n rows of scores or n
        classes; or, if it cannot, one point as a list of 2 floats at a time, like a
        model.
    X, y : (n, 2) points, and their n classes: numbers or texts. Data frames and their
        columns too; the axes have their names.
    ax : the axes to draw on; a new figure's by default.
    grid_resolution : the number of grid points on each axis.
    eps : how far the grid extends beyond the points.
    plot_method : "contourf", "contour" or "pcolormesh".
    threshold : for two classes, the score between them; by default half way between
        their numbers: 0 for -1 and 1, 1/2 for 0 and 1 (give 0 if scores are logits).
        Classes that are texts count as 0 and 1, in alphabetical order.
    labels : the names of the classes in the legend, in order; else the classes.
    cmap : a colormap; by default orange and blue for two classes, and others that
        colour-blind readers tell apart.
    **kwargs : passed on to the plotting method.

    Returns the axes. Raises ShapeError when X is not (n, 2) or y or ``labels`` has
    another length, DataError for no points, a NaN, or texts mixed with numbers, and
    ValueError for an unknown plot_method.

    >>> from viz import decision_boundary
    >>> X, y = [[0.0, 0.0], [1.0, 1.0]], ["low", "high"]
    >>> ax = decision_boundary(lambda p: 1 - p[:, 0] * p[:, 1], X, y)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['high', 'low']
    """
    if plot_method not in _METHODS:
        raise ValueError(f"plot_method is one of {_METHODS}, got {short(plot_method)}")
    where, (kinds, indices) = points(X, "X"), classes(y)
    if len(where) != len(indices):
        raise ShapeError(
            f"{len(where)} points in X with {len(indices)} classes in y: give one "
            "class for each point"
        )
    codes = np.arange(len(kinds)) if isinstance(kinds[0], str) else np.array(kinds)
    corners = where.min(0) - eps, where.max(0) + eps
    lines, grid = _grid(*corners, grid_resolution)
    coded = _coded(predict, kinds)
    scores = _finite(on_grid(coded, coded, grid), "predict")
    names = _class_names(labels, kinds, scores.shape[1] if scores.ndim == 2 else 0)
    ax = axes(ax)
    draw, colours = getattr(ax, plot_method), class_colours(len(names), cmap)
    if scores.ndim == 2 or len(kinds) > 2:
        if scores.ndim == 2 and not isinstance(kinds[0], str):
            indices = np.array(_columns(kinds, scores.shape[1]))[indices]
        _fill_regions(ax, draw, lines, _margins(scores, codes), colours, kwargs)
    else:
        middle = float(codes.mean()) if threshold is None else threshold
        _fill_sides(ax, draw, lines, scores, middle, cmap or signs(), kwargs)
    _scatter(ax, where, indices, names, colours)
    across, up = column_names(X) or ("x0", "x1")
    ax.set(xlabel=plain(across), ylabel=plain(up), title="decision boundary")
    return ax


def _coded(predict: Callable[[Any], Any], kinds: list[Any]) -> Callable[[Any], Any]:
    """As predict, with classes that it names by text as their indices."""
    if not isinstance(kinds[0], str):
        return predict

    def coded(X: Any) -> Any:
        found = predict(X)
        if isinstance(found, str):
            return index_of(found)
        if len(np.shape(found)) == 1 and isinstance(found[0], str):
            return np.array([index_of(str(name)) for name in found], float)
        return found

    def index_of(name: str) -> int:
        if name not in kinds:
            raise DataError(
                f"predict named the class {short(name)}, and y has only "
                f"{short(kinds)}: give points of every class, or scores"
            )
        return kinds.index(name)

    return coded


def _class_names(labels: Sequence[str], kinds: list[Any], columns: int) -> list[str]:
    """What the legend calls each class; there is one for each column of scores."""
    count = max(len(kinds), columns)
    if labels:
        if isinstance(labels, str) or len(labels) != count:
            raise ShapeError(
                f"{len(labels)} labels for {count} classes: give one for each class"
            )
        return [str(label) for label in labels]
    if columns > len(kinds) or (columns and not isinstance(kinds[0], str)):
        taken = dict(zip(_columns(kinds, columns), kinds, strict=True))
        return [_text(taken.get(k, k)) for k in range(count)]
    return [_text(kind) for kind in kinds]


def _columns(kinds: list[Any], count: int) -> list[int]:
    """The column of scores of each class: its number, or else its place in order."""
    if all(kind in range(count) for kind in kinds):
        return [int(kind) for kind in kinds]
    return list(range(len(kinds)))


def _text(kind: Any) -> str:
    return kind if isinstance(kind, str) else f"{kind:g}"


def _scatter(ax: Any, where: Any, indices: Any, names: list[str], colours: Any) -> None:
    """The points of each class in a colour and a shape of its own, and the legend."""
    for k, name in enumerate(names):
        marker, mine = MARKERS[k % len(MARKERS)], where[indices == k]
        if len(mine):
            look = {"color": [colours[k]], "marker": marker, "edgecolors": "black"}
            ax.scatter(*mine.T, s=30, zorder=3, label=plain(name), **look)
    ax.legend(title="class")


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
    ax.plot(*steps.T, **{"color": LIGHT[1], "marker": "o", "ms": 3, "lw": 1, **kwargs})
    ax.plot(*steps[0], "s", color="black", label="start")
    ax.plot(*steps[-1], "*", color="black", ms=12, label="end")
    names = column_names(path) or ("first parameter", "second parameter")
    ax.set(xlabel=plain(names[0]), ylabel=plain(names[1]))
    ax.set_title(f"descent in {len(steps) - 1} step{'s' * (len(steps) != 2)}")
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
        raise DataError(
            f"{name} gave no finite number on {len(scores)} grid points: train the "
            "model longer or with a smaller learning rate, or look at its outputs"
        )
    return masked


def _fill_sides(
    ax: Any, draw: Any, lines: Any, scores: Any, middle: float, cmap: Any, kwargs: Any
) -> None:
    """Colours that part at the threshold."""
    from matplotlib.colors import CenteredNorm

    spread = float(abs(scores - middle).max()) or 1.0
    look = {"cmap": cmap, "norm": CenteredNorm(middle, spread), "alpha": 0.6}
    heights = scores.reshape(len(lines[1]), -1)
    levels = {"levels": np.linspace(middle - spread, middle + spread, 21)}
    if draw.__name__ == "pcolormesh":
        levels = {}
    draw(*lines, heights, **{**look, **levels, **kwargs})
    _line(ax, lines, heights - middle)


def _fill_regions(
    ax: Any, draw: Any, lines: Any, margins: Any, colours: list[Any], kwargs: Any
) -> None:
    """A colour for each class where it wins."""
    from matplotlib.colors import ListedColormap, Normalize

    count = margins.shape[1]
    look = {"cmap": ListedColormap(colours), "norm": Normalize(-0.5, count - 0.5)}
    sides = [margin.reshape(len(lines[1]), -1) for margin in margins.T]
    if draw.__name__ == "pcolormesh":
        winners = margins.argmax(axis=1).reshape(sides[0].shape)
        draw(*lines, winners, **{**look, "alpha": 0.4, **kwargs})
    for k, side in enumerate(sides):
        if draw.__name__ == "contourf" and side.max() > 0.0:
            options = {"colors": [colours[k]], "alpha": 0.4, **kwargs}
            draw(*lines, side, levels=[0.0, side.max() + 1.0], **options)
        _line(ax, lines, side)


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
