"""The works of the compiled tier: which program, at which size, on which numbers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gpt
import numpy as np
import scalar_programs


@dataclass(frozen=True)
class Task:
    """A work at one size: the scalar program and the numbers it is called with."""

    program: Callable[..., Any]
    params: np.ndarray
    inputs: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Work:
    """What is timed: the value and the gradient in ``params`` of a task's loss.

    over : what the loss is.
        "": ``program(params, *inputs)``;
        "mean": the mean of ``program(params, *rows)`` over the inputs' rows;
        "each": no sum: ``program(*column)`` for every column of ``params``;
        "adam": ``program(params, *inputs)``, and then the first step of Adam; the
        parameters after it are compared in place of the gradient.

    The gradient is flat, in the order of ``params.ravel()``.
    """

    name: str
    about: str
    make: Callable[[int], Task]
    size: int
    small: int
    over: str = ""


def small_network(samples):
    """Parameters of MLP(2, [16, 16, 1]), points in the plane, targets -1 or 1."""
    rng = np.random.default_rng(0)
    params = rng.normal(size=337) * 0.4
    points = rng.normal(size=(samples, 2))
    return params, points, rng.choice([-1.0, 1.0], samples)


def make_samples(samples):
    params, points, targets = small_network(samples)
    return Task(scalar_programs.squared_error, params, (points, targets))


def make_one_sample(_):
    params, points, targets = small_network(1)
    return Task(scalar_programs.squared_error, params, (points[0], targets[0]))


def make_one_function(samples):
    params, points, targets = small_network(samples)
    return Task(scalar_programs.mean_squared_error, params, (points, targets))


def make_rosenbrock(dimensions):
    params = np.random.default_rng(1).normal(size=dimensions)
    return Task(scalar_programs.rosenbrock, params)


def make_options(options):
    """Columns of spot, strike, time, rate and volatility."""
    rng = np.random.default_rng(2)
    low = np.array([[80.0], [80.0], [0.2], [0.0], [0.1]])
    high = np.array([[120.0], [120.0], [2.0], [0.08], [0.5]])
    params = low + (high - low) * rng.random((5, options))
    return Task(scalar_programs.black_scholes, params)


def language_model(steps):
    """Parameters, and one token more than there are predictions."""
    rng = np.random.default_rng(3)
    params = rng.normal(size=gpt.PARAMETERS) * 0.08
    end = gpt.VOCABULARY - 1
    return params, [end, *rng.integers(0, end, steps - 1).tolist(), end]


def make_sentence(steps):
    """The tokens are Python integers, part of the program."""
    params, tokens = language_model(steps)
    return Task(partial(gpt.loss, tokens=tokens), params)


def make_tokens(steps):
    """The tokens are an input; ``take=`` chooses the function that gathers."""
    params, tokens = language_model(steps)
    return Task(gpt.loss, params, (np.array(tokens, dtype=np.int64),))


def digits(samples):
    """Parameters of MLP(784, [64, 10]), images, and one-hot targets."""
    rng = np.random.default_rng(4)
    params = rng.normal(size=64 * 785 + 10 * 65) * 0.05
    targets = np.eye(10)[rng.integers(0, 10, samples)]
    return params, rng.random((samples, 784)), targets


def make_digits(samples):
    params, images, targets = digits(samples)
    return Task(scalar_programs.cross_entropy, params, (images, targets))


def make_one_digit(_):
    params, images, targets = digits(1)
    return Task(scalar_programs.cross_entropy, params, (images[0], targets[0]))


def make_bodies(bodies):
    params = np.random.default_rng(5).normal(size=3 * bodies)
    return Task(scalar_programs.n_body, params)


def make_pendulum(steps):
    """Observed: the trajectory of slightly other parameters, with noise."""
    rng = np.random.default_rng(6)
    params = np.array([40.0, 1.0, 1.0, 0.2, 0.5, -1.2])
    other = params * (1.0 + 0.02 * rng.normal(size=6))
    path = scalar_programs.trajectory(other.tolist(), steps)
    observed = np.array([state[:2] for state in path])
    noise = 0.01 * rng.normal(size=observed.shape)
    return Task(scalar_programs.spring_pendulum, params, (observed + noise,))


def random_plan(instructions, leaves=200, window=3000):
    """Random instructions (name, operand, operand); operands by their number."""
    rng, plan = random.Random(1), []
    for count in range(leaves, leaves + instructions):
        oldest = max(0, count - window)
        i, kind = rng.randrange(oldest, count), rng.random()
        j = (
            rng.randrange(oldest, count)
            if rng.random() < 0.7
            else rng.randrange(leaves)
        )
        name = "+" if kind < 0.4 else "*" if kind < 0.7 else "-"
        plan.append((name if kind < 0.85 else "tanh", i, j))
    return plan


def make_irregular(instructions):
    params = np.random.default_rng(7).normal(size=200) * 0.3
    return Task(partial(scalar_programs.irregular, random_plan(instructions)), params)


WORKS = {
    work.name: work
    for work in [
        Work("C1", "MLP 2-16-16-1, batch of 100", make_samples, 100, 9, "mean"),
        Work("C2", "MLP 2-16-16-1, one sample", make_one_sample, 1, 1),
        Work("C3", "Rosenbrock, 1000 dimensions", make_rosenbrock, 1000, 20),
        Work("C4", "Black-Scholes, 1e6 options", make_options, 10**6, 50, "each"),
        Work("C5", "GPT, 8 tokens", make_sentence, 8, 3),
        Work("C5-tokens", "GPT, 8 tokens as inputs", make_tokens, 8, 3),
        Work("C5-step", "C5-tokens and Adam", make_tokens, 8, 3, "adam"),
        Work("C6", "MLP 784-64-10, one sample", make_one_digit, 1, 1),
        Work("C7", "MLP 784-64-10, batch of 128", make_digits, 128, 2, "mean"),
        Work("C8", "100 samples as one function", make_one_function, 100, 5),
        Work("C9", "N-body, 128 bodies", make_bodies, 128, 7),
        Work("pendulum", "spring pendulum, 1000 steps", make_pendulum, 1000, 10),
        Work("irregular", "100,000 random nodes", make_irregular, 100_000, 1000),
    ]
}
