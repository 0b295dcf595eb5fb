"""Activations by name: functions of one number, from the engine's table.

``softmax`` acts on a whole list of numbers, so it stands beside the table: put it last
in a ``Sequential``, or leave it out and train with ``cross_entropy``, which takes
logits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import (
    gelu,
    leaky_relu,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from nn.settings import choose

__all__ = [
    "ACTIVATIONS",
    "activation_name",
    "find_activation",
    "gelu",
    "leaky_relu",
    "linear",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

Number = Any
Activation = Callable[[Number], Number]


def linear(x: Number) -> Number:
    """x itself: the activation of a neuron without one."""
    return x


ACTIVATIONS: dict[str, Activation] = {
    "relu": relu,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "leaky_relu": leaky_relu,
    "gelu": gelu,
    "silu": silu,
    "softplus": softplus,
    "linear": linear,
    "identity": linear,
}
_TITLES = {
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "gelu": "GELU",
    "silu": "SiLU",
}


def find_activation(activation: str | Activation) -> Activation:
    """The function of a name in ``ACTIVATIONS``; a callable is returned as it is.

    Raises ValueError for an unknown name, listing the known ones, and for ``softmax``,
    which is no function of one number.

    >>> find_activation("relu")(-2.0)
    0.0
    """
    if activation is softmax or activation == "softmax":
        raise ValueError(
            "softmax acts on a whole layer's outputs, not on one neuron: use "
            "Sequential(..., softmax), or cross_entropy on the outputs as they are"
        )
    if callable(activation):
        return activation
    return choose("activation", activation, ACTIVATIONS, "any function of one number")


def activation_name(activation: Activation) -> str:
    """How a neuron's repr calls an activation: ``ReLU``, ``Tanh``, ``Linear`` ..."""
    for name, function in ACTIVATIONS.items():
        if function is activation:
            return _TITLES.get(name, name.title())
    return str(getattr(activation, "__name__", type(activation).__name__)).title()
