"""The losses by name, and a loss of samples that count differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd
from nn.losses.amounts import huber_loss, l1_loss, mse_loss
from nn.losses.classes import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
)
from nn.names import lookup

Loss = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Weighted:
    """The mean of a loss over samples, each times its weight, which ends its target.

    >>> from nn import mse_loss
    >>> Weighted(mse_loss)([1.0, 4.0], [[1.0, 0.5], [2.0, 1.5]])
    3.0
    """

    loss: Loss

    def __call__(self, outputs: Any, targets: Any) -> Any:
        terms = []
        for output, (*target, weight) in zip(outputs, targets, strict=True):
            single = target[0] if len(target) == 1 else target
            terms.append(weight * self.loss([output], [single]))
        return autograd.mean(terms)


LOSSES: dict[str, Loss] = {
    "mse_loss": mse_loss,
    "l1_loss": l1_loss,
    "huber_loss": huber_loss,
    "hinge_loss": hinge_loss,
    "cross_entropy": cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
}


_ALSO = {
    "mse_loss": "mse mean_squared_error squared_error l2 l2_loss quadratic",
    "l1_loss": "l1 mae mae_loss mean_absolute_error absolute_error",
    "huber_loss": "huber smooth_l1 smooth_l1_loss",
    "hinge_loss": "hinge max_margin margin svm",
    "cross_entropy": "ce xent cross_entropy_loss cross_entropy_with_logits "
    "softmax_cross_entropy softmax_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits": "bce_with_logits bce_with_logits_loss "
    "sigmoid_cross_entropy sigmoid_cross_entropy_with_logits "
    "binary_cross_entropy_with_logits_loss",
}
_LOGITS = "It takes a model's outputs as they are, without {} at the end"
_NEAR = {
    "bce bce_loss binary_cross_entropy log_loss logistic logistic_loss": (
        "'binary_cross_entropy_with_logits'",
        _LOGITS.format("a sigmoid"),
    ),
    "nll nll_loss negative_log_likelihood categorical_cross_entropy "
    "sparse_categorical_cross_entropy": (
        "'cross_entropy'",
        _LOGITS.format("softmax or log_softmax"),
    ),
    "kl_div kl_div_loss kullback_leibler_divergence": (
        "'cross_entropy'",
        "It takes rows of probabilities too, and differs by their entropy",
    ),
    "rmse root_mean_squared_error": ("'mse_loss'", "It is the square, without a root"),
    "squared_hinge": ("'hinge_loss'", "It is not squared"),
    "log_cosh": ("'huber_loss'", "It has much the same curve"),
}


def find_loss(loss: str | Loss) -> Loss:
    """The loss of a name, ``_loss`` left out or not; a callable as it is.

    Other usual names are known too; see ``names``.

    >>> find_loss("mean_squared_error").__name__, find_loss("CrossEntropyLoss").__name__
    ('mse_loss', 'cross_entropy')
    """
    others = "any function (outputs, targets) -> Value; _loss may be left out"
    return lookup("loss", loss, LOSSES, others, _ALSO, _NEAR)
