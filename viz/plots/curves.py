"""Lines: a loss over steps, a line through points, a function and its derivative.

Without ``ax`` a new figure is made. Matplotlib is imported on first use; nothing is
shown, and no global setting is changed. Values are accepted wherever numbers are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd.errors import ShapeError
from autograd.transforms.gradients import jvp
from nn.layers.activations import find_activation
from viz.plots.data import axes, column_names, name_of, numbers, plain, scalar
from viz.plots.palette import LIGHT, LINES, STYLES

_DECADES = 50.0  # a range of this factor is drawn on a logarithmic axis
_POINTS = {"color": "black", "s": 18, "zorder": 3, "label": "data"}


def loss_curve(
    history: Iterable[Any] | Mapping[str, Iterable[Any]] | Any,
    *,
    ax: Any = None,
    **kwargs: Any,
) -> Any:
    """The loss over the steps of training, logarithmic when it spans decades.

    Parameters
    ----------
    history : the losses in order; several such lists by name, or the columns of a data
        frame; or what ``nn.fit`` returns: then metrics are drawn too, on an axis of
        their own on the right, and the best epoch is marked if there is validation.
    ax : the axes to draw on; a new figure's by default.
    **kwargs : passed on to ``ax.plot``.

    Returns the axes of the losses. Raises DataError for an empty history or a loss that
    is NaN; a metric that is NaN leaves a gap.

    >>> from viz import loss_curve
    >>> ax = loss_curve({"train": [1.0, 0.1, 0.01], "validation": [1.0, 0.2, 0.1]})
    >>> ax.get_yscale()
    'log'
    """
    curves = {name: numbers(losses, f"loss {name}") for name, losses in _named(history)}
    values = numbers([x for curve in curves.values() for x in curve], "the history")
    ax = axes(ax)
    for i, (name, curve) in enumerate(curves.items()):
        label = {"label": plain(name)} if name else {}
        ax.plot(range(len(curve)), curve, **{**_look(i, curve), **label, **kwargs})
    if values.min() > 0 and values.max() / values.min() >= _DECADES:
        ax.set_yscale("log")
    by_epoch = hasattr(history, "losses")
    ax.set(xlabel="epoch" if by_epoch else "step", ylabel="loss", title="training")
    sides = [ax]
    if by_epoch:
        _mark_best(ax, getattr(history, "validation_losses", ()))
        sides += _metrics(ax, getattr(history, "metrics", {}), len(curves), kwargs)
    parts = [both for side in sides for both in zip(*_entries(side), strict=True)]
    if len(parts) > 1:
        where = (
            "center right" if len(sides) > 1 else "best"
        )  # losses fall, metrics rise
        sides[-1].legend(*zip(*parts, strict=True), loc=where)
    return ax


def _look(i: int, curve: Any) -> dict[str, Any]:
    """The i-th line of a plot; a single number is a dot."""
    style, marker = STYLES[i % len(STYLES)], "o" if len(curve) == 1 else ""
    return {"color": LINES[i % len(LINES)], "linestyle": style, "marker": marker}


def _entries(ax: Any) -> Any:
    return ax.get_legend_handles_labels()


def _mark_best(ax: Any, losses: Any) -> None:
    if losses:
        best = min(range(len(losses)), key=losses.__getitem__)
        look = {"marker": "*", "s": 90, "color": "black", "zorder": 4}
        ax.scatter([best], [losses[best]], label=f"best: epoch {best}", **look)


def _metrics(ax: Any, metrics: Any, first: int, kwargs: Any) -> list[Any]:
    """The metrics on the right-hand side; its axes, if there are any."""
    if not metrics:
        return []
    right = ax.twinx()
    for i, (name, values) in enumerate(metrics.items(), first):
        curve = [scalar(x, name, finite=False) for x in values]
        look = {**_look(i, curve), **kwargs, "label": plain(name)}
        right.plot(range(len(curve)), curve, **look)
    right.set_ylabel(plain(", ".join(metrics)))
    return [right]


def _named(history: Any) -> Iterable[tuple[str, Iterable[Any]]]:
    """(name, losses) for each curve."""
    if isinstance(history, Mapping):
        return history.items()
    names = column_names(history)
    if names is not None:
        pairs = zip(names, history.columns, strict=True)
        return [(name, history[column]) for name, column in pairs]
    if not hasattr(history, "losses"):
        return [("", history)]
    both = ("training", history.losses), ("validation", history.validation_losses)
    return [(name, losses) for name, losses in both if losses or name == "training"]


def line_fit(x: Any, y: Any, w: Any, b: Any, *, ax: Any = None, **kwargs: Any) -> Any:
    """The line w x + b through points, each squared residual drawn as a square.

    Parameters
    ----------
    x, y : the points' coordinates, two sequences of one length; columns of a data frame
        give their names to the axes.
    w, b : slope and intercept.
    ax : the axes to draw on; a new figure's by default. Its aspect becomes equal, so
        that the squares are squares: least squares makes their total area smallest.
    **kwargs : passed on to ``ax.scatter`` for the points.

    Returns the axes. Raises ShapeError when the lengths differ, and DataError for no
    points or a NaN.

    >>> from viz import line_fit
    >>> line_fit([0.0, 1.0, 2.0], [1.0, 2.0, 4.0], w=1.5, b=0.5).get_title()
    'y = 1.5 x + 0.5, sum of squares 0.5'
    """
    xs, ys = numbers(x, "x"), numbers(y, "y")
    if len(xs) != len(ys):
        raise ShapeError(f"line_fit needs a y for each x, got {len(xs)} and {len(ys)}")
    slope, intercept = scalar(w, "w"), scalar(b, "b")
    ax = axes(ax)
    fitted = slope * xs + intercept
    ends = np.array([xs.min(), xs.max()])
    ax.plot(ends, slope * ends + intercept, color=LIGHT[0], zorder=2, label="line")
    _squares(ax, xs, ys, fitted, slope)
    ax.scatter(xs, ys, **{**_POINTS, **kwargs})
    ax.set_aspect("equal", adjustable="datalim")
    total = float(((ys - fitted) ** 2).sum())
    sign = "-" if intercept < 0 else "+"
    line = f"y = {slope:.3g} x {sign} {abs(intercept):.3g}"
    ax.set(xlabel=plain(name_of(x, "x")), ylabel=plain(name_of(y, "y")))
    ax.set_title(f"{line}, sum of squares {total:.3g}")
    ax.legend()
    return ax


def _squares(ax: Any, xs: Any, ys: Any, fitted: Any, slope: float) -> None:
    """A square on each residual, on the side that the line leaves free."""
    from matplotlib.collections import PolyCollection

    above = ys > fitted
    left = above == (slope > 0)
    widths = np.abs(ys - fitted) * np.where(left, -1.0, 1.0)
    corners = [
        [(x, y), (x, f), (x + width, f), (x + width, y)]
        for x, y, f, width in zip(xs, ys, fitted, widths, strict=True)
    ]
    squares = PolyCollection(
        corners,
        facecolor=LIGHT[1] + "26",
        edgecolor=LIGHT[1],
        linewidth=0.8,
        label="squared residuals",
    )
    ax.add_collection(squares, autolim=True)


def activation(
    f: str | Callable[[Any], Any],
    *,
    ax: Any = None,
    interval: tuple[float, float] = (-4.0, 4.0),
    resolution: int = 401,
    **kwargs: Any,
) -> Any:
    """A function of one number and its derivative, by forward-mode differentiation.

    Parameters
    ----------
    f : the function, written in operators and autograd's functions; or a name in
        ``nn.ACTIVATIONS``.
    ax : the axes to draw on; a new figure's by default.
    interval, resolution : where to draw, and at how many points.
    **kwargs : passed on to ``ax.plot`` for the function.

    Returns the axes. Where f is NaN the curve has a gap.

    >>> from autograd import tanh
    >>> from viz import activation
    >>> curve, derivative = activation(tanh).get_lines()[:2]
    >>> float(derivative.get_ydata()[200])
    1.0
    """
    f = find_activation(f)
    low, high = numbers(interval, "interval")
    xs = np.linspace(low, high, resolution)
    pairs = [jvp(f, (float(x),), (1.0,)) for x in xs]
    ys = [scalar(y, "f(x)", finite=False) for y, _ in pairs]
    slopes = [scalar(slope, "f'(x)", finite=False) for _, slope in pairs]
    name = getattr(f, "name", "") or getattr(f, "__name__", "f")
    name = "f" if name == "<lambda>" else plain(name)
    ax = axes(ax)
    ax.plot(xs, ys, **{"label": f"{name}(x)", "color": LIGHT[0], **kwargs})
    ax.plot(xs, slopes, linestyle="--", color=LIGHT[1], label="derivative")
    ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    ax.axvline(0.0, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xlabel="x", ylabel="y", title=f"{name} and its derivative")
    ax.legend()
    return ax
