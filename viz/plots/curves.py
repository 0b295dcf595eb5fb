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
from viz.plots.data import axes, numbers, scalar

_DECADES = 50.0  # a range of this factor is drawn on a logarithmic axis


def loss_curve(
    history: Iterable[Any] | Mapping[str, Iterable[Any]] | Any,
    *,
    ax: Any = None,
    **kwargs: Any,
) -> Any:
    """The loss over the steps of training, logarithmic when it spans decades.

    Parameters
    ----------
    history : the losses in order; several such lists by name; or what ``nn.fit``
        returns.
    ax : the axes to draw on; a new figure's by default.
    **kwargs : passed on to ``ax.plot``.

    Returns the axes. Raises DataError for an empty history or a loss that is NaN.

    >>> from viz import loss_curve
    >>> ax = loss_curve({"train": [1.0, 0.1, 0.01], "validation": [1.0, 0.2, 0.1]})
    >>> ax.get_yscale()
    'log'
    """
    curves = {name: numbers(losses, f"loss {name}") for name, losses in _named(history)}
    values = numbers([x for curve in curves.values() for x in curve], "the history")
    ax = axes(ax)
    for name, curve in curves.items():
        marker = "o" if len(curve) == 1 else ""
        options = {"marker": marker, **({"label": name} if name else {}), **kwargs}
        ax.plot(range(len(curve)), curve, **options)
    if values.min() > 0 and values.max() / values.min() >= _DECADES:
        ax.set_yscale("log")
    ax.set(xlabel="step", ylabel="loss")
    if any(curves):
        ax.legend()
    return ax


def _named(history: Any) -> Iterable[tuple[str, Iterable[Any]]]:
    """(name, losses) for each curve."""
    if isinstance(history, Mapping):
        return history.items()
    if not hasattr(history, "losses"):
        return [("", history)]
    both = ("training", history.losses), ("validation", history.validation_losses)
    return [(name, losses) for name, losses in both if losses or name == "training"]


def line_fit(x: Any, y: Any, w: Any, b: Any, *, ax: Any = None, **kwargs: Any) -> Any:
    """The line w x + b through points, each squared residual drawn as a square.

    Parameters
    ----------
    x, y : the points' coordinates, two sequences of one length.
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
    ax.plot(ends, slope * ends + intercept, color="C0", zorder=2)
    _squares(ax, xs, ys, fitted, slope)
    ax.scatter(xs, ys, **{"color": "black", "s": 18, "zorder": 3, **kwargs})
    ax.set_aspect("equal", adjustable="datalim")
    total = float(((ys - fitted) ** 2).sum())
    sign = "-" if intercept < 0 else "+"
    line = f"y = {slope:.3g} x {sign} {abs(intercept):.3g}"
    ax.set(xlabel="x", ylabel="y", title=f"{line}, sum of squares {total:.3g}")
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
        corners, facecolor=(0.84, 0.15, 0.16, 0.15), edgecolor="C3", linewidth=0.8
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
    if name == "<lambda>":
        name = "f"
    ax = axes(ax)
    ax.plot(xs, ys, **{"label": f"{name}(x)", **kwargs})
    ax.plot(xs, slopes, linestyle="--", label="derivative")
    ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    ax.axvline(0.0, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xlabel="x")
    ax.legend()
    return ax
