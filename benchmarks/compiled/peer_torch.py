"""PyTorch on the CPU: doubles, eager autograd; ``torch.compile`` for C4."""

from __future__ import annotations

from functools import partial

import array_programs
import torch

torch.set_default_dtype(torch.float64)


def spring_pendulum(xp, params, observed):
    state = torch.cat([params[4:6], torch.zeros(2)])
    total = 0.0
    for point in observed:
        state = array_programs.runge_kutta(xp, params, state)
        total = total + ((state[:2] - point) ** 2).sum()
    return total


LOSSES = {
    "C1": array_programs.squared_error,
    "C2": array_programs.squared_error,
    "C3": array_programs.rosenbrock,
    "C5": array_programs.language_model,
    "C5-tokens": array_programs.language_model,
    "C6": array_programs.cross_entropy,
    "C7": array_programs.cross_entropy,
    "C8": array_programs.squared_error,
    "C9": array_programs.n_body,
    "pendulum": spring_pendulum,
}


def prepare(work, task):
    """A call that returns value and gradient as numpy arrays; None: no such program."""
    return _prepare(work, task, lambda f: f)


def prepare_compiled(work, task):
    """The same under ``torch.compile``, where that pays: C4."""
    return _prepare(work, task, torch.compile) if work.name == "C4" else None


def _prepare(work, task, compiled):
    params = torch.tensor(task.params, requires_grad=True)
    inputs = [torch.tensor(x) for x in task.inputs]
    if work.name == "C4":
        loss = partial(array_programs.black_scholes, torch, torch.special.erf)
    elif work.name in LOSSES:
        loss = partial(LOSSES[work.name], torch)
        if work.name == "C5":
            inputs = [torch.tensor(task.program.keywords["tokens"])]
    else:
        return None
    loss, seed = compiled(loss), torch.ones(())

    def run():
        value = loss(params, *inputs)
        (gradient,) = torch.autograd.grad(value, params, seed.expand_as(value))
        return value.detach().numpy(), gradient.numpy().ravel()

    return run
