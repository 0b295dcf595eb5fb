"""Compiled functions of a model: the loss of a batch with its gradient, and outputs.

They take the parameters as one array, and the batch as arrays. Where samples do not
meet (the layers here, losses that are means over samples) the program is that of one
sample, through which the batch streams; else it is that of the whole batch.

A program holds what it read of the model besides its parameters' numbers. Of the
library's own layers that is their ``structure``, which can be compared later; what a
user's module or loss reads nobody knows, so these are compiled on request only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograd import jit, mean, softmax, value_and_grad, vmap
from nn.layers.activations import is_known
from nn.layers.module import Module, modules_of
from nn.layers.networks import MLP, Layer, Neuron, Sequential
from nn.losses import LOSSES, Loss

__all__ = ["Program", "by_samples", "gradient_program", "is_own_loss", "is_own_model"]
__all__ += ["output_program", "separable", "structure"]

Program = Callable[..., Any]

# -- What is known of models and losses ----------------------------------------------


def is_own_model(model: Module) -> bool:
    """Whether a model is made of the library's own layers and activations alone."""
    return all(
        type(module) in (Neuron, Layer, Sequential, MLP)
        and all(
            isinstance(f, Module) or is_known(f) or f is softmax
            for f in _functions(module)
        )
        for module in modules_of(model)
    )


def _functions(module: Module) -> list[Any]:
    """The functions and modules that one of the library's layers calls."""
    if isinstance(module, Neuron):
        return [module.activation]
    return module.layers if isinstance(module, Sequential) else []


def is_own_loss(loss: Loss) -> bool:
    """Whether a loss is the library's own, or one with settings by ``partial``."""
    if isinstance(loss, partial) and not loss.args:
        loss = loss.func
    return any(loss is known for known in LOSSES.values())


def separable(loss: Loss) -> bool:
    """Whether a loss is, as far as is known, the mean of those of single samples."""
    settings = loss.keywords if isinstance(loss, partial) else {}
    return is_own_loss(loss) and settings.get("reduction", "mean") == "mean"


def by_samples(model: Module) -> bool:
    """Whether a model's batches are its samples, one by one."""
    return all(
        getattr(type(module), name) in (getattr(Module, name), getattr(Layer, name))
        for module in modules_of(model)
        for name in ("batch", "batch_inside")
    )


def structure(model: Module) -> Any:
    """Equal as long as a model has the same parameters at the same places and, of the
    library's own layers, the same functions."""
    parts: list[Any] = [model.__tree_key__()]
    for module in modules_of(model):
        parts += [type(module), *_functions(module)]
        if isinstance(module, Neuron):  # w or b may be plain numbers, set for good
            parts += [module.nonlin, *module.w, module.b]
    return parts


# -- Programs ------------------------------------------------------------------------


def gradient_program(model: Module, loss: Loss, streamed: bool) -> Program:
    """(parameters, X, y) -> (loss, gradient); ``streamed`` sample by sample."""

    def batch_loss(numbers: Any, X: Any, y: Any) -> Any:
        bound = model.bind(numbers)
        many = y.ndim > 1  # a list of numbers as the target of each sample

        def loss_of(samples: Any, targets: Any) -> Any:
            targets = [list(t) for t in targets] if many else list(targets)
            return loss(bound.batch([list(x) for x in samples]), targets)

        if streamed:
            return mean(vmap(lambda x, t: loss_of([x], [t]))(X, y))
        return loss_of(X, y)

    return jit(value_and_grad(batch_loss))


def output_program(model: Module, streamed: bool) -> Program:
    """(parameters, X, ...) -> the outputs, as numbers or lists like the model's own."""

    def outputs(numbers: Any, X: Any) -> Any:
        bound = model.bind(numbers)
        if streamed:
            return vmap(lambda x: bound.batch([list(x)])[0])(X)
        return bound.batch([list(x) for x in X])

    program = jit(outputs)

    def as_lists(numbers: Any, X: Any, *_: Any) -> list[Any]:
        found = program(numbers, X)
        if not streamed:
            return list(found)
        table = found if isinstance(found, np.ndarray) else np.stack(found, axis=1)
        return list(table.tolist())

    return as_lists
