"""Gradient clipping, between ``backward()`` and ``step()``: no gradient explodes.

Source: Pascanu, Mikolov & Bengio 2013.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from autograd import Value
from nn.settings import positive

__all__ = ["clip_grad_norm", "clip_grad_value", "clipped"]


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
    gradients = [p.grad for p in params]
    norm = _norm(np.array(gradients, float))
    scale = _scale(norm, max_norm)
    if not scale >= 1.0:
        for parameter in params:
            parameter.grad *= scale
    return norm


def clipped(gradient: NDArray[np.float64], max_norm: float) -> NDArray[np.float64]:
    """As ``clip_grad_norm``, for a gradient in an array."""
    with np.errstate(all="ignore"):
        scale = _scale(_norm(gradient), max_norm)
        return gradient if scale >= 1.0 else gradient * scale


def _norm(gradient: NDArray[np.float64]) -> float:
    """The Euclidean norm, whose squares neither overflow nor vanish."""
    with np.errstate(all="ignore"):
        norm = float(np.sqrt(gradient @ gradient))
        if 1e-150 < norm < 1e150 or not np.isfinite(gradient).all():
            return norm
        largest = float(np.abs(gradient).max(initial=0.0))
        small = gradient / largest if largest else gradient
        return largest * float(np.sqrt(small @ small))


def _scale(norm: float, max_norm: float) -> float:
    return max_norm / (norm + 1e-6)


def clip_grad_value(params: Iterable[Value], limit: float) -> None:
    """Limit every gradient to [-limit, limit]; NaN stays NaN.

    Raises ValueError unless limit > 0.
    """
    positive("limit", limit)
    for parameter in params:
        if abs(parameter.grad) > limit:
            parameter.grad = limit if parameter.grad > 0.0 else -limit
