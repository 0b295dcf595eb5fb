"""Training: ``fit`` in mini-batches, and ``predict``.

For each batch: outputs, loss, gradients by the chain rule, one step of the optimiser.
A run is reproducible from its seed, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import partial
from random import Random
from typing import Any

from autograd.spelling import spelled
from autograd.table.reals import short
from nn import validation as checks
from nn.layers.module import Module
from nn.losses.metrics import Metric, accuracy, find_metric
from nn.losses.named import Loss, find_loss
from nn.optimisers.lbfgs import LBFGS
from nn.optimisers.named import OPTIMISERS, find_optimiser
from nn.optimisers.optimiser import Optimiser
from nn.optimisers.schedules import Schedule, constant, find_schedule
from nn.training.execution import Execution
from nn.training.history import History
from nn.training.labels import columns_of, samples_of
from nn.training.mismatches import (
    check_model,
    refuse_unordered,
    threshold,
    warn_of_classes,
    warn_of_units,
)
from nn.training.programs import is_own_loss
from nn.training.progress import progress_bar
from nn.training.samples import Samples, hold_out
from nn.training.trainer import Callback, Trainer, check
from nn.validation import integer, positive

_CALLBACK = "a function (epoch, model, history)"
_SCHEDULE = "a function of the time in epochs, see nn.schedules"


@spelled(
    {"optimizer": "optimiser", "learning_rate": "lr", "callback": "callbacks"},
    {
        "validation_data": "validation=(X, y)",
        "validation_split": "validation=0.2, the share of the samples to hold out",
        "test_size": "validation=0.2, the share of the samples to hold out",
        "verbose": "progress=True or progress=False",
        "random_state": "seed=",
        "max_iter": "epochs=",
        "n_epochs": "epochs=",
        "early_stopping": "patience=, with validation=",
        "scheduler": "schedule=, see nn.schedules",
        "lr_scheduler": "schedule=, see nn.schedules",
        "clip_norm": "clip=",
        "weight_decay": "an optimiser: nn.AdamW(model.parameters(), weight_decay=...)",
        "momentum": "an optimiser: nn.SGD(model.parameters(), momentum=...)",
        "device": "nothing: everything runs on the processor",
        "jit": "compile=True or compile=False",
        "criterion": "loss=",
    },
)
def fit(
    model: Module,
    X: Any,
    y: Any,
    loss: str | Loss = "mse_loss",
    optimiser: str | Optimiser = "adam",
    epochs: int = 100,
    batch_size: int | None = 32,
    *,
    lr: float | None = None,
    validation: float | Sequence[Any] | None = None,
    patience: int | None = None,
    schedule: str | Schedule | None = None,
    clip: float | None = None,
    metrics: str | Metric | Iterable[str | Metric] = (),
    shuffle: bool = True,
    seed: int = 0,
    progress: bool | str = "auto",
    callbacks: Callback | Iterable[Callback] = (),
    compile: bool | None = None,
) -> History:
    """Train a model, and return the history of the run.

    Parameters
    ----------
    X, y : for each sample a list of numbers, and its target: lists or arrays. To models
        that begin with a recurrent layer, an embedding or a module of your own, samples
        may be sequences of rows, of different lengths. Targets of text are classes.
    loss : a name in ``nn.LOSSES``, or another usual one for the same ("mae", "MSELoss";
        so for all names here), or a function ``(outputs, targets) -> Value``.
    optimiser : a name in ``nn.OPTIMISERS`` (then ``lr`` is its learning rate), or an
        optimiser of the model's parameters.
    epochs : how often to go through the samples.
    batch_size : samples for each step; None for all of them, as "lbfgs" takes them.
    validation : ``(X, y)`` of its own, or the share of the samples to hold out.
    patience : stop after so many epochs without a lower validation loss; the weights of
        the best epoch are restored at the end.
    schedule : time in epochs -> factor on the learning rate, see ``nn.schedules``; or
        "cosine", "linear", "step", "exponential", "warmup" ..., over these epochs.
    clip : the largest norm of the gradient.
    metrics : names in ``nn.METRICS``, or functions ``(outputs, targets) -> float``; one
        or several.
    shuffle, seed : a new order for each epoch, drawn from the seed.
    progress : True for a tqdm bar, "auto" for one if tqdm is installed, or False.
    callbacks : one or several, called as ``(epoch, model, history)`` after each epoch;
        one that returns True ends the training.
    compile : True to compile each batch's loss and gradient, False not to. By itself
        (None) the library's own is compiled, where the run is long enough to gain: its
        layers, activations and losses. Models and losses of one's own compile on
        request; what they read besides parameters and data is then read once, as by
        ``jit``. Compiled code must agree with the graph on the first samples; what
        cannot be compiled (``if`` on its numbers, dropout) is trained eagerly.
        ``history.engine`` and the log "nn" say which, and why. Both ways give the same
        numbers up to rounding, and are reproducible.

    Raises, before any step: DataError for empty or non-finite data, ShapeError for
    lengths or widths that do not fit, ValueError or TypeError for settings that make no
    sense, MissingDependencyError for ``progress=True`` without tqdm.

    When the loss or a gradient stops being finite, training stops with a
    RuntimeWarning, the weights of the last step stay, and ``history.stopped`` says so.
    An interruption (Ctrl-C) leaves the weights of the last complete step. The model is
    in ``train()`` in the steps themselves, and in ``eval()`` around and after them.

    >>> from nn import MLP, fit
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> line = MLP(1, [1], seed=0)
    >>> history = fit(line, X, y, "mse", "sgd", lr=0.1, epochs=200, progress=False)
    >>> history.losses[-1] < 1e-6
    True
    """
    _check_numbers(epochs, batch_size, patience, clip)
    seed = integer("seed", seed)
    refuse_unordered(X=X, y=y)
    stepper, chosen = chosen_optimiser(model, optimiser, lr), find_loss(loss)
    samples, held = _data(model, X, y, validation, chosen, seed)
    if patience is not None and held is None:
        raise ValueError("patience watches the validation loss: give validation= too")
    if isinstance(stepper, LBFGS) and (clip is not None or schedule is not None):
        raise ValueError("L-BFGS finds its own steps: leave schedule= and clip= out")
    measures = _measures(metrics, chosen, samples)
    factor = constant() if schedule is None else find_schedule(schedule, epochs)
    checks.function("schedule", factor, _SCHEDULE)
    calls = checks.as_list("callbacks", callbacks, _CALLBACK)
    calls = [checks.function("callbacks", call, _CALLBACK) for call in calls]
    trainer = Trainer(
        execution=Execution(model, chosen, stepper, compile),
        schedule=factor,
        clip=clip,
        metrics=measures,
        epochs=epochs,
        patience=patience,
        callbacks=calls,
        observed=bool(calls or measures or schedule or not is_own_loss(chosen)),
    )
    for part in filter(None, (samples, held)):
        check(trainer.execution, part, measures)
        if not (part.arrays or trainer.execution.reason):
            trainer.execution.stay_eager("samples of different lengths")
    warn_of_classes(chosen, samples)
    warn_of_units(model, chosen, samples)
    Module.eval(model)
    model.inputs = columns_of(X) or model.inputs
    model.classes = samples.classes or model.classes
    whole = batch_size is None or isinstance(stepper, LBFGS)
    size = len(samples) if whole else min(batch_size or 0, len(samples))
    steps = epochs * -(-len(samples) // size)
    rng = Random(seed) if shuffle else None
    with progress_bar(steps, "step", progress) as bar, closing(trainer):
        trainer.run(samples, held, size, rng, bar)
    if trainer.best:
        model.load_state_dict(trainer.best)
    return trainer.history


def _data(
    model: Module, X: Any, y: Any, validation: Any, loss: Loss, seed: int
) -> tuple[Samples, Samples | None]:
    """The samples to train on, and those held out."""
    samples = samples_of(model, X, y, loss)
    if validation is None:
        return samples, None
    if not isinstance(validation, list | tuple):
        return hold_out(samples, validation, seed)
    if len(validation) != 2:
        raise ValueError(
            f"validation must be (X, y), or a share between 0 and 1, got "
            f"{len(validation)} part{'s' * (len(validation) != 1)}"
        )
    X, y = validation
    return samples, samples_of(model, X, y, loss, samples.classes)


def chosen_optimiser(
    model: Module, optimiser: str | Optimiser, lr: float | None
) -> Optimiser:
    """The optimiser of a name, or the given one, if it has the model's parameters."""
    check_model(model, "fit trains")
    if isinstance(optimiser, str):
        settings = {} if lr is None else {"lr": lr}
        return find_optimiser(optimiser)(model.parameters(), **settings)
    if not isinstance(optimiser, Optimiser):
        raise TypeError(
            f"optimiser is {short(optimiser)}: give a name "
            f"({', '.join(OPTIMISERS)}), or an Optimiser such as "
            f"nn.SGD(model.parameters())"
        )
    if lr is not None:
        raise ValueError("lr= goes with an optimiser's name: set its own .lr instead")
    if not {*optimiser.params} & {*model.parameters()}:
        raise ValueError(
            "the optimiser holds no parameter of this model: make it from "
            "model.parameters()"
        )
    if isinstance(optimiser, LBFGS) and optimiser.params != model.parameters():
        raise ValueError(
            "L-BFGS changes all parameters of a model, and it was made of others: make "
            "it from model.parameters()"
        )
    return optimiser


def _measures(metrics: Any, loss: Loss, samples: Samples) -> dict[str, Metric]:
    """The metrics by name; accuracy knows the threshold of the scores of a loss."""
    found = dict(map(find_metric, checks.as_list("metrics", metrics, "a name")))
    score = partial(accuracy, threshold=threshold(loss, samples))
    return {name: score if f is accuracy else f for name, f in found.items()}


def _check_numbers(epochs: Any, batch_size: Any, patience: Any, clip: Any) -> None:
    positive("epochs", integer("epochs", epochs))
    for name, count in (("batch_size", batch_size), ("patience", patience)):
        if count is not None:
            positive(name, integer(name, count))
    if clip is not None:
        positive("clip", clip)
