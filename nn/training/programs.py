"""Compiled functions of a model: the loss of a batch with its gradient, and outputs.

They take the parameters as one array, and the batch as arrays. Where samples do not
meet (the layers here, losses that are means over samples) the program is that of one
sample, through which the batch streams; else it is that of the whole batch. Its first
results must agree with what the graph says.

A program holds what it read of the model besides its parameters' numbers. Of the
library's own layers that is their ``structure``, which can be compared later; what a
user's module or loss reads nobody knows, so these are compiled on request only.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograd import Value, jit, softmax, value_and_grad, vmap
from autograd import sum as total
from autograd.graph.modes import MODES
from autograd.threads import process_lock
from nn.datasets.scaling import scaler_of
from nn.layers.activations import is_known
from nn.layers.module import Module, key_of_parameters, modules_of
from nn.layers.networks import MLP, Layer, Neuron, Sequential
from nn.layers.parts import Dropout, Embedding, LayerNorm, draws, flatten
from nn.layers.recurrent import GRU, LSTM, RNN
from nn.layers.whole import described
from nn.losses.named import LOSSES, Loss, Weighted
from nn.optimisers.optimiser import Array

Program = Callable[..., Any]

READY = 1.33e6  # edges: twice what is eager in the time until anything is compiled
TRACED = 20.0  # ... and in that to trace one more edge
TOLERANCE = 1e-8  # rounding differs; a wrong program is further away

logger = logging.getLogger("nn")

_ON_REQUEST = "a model or loss of one's own compiles on request, by compile=True"
_VALUES = (
    "Values take part that are not the model's, or reached past it, as in a penalty on "
    "parameters (see weight_decay)"
)

_OWN = {Neuron, Layer, Sequential, MLP, Dropout, Embedding, LayerNorm, RNN, LSTM, GRU}
_DRAWN = "dropout draws anew for every sample"

# -- What is known of models and losses ----------------------------------------------


def is_own_model(model: Module) -> bool:
    """Whether a model is made of the library's own layers and activations alone."""
    return all(
        type(module) in _OWN
        and all(isinstance(f, Module) or _is_own(f) for f in _functions(module))
        for module in modules_of(model)
    )


def _is_own(f: Any) -> bool:
    return scaler_of(f) is not None or is_known(f) or f in (softmax, flatten)


def _functions(module: Module) -> list[Any]:
    """The functions and modules that one of the library's layers calls."""
    if isinstance(module, Neuron | RNN):
        return [module.activation]
    return module.layers if isinstance(module, Sequential) else []


def is_own_loss(loss: Loss) -> bool:
    """Whether a loss is the library's own, or one with settings by ``partial``."""
    if isinstance(loss, Weighted):
        return is_own_loss(loss.loss)
    if isinstance(loss, partial) and not loss.args:
        loss = loss.func
    return any(loss is known for known in LOSSES.values())


def separable(loss: Loss) -> bool:
    """Whether a loss is, as far as is known, the mean of those of single samples."""
    if isinstance(loss, Weighted):
        return True
    settings = loss.keywords if isinstance(loss, partial) else {}
    return is_own_loss(loss) and settings.get("reduction", "mean") == "mean"


def by_samples(model: Module) -> bool:
    """Whether a model's batches are its samples, one by one."""
    return all(
        getattr(type(module), name) in (getattr(Module, name), getattr(Layer, name))
        for module in modules_of(model)
        for name in ("batch", "rows")
    )


def structure(model: Module) -> Any:
    """Equal as long as a model has the same parameters at the same places and, of the
    library's own layers, the same functions."""
    parts: list[Any] = [key_of_parameters(model)]
    for module in modules_of(model):
        parts += [type(module), *_functions(module)]
        if isinstance(module, Neuron):  # w or b may be plain numbers, set for good
            parts += [module.nonlin, *module.w, module.b]
        elif type(module) in _OWN and not isinstance(module, Layer | Sequential):
            settings = {k: x for k, x in vars(module).items() if k != "training"}
            parts += flatten([*settings.values()])
    return parts


def reason_against(compile: bool | None, own: bool) -> str:
    """Why nothing is compiled here, or ""; ``own`` says that all is the library's."""
    if compile is False:
        return "compile=False"
    if MODES.active and (MODES.thread.observers or MODES.thread.watch):
        return "a mode is on that looks at every node"
    return "" if compile or own else _ON_REQUEST


def reason_to_train_eagerly(model: Module) -> str:
    """What is new in each step, so that no compiled step can do it, or ""."""
    return _DRAWN if any(map(draws, modules_of(model))) else ""


def is_worth_compiling(edges: float, traced: float, times: int) -> bool:
    """Whether compiling ``traced`` edges beats so many eager runs over ``edges``.

    From counts, not from clocks: the same answer on every machine.
    """
    return edges * times > READY + TRACED * traced


# -- Programs ------------------------------------------------------------------------

KEPT = 8  # architectures, each with its loss, whose programs are kept for other runs
_known: OrderedDict[Any, dict[Any, Any]] = OrderedDict()
_lock = process_lock()


def known_of(model: Module, loss: Loss) -> dict[Any, Any]:
    """What was compiled, and found right, for models of this architecture and loss.

    Only the library's own have one: all else reads what nobody knows.
    """
    architecture = described(model)
    if not architecture:
        return {}
    with _lock:
        found = _known.setdefault((architecture, loss), {})
        _known.move_to_end((architecture, loss))
        while len(_known) > KEPT:
            _known.popitem(last=False)
    return found


def gradient_program(model: Module, loss: Loss) -> Program:
    """(parameters, X, y) -> (loss, gradient) of batches of one size."""

    def batch_loss(numbers: Any, X: Any, y: Any) -> Any:
        return _loss_of(model._bound(numbers), loss, [*X], [*y])

    return jit(value_and_grad(batch_loss))


def streamed_program(model: Module, loss: Loss, size: int) -> Program:
    """The same sample by sample, for at most ``size``: the rest is filled up with
    samples of weight 0, so that a last, smaller batch needs no program of its own."""

    def batch_loss(numbers: Any, X: Any, y: Any, weights: Any) -> Any:
        bound = model._bound(numbers)

        def weighed(x: Any, t: Any, weight: Any) -> Any:
            return weight * _loss_of(bound, loss, [x], [t])

        return total(vmap(weighed)(X, y, weights))

    compiled = jit(value_and_grad(batch_loss))
    alike = np.full(size, 1.0 / size)

    def program(numbers: Array, X: Array, y: Array) -> Any:
        count = len(X)
        if count == size:
            return compiled(numbers, X, y, alike)
        weights = np.repeat([1.0 / count, 0.0], [count, size - count])
        X, y = (np.concatenate([a, a[[0] * (size - count)]]) for a in (X, y))
        return compiled(numbers, X, y, weights)

    return program


def _loss_of(bound: Module, loss: Loss, X: list[Any], y: list[Any]) -> Any:
    """The loss of traced samples, and of targets: numbers, or rows of them."""
    targets = [list(t) if getattr(t, "ndim", 0) else t for t in y]
    return loss(bound.batch([list(x) for x in X]), targets)


def output_program(model: Module, streamed: bool) -> Program:
    """(parameters, X, ...) -> the outputs, as numbers or lists like the model's own."""

    def outputs(numbers: Any, X: Any) -> Any:
        bound = model._bound(numbers)
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


def disagreement(program: Program, arguments: tuple[Array, ...], expected: Any) -> str:
    """Why a program cannot be used: it fails, or its first results are others; or "".

    Whatever users' code raises when it meets tracers is such a reason.
    """
    try:
        found = program(*arguments)
        if any(isinstance(x, Value) for x in found):
            return _VALUES
        return "" if _agree(expected, found) else "compiled, it has other results"
    except Exception as cause:
        return f"{type(cause).__name__}: {cause}"


def _agree(expected: Any, found: Any) -> bool:
    """Equal up to rounding; of a tuple, part by part."""
    if isinstance(expected, tuple):
        return all(map(_agree, expected, found))
    xs, ys = np.asarray(found, float), np.asarray(expected, float)
    if xs.shape != ys.shape:
        return False
    scale = np.abs(ys[np.isfinite(ys)]).max(initial=1e-300)
    return np.allclose(xs, ys, rtol=0.0, atol=TOLERANCE * scale, equal_nan=True)


def log_eager(reason: str, requested: bool) -> None:
    level = logging.WARNING if requested else logging.INFO
    logger.log(level, "eager: %s", reason)
