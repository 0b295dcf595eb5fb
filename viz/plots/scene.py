"""What a picture of a network shows: circles, lines and words, for any renderer.

``scene`` reads a model once. Sizes of weights and of outputs become strengths from -1
to 1 (NaN for what is not finite), which renderers turn into colour and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite, prod
from typing import Any

import numpy as np

from autograd.errors import ShapeError
from autograd.table.reals import short
from nn.layers.module import Module
from viz.plots.places import RADIUS, Circle, Gap, Places, places
from viz.plots.wiring import Array, Wiring, sample, wiring

_SHOWN = ("weight", "grad")
_WRITTEN = ("value", "name")
_FEW_WIRES, _FEW_NEURONS = 12, 24  # numbers on the wires, biases on the neurons
_ROOMY = 3.4  # between columns, where numbers stand on the wires
_TILE = 0.8  # the side of a picture of weights


@dataclass
class Dot:
    """A circle: its fill, the number in it, the name beside it, its bias."""

    place: Circle
    says: str
    strength: float | None = None
    number: str = ""
    name: str = ""
    right: bool = False  # where the name stands
    bias: float | None = None


@dataclass
class Line:
    tail: Circle
    head: Circle
    strength: float
    says: str
    text: str = ""
    share: float = 0.5  # of the way, where the text stands: lines of one tail alike


@dataclass
class Tile:
    """The weights of a neuron as a picture, strengths from -1 to 1."""

    x: float
    y: float
    side: float
    strengths: Array


@dataclass
class Scene:
    """All that is drawn; x to the right, y downwards."""

    title: str
    dots: list[Dot]
    lines: list[Line]
    tiles: list[Tile]
    gaps: list[Gap]
    under: list[tuple[float, list[str]]]  # words below each column
    legend: list[tuple[float, str]]  # a strength, and what it means
    width: float
    height: float
    left: float  # more room beside it, for long names
    right: float


def scene(
    model: Module,
    x: Any = None,
    *,
    show: str = "weight",
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    biases: bool | None = None,
    write: str | None = "auto",
    most: int = 12,
    image: tuple[int, int] | None = None,
    title: str | None = None,
) -> Scene:
    """The network as circles, lines and words; the options are those of ``network``."""
    _check(show, write)
    wires = wiring(model)
    first = 0 if image is None else 1  # the column that circles begin with
    plan = places(wires.widths[first:], most, first)
    values = None if x is None else sample(wires, x)
    numbers, offsets = _parameters(wires, show)
    largest = _largest(numbers)
    names = [
        named("inputs", inputs or model.inputs or (), wires.widths[0], "x"),
        named("outputs", outputs or _classes(model, wires), wires.widths[-1], "ŷ"),
    ]
    few = len(plan.wires()) <= _FEW_WIRES and image is None
    style = ("value" if few else None) if write == "auto" else write
    if style:
        plan = places(wires.widths[first:], most, first, _ROOMY)
    lines = [
        replace(_line(wires, numbers, *ends, largest, style, show), share=share)
        for ends, share in zip(plan.wires(), _shares(plan), strict=True)
    ]
    if biases is None:
        neurons = [circle for circle in plan.circles if circle.column > 0]
        biases = len(neurons) <= _FEW_NEURONS
    dots = [
        _dot(circle, len(wires.stages), values, offsets if biases else None, names)
        for circle in plan.circles
    ]
    tiles = [] if image is None else _tiles(plan.columns[0], numbers[0], image)
    return Scene(
        _title(model, wires) if title is None else title,
        dots,
        lines,
        tiles,
        plan.gaps,
        _under(wires, plan.columns),
        _legend(numbers, largest, show, biases),
        plan.width,
        plan.height,
        max([_room(dot.name) for dot in dots if not dot.right], default=0.0),
        max([_room(dot.name) for dot in dots if dot.right], default=0.0),
    )


def _check(show: Any, write: Any) -> None:
    if show not in _SHOWN:
        raise ValueError(f"show is one of {_SHOWN}, got {short(show)}")
    if write not in ("auto", *_WRITTEN, None):
        raise ValueError(f"write is one of {_WRITTEN} or None, got {short(write)}")


def _classes(model: Any, wires: Any) -> Sequence[str]:
    """The names of the model's classes, if each has an output."""
    known = [str(name) for name in model.classes or ()]
    return known if len(known) == wires.widths[-1] else ()


def named(what: str, given: Any, count: int, letter: str) -> list[str]:
    """Names for inputs or outputs, as given or made of a letter.

    >>> named("inputs", (), 2, "x"), named("outputs", (), 1, "ŷ")
    (['x0', 'x1'], ['ŷ'])
    """
    if isinstance(given, str) or not all(isinstance(name, str) for name in given):
        raise TypeError(
            f"{what} is a sequence of names, got {short(given)}: write "
            f"[{short(given)}] for one"
        )
    names = list(given)
    if not names:
        single = count == 1 and letter == "ŷ"
        return [letter] if single else [f"{letter}{i}" for i in range(count)]
    if len(names) != count:
        raise ShapeError(
            f"{len(names)} name{'s' * (len(names) != 1)} in {what}, and the network "
            f"has {count}: give one for each"
        )
    return names


def strength(x: float, largest: float) -> float:
    """A number among others, from -1 to 1; NaN if it is not finite."""
    if not isfinite(x):
        return float("nan")
    return max(-1.0, min(1.0, x / largest)) if largest else 0.0


def _parameters(wires: Wiring, show: str) -> tuple[list[Array], list[Array]]:
    """Weights and biases of each layer, or their gradients."""
    if show == "grad":
        pairs = [stage.gradients() for stage in wires.stages]
        return [w for w, _ in pairs], [b for _, b in pairs]
    return [s.weights() for s in wires.stages], [s.biases() for s in wires.stages]


def _largest(arrays: Sequence[Array]) -> float:
    sizes = np.abs(np.concatenate([a.ravel() for a in arrays]))
    return float(np.max(sizes[np.isfinite(sizes)], initial=0.0))


def _line(
    wires: Wiring,
    numbers: list[Array],
    tail: Circle,
    head: Circle,
    largest: float,
    style: str | None,
    show: str,
) -> Line:
    x = float(numbers[tail.column][head.index, tail.index])
    label = wires.stages[tail.column].neurons[head.index].w[tail.index].label
    name = label.rpartition(".")[2] or f"w{tail.index}"
    text = {"value": f"{x:.3g}", "name": name, None: ""}[style]
    what = "gradient" if show == "grad" else "weight"
    return Line(tail, head, strength(x, largest), f"{what} {label}: {x:.4g}", text)


def _shares(plan: Places) -> list[float]:
    """Where words stand on each wire, so that those of two tails are apart."""
    shares = []
    for tails, heads in pairwise(plan.columns):
        between, single = max(1, len(tails) - 1), len(heads) == 1
        spread = [0.4 if single else 0.4 + 0.3 * k / between for k in range(len(tails))]
        shares += spread * len(heads)
    return shares


def _dot(
    circle: Circle,
    last: int,
    values: list[Array] | None,
    offsets: list[Array] | None,
    names: list[list[str]],
) -> Dot:
    first = circle.column == 0
    says = "input" if first else f"layer {circle.column - 1}, neuron {circle.index}"
    dot = Dot(circle, says, right=circle.column == last)
    if first or dot.right:
        dot.name = names[dot.right][circle.index]
        dot.says += f", {dot.name}"
    if values is not None:
        column = values[circle.column]
        value = float(column[circle.index])
        dot.strength, dot.number = strength(value, _largest([column])), f"{value:.2g}"
        dot.says += f": {value:.4g}"
    if offsets is not None and not first:
        biases = offsets[circle.column - 1]
        dot.bias = strength(float(biases[circle.index]), _largest(offsets))
        dot.says += f", b {biases[circle.index]:.4g}"
    return dot


def _room(name: str) -> float:
    """What a name needs beyond the margin."""
    return max(0.0, 0.17 * len(name) - 1.0)


def _tiles(column: list[Circle], rows: Array, image: Any) -> list[Tile]:
    """The weights of the first layer's neurons, each as a picture of its own scale."""
    shape = tuple(image)
    if len(shape) != 2 or prod(shape) != rows.shape[1]:
        raise ShapeError(
            f"image={shape} has {prod(shape)} pixels, and the network takes "
            f"{rows.shape[1]} inputs: give the height and width of a sample"
        )
    tiles = []
    for circle in column:
        weights = rows[circle.index]
        top = _largest([weights])
        found = np.array([strength(float(w), top) for w in weights]).reshape(shape)
        x = circle.x - RADIUS - 0.3 - _TILE / 2
        tiles.append(Tile(x, circle.y, _TILE, found))
    return tiles


def _title(model: Module, wires: Wiring) -> str:
    count = sum([s.weights().size + s.biases().size for s in wires.stages])
    chain = " → ".join(map(str, wires.widths))
    return f"{type(model).__name__}: {chain}, {count:,} parameters"


def _under(wires: Wiring, columns: list[list[Circle]]) -> list[tuple[float, list[str]]]:
    """Words below each column: what acts there, and how many parameters it has."""
    out = []
    for circle, *_ in columns:
        if circle.column:
            stage = wires.stages[circle.column - 1]
            size = stage.weights().size + stage.biases().size
            out.append((circle.x, [stage.title, f"{size:,} parameters"]))
        else:
            count = wires.widths[0]
            out.append((circle.x, [f"{count} input" + "s" * (count != 1)]))
    return out


def _legend(
    numbers: list[Array], largest: float, show: str, biases: bool
) -> list[tuple[float, str]]:
    what = "gradient" if show == "grad" else "weight"
    if not largest and show == "grad":
        return [(0.0, "all gradients are 0: call backward() first")]
    found = [(1.0, f"positive {what}"), (-1.0, f"negative {what}")]
    if not all(np.isfinite(a).all() for a in numbers):
        found.append((float("nan"), f"{what} that is not finite"))
    found.append((0.0, f"width: size, at most {largest:.3g}"))
    if biases:
        found.append((0.0, "b: bias" if show == "weight" else "b: gradient of a bias"))
    return found
