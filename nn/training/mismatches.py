"""What does not go together: found before the first step, answered by the remedy.

A loss that applies an activation by itself, on a model that has applied it already,
trains to a wrong result without a word; class numbers under a loss for amounts are
regressed upon. Each is refused, or warned of where it may be meant.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import ShapeError, sigmoid, softmax
from autograd.table.reals import short
from nn.layers.activations import linear
from nn.layers.module import Module
from nn.layers.networks import Layer, Neuron, Sequential
from nn.layers.parts import Dropout, Embedding, LayerNorm, flatten
from nn.losses.amounts import huber_loss, l1_loss, mse_loss
from nn.losses.classes import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
)
from nn.losses.named import Loss
from nn.training.samples import Samples
from nn.validation import is_sequence

OF_SCORES = (hinge_loss, binary_cross_entropy_with_logits)  # that are 0 in between
OF_AMOUNTS = (mse_loss, l1_loss, huber_loss)
_APPLIED_TWICE = {
    (sigmoid, binary_cross_entropy_with_logits): (
        "a sigmoid is applied twice: binary_cross_entropy_with_logits applies one to "
        'the outputs, and the model ends in one. Leave it out (output="linear"), or '
        'keep it with loss="mse"'
    ),
    (softmax, cross_entropy): (
        "softmax is applied twice: cross_entropy applies it to the outputs, and the "
        "model ends in it. Leave it out of the model; apply nn.softmax to predictions"
    ),
}
_FEW = 20  # classes, in whole numbers from 0
_EACH = 5  # samples of a class, on average
_LARGE = 100.0  # the root mean square of a column


def check_model(model: Any, who: str) -> None:
    """Raise TypeError for what is no module."""
    if not isinstance(model, Module):
        raise TypeError(f"{who} a nn.Module, got {type(model).__name__}")


def refuse_mismatches(model: Module, loss: Loss, samples: Samples, width: int) -> None:
    """Raise for a loss that does not fit the model, or the targets of its outputs.

    ``width`` is the number of outputs for a sample.
    """
    for (activation, twice), remedy in _APPLIED_TWICE.items():
        if loss is twice and last_activation(model) is activation:
            raise ValueError(remedy)
    first, _ = _ends(model)
    if isinstance(first, Embedding):  # which compiled code cannot refuse
        for index in {*flatten(samples.X)}:
            first(index)
    classes = samples.classes
    if classes and loss is cross_entropy and width != len(classes):
        raise ShapeError(
            f"y has the names of {len(classes)} classes, {short(classes)}, and the "
            f"model {width} output{'s' * (width != 1)}: give its last layer one for "
            f"each"
        )
    rows = any(map(is_sequence, samples.y))
    if loss in OF_AMOUNTS and width > 1 and not rows:
        raise ShapeError(
            f"{width} outputs with one target for each sample, under {_name(loss)}: "
            f"use loss='cross_entropy' for classes, or give {width} amounts for each "
            f"sample"
        )


def takes_sequences(model: Module) -> bool:
    """Whether a sample may be more than one row: what comes first decides."""
    first, _ = _ends(model)
    flat = isinstance(first, Neuron | Layer | Dropout | LayerNorm)
    return isinstance(first, Module) and not flat


def warn_of_classes(loss: Loss, samples: Samples) -> None:
    """Warn where numbers of classes would be taken for amounts."""
    rows = any(map(is_sequence, samples.y))
    count = _classes(samples.y) if loss in OF_AMOUNTS and not rows else 0
    if count > 2:
        _warn(
            f"the targets look like the numbers of {count} classes, and {_name(loss)} "
            f"takes them for amounts: for classes use loss='cross_entropy' and a last "
            f"layer of {count}"
        )


def warn_of_units(model: Module, loss: Loss, samples: Samples) -> None:
    """Warn of numbers so large that a network hardly learns from them.

    Weights are drawn for inputs of about 1, and steps are of about the learning rate.
    """
    first, last = _ends(model)
    if isinstance(first, Layer | Neuron) and samples.arrays:
        size = _sizes(samples.arrays[0])
        if size.max() > _LARGE:
            column = int(size.argmax())
            _warn(
                f"column {column} of X has numbers of about {size[column]:.3g}, and "
                f"networks learn from numbers of about 1: make nn.Scaler(X) the first "
                f"part of a Sequential (of an estimator: standardise=True)"
            )
    if isinstance(last, Layer | Neuron) and loss in OF_AMOUNTS:
        size = _sizes(np.array(_flat(samples.y), dtype=float).reshape(-1))
        if size > 10.0 * _LARGE:
            _warn(
                f"y has numbers of about {size:.3g}, and a network begins near 0: make "
                f"nn.Scaler(y).inverse the last part of a Sequential (of an estimator: "
                f"standardise=True)"
            )


def _sizes(numbers: Any) -> Any:
    """Root mean squares over the first axis, whose squares do not overflow."""
    largest = np.abs(numbers).max(axis=0)
    shares = numbers / np.where(largest > 0.0, largest, 1.0)
    return largest * np.sqrt(np.mean(np.square(shares), axis=0))


def _ends(model: Any) -> tuple[Any, Any]:
    """The first and last part of a network, whatever networks these stand in."""
    first = last = model
    while isinstance(first, Sequential) and first.layers:
        first = first.layers[0]
    while isinstance(last, Sequential) and last.layers:
        last = last.layers[-1]
    return first, last


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=5)


def refuse_unordered(**given: Any) -> None:
    """Raise for a set or a mapping: samples and targets stand in an order."""
    for name, data in given.items():
        if isinstance(data, set | frozenset):
            raise TypeError(f"{name} is a set, which has no order: give a list")
        if isinstance(data, dict):
            raise TypeError(
                f"{name} is a dict, of which only the keys would be read: give a list "
                f"(of its values: list({name}.values()))"
            )


def threshold(loss: Loss, samples: Samples) -> float | None:
    """The score between two classes, as far as the loss tells; None for accuracy's."""
    if loss in OF_SCORES:
        return 0.0
    if loss in OF_AMOUNTS and all(t in (0.0, 1.0) for t in _flat(samples.y)):
        return 0.5
    return None


def _flat(targets: list[Any]) -> list[Any]:
    return [t[0] if is_sequence(t) and len(t) == 1 else t for t in targets]


def last_activation(model: Any) -> Any:
    """What is applied last to a model's outputs; None for what cannot be told."""
    _, last = _ends(model)
    if isinstance(last, Layer):
        last = last.neurons[-1]
    if isinstance(last, Neuron):
        return last.activation if last.nonlin else linear
    return None if isinstance(last, Module) else last


def _classes(targets: list[Any]) -> int:
    """How many classes whole numbers 0, 1, 2 ... seem to stand for; 0 for none."""
    found = {*targets}
    whole = all(type(t) is not float or t.is_integer() for t in found)
    count = len(found)
    if not whole or count > _FEW or len(targets) < _EACH * count:
        return 0
    return count if found == {*range(count)} else 0


def _name(loss: Any) -> str:
    return str(getattr(loss, "__name__", "this loss"))
