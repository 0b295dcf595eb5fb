"""Trainer: one run of ``fit``, epoch by epoch and step by step."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from autograd import no_grad
from nn.losses.metrics import Metric
from nn.optimisers.schedules import Schedule
from nn.training.execution import Execution
from nn.training.history import History
from nn.training.mismatches import refuse_mismatches
from nn.training.samples import Samples
from nn.validation import plain


@dataclass(kw_only=True)
class Trainer:
    """The steps of a run and its history.

    ``observed`` says that others look at the model, or change it, after every epoch.
    """

    execution: Execution
    schedule: Schedule
    clip: float | None
    metrics: dict[str, Metric]
    epochs: int
    observed: bool
    best: dict[str, float] = field(default_factory=dict)  # the best epoch's parameters

    def __post_init__(self) -> None:
        self.lr = self.execution.optimiser.lr  # of the last step, schedule included
        self.history = History(metrics={name: [] for name in self.metrics})

    def close(self) -> None:
        """Leave the model as after the last step."""
        self.execution.sync_to_values()
        self.history.engine = self.execution.report

    def check(self, samples: Samples) -> None:
        """Let model, loss and metrics object before any step, on one output."""
        with no_grad():
            (output,) = self.execution.model.batch(samples.X[:1])
            outputs = [plain("outputs", output, 0)] * len(samples)
            width = len(output) if isinstance(output, list) else 1
            model, loss = self.execution.model, self.execution.loss
            refuse_mismatches(model, loss, samples, width)
            self.execution.loss([output] * len(samples), samples.y)
        for metric in self.metrics.values():
            float(metric(outputs, samples.y))

    def epoch(
        self,
        time: int,
        batches: list[Samples],
        held: Samples | None,
        best: bool,
        bar: Any,
    ) -> None:
        """Train on each batch once, then measure and record; remember the ``best``."""
        if self.observed:
            self.execution.check_structure()
        history, total = self.history, 0.0
        outputs, targets = [], []
        measured = bool(self.metrics) and held is None
        sizes = Counter(map(len, batches))
        for i, batch in enumerate(batches):
            left = sizes[len(batch)] * (self.epochs - time)
            value, found = self.execution.gradient(batch, left, measured)
            self.step(value, time + i / len(batches))
            outputs += found
            targets += batch.y
            total += value * len(batch)
            bar.set_postfix_str(f"loss {value:.4g}", refresh=False)
            bar.update()
            if history.stopped:
                break
        history.losses.append(total / len(targets))
        history.learning_rates.append(self.lr)
        if held is not None:
            outputs = self.execution.outputs(held, self.epochs - time)
            targets = held.y
            loss = self.execution.loss(outputs, targets)
            history.validation_losses.append(plain("the validation loss", loss))
        if self.observed:
            self.execution.sync_to_values()
        for name, metric in self.metrics.items():
            history.metrics[name].append(float(metric(outputs, targets)))
        if best and history.best_epoch == len(history) - 1:
            self.execution.sync_to_values()
            self.best = self.execution.model.state_dict()

    def step(self, value: float, time: float) -> None:
        """One step of the optimiser, unless the loss or a gradient is not finite."""
        execution, optimiser = self.execution, self.execution.optimiser
        if self.clip is not None:
            execution.clip(self.clip)
        base, self.lr = optimiser.lr, optimiser.lr * self.schedule(time)
        if not isfinite(value):
            self.diverged("loss", value, time)
        elif not execution.finite():
            self.diverged("gradient", float("nan"), time)
        else:
            try:
                optimiser.lr = self.lr
                execution.step()
            finally:
                optimiser.lr = base

    def diverged(self, what: str, value: float, time: float) -> None:
        """Stop here, and warn: the weights are those of the step before."""
        self.history.stopped = (
            f"the {what} became {value!r} in epoch {int(time)} at a learning rate of "
            f"{self.lr:.4g}: lower lr, or set clip="
        )
        warnings.warn(self.history.stopped, RuntimeWarning, stacklevel=6)
