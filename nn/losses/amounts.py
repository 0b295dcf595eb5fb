"""Losses of amounts: how far predictions are from numbers."""

from __future__ import annotations

from typing import Any

from autograd import absolute, where
from autograd.table.primitives import less
from nn import validation
from nn.losses.reductions import reduced
from nn.validation import pairs


def mse_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The squared errors: (p - t)^2.

    >>> mse_loss([1.0, 4.0], [1.0, 2.0])
    2.0
    """
    errors = [p - t for p, t in pairs(predictions, targets)]
    return reduced([e * e for e in errors], reduction)


def l1_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The absolute errors: |p - t|, with gradient 0 where they vanish.

    >>> l1_loss([1.0, 4.0], [1.0, 2.0])
    1.0
    """
    errors = [p - t for p, t in pairs(predictions, targets)]
    return reduced([absolute(e) for e in errors], reduction)


def huber_loss(
    predictions: Any, targets: Any, reduction: str = "mean", delta: float = 1.0
) -> Any:
    """Half the squared error up to delta, delta * (|p - t| - delta / 2) beyond.

    Raises ValueError unless delta > 0.

    >>> huber_loss([1.0, 4.0], [0.5, 2.0], reduction="none")
    [0.125, 1.5]
    """
    validation.positive("delta", delta)
    losses = []
    for p, t in pairs(predictions, targets):
        error = absolute(p - t)
        quadratic, straight = 0.5 * error * error, delta * (error - 0.5 * delta)
        losses.append(where(less(error, delta), quadratic, straight))
    return reduced(losses, reduction)
