"""Schedules: what to multiply the learning rate by, as a function of time.

A schedule maps a time in epochs to a factor. ``fit`` asks before every step, so the
time is a fraction inside an epoch: after 3 of 10 batches of the first it is 0.3. Those
below can be pickled. A name stands for a schedule fitted to the length of the run, see
``SCHEDULES``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import cos, floor, pi

from autograd.table.reals import short
from nn.names import lookup
from nn.validation import positive

__all__ = ["SCHEDULES", "constant", "cosine", "exponential", "linear", "step", "warmup"]

Schedule = Callable[[float], float]


def constant() -> Schedule:
    """Always 1."""
    return partial(_power, 1.0)


def step(every: float, factor: float = 0.1) -> Schedule:
    """Multiplied by ``factor`` after each ``every`` epochs.

    >>> [step(10, 0.5)(time) for time in (0, 9.5, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """
    positive("every", every)
    return partial(_steps, every, factor)


def exponential(factor: float) -> Schedule:
    """Multiplied by ``factor`` in each epoch, smoothly.

    >>> exponential(0.5)(2)
    0.25
    """
    positive("factor", factor)
    return partial(_power, factor)


def linear(epochs: float, end: float = 0.0, warmup: float = 0.0) -> Schedule:
    """From 1 to ``end`` on a straight line over ``epochs``, then constant.

    The first ``warmup`` of these epochs climb from 0 to 1.

    >>> [linear(10, end=0.5)(time) for time in (0, 5, 10, 20)]
    [1.0, 0.75, 0.5, 0.5]
    """
    return _falling(epochs, end, warmup, _line)


def cosine(epochs: float, end: float = 0.0, warmup: float = 0.0) -> Schedule:
    """From 1 to ``end`` on half a cosine over ``epochs``, then constant.

    The first ``warmup`` of these epochs climb from 0 to 1.

    >>> [round(cosine(10, warmup=2)(time), 3) for time in (0, 1, 2, 6, 10)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _falling(epochs, end, warmup, _half_cosine)


def warmup(epochs: float) -> Schedule:
    """From 0 to 1 on a straight line over ``epochs``, then 1.

    >>> [warmup(4)(time) for time in (0, 1, 4, 9)]
    [0.0, 0.25, 1.0, 1.0]
    """
    positive("epochs", epochs)
    return partial(_climbed, epochs)


def _falling(epochs: float, end: float, warmup: float, shape: Schedule) -> Schedule:
    if not 0.0 <= warmup < epochs:
        raise ValueError(
            f"warmup must be >= 0 and less than epochs, got {short(warmup)} of "
            f"{short(epochs)}"
        )

    return partial(_fallen, epochs, end, warmup, shape)


# -- What the schedules compute, with the time as the last argument ------------------


def _power(factor: float, time: float) -> float:
    return float(factor**time)


def _steps(every: float, factor: float, time: float) -> float:
    return float(factor ** floor(time / every))


def _climbed(epochs: float, time: float) -> float:
    return min(1.0, time / epochs)


def _line(done: float) -> float:
    return 1.0 - done


def _half_cosine(done: float) -> float:
    return 0.5 + 0.5 * cos(pi * done)


def _fallen(
    epochs: float, end: float, warmup: float, shape: Schedule, time: float
) -> float:
    if time < warmup:
        return time / warmup
    return end + (1.0 - end) * shape(min(1.0, (time - warmup) / (epochs - warmup)))


# What a name means in a run of so many epochs.
SCHEDULES: dict[str, Callable[[float], Schedule]] = {
    "constant": lambda epochs: constant(),
    "step": lambda epochs: step(epochs / 3),  # a tenth after each third
    "exponential": lambda epochs: exponential(0.01 ** (1.0 / epochs)),  # to 1 %
    "linear": linear,
    "cosine": cosine,
    "warmup": lambda epochs: warmup(epochs / 10),
    "linear_warmup": lambda epochs: linear(epochs, warmup=epochs / 10),
    "cosine_warmup": lambda epochs: cosine(epochs, warmup=epochs / 10),
}
_ALSO = {
    "constant": "none",
    "step": "step_lr step_decay",
    "exponential": "exp exponential_lr exponential_decay",
    "linear": "linear_lr linear_decay",
    "cosine": "cosine_annealing cosine_annealing_lr cosine_decay",
    "linear_warmup": "warmup_linear",
    "cosine_warmup": "warmup_cosine",
}
_NEAR = {
    "plateau reduce_lr_on_plateau": ("'step'", "A schedule knows the time alone"),
    "one_cycle one_cycle_lr": ("'cosine_warmup'", "It climbs on a straight line"),
    "polynomial poly": ("'linear'", "It has the power 1"),
}


def find_schedule(schedule: str | Schedule, epochs: float) -> Schedule:
    """The schedule of a name, for a run of so many epochs; a callable as it is.

    >>> [find_schedule("linear", 10)(time) for time in (0, 5, 10)]
    [1.0, 0.5, 0.0]
    """
    if not isinstance(schedule, str):
        return schedule
    otherwise = "any function of the time in epochs"
    return lookup("schedule", schedule, SCHEDULES, otherwise, _ALSO, _NEAR)(epochs)
