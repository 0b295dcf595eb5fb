"""What does not go together: found before the first step, answered by the remedy.

A loss that applies an activation by itself, on a model that has applied it already,
trains to a wrong result without a word; class numbers under a loss for amounts are
regressed upon. Each is refused, or warned of where it may be meant.
"""

from __future__ import annotations

import warnings
from typing import Any

from autograd import ShapeError, sigmoid, softmax
from nn.layers.activations import linear
from nn.layers.module import Module
from nn.layers.networks import Layer, Neuron, Sequential
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


def refuse_mismatches(model: Module, loss: Loss, samples: Samples, width: int) -> None:
    """Raise for a loss that does not fit the model, or the targets of its outputs.

    ``width`` is the number of outputs for a sample.
    """
    for (activation, twice), remedy in _APPLIED_TWICE.items():
        if loss is twice and _last_activation(model) is activation:
            raise ValueError(remedy)
    rows = any(map(is_sequence, samples.y))
    if loss in OF_AMOUNTS and width > 1 and not rows:
        raise ShapeError(
            f"{width} outputs with one target for each sample, under {_name(loss)}: "
            f"for classes use loss='cross_entropy'; for amounts give {width} targets "
            f"for each sample"
        )


def warn_of_classes(loss: Loss, samples: Samples) -> None:
    """Warn where numbers of classes would be taken for amounts."""
    rows = any(map(is_sequence, samples.y))
    count = _classes(samples.y) if loss in OF_AMOUNTS and not rows else 0
    if count > 2:
        warnings.warn(
            f"the targets look like the numbers of {count} classes, and {_name(loss)} "
            f"takes them for amounts: for classes use loss='cross_entropy' and a last "
            f"layer of {count}",
            UserWarning,
            stacklevel=4,
        )


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


def _last_activation(model: Any) -> Any:
    """What is applied last to a model's outputs; None for what cannot be told."""
    if isinstance(model, Sequential):
        return _last_activation(model.layers[-1]) if model.layers else None
    if isinstance(model, Layer):
        return _last_activation(model.neurons[-1])
    if isinstance(model, Neuron):
        return model.activation if model.nonlin else linear
    return None if isinstance(model, Module) else model


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
