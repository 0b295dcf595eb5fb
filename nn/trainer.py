"""Trainer: one run of ``fit``, epoch by epoch."""

from __future__ import annotations

import warnings
from collections import Counter
from math import isfinite
from typing import Any

from autograd import Value, no_grad
from nn.checks import plain
from nn.engine import Engine
from nn.history import History
from nn.losses import Loss
from nn.metrics import Metric
from nn.module import Module
from nn.optimiser import Optimiser
from nn.parameters import Parameters
from nn.samples import Samples
from nn.schedules import Schedule

__all__ = ["Trainer"]


class Trainer:
    """A model, its loss and its optimiser, and the history of training them.

    ``watched`` says that others look at the model, or change it, after every epoch.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimiser: Optimiser,
        schedule: Schedule,
        clip: float | None,
        metrics: dict[str, Metric],
        epochs: int,
        compile: bool | None,
        watched: bool,
    ) -> None:
        self.model, self.loss, self.optimiser = model, loss, optimiser
        self.schedule, self.clip, self.metrics = schedule, clip, metrics
        self.epochs, self.watched = epochs, watched or bool(metrics)
        self.parameters = Parameters(model, optimiser)
        self.engine = Engine(model, loss, self.parameters, compile)
        self.lr = optimiser.lr  # of the last step, schedule included
        self.history = History(metrics={name: [] for name in metrics})
        self.best: dict[str, float] = {}

    def check(self, samples: Samples) -> None:
        """Let model, loss and metrics object before any step, on one output."""
        with no_grad():
            (output,) = self.model.batch(samples.X[:1])
            number = plain(output, "outputs", 0)
            self.loss([output] * len(samples), samples.y)
        for metric in self.metrics.values():
            float(metric([number] * len(samples), samples.y))

    def epoch(
        self, time: int, batches: list[Samples], held: Samples | None, best: bool
    ) -> None:
        """Train on each batch once, then measure and record; remember the ``best``."""
        if self.watched:
            self.engine.look_around()
        total, outputs, targets, count = 0.0, [], [], 0
        measured = bool(self.metrics) and held is None
        sizes = Counter(map(len, batches))
        for i, batch in enumerate(batches):
            left = sizes[len(batch)] * (self.epochs - time)
            value, found = self.engine.gradient(batch, left, measured)
            self.step(value, time + i / len(batches))
            outputs += found
            total, count = total + value * len(batch), count + len(batch)
            targets += batch.y
            if self.history.stopped:
                break
        history = self.history
        history.losses.append(total / count)
        history.learning_rates.append(self.lr)
        if held is not None:
            outputs = self.engine.outputs(held, self.epochs - time)
            targets = held.y
            history.validation_losses.append(_number(self.loss(outputs, targets)))
        if self.watched:
            self.parameters.in_values()
        for name, metric in self.metrics.items():
            history.metrics[name].append(float(metric(outputs, targets)))
        if best and history.best_epoch == len(history) - 1:
            self.parameters.in_values()
            self.best = self.model.state_dict()

    def step(self, value: float, time: float) -> None:
        """One step of the optimiser, unless the loss or a gradient is not finite."""
        optimiser, parameters = self.optimiser, self.parameters
        if self.clip is not None:
            parameters.clip(self.clip)
        base, self.lr = optimiser.lr, optimiser.lr * self.schedule(time)
        if not isfinite(value):
            self.diverged("loss", value, time)
        elif not parameters.finite():
            self.diverged("gradient", float("nan"), time)
        else:
            try:
                optimiser.lr = self.lr
                parameters.step()
            finally:
                optimiser.lr = base

    def diverged(self, what: str, value: float, time: float) -> None:
        """Stop here, and warn: the weights are those of the step before."""
        self.history.stopped = (
            f"the {what} became {value!r} in epoch {int(time)} at a learning rate of "
            f"{self.lr:.4g}: lower lr, or set clip="
        )
        warnings.warn(self.history.stopped, RuntimeWarning, stacklevel=5)

    def __enter__(self) -> Trainer:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the model as after the last step, and say how it was trained."""
        self.parameters.in_values()
        self.history.engine = self.engine.report


def _number(value: Any) -> float:
    return float(value.data if isinstance(value, Value) else value)
