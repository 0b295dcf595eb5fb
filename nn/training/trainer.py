"""Trainer: one run of ``fit``, epoch by epoch and step by step."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from autograd import no_grad
from nn.layers.module import Module, in_mode
from nn.losses.metrics import Metric
from nn.optimisers.lbfgs import LBFGS
from nn.optimisers.optimiser import Array
from nn.optimisers.schedules import Schedule
from nn.training.execution import Execution
from nn.training.history import History
from nn.training.mismatches import refuse_mismatches
from nn.training.samples import Samples
from nn.validation import plain

Callback = Callable[[int, Module, History], Any]


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
    patience: int | None
    callbacks: list[Callback]
    observed: bool
    best: dict[str, float] = field(default_factory=dict)  # the best epoch's parameters

    def __post_init__(self) -> None:
        self.lr = self.execution.optimiser.lr  # of the last step, schedule included
        self.history = History(metrics={name: [] for name in self.metrics})

    def close(self) -> None:
        """Leave the model as after the last step."""
        self.execution.sync_to_values()
        self.history.engine = self.execution.report

    # -- Epochs ----------------------------------------------------------------------

    def run(
        self, samples: Samples, held: Samples | None, size: int, rng: Any, bar: Any
    ) -> None:
        """All epochs: batches of ``size`` samples, in an order drawn from ``rng``."""
        self.held, self.bar = held, bar
        self._announce()
        if isinstance(self.execution.optimiser, LBFGS):
            self._minimise(samples, self.execution.optimiser)
            return
        for _ in range(self.epochs):
            self._epoch(list(samples.batches(size, rng)))
            if self._ended():
                break

    def _epoch(self, batches: list[Samples]) -> None:
        """Train on each batch once, then measure and record."""
        if self.observed:
            self.execution.check_structure()
        time, total = len(self.history), 0.0
        outputs, targets = [], []
        sizes = Counter(map(len, batches))
        for i, batch in enumerate(batches):
            left = sizes[len(batch)] * (self.epochs - time)
            value, found = self.execution.gradient(batch, left, self._measured)
            self.step(value, time + i / len(batches))
            outputs += found
            targets += batch.y
            total += value * len(batch)
            self._show(value)
            if self.history.stopped:
                break
        self._record(total / len(targets), outputs, targets)

    def _minimise(self, samples: Samples, optimiser: LBFGS) -> None:
        """L-BFGS: every iteration goes through all samples, and is an epoch.

        Whatever happens, the parameters are those of the last iteration.
        """
        execution, history = self.execution, self.history
        accepted = execution.array()
        evaluated: dict[bytes, float] = {}

        def loss_of(x: Array) -> tuple[float, Array]:
            execution.place(x)
            value, _ = execution.gradient(samples, self.epochs, False)
            evaluated.clear()
            evaluated[x.tobytes()] = value
            return value, execution.slopes()

        def after(x: Array) -> bool:
            nonlocal accepted
            accepted = x
            value = evaluated.get(x.tobytes())
            value = loss_of(x)[0] if value is None else value
            execution.place(x)
            left = self.epochs - len(history)
            outputs = execution.outputs(samples, left) if self._measured else []
            self._show(value)
            self._record(value, outputs, samples.y)
            return self._ended()

        try:
            value, _ = optimiser.minimise(loss_of, accepted, self.epochs, after)
        finally:
            execution.place(accepted)
        if not isfinite(value):
            self.diverged("loss", value, len(history), depth=6)
        elif len(history) < self.epochs and not history.stopped:
            history.stopped = "no step lowers the loss any further"

    @property
    def _measured(self) -> bool:
        """Whether the samples trained on are those that metrics are of."""
        return bool(self.metrics) and self.held is None

    def _record(self, loss: float, outputs: list[Any], targets: list[Any]) -> None:
        """Note down an epoch; ``outputs`` are measured where no sample is held out."""
        execution, history, held = self.execution, self.history, self.held
        history.losses.append(loss)
        history.learning_rates.append(self.lr)
        if held is not None:
            left = self.epochs - len(history) + 1
            outputs, targets = execution.outputs(held, left), held.y
            value = execution.loss(outputs, targets)
            history.validation_losses.append(plain("the validation loss", value))
        if self.observed:
            execution.sync_to_values()
        for name, metric in self.metrics.items():
            history.metrics[name].append(float(metric(outputs, targets)))
        if self.patience is not None and history.best_epoch == len(history) - 1:
            execution.sync_to_values()
            self.best = execution.model.state_dict()

    def _ended(self) -> bool:
        """Whether the run ends here; the history says why."""
        history, patience = self.history, self.patience
        self.bar.set_postfix_str(history.summary(), refresh=False)
        epoch, best = len(history) - 1, history.best_epoch
        model = self.execution.model
        answers = [call(epoch, model, history) for call in self.callbacks]
        if history.stopped:
            return True
        if patience is not None and best is not None and epoch + 1 - best > patience:
            history.stopped = f"no lower validation loss for {patience} epoch(s)"
        elif any(isinstance(answer, bool | np.bool_) and answer for answer in answers):
            history.stopped = "a callback returned True"
        self._announce()
        return bool(history.stopped)

    def _announce(self) -> None:
        epoch = min(len(self.history) + 1, self.epochs)
        self.bar.set_description_str(f"epoch {epoch}/{self.epochs}", refresh=False)

    def _show(self, loss: float) -> None:
        self.bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        self.bar.update()

    # -- Steps -----------------------------------------------------------------------

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

    def diverged(self, what: str, value: float, time: float, depth: int = 7) -> None:
        """Stop here, and warn: the weights are those of the step before."""
        self.history.stopped = (
            f"the {what} became {value!r} in epoch {int(time)} at a learning rate of "
            f"{self.lr:.4g}: lower lr, or set clip="
        )
        warnings.warn(self.history.stopped, RuntimeWarning, stacklevel=depth)


def check(execution: Execution, samples: Samples, metrics: dict[str, Metric]) -> None:
    """Let model, loss and metrics object before any step, on one output."""
    model, loss = execution.model, execution.loss
    with in_mode(model, False), no_grad():
        (output,) = model.batch(samples.take([0]).X)
        outputs = [plain("outputs", output, 0)] * len(samples)
        width = len(output) if isinstance(output, list) else 1
        refuse_mismatches(model, loss, samples, width)
        loss([output] * len(samples), samples.y)
    for metric in metrics.values():
        float(metric(outputs, samples.y))
