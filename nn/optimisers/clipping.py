"""Clipping: gradients are limited before a step, so that none explodes.

Source: Pascanu, Mikolov & Bengio 2013.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from autograd import Value
from nn.optimisers.optimiser import Array
from nn.validation import positive


def clip_grad_norm(params: Iterable[Value], max_norm: float) -> float:
    """Scale all gradients so that their norm is at most ``max_norm``.

    Returns the norm they had. Raises ValueError unless max_norm > 0.

    >>> from autograd import Value
    >>> x = Value(1.0)
    >>> x.grad = 8.0
    >>> clip_grad_norm([x], 2.0), round(x.grad, 5)
    (8.0, 2.0)
    """
    positive("max_norm", max_norm)
    params = list(params)
    norm, scale = norm_and_scale(np.array([p.grad for p in params], float), max_norm)
    if scale != 1.0:
        for parameter in params:
            parameter.grad *= scale
    return norm


def clip_grad_value(params: Iterable[Value], limit: float) -> None:
    """Limit every gradient to [-limit, limit]; NaN stays NaN.

    Raises ValueError unless limit > 0.

    >>> from autograd import Value
    >>> x = Value(1.0)
    >>> x.grad = -8.0
    >>> clip_grad_value([x], 2.0)
    >>> x.grad
    -2.0
    """
    positive("limit", limit)
    for parameter in params:
        if abs(parameter.grad) > limit:
            parameter.grad = limit if parameter.grad > 0.0 else -limit


def norm_and_scale(gradient: Array, max_norm: float) -> tuple[float, float]:
    """The Euclidean norm, and the factor that brings it down to ``max_norm``: 1 if it
    is no longer than that, NaN if it is NaN."""
    norm = _norm(gradient)
    scale = max_norm / (norm + 1e-6)
    return norm, 1.0 if scale >= 1.0 else scale


def _norm(gradient: Array) -> float:
    """The Euclidean norm, whose squares neither overflow nor vanish."""
    with np.errstate(all="ignore"):
        norm = float(np.sqrt(gradient @ gradient))
        if 1e-150 < norm < 1e150 or not np.isfinite(gradient).all():
            return norm
        largest = float(np.abs(gradient).max(initial=0.0))
        small = gradient / largest if largest else gradient
        return largest * float(np.sqrt(small @ small))
