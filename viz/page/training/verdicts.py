"""What goes wrong in training, seen in one moment of it, and what to do about it.

A layer's outputs, its weights and their gradients enter; ``Finding``s leave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nn.training.statistics import MOSTLY, SATURATED
from viz.plots.wiring import Array, Stage

_VANISHED = 1e-3  # of the last layer's gradient
_EXPLODED = 1e3  # the norm of a layer's gradient, or times the last layer's

ADVICE = {
    "infinite": (
        "numbers that are not finite",
        "The run has diverged: lower the learning rate, clip gradients (clip=), or "
        "look for log, sqrt or a division at 0 with detect_anomaly.",
    ),
    "dead": (
        "dead",
        "The outputs are 0 for every sample, so the weights get no gradient and stay "
        "as they are: lower the learning rate, start with init='he_normal', or use "
        "leaky_relu.",
    ),
    "saturated": (
        "saturated",
        "The outputs are at their limits for most samples, where slopes are nearly 0: "
        "standardise the inputs, start with smaller weights, or use relu.",
    ),
    "vanishing": (
        "vanishing gradient",
        "Less than a thousandth of the last layer's gradient arrives here: use relu or "
        "fewer layers, and init='he_normal' (relu) or 'xavier_normal' (tanh).",
    ),
    "exploding": (
        "exploding gradient",
        "The gradient is far larger than a step can follow: clip it (clip=), lower the "
        "learning rate, or standardise inputs and targets.",
    ),
}


class Finding(NamedTuple):
    """A kind in ``ADVICE``, the layer, and its neurons (none: all of it)."""

    kind: str
    layer: int
    neurons: list[int]


def findings(
    stages: Sequence[Stage],
    outputs: Sequence[Array],
    weights: Sequence[Array],
    gradients: Sequence[Array],
) -> list[Finding]:
    """What is wrong now; the arrays are those of each layer, outputs by sample."""
    return [
        *_infinite(weights, gradients),
        *_stuck(stages, outputs),
        *_of_gradients(gradients),
    ]


def _infinite(
    weights: Sequence[Array], gradients: Sequence[Array]
) -> Iterator[Finding]:
    for i, (w, g) in enumerate(zip(weights, gradients, strict=True)):
        if not (np.isfinite(w).all() and np.isfinite(g).all()):
            yield Finding("infinite", i, [])


def _stuck(stages: Sequence[Stage], outputs: Sequence[Array]) -> Iterator[Finding]:
    """Neurons that are dead; in hidden layers also those that are saturated."""
    for i, (stage, Y) in enumerate(zip(stages, outputs, strict=True)):
        squash = stage.squash
        if squash == "relu":
            kind, stuck = "dead", (Y == 0.0).all(axis=0)
        elif squash and i < len(stages) - 1:
            reach = np.abs(Y if squash == "tanh" else 2.0 * Y - 1.0)
            kind, stuck = "saturated", (reach > SATURATED).mean(axis=0) > MOSTLY
        else:
            continue
        if stuck.any():
            yield Finding(kind, i, np.flatnonzero(stuck).tolist())


def _of_gradients(gradients: Sequence[Array]) -> Iterator[Finding]:
    """Layers whose gradients are out of proportion to the last layer's."""
    sizes = [float(np.sqrt(np.mean(g * g))) if g.size else 0.0 for g in gradients]
    if not sizes or not np.isfinite(sizes).all():
        return
    last = sizes[-1]
    for i, (g, size) in enumerate(zip(gradients, sizes, strict=True)):
        if size > _EXPLODED * last > 0.0 or float(np.linalg.norm(g)) > _EXPLODED:
            yield Finding("exploding", i, [])
        elif size < _VANISHED * last:
            yield Finding("vanishing", i, [])
