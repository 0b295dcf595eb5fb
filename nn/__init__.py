"""Neural networks on scalar Values: layers, losses, optimisers, and training.

>>> from nn import MLP, fit, predict
>>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1]
>>> model = MLP(2, [8, 1], activation="tanh", seed=0)
>>> history = fit(model, X, y, "hinge", "adam", lr=0.05, progress=False)
>>> (predict(model, X) > 0).tolist()
[False, True, True, False]
"""

from typing import TYPE_CHECKING, Any

from scalar_autograd import require as _require

_require("autograd")

from autograd import gelu, leaky_relu, relu, sigmoid, silu, softmax, softplus, tanh
from nn import datasets as datasets
from nn.datasets.scaling import Scaler
from nn.layers.activations import ACTIVATIONS, linear
from nn.layers.initialisers import INITIALISERS
from nn.layers.module import Module
from nn.layers.networks import MLP, Layer, Neuron, Sequential
from nn.layers.parts import Dropout, Embedding, LayerNorm, flatten
from nn.layers.recurrent import GRU, LSTM, RNN
from nn.layers.summary import summary
from nn.layers.whole import load
from nn.losses.amounts import huber_loss, l1_loss, mse_loss
from nn.losses.classes import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
)
from nn.losses.metrics import METRICS, accuracy, mean_absolute_error, r2_score
from nn.losses.named import LOSSES
from nn.optimisers import schedules as schedules
from nn.optimisers.clipping import clip_grad_norm, clip_grad_value
from nn.optimisers.lbfgs import LBFGS
from nn.optimisers.methods import SGD, Adam, AdamW, RMSprop
from nn.optimisers.named import OPTIMISERS
from nn.optimisers.optimiser import Optimiser
from nn.training.fit import fit
from nn.training.history import History
from nn.training.predict import classify, predict
from nn.training.rates import LearningRates, find_learning_rate
from nn.training.statistics import LayerStatistics, Statistics, statistics

if TYPE_CHECKING:
    from nn.estimators.classifier import Classifier
    from nn.estimators.regressor import Regressor

__all__ = ["MLP", "Layer", "Module", "Neuron", "Sequential"]
__all__ += ["GRU", "LSTM", "RNN", "Dropout", "Embedding", "LayerNorm", "flatten"]
__all__ += ["ACTIVATIONS", "INITIALISERS", "LOSSES", "METRICS", "OPTIMISERS"]
__all__ += ["gelu", "leaky_relu", "linear", "relu", "sigmoid", "silu", "softmax"]
__all__ += ["binary_cross_entropy_with_logits", "cross_entropy", "hinge_loss"]
__all__ += ["huber_loss", "l1_loss", "mse_loss", "softplus", "tanh"]
__all__ += ["LBFGS", "SGD", "Adam", "AdamW", "Optimiser", "RMSprop", "schedules"]
__all__ += ["clip_grad_norm", "clip_grad_value"]
__all__ += ["accuracy", "mean_absolute_error", "r2_score"]
__all__ += ["History", "Scaler", "classify", "datasets", "fit", "load", "predict"]
__all__ += ["LayerStatistics", "LearningRates", "Statistics", "find_learning_rate"]
__all__ += ["statistics", "summary"]
__all__ += ["Classifier", "Regressor"]


def __getattr__(name: str) -> Any:
    """The estimators, made on first use: scikit-learn, their base, is optional."""
    if name in ("Classifier", "Regressor"):
        from nn import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module 'nn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
