"""Neural networks on scalar Values: layers, losses, optimisers, and training.

>>> from nn import MLP, fit, predict
>>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1]
>>> model = MLP(2, [8, 1], activation="tanh", seed=0)
>>> history = fit(model, X, y, "hinge", "adam", lr=0.05, progress=False)
>>> (predict(model, X) > 0).tolist()
[False, True, True, False]
"""

from nn import datasets as datasets
from nn import schedules as schedules
from nn.activations import (
    ACTIVATIONS,
    gelu,
    leaky_relu,
    linear,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from nn.clipping import clip_grad_norm, clip_grad_value
from nn.history import History
from nn.initialisers import INITIALISERS
from nn.losses import (
    LOSSES,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    huber_loss,
    l1_loss,
    mse_loss,
)
from nn.metrics import METRICS, accuracy, mean_absolute_error, r2_score
from nn.module import Module
from nn.network import MLP, Sequential
from nn.neuron import Layer, Neuron
from nn.optimiser import Optimiser
from nn.optimisers import OPTIMISERS, SGD, Adam, AdamW, RMSprop
from nn.training import fit, predict

__all__ = [
    "ACTIVATIONS",
    "INITIALISERS",
    "LOSSES",
    "METRICS",
    "MLP",
    "OPTIMISERS",
    "SGD",
    "Adam",
    "AdamW",
    "History",
    "Layer",
    "Module",
    "Neuron",
    "Optimiser",
    "RMSprop",
    "Sequential",
    "accuracy",
    "binary_cross_entropy_with_logits",
    "clip_grad_norm",
    "clip_grad_value",
    "cross_entropy",
    "datasets",
    "fit",
    "gelu",
    "hinge_loss",
    "huber_loss",
    "l1_loss",
    "leaky_relu",
    "linear",
    "mean_absolute_error",
    "mse_loss",
    "predict",
    "r2_score",
    "relu",
    "schedules",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
