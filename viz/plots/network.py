"""A network as a network, on matplotlib axes: circles in layers, weights as lines."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from autograd.missing import missing
from nn.layers.module import Module
from viz.plots.data import plain
from viz.plots.palette import LIGHT, colour, signs
from viz.plots.places import RADIUS
from viz.plots.scene import Scene, Tile, scene

_BELOW = 1.1  # room for words below the circles
_INK, _PAPER = "#0f172a", "#ffffff"


def network(
    model: Module,
    x: Any = None,
    *,
    ax: Any = None,
    show: str = "weight",
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    biases: bool | None = None,
    write: str | None = "auto",
    most: int = 12,
    image: tuple[int, int] | None = None,
    title: str | None = None,
) -> Any:
    """A network as circles in layers, its weights as lines between them.

    Blue lines are positive weights and orange ones negative, the wider the larger. With
    a sample, circles are filled by the inputs and the activations, and hold them as
    numbers; a circle's colour is relative to its layer.

    Parameters
    ----------
    model : an ``MLP``, ``Layer``, ``Neuron``, or a ``Sequential`` of layers,
        activations and functions.
    x : one sample, as many numbers as the network has inputs.
    ax : the axes to draw on; a new figure's by default.
    show : "weight", or "grad" for the gradients of the weights.
    inputs, outputs : names, such as ``("hours", "age")``; by default those that the
        model was trained with (``model.inputs``, ``model.classes``), else x0 ... and ŷ.
    biases : mark each neuron's bias by a coloured "b"; by default up to 24 neurons.
    write : what stands on the lines: "value", "name" (the end of the weight's label),
        or None; by default values, where there are at most 12 lines.
    most : wider layers are elided in the middle, as in textbooks.
    image : (rows, columns) of the inputs: the weights of each neuron of the first layer
        are a small picture beside it, in place of lines.
    title : by default the kind, the widths and the number of parameters.

    Returns the axes. Nothing of the model is changed. Raises TypeError for what is no
    network of layers, ShapeError (naming both numbers) for a sample, names or an image
    of another size, DataError for a sample that is not finite, ValueError for unknown
    options.

    >>> from nn import MLP, Neuron
    >>> from viz import network
    >>> network(MLP(2, [4, 1], seed=0), [1.0, 2.0]).get_title()
    'MLP: 2 → 4 → 1, 17 parameters'

    A neuron with three inputs, as textbooks draw it; then a fully connected network:

    >>> neuron = Neuron(3, nonlin=False, seed=0)
    >>> for k, w in enumerate(neuron.w, 1):
    ...     w.label = f"w{k}"
    >>> ax = network(neuron, inputs=("x1", "x2", "x3"), write="name")
    >>> ax = network(MLP(3, [4, 4, 1], seed=0), title="fully connected")
    """
    drawn = scene(
        model,
        x,
        show=show,
        inputs=inputs,
        outputs=outputs,
        biases=biases,
        write=write,
        most=most,
        image=image,
        title=title,
    )
    if ax is None:
        ax = _axes(drawn, pyplots=True)
    return draw(drawn, ax)


def network_picture(model: Module, format: str, x: Any = None, **options: Any) -> bytes:
    """The picture of ``network`` as the bytes of a PNG or PDF."""
    drawn = scene(model, x, **options)
    ax, out = _axes(drawn, pyplots=False), io.BytesIO()
    draw(drawn, ax)
    ax.figure.savefig(out, format=format, dpi=150, bbox_inches="tight")
    return out.getvalue()


def _axes(drawn: Scene, pyplots: bool) -> Any:
    """Axes of a new figure as large as the network needs."""
    try:
        from matplotlib import pyplot
        from matplotlib.figure import Figure
    except ImportError:
        raise missing(
            "plots need matplotlib",
            "matplotlib",
            otherwise="viz.network_svg and .svg files do without",
        ) from None
    size = (
        0.75 * (drawn.width + drawn.left + drawn.right),
        0.62 * (drawn.height + _BELOW) + 0.8,
    )
    figure = (pyplot.figure if pyplots else Figure)(figsize=size)
    return figure.add_subplot()


def draw(drawn: Scene, ax: Any, legend: bool = True) -> Any:
    """Put a scene on axes; their frame and ticks go."""
    ax.set_axis_off()
    ax.set(
        xlim=(-drawn.left, drawn.width + drawn.right), ylim=(drawn.height + _BELOW, 0.0)
    )
    ax.set_aspect("equal")
    size = _font_size(ax)
    _lines(ax, drawn, size)
    _circles(ax, drawn, size)
    for tile in drawn.tiles:
        _tile(ax, tile)
    words = {"ha": "center", "color": _INK, "fontsize": size}
    for gap in drawn.gaps:
        ax.text(gap.x, gap.y, f"⋮ {gap.count:,} more", va="center", **words)
    for x, texts in drawn.under:
        ax.text(x, drawn.height + 0.15, plain("\n".join(texts)), va="top", **words)
    if legend:
        _legend(ax, drawn, size)
    if drawn.title:
        ax.set_title(plain(drawn.title), fontsize=size + 2)
    return ax


def _font_size(ax: Any) -> float:
    """Points that fit a number into a circle."""
    ax.apply_aspect()
    (_, low), (_, high) = ax.transData.transform([(0.0, 0.0), (0.0, 1.0)])
    points = abs(high - low) * 72.0 / ax.figure.dpi  # between two neurons
    return float(np.clip(0.24 * points, 5.0, 11.0))


def _lines(ax: Any, drawn: Scene, size: float) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgba

    shown = sorted(drawn.lines, key=lambda line: abs(line.strength))
    ends = [[(a.tail.x, a.tail.y), (a.head.x, a.head.y)] for a in shown]
    sizes = [1.0 if isnan(a.strength) else abs(a.strength) for a in shown]
    colours = [
        to_rgba(colour(a.strength, LIGHT), 0.3 + 0.7 * s)
        for a, s in zip(shown, sizes, strict=True)
    ]
    widths = [0.4 + 2.8 * s for s in sizes]
    ax.add_collection(LineCollection(ends, colors=colours, linewidths=widths, zorder=1))
    box = {"facecolor": _PAPER, "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
    for a in shown:
        if a.text:
            x = a.tail.x + a.share * (a.head.x - a.tail.x)
            y = a.tail.y + a.share * (a.head.y - a.tail.y)
            look = {"color": colour(a.strength, LIGHT), "fontsize": 0.85 * size}
            look |= {"ha": "center", "va": "center", "zorder": 2, "bbox": box}
            ax.text(x, y, plain(a.text), **look)


def _circles(ax: Any, drawn: Scene, size: float) -> None:
    from matplotlib.patches import Circle

    for dot in drawn.dots:
        x, y = dot.place.x, dot.place.y
        ax.add_patch(
            Circle((x, y), RADIUS, fc=_fill(dot.strength), ec=_INK, lw=0.9, zorder=3)
        )
        middle = {"va": "center", "color": _INK, "zorder": 5, "fontsize": size}
        ax.text(x, y, dot.number, ha="center", **middle)
        side = (RADIUS + 0.15) * (1 if dot.right else -1)
        where = {"ha": "left" if dot.right else "right"}
        ax.text(x + side, y, plain(dot.name), **middle, **where)
        if dot.bias is not None:
            at = x - 0.75 * RADIUS, y - 0.75 * RADIUS
            ring = colour(dot.bias, LIGHT)
            ax.add_patch(Circle(at, 0.15, fc=_PAPER, ec=ring, lw=1.2, zorder=4))
            small = {**middle, "fontsize": 0.75 * size, "color": ring}
            ax.text(*at, "b", ha="center", **small)


def _fill(strength: float | None) -> Any:
    from matplotlib.colors import to_rgb

    if strength is None:
        return _PAPER
    share = 0.45 * (1.0 if isnan(strength) else abs(strength))
    return tuple(1 + share * (c - 1) for c in to_rgb(colour(strength, LIGHT)))


def _tile(ax: Any, tile: Tile) -> None:
    half, (rows, columns) = tile.side / 2, tile.strengths.shape
    ratio = columns / rows
    wide, tall = half * min(1.0, ratio), half * min(1.0, 1.0 / ratio)
    box = (tile.x - wide, tile.x + wide, tile.y + tall, tile.y - tall)
    look = {"cmap": signs(), "vmin": -1.0, "vmax": 1.0, "interpolation": "nearest"}
    limits = ax.get_xlim(), ax.get_ylim()
    ax.imshow(tile.strengths, extent=box, zorder=2, **look)
    ax.set(xlim=limits[0], ylim=limits[1])


def _legend(ax: Any, drawn: Scene, size: float) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour(s, LIGHT), lw=2.5 if s else 0.0, label=plain(text))
        for s, text in drawn.legend
    ]
    columns = min(2, len(handles))
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=columns,
        frameon=False,
        fontsize=size,
    )
