"""The loss at growing learning rates, and the rate to begin with."""

from __future__ import annotations

from typing import Any

from autograd.errors import DataError
from nn.training.rates import LearningRates
from viz.plots.data import axes, numbers
from viz.plots.palette import LIGHT, LINES


def learning_rates(found: LearningRates, *, ax: Any = None, **kwargs: Any) -> Any:
    """The loss of each batch at its learning rate, on a logarithmic axis.

    Parameters
    ----------
    found : what ``nn.find_learning_rate`` returns. Its suggestion is marked, if the
        loss falls anywhere.
    ax : the axes to draw on; a new figure's by default.
    **kwargs : passed on to ``ax.plot`` for the smoothed loss.

    Returns the axes. Raises DataError for a run that ended before its first step.

    >>> from nn import MLP, datasets, find_learning_rate
    >>> from viz import learning_rates
    >>> X, y = datasets.moons(100, seed=0)
    >>> found = find_learning_rate(MLP(2, [8, 1], seed=0), X, y, "hinge")
    >>> learning_rates(found).get_xscale()
    'log'
    """
    losses = numbers(found.losses, "the run")
    ax = axes(ax)
    look = {"color": LINES[0], "alpha": 0.4, "linestyle": "none", "markersize": 3}
    ax.plot(found.rates, losses, marker="o", label="of a batch", **look)
    smooth = {"color": LINES[0], "label": "smoothed", **kwargs}
    ax.plot(found.rates, found.smoothed, **smooth)
    _mark(ax, found)
    ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
    before = losses[: int(found.smoothed.argmin()) + 1]
    low, high = min(losses), max(before)
    if high > low:  # where the loss runs away it leaves the picture
        ax.set_ylim(low - 0.1 * (high - low), high + 0.5 * (high - low))
    ax.legend()
    return ax


def _mark(ax: Any, found: LearningRates) -> None:
    """A line and a point where the loss falls fastest; the title names the rate."""
    try:
        rate = found.suggestion
    except DataError:
        ax.set_title("the loss falls at no rate")
        return
    loss = found.smoothed[found.rates.index(rate)]
    ax.axvline(rate, color=LIGHT[1], linestyle="--", linewidth=1, zorder=0)
    ax.plot([rate], [loss], "*", color=LIGHT[1], markersize=12, label="falls fastest")
    ax.set_title(f"a rate to begin with: {rate:.2g}")
