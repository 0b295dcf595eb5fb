"""Optimisers, with PyTorch's formulas: how gradients change parameters.

Each is one ``update`` from numbers to numbers; see ``optimiser.py`` for the rest.

Sources: Nesterov 1983; Hinton's lecture 6e, 2012 (RMSprop); Kingma & Ba 2015 (Adam);
Loshchilov & Hutter 2019 (AdamW).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import sqrt

import numpy as np

from autograd import Value
from nn.module import Module
from nn.optimiser import Array, Optimiser, Slots
from nn.settings import choose, fraction, nonnegative

__all__ = ["OPTIMISERS", "SGD", "Adam", "AdamW", "RMSprop", "find_optimiser"]


class SGD(Optimiser):
    """Stochastic gradient descent: x -= lr * g, with momentum on request.

    v = momentum * v + g; x -= lr * v; with ``nesterov``, x -= lr * (g + momentum * v).
    ``weight_decay`` adds weight_decay * x to the gradient. Raises ValueError naming a
    setting that makes no sense.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> SGD([x], lr=0.25).step()
    >>> x.data
    1.5
    """

    slots = ("velocity",)
    settings = ("momentum", "nesterov", "weight_decay")
    momentum: float
    nesterov: bool
    weight_decay: float

    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            lr,
            momentum=nonnegative("momentum", momentum),
            nesterov=nesterov,
            weight_decay=nonnegative("weight_decay", weight_decay),
        )
        if nesterov and not momentum:
            raise ValueError("nesterov=True needs momentum > 0, got 0")

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of gradient descent."""
        g = _decayed(g, x, self.weight_decay)
        if not self.momentum:
            return x - self.lr * g, self.state
        velocity = self.momentum * self.state["velocity"] + g
        direction = g + self.momentum * velocity if self.nesterov else velocity
        return x - self.lr * direction, {"velocity": velocity}


class RMSprop(Optimiser):
    """Gradients divided by the root of their running mean square.

    s = alpha * s + (1 - alpha) * g^2; x -= lr * g / (sqrt(s) + eps), with momentum and
    ``weight_decay`` as in ``SGD``. Raises ValueError naming a senseless setting.
    """

    slots = ("square", "velocity")
    settings = ("alpha", "eps", "weight_decay", "momentum")
    alpha: float
    eps: float
    weight_decay: float
    momentum: float

    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            lr,
            alpha=fraction("alpha", alpha),
            eps=nonnegative("eps", eps),
            weight_decay=nonnegative("weight_decay", weight_decay),
            momentum=nonnegative("momentum", momentum),
        )

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of RMSprop."""
        g = _decayed(g, x, self.weight_decay)
        square = self.alpha * self.state["square"] + (1.0 - self.alpha) * g * g
        direction = g / (np.sqrt(square) + self.eps)
        velocity = self.momentum * self.state["velocity"] + direction
        return x - self.lr * velocity, {"square": square, "velocity": velocity}


class Adam(Optimiser):
    """Running means of the gradient and of its square, corrected for their start at 0.

    m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g^2; x -= lr * m' / (sqrt(s') + eps) with
    m' = m / (1 - b1^t), s' = s / (1 - b2^t). ``weight_decay`` adds to the gradient.
    Raises ValueError naming a setting that makes no sense.
    """

    slots = ("mean", "square")
    settings = ("betas", "eps", "weight_decay")
    betas: tuple[float, float]
    eps: float
    weight_decay: float

    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas=(fraction("betas[0]", betas[0]), fraction("betas[1]", betas[1])),
            eps=nonnegative("eps", eps),
            weight_decay=nonnegative("weight_decay", weight_decay),
        )

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of Adam."""
        return self._adapt(x, _decayed(g, x, self.weight_decay), step)

    def _adapt(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        b1, b2 = self.betas
        mean = b1 * self.state["mean"] + (1.0 - b1) * g
        square = b2 * self.state["square"] + (1.0 - b2) * g * g
        scale = np.sqrt(square) / sqrt(1.0 - b2**step) + self.eps
        rate = self.lr / (1.0 - b1**step)
        return x - rate * (mean / scale), {"mean": mean, "square": square}


class AdamW(Adam):
    """Adam with decoupled weight decay: x *= 1 - lr * weight_decay before each step."""

    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of Adam on decayed parameters."""
        return self._adapt(x * (1.0 - self.lr * self.weight_decay), g, step)


OPTIMISERS: dict[str, Callable[..., Optimiser]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


def find_optimiser(name: str) -> Callable[..., Optimiser]:
    """The optimiser class of a name in ``OPTIMISERS``, in any case.

    Raises ValueError for an unknown name, listing the known ones.
    """
    found: Callable[..., Optimiser] = choose(
        "optimiser",
        name.lower(),
        OPTIMISERS,
        "any Optimiser made from model.parameters()",
    )
    return found


def _decayed(g: Array, x: Array, weight_decay: float) -> Array:
    return g + weight_decay * x if weight_decay else g
