"""Activations by name: functions of one number, from the engine's table.

``softmax`` acts on a whole list of numbers, so it is none of them: put it last in a
``Sequential``, or leave it out and train with ``cross_entropy``, which takes logits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
from autograd import softmax
from nn.names import lookup

Number = Any
Activation = Callable[[Number], Number]


def linear(x: Number) -> Number:
    """x itself: the activation of a neuron without one.

    >>> linear(-2.0)
    -2.0
    """
    return x


ACTIVATIONS: dict[str, Activation] = {
    "relu": autograd.relu,
    "tanh": autograd.tanh,
    "sigmoid": autograd.sigmoid,
    "leaky_relu": autograd.leaky_relu,
    "gelu": autograd.gelu,
    "silu": autograd.silu,
    "softplus": autograd.softplus,
    "linear": linear,
    "identity": linear,
}
_ALSO = {
    "silu": "swish",
    "sigmoid": "logistic expit",
    "tanh": "hyperbolic_tangent",
    "leaky_relu": "lrelu",
    "relu": "rectifier rectified_linear",
    "softplus": "smooth_relu",
    "linear": "none id",
}
_NEAR = {
    "elu selu celu prelu": ("'leaky_relu'", "It is not flat below 0 either"),
    "relu6": ("'relu'", "It has no upper bound"),
    "mish hardswish": ("'silu'", "It has much the same curve"),
    "hard_sigmoid": ("'sigmoid'", "It is smooth"),
    "hard_tanh softsign": ("'tanh'", "It is smooth, with the same limits"),
    "gelu_tanh gelu_new gelu_approximate": ("'gelu'", "It is exact, not approximated"),
    "log_sigmoid": ("'softplus'", "log_sigmoid(x) is -softplus(-x)"),
}
# What str.title does not make of a name
_TITLES = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "gelu": "GELU", "silu": "SiLU"}


def is_known(function: Any) -> bool:
    """Whether a function is one of the table, rather than the user's own."""
    return any(function is known for known in ACTIVATIONS.values())


def find_activation(activation: str | Activation) -> Activation:
    """The function of a name; a callable is returned as it is, but for ``softmax``."""
    if activation is softmax or _is_softmax(activation):
        raise ValueError(
            "softmax acts on a whole layer's outputs, not on one neuron: use "
            "Sequential(..., softmax), or cross_entropy on the outputs as they are"
        )
    otherwise = "any function of one number"
    return lookup("activation", activation, ACTIVATIONS, otherwise, _ALSO, _NEAR)


def _is_softmax(name: Any) -> bool:
    return isinstance(name, str) and name.lower() == "softmax"


def activation_name(activation: Activation) -> str:
    """How a neuron's repr calls an activation: ``ReLU``, ``Tanh``, ``Linear`` ..."""
    for name, function in ACTIVATIONS.items():
        if function is activation:
            return _TITLES.get(name, name.title())
    return str(getattr(activation, "__name__", type(activation).__name__)).title()


def activation_word(activation: Activation) -> str:
    """How the text of a network calls it: ``relu``, ``tanh``, ``softmax`` ..."""
    return activation_name(activation).lower()
