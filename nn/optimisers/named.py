"""The optimisers by name."""

from __future__ import annotations

from collections.abc import Callable

from nn.names import lookup
from nn.optimisers.lbfgs import LBFGS
from nn.optimisers.methods import SGD, Adam, AdamW, RMSprop
from nn.optimisers.optimiser import Optimiser

OPTIMISERS: dict[str, Callable[..., Optimiser]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "lbfgs": LBFGS,
}


_ALSO = {
    "sgd": "gd gradient_descent stochastic_gradient_descent",
    "rmsprop": "rms",
    "adamw": "adam_with_weight_decay",
    "lbfgs": "l_bfgs_b bfgs quasi_newton",
}
_NEAR = {
    "momentum": ("nn.SGD(model.parameters(), lr, momentum=0.9)", "It is an option"),
    "nesterov nag": (
        "nn.SGD(model.parameters(), lr, momentum=0.9, nesterov=True)",
        "It is an option",
    ),
    "amsgrad": ("nn.Adam(model.parameters(), amsgrad=True)", "It is an option"),
    "adagrad adadelta": ("'rmsprop'", "It forgets old gradients, and takes a rate"),
    "nadam radam adamax adabelief": ("'adam'", "It is the plain one"),
}


def find_optimiser(name: str) -> Callable[..., Optimiser]:
    """The optimiser class of a name, in upper or lower case."""
    otherwise = "any Optimiser made from model.parameters()"
    return lookup("optimiser", name, OPTIMISERS, otherwise, _ALSO, _NEAR)
