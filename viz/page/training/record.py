"""A training run as frames: measured as it goes, and thinned so that it stays small.

A frame holds what can be seen after an epoch: the weights that are drawn, mean
activations, spreads of all numbers layer by layer, what the model says, and findings.
Measuring only reads: no ``.grad``, mode or random state is changed by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from autograd.transforms.gradients import gradient
from nn.layers.module import Module
from viz.page.training.outlooks import Outlook, digits, four
from viz.page.training.verdicts import Finding, findings
from viz.plots.scene import Scene
from viz.plots.wiring import Array, Wiring, undisturbed

MOST_FRAMES = 120
MOST_SAMPLES = 200  # on which activations and gradients are measured
_WORK = 100_000  # samples times parameters in a measured gradient
_SHARES = np.linspace(0.0, 1.0, 101)  # of a layer's numbers, kept as their spread
KINDS = ("weights", "activations", "gradients")


@dataclass
class Frame:
    """What was seen after so many epochs or steps."""

    time: int
    numbers: dict[str, float]  # the loss and metrics, by name
    weights: list[float]  # of the lines of the scene
    biases: list[float]  # of its neurons
    activity: list[float]  # of all its circles: means over the samples
    spreads: dict[str, list[Array]]  # by kind and layer
    outlook: dict[str, Any]
    findings: list[Finding]


class Recording:
    """Frames of a run, its curves, and how a frame is made.

    ``loss(outputs, targets)`` is measured aside for the gradients; without it they are
    ``.grad``, as the last step of the training left them.
    """

    def __init__(
        self,
        model: Module,
        wires: Wiring,
        scene: Scene,
        outlook: Outlook,
        samples: tuple[list[Any], list[Any]],
        loss: Callable[[Any, Any], Any] | None,
    ) -> None:
        self.model, self.wires, self.scene = model, wires, scene
        self.outlook, self.loss = outlook, loss
        self._samples = samples
        self._at = _places_of(wires, scene)
        self.curves: dict[str, list[float]] = {}
        self.time, self._stride = 0, 1
        self.frames = [self._frame()]

    def add(self, numbers: dict[str, float]) -> None:
        """Another epoch or step has ended, with these numbers."""
        for name in numbers:
            self.curves.setdefault(name, [nan] * self.time)
        for name, curve in self.curves.items():
            curve.append(numbers.get(name, nan))
        self.time += 1
        if self.time % self._stride == 0:
            self._keep()

    def complete(self) -> list[Frame]:
        """All frames, the last as the model is now."""
        if self.frames[-1].time != self.time:
            self._keep()
        return self.frames

    def _keep(self) -> None:
        self.frames.append(self._frame())
        while len(self.frames) > MOST_FRAMES:
            self._stride *= 2
            *earlier, last = self.frames
            self.frames = [f for f in earlier if f.time % self._stride == 0] + [last]

    def _frame(self) -> Frame:
        stages = self.wires.stages
        with np.errstate(all="ignore"):
            columns = self.wires.columns(self.outlook.X)
            weights = [s.weights() for s in stages]
            gradients = self._gradients()
            numbers = [weights, columns[1:], gradients]
            spreads = [[_spread(a) for a in layers] for layers in numbers]
            now = {name: curve[-1] for name, curve in self.curves.items()}
            flat = np.concatenate([w.ravel() for w in weights])
            lines, neurons, circles = self._at
            biases = np.concatenate([s.biases() for s in stages])
            means = np.concatenate([column.mean(axis=0) for column in columns])
            return Frame(
                self.time,
                {name: four(x) for name, x in now.items()},
                digits(flat[lines]),
                digits(biases[neurons]),
                digits(means[circles]),
                dict(zip(KINDS, spreads, strict=True)),
                self.outlook.at(columns[-1]),
                findings(stages, columns[1:], weights, gradients),
            )

    def _gradients(self) -> list[Array]:
        """Of each layer's weights."""
        if self.loss is None:
            return [stage.gradients()[0] for stage in self.wires.stages]
        inputs, targets = self._samples
        parameters = [w for s in self.wires.stages for n in s.neurons for w in n.w]
        count = min(len(inputs), max(8, _WORK // len(parameters)))
        chosen = np.linspace(0, len(inputs) - 1, count).round().astype(int).tolist()
        X, y = [inputs[i] for i in chosen], [targets[i] for i in chosen]
        with undisturbed():
            loss = self.loss(self.model.batch(X), y)
            found = np.array(gradient(loss, parameters), float)
        ends = np.cumsum([len(s.neurons) * s.inputs for s in self.wires.stages])
        return np.split(found, ends[:-1])


def _places_of(wires: Wiring, scene: Scene) -> tuple[list[int], list[int], list[int]]:
    """Where the scene's weights, biases and outputs stand among all of each."""
    sizes = [len(s.neurons) * s.inputs for s in wires.stages]
    starts, offsets = np.cumsum([0, *sizes]), np.cumsum([0, *wires.widths])
    lines = [
        int(starts[a.tail.column])
        + a.head.index * wires.stages[a.tail.column].inputs
        + a.tail.index
        for a in scene.lines
    ]
    circles = [int(offsets[d.place.column]) + d.place.index for d in scene.dots]
    neurons = [
        k - wires.widths[0]
        for k, dot in zip(circles, scene.dots, strict=True)
        if dot.place.column
    ]
    return lines, neurons, circles


def _spread(numbers: Array) -> Array:
    """Numbers of the layer from the smallest to the largest, at equal shares."""
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return np.empty(0)
    found: Array = np.quantile(finite, _SHARES, method="inverted_cdf")
    return found
