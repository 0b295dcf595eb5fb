"""Statistics by layer: what flows through a network, forwards and backwards.

Activations whose deviation shrinks or grows from layer to layer, neurons that are stuck
and gradients that vanish are seen here before a run is wasted.

Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward
neural networks".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import gradient, relu, sigmoid, tanh
from autograd.spelling import spelled
from nn.layers.module import Module, in_mode
from nn.losses.named import Loss, find_loss
from nn.training.labels import samples_of
from nn.training.mismatches import check_model, refuse_unordered
from nn.training.samples import Samples
from nn.training.watching import Watched, watched
from nn.validation import integer, positive

Floats = NDArray[np.float64]

SATURATED = 0.97  # of the largest output: slopes there are below 6% of those at 0
MOSTLY = 0.9  # of the samples


@dataclass(frozen=True)
class LayerStatistics:
    """What leaves a layer for a number of samples, and what arrives at its parameters.

    Attributes
    ----------
    name, kind : such as "layer0" and "2 -> 16 relu".
    mean, deviation : of all its outputs.
    dead : the share of its relus that give 0 for every sample; None without relus.
    saturated : the share of its tanhs and sigmoids that give more than 97% of their
        reach for more than 9 samples in 10; None without them.
    gradient : the norm of the gradient of its parameters; None where it has none.
    weights : the norm of the parameters.
    outputs : an array (samples, numbers); of a sequence every step is a sample.
    """

    name: str
    kind: str
    mean: float
    deviation: float
    dead: float | None
    saturated: float | None
    gradient: float | None
    weights: float | None
    outputs: Floats

    @property
    def ratio(self) -> float | None:
        """The norm of the gradient, divided by that of the parameters."""
        if self.gradient is None or self.weights is None:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.divide(self.gradient, self.weights))


@dataclass(frozen=True)
class Statistics:
    """The statistics of each layer in order, the loss, and for how many samples."""

    layers: list[LayerStatistics]
    loss: float
    samples: int

    def __str__(self) -> str:
        head = ["", "", "mean", "deviation", "dead", "saturated", "gradient", "ratio"]
        rows = [head, *map(_row, self.layers)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        lines = [
            "  ".join(
                cell.ljust(width) if i < 2 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([f"loss {self.loss:.4g}, {self.samples} samples", *lines])


def _row(layer: LayerStatistics) -> list[str]:
    shares = [_text(share, "%") for share in (layer.dead, layer.saturated)]
    sizes = [_text(size, ".2e") for size in (layer.gradient, layer.ratio)]
    moments = [f"{layer.mean:.3f}", f"{layer.deviation:.3f}"]
    return [layer.name, layer.kind, *moments, *shares, *sizes]


def _text(x: float | None, form: str) -> str:
    return "-" if x is None else f"{x:.0%}" if form == "%" else f"{x:{form}}"


@spelled({"criterion": "loss", "max_samples": "most"})
def statistics(
    model: Module,
    X: Any,
    y: Any,
    loss: str | Loss = "mse_loss",
    *,
    most: int = 200,
) -> Statistics:
    """Activations and gradients by layer, for a model as it is now.

    Parameters
    ----------
    X, y, loss : as for ``fit``.
    most : of more samples so many are taken, evenly from all.

    The model is in ``eval()`` while it is measured, and is not changed: parameters,
    ``.grad`` and modes stay. Listed are layers, other modules with parameters, and
    functions between the parts of a ``Sequential``. Raises as ``fit`` does.

    >>> from nn import MLP, datasets, statistics
    >>> X, y = datasets.moons(100, seed=0)
    >>> found = statistics(MLP(2, [8, 1], "tanh", seed=0), X, y, "hinge")
    >>> [layer.kind for layer in found.layers], found.layers[0].saturated
    (['2 -> 8 tanh', '8 -> 1'], 0.0)
    """
    check_model(model, "statistics takes")
    positive("most", integer("most", most))
    refuse_unordered(X=X, y=y)
    chosen = find_loss(loss)
    samples = samples_of(model, X, y, chosen)
    return _measured(model, _some(samples, most), chosen)


def _some(samples: Samples, most: int) -> Samples:
    count = min(most, len(samples))
    return samples.take([i * len(samples) // count for i in range(count)])


def _measured(model: Module, samples: Samples, loss: Loss) -> Statistics:
    copy, log = watched(model)
    with in_mode(copy, False):
        value = loss(copy.batch(samples.X), samples.y)
    parameters = copy.parameters()
    slopes = dict(zip(parameters, gradient(value, parameters), strict=True))
    layers = [_layer(note, slopes) for note in log]
    return Statistics(layers, float(value.data), len(samples))


def _layer(note: Watched, slopes: dict[Any, float]) -> LayerStatistics:
    outputs = note.outputs()
    own = note.parameters
    return LayerStatistics(
        name=note.name,
        kind=note.kind,
        mean=float(outputs.mean()),
        deviation=float(outputs.std()),
        dead=_share(note, outputs, (relu,), _dead),
        saturated=_share(note, outputs, (tanh, sigmoid), _saturated),
        gradient=_norm([slopes[p] for p in own]) if own else None,
        weights=_norm([p.data for p in own]) if own else None,
        outputs=outputs,
    )


def _share(note: Watched, outputs: Floats, kinds: Any, stuck: Any) -> float | None:
    """The share of the numbers of some activations that are stuck; None of none."""
    acting = list(zip(note.activations, outputs.T, strict=False))
    found = [stuck(f, column) for f, column in acting if f in kinds]
    return float(np.mean(found)) if found else None


def _dead(_: Any, column: Floats) -> bool:
    return bool((column == 0.0).all())


def _saturated(f: Any, column: Floats) -> bool:
    reach = np.abs(column if f is tanh else 2.0 * column - 1.0)
    return bool((reach > SATURATED).mean() > MOSTLY)


def _norm(numbers: list[float]) -> float:
    return float(np.linalg.norm(numbers))
