"""Trainer: one run of ``fit``, epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from math import isfinite
from typing import Any

from autograd import Value, no_grad
from nn.checks import plain
from nn.clipping import clip_grad_norm
from nn.history import History
from nn.losses import Loss
from nn.metrics import Metric
from nn.module import Module
from nn.optimiser import Optimiser
from nn.samples import Samples
from nn.schedules import Schedule

__all__ = ["Trainer"]


class Trainer:
    """A model, its loss and its optimiser, and the history of training them."""

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimiser: Optimiser,
        schedule: Schedule,
        clip: float | None,
        metrics: dict[str, Metric],
    ) -> None:
        self.model, self.loss, self.optimiser = model, loss, optimiser
        self.schedule, self.clip, self.metrics = schedule, clip, metrics
        self.lr = optimiser.lr  # of the last step, schedule included
        self.history = History(metrics={name: [] for name in metrics})
        self.best: dict[str, float] = {}

    def check(self, samples: Samples) -> None:
        """Let model and loss object before any step, at the cost of one sample."""
        with no_grad():
            (output,) = self.model.batch(samples.X[:1])
            plain(output, "outputs", 0)
            self.loss([output] * len(samples), samples.y)

    def epoch(
        self, time: int, batches: list[Samples], held: Samples | None, best: bool
    ) -> None:
        """Train on each batch once, then measure and record; remember the ``best``."""
        total, outputs, targets, count = 0.0, [], [], 0
        for i, batch in enumerate(batches):
            found = self.model.batch(batch.X)
            outputs += _numbers(found)
            value = self.step(found, batch, time + i / len(batches))
            total, count = total + value * len(batch), count + len(batch)
            targets += batch.y
            if self.history.stopped:
                break
        history = self.history
        history.losses.append(total / count)
        history.learning_rates.append(self.lr)
        if held is not None:
            outputs, targets = self.evaluate(held), held.y
            history.validation_losses.append(_number(self.loss(outputs, targets)))
        for name, metric in self.metrics.items():
            history.metrics[name].append(float(metric(outputs, targets)))
        if best and history.best_epoch == len(history) - 1:
            self.best = self.model.state_dict()

    def step(self, outputs: list[Any], batch: Samples, time: float) -> float:
        """One step of the optimiser, unless the loss or a gradient is not finite."""
        optimiser = self.optimiser
        value = self.loss(outputs, batch.y)
        if not isinstance(value, Value):
            raise TypeError(
                f"a loss returns one Value, got {type(value).__name__}: use functions "
                f"of autograd on the outputs, without .data"
            )
        optimiser.zero_grad()
        value.backward()
        if self.clip is not None:
            clip_grad_norm(optimiser.params, self.clip)
        base, self.lr = optimiser.lr, optimiser.lr * self.schedule(time)
        if not isfinite(value.data):
            self.diverged("loss", value.data, time)
        elif not all(map(isfinite, [p.grad for p in optimiser.params])):
            self.diverged("gradient", float("nan"), time)
        else:
            try:
                optimiser.lr = self.lr
                optimiser.step()
            finally:
                optimiser.lr = base
        return value.data

    def diverged(self, what: str, value: float, time: float) -> None:
        """Stop here, and warn: the weights are those of the step before."""
        self.history.stopped = (
            f"the {what} became {value!r} in epoch {int(time)} at a learning rate of "
            f"{self.lr:.4g}: lower lr, or set clip="
        )
        warnings.warn(self.history.stopped, RuntimeWarning, stacklevel=5)

    def evaluate(self, samples: Samples) -> list[Any]:
        """The outputs as plain numbers."""
        with no_grad():
            return _numbers(self.model.batch(samples.X))


def _number(value: Any) -> float:
    return float(value.data if isinstance(value, Value) else value)


def _numbers(outputs: Iterable[Any]) -> list[Any]:
    return [plain(x, "outputs", i) for i, x in enumerate(outputs)]
