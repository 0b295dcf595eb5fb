"""A learning rate to begin with, found by a short run at growing rates.

Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from math import isfinite
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import DataError
from autograd.spelling import spelled
from autograd.table.reals import short
from nn.layers.module import Module, in_mode
from nn.losses.named import Loss, find_loss
from nn.optimisers.lbfgs import LBFGS
from nn.optimisers.optimiser import Optimiser
from nn.training.execution import Execution
from nn.training.fit import chosen_optimiser
from nn.training.labels import samples_of
from nn.training.mismatches import refuse_unordered
from nn.training.restored import restored
from nn.training.samples import Samples
from nn.training.trainer import check
from nn.validation import integer, positive

Floats = NDArray[np.float64]

_FEWEST = 10  # steps; fewer have no slope worth the name
_DIVERGED = 4.0  # times the lowest loss
_WINDOW = 0.1  # the share of the steps that a smoothed loss is a mean of


@dataclass(frozen=True)
class LearningRates:
    """The loss of a batch at each rate, before the step; ``print`` shows a summary.

    Attributes
    ----------
    rates : the learning rates, each a constant times the one before.
    losses : for each rate the loss of its batch.
    stopped : why the run ended before its last rate, or "".
    """

    rates: list[float] = field(repr=False)
    losses: list[float] = field(repr=False)
    stopped: str = ""

    @property
    def smoothed(self) -> Floats:
        """The losses as means over a window of rates: batches differ."""
        return _means(self.losses)

    @property
    def suggestion(self) -> float:
        """The rate at which the loss falls fastest, on its way to the lowest.

        Raises DataError where it never falls: then no rate of these helps.
        """
        if len(self.losses) < 2:
            raise DataError(
                f"the run ended before its second step ({self.stopped}): begin with a "
                "lower rate, lowest=, or scale the data"
            )
        loss = self.smoothed
        lowest = int(loss.argmin())
        slopes = np.gradient(loss, np.log(self.rates))[: lowest + 1]
        steepest = int(slopes.argmin())
        if not slopes[steepest] < 0.0:
            raise DataError(
                f"the loss falls at no rate from {self.rates[0]:.3g} to "
                f"{self.rates[-1]:.3g}: try lower ones, or look at data and model"
            )
        return self.rates[steepest]

    def __str__(self) -> str:
        try:
            said = f"suggestion {self.suggestion:.3g}"
        except DataError as cause:
            return str(cause)
        end = f"; stopped: {self.stopped}" if self.stopped else ""
        ends = f"{self.rates[0]:.3g} to {self.rates[-1]:.3g}"
        return f"{len(self.rates)} rates from {ends}; {said}{end}"


@spelled(
    {
        "optimizer": "optimiser",
        "start_lr": "lowest",
        "min_lr": "lowest",
        "end_lr": "highest",
        "max_lr": "highest",
        "num_it": "steps",
        "num_iter": "steps",
        "num_training": "steps",
        "random_state": "seed",
    },
    {"epochs": "steps=", "lr": "lowest= and highest=", "criterion": "loss="},
)
def find_learning_rate(
    model: Module,
    X: Any,
    y: Any,
    loss: str | Loss = "mse_loss",
    optimiser: str | Optimiser = "adam",
    batch_size: int | None = 32,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    seed: int = 0,
    compile: bool | None = None,
) -> LearningRates:
    """The loss while the learning rate grows step by step, and the rate to begin with.

    A run of so many steps from ``lowest`` to ``highest``, as ``fit`` makes them; it
    ends early once the loss is four times its lowest, or no longer finite. Model and
    optimiser are afterwards as they were, also after an error or an interruption:
    parameters, gradients, attributes of modules, momenta, generators.

    Parameters
    ----------
    X, y, loss, optimiser, batch_size, seed, compile : as for ``fit``.
    lowest, highest : the first rate and the last, with a constant ratio in between.
    steps : how many rates, at least 10; batches begin again when all were had.

    Raises what ``fit`` raises, and ValueError for rates that do not grow.

    >>> from nn import MLP, datasets, find_learning_rate
    >>> X, y = datasets.moons(100, seed=0)
    >>> found = find_learning_rate(MLP(2, [8, 1], seed=0), X, y, "hinge", "adam")
    >>> 1e-3 < found.suggestion < 1.0
    True
    """
    if integer("steps", steps) < _FEWEST:
        raise ValueError(f"steps must be at least {_FEWEST}, got {short(steps)}")
    if not positive("lowest", lowest) < positive("highest", highest) < float("inf"):
        raise ValueError(
            f"rates must grow from lowest to highest, got {short(lowest)} and "
            f"{short(highest)}"
        )
    if batch_size is not None:
        positive("batch_size", integer("batch_size", batch_size))
    refuse_unordered(X=X, y=y)
    chosen, stepper = find_loss(loss), chosen_optimiser(model, optimiser, None)
    if isinstance(stepper, LBFGS):
        raise ValueError(
            "L-BFGS finds the length of each step: there is no rate to look for: use "
            "nn.fit at once"
        )
    samples = samples_of(model, X, y, chosen)
    rng = Random(integer("seed", seed))
    size = min(batch_size or len(samples), len(samples))
    with restored(model, stepper), in_mode(model, False):
        execution = Execution(model, chosen, stepper, compile)
        check(execution, samples, metrics={})
        batches = chain.from_iterable(samples.batches(size, rng) for _ in repeat(0))
        rates = np.geomspace(lowest, highest, steps).tolist()
        return _climb(execution, batches, rates)


def _climb(
    execution: Execution, batches: Iterator[Samples], rates: list[float]
) -> LearningRates:
    """One step at each rate, up to where the loss runs away."""
    done: list[float] = []
    losses: list[float] = []
    for rate, batch in zip(rates, batches, strict=False):
        value, _ = execution.gradient(batch, len(rates) - len(done), False)
        if not (isfinite(value) and execution.finite()):
            return LearningRates(done, losses, "the loss or its gradient is not finite")
        done.append(rate)
        losses.append(value)
        smoothed = _means(losses)
        if smoothed[-1] > _DIVERGED * smoothed.min():
            return LearningRates(done, losses, "the loss grew")
        execution.optimiser.lr = rate
        execution.step()
    return LearningRates(done, losses)


def _means(losses: list[float]) -> Floats:
    ones = np.ones(2 * round(_WINDOW * len(losses) / 2) + 1)
    counts = np.convolve(np.ones(len(losses)), ones, "same")
    return np.asarray(np.convolve(losses, ones, "same") / counts)
