"""The methods: gradient descent, and what was made of it.

Sources: Nesterov 1983; Hinton's lecture 6e, 2012 (RMSprop); Kingma & Ba 2015 (Adam);
Reddi, Kale & Kumar 2018 (amsgrad); Loshchilov & Hutter 2019 (AdamW).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import ClassVar

import numpy as np

from autograd import Value
from autograd.spelling import spelled
from autograd.table.reals import short
from nn.layers.module import Module
from nn.optimisers.optimiser import Array, Optimiser, Slots
from nn.validation import in_unit_interval, nonnegative, real

_SPELLED = spelled(
    {"learning_rate": "lr", "parameters": "params"},
    {"beta1": "betas=(beta1, beta2)", "beta2": "betas=(beta1, beta2)"},
)


def _decayed(g: Array, x: Array, weight_decay: float) -> Array:
    return g + weight_decay * x if weight_decay else g


class SGD(Optimiser):
    """Stochastic gradient descent: x -= lr * g, with momentum on request.

    v = momentum * v + (1 - dampening) * g, and g at first; x -= lr * v; with
    ``nesterov``, x -= lr * (g + momentum * v). ``weight_decay`` adds weight_decay * x
    to the gradient. Raises ValueError naming a setting that makes no sense.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> SGD([x], lr=0.25).step()
    >>> x.data
    1.5
    """

    slots = ("velocity",)
    settings = ("momentum", "nesterov", "weight_decay")
    options: ClassVar = {"dampening": ""}

    @_SPELLED
    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        *,
        dampening: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.momentum = nonnegative("momentum", momentum)
        self.nesterov = nesterov
        self.weight_decay = nonnegative("weight_decay", weight_decay)
        if nesterov and not momentum:
            raise ValueError("nesterov=True needs momentum > 0, got 0")
        self.dampening = real("dampening", dampening)
        if nesterov and dampening:
            raise ValueError(f"nesterov=True needs dampening 0, got {short(dampening)}")

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of gradient descent."""
        g = _decayed(g, x, self.weight_decay)
        if not self.momentum:
            return x - self.lr * g, self.state
        fresh = g if step == 1 else (1.0 - self.dampening) * g
        velocity = self.momentum * self.state["velocity"] + fresh
        direction = g + self.momentum * velocity if self.nesterov else velocity
        return x - self.lr * direction, {"velocity": velocity}


class RMSprop(Optimiser):
    """Gradients divided by the root of their running mean square.

    s = alpha * s + (1 - alpha) * g^2; x -= lr * g / (sqrt(s) + eps), with momentum and
    ``weight_decay`` as in ``SGD``; ``centered`` takes the variance s - m^2 for s, with
    m = alpha * m + (1 - alpha) * g. Raises ValueError naming a setting that makes no
    sense.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> RMSprop([x], lr=0.1, alpha=0.75).step()  # g / sqrt(g^2 / 4) = 2
    >>> round(x.data, 6)
    2.8
    """

    slots = ("square", "velocity")
    settings = ("alpha", "eps", "weight_decay", "momentum")
    options: ClassVar = {"centered": "mean"}
    centered: bool

    @_SPELLED
    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        *,
        centered: bool = False,
    ) -> None:
        super().__init__(params, lr, centered=bool(centered))
        self.alpha = in_unit_interval("alpha", alpha)
        self.eps = nonnegative("eps", eps)
        self.weight_decay = nonnegative("weight_decay", weight_decay)
        self.momentum = nonnegative("momentum", momentum)

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of RMSprop."""
        g = _decayed(g, x, self.weight_decay)
        square = self.alpha * self.state["square"] + (1.0 - self.alpha) * g * g
        slots, spread = {"square": square}, square
        if self.centered:
            mean = self.alpha * self.state.get("mean", 0.0) + (1.0 - self.alpha) * g
            slots["mean"] = mean
            spread = np.maximum(square - mean * mean, 0.0)  # below 0 by rounding
        direction = g / (np.sqrt(spread) + self.eps)
        velocity = self.momentum * self.state["velocity"] + direction
        return x - self.lr * velocity, slots | {"velocity": velocity}


class Adam(Optimiser):
    """Running means of the gradient and of its square, corrected for their start at 0.

    m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g^2; x -= lr * m' / (sqrt(s') + eps) with
    m' = m / (1 - b1^t), s' = s / (1 - b2^t); ``amsgrad`` divides by the largest s so
    far. ``weight_decay`` adds to the gradient. Raises ValueError naming a setting that
    makes no sense.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> Adam([x], lr=0.1).step()  # the first step is lr, whatever the gradient
    >>> round(x.data, 6)
    2.9
    """

    slots = ("mean", "square")
    settings = ("betas", "eps", "weight_decay")
    options: ClassVar = {"amsgrad": "largest"}
    amsgrad: bool
    _decoupled: ClassVar[bool] = False  # weight decay, from the gradient's means

    @_SPELLED
    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, amsgrad=bool(amsgrad))
        for i, beta in enumerate(betas):
            in_unit_interval(f"betas[{i}]", beta)
        self.betas = betas[0], betas[1]
        self.eps = nonnegative("eps", eps)
        self.weight_decay = nonnegative("weight_decay", weight_decay)

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of Adam."""
        if self._decoupled:
            x = x * (1.0 - self.lr * self.weight_decay)
        else:
            g = _decayed(g, x, self.weight_decay)
        b1, b2 = self.betas
        mean = b1 * self.state["mean"] + (1.0 - b1) * g
        square = b2 * self.state["square"] + (1.0 - b2) * g * g
        slots, largest = {"mean": mean, "square": square}, square
        if self.amsgrad:
            largest = np.maximum(self.state.get("largest", square), square)
            slots["largest"] = largest
        scale = np.sqrt(largest) / sqrt(1.0 - b2**step) + self.eps
        rate = self.lr / (1.0 - b1**step)
        return x - rate * (mean / scale), slots


class AdamW(Adam):
    """Adam with decoupled weight decay: x *= 1 - lr * weight_decay before each step.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> AdamW([x], lr=0.5, weight_decay=0.5).step()  # a gradient of 0: decay alone
    >>> x.data
    2.25
    """

    _decoupled = True

    @_SPELLED
    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad=amsgrad)
