"""The weights of a first layer as pictures: what each neuron looks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.errors import ShapeError
from viz.plots.data import axes
from viz.plots.palette import signs
from viz.plots.wiring import wiring

_GAP = 0.15  # between two pictures, in widths of one


def input_weights(
    model: Any,
    shape: tuple[int, int],
    *,
    most: int = 64,
    ax: Any = None,
    **kwargs: Any,
) -> Any:
    """The weights of each neuron of the first layer, as an image in a grid.

    Parameters
    ----------
    model : a network of layers whose inputs are images.
    shape : (rows, columns) of an image.
    most : how many neurons are shown.
    ax : the axes to draw on; a new figure's by default. The images are put into one.
    **kwargs : passed on to ``ax.imshow``.

    Returns the axes. Blue is positive and orange negative, white is 0; all images have
    one scale, up to the largest weight that is shown, which the title has. Raises
    ShapeError when the first layer has not rows * columns inputs, TypeError for a model
    that is no network of layers.

    >>> from nn import MLP
    >>> from viz import input_weights
    >>> len(input_weights(MLP(64, [12, 10], seed=0), (8, 8)).images)
    12
    """
    stage = wiring(model, "viz.input_weights draws").stages[0]
    rows, columns = shape
    if stage.inputs != rows * columns:
        raise ShapeError(
            f"the first layer takes {stage.inputs} inputs, and images of {rows} x "
            f"{columns} have {rows * columns}: give the height and width of a sample"
        )
    images = stage.weights()[:most].reshape(-1, rows, columns)
    reach = float(np.abs(images[np.isfinite(images)]).max(initial=0.0)) or 1.0
    look = {"cmap": signs(), "vmin": -reach, "vmax": reach, **kwargs}
    ax = axes(ax)
    across = int(np.ceil(np.sqrt(len(images) * rows / columns)))
    wide, high = columns * (1.0 + _GAP), rows * (1.0 + _GAP)
    for i, image in enumerate(images):
        left, top = wide * (i % across), high * (i // across)
        ax.imshow(image, extent=(left, left + columns, top + rows, top), **look)
    down = -(-len(images) // across)
    gap = _GAP * min(rows, columns)
    ax.set(xlim=(-gap, wide * min(across, len(images))), ylim=(high * down, -gap))
    ax.set_aspect("equal")
    ax.set_axis_off()
    shown = f"{len(images)} of {len(stage.neurons)} neurons"
    ax.set_title(f"{shown}, weights within ±{reach:.2g}")
    return ax
