"""Activations and gradients by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.errors import DataError
from nn.training.statistics import LayerStatistics, Statistics
from viz.plots.data import axes, plain
from viz.plots.palette import LIGHT

_SHARE = 0.05  # of the outputs, left out at both ends of a box


def layer_statistics(found: Statistics, *, ax: Any = None, **kwargs: Any) -> Any:
    """What leaves each layer, and how large its gradient is beside its weights.

    Parameters
    ----------
    found : what ``nn.statistics`` returns.
    ax : the axes to draw on; a new figure's by default. Gradients have an axis of their
        own on the right.
    **kwargs : passed on to ``ax.boxplot``.

    Returns the axes of the activations: for each layer a box from the lower to the
    upper quartile, with a line at the median and whiskers over 90% of them. Shares of
    dead and saturated neurons stand below. Raises DataError for a model without layers.

    >>> from nn import MLP, datasets, statistics
    >>> from viz import layer_statistics
    >>> X, y = datasets.moons(100, seed=0)
    >>> found = statistics(MLP(2, [8, 1], "tanh", seed=0), X, y, "hinge")
    >>> layer_statistics(found).get_ylabel()
    'activations'
    """
    if not found.layers:
        raise DataError("the model has no layer: give one with layers of nn")
    ax = axes(ax)
    columns = [_finite(layer.outputs) for layer in found.layers]
    ends = (100.0 * _SHARE, 100.0 - 100.0 * _SHARE)
    look = {"medianprops": {"color": LIGHT[0]}, "whis": ends, "widths": 0.4}
    places = range(len(columns))
    options = {"positions": places, "showfliers": False, **look, **kwargs}
    ax.boxplot(columns, **options)
    ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    ax.set_xticks(places, [_text(layer) for layer in found.layers])
    ax.set_xlabel("layer")
    ax.set_ylabel("activations", color=LIGHT[0])
    ax.set_title(f"{found.samples} samples, loss {found.loss:.3g}")
    _gradients(ax, found.layers)
    return ax


def _finite(outputs: Any) -> Any:
    return outputs[np.isfinite(outputs)]


def _text(layer: LayerStatistics) -> str:
    """Name, kind, and what is stuck."""
    shares = {"dead": layer.dead, "saturated": layer.saturated}
    stuck = [f"{share:.0%} {name}" for name, share in shares.items() if share]
    return "\n".join([plain(layer.name), plain(layer.kind), *stuck])


def _gradients(ax: Any, layers: list[LayerStatistics]) -> None:
    """The ratios on a logarithmic axis on the right, those that are above 0."""
    ratios = [(i, layer.ratio) for i, layer in enumerate(layers)]
    shown = [(i, r) for i, r in ratios if r is not None and np.isfinite(r) and r > 0.0]
    if shown:
        right = ax.twinx()
        look = {"color": LIGHT[1], "linestyle": "--", "marker": "s", "linewidth": 1}
        right.plot(*zip(*shown, strict=True), **look)
        right.set_yscale("log")
        right.set_ylabel("gradient / weights", color=LIGHT[1])
