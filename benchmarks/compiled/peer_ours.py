"""This library: compiled by ``autograd.jit``, and eager."""

from __future__ import annotations

from functools import partial

import gpt
import numpy as np
import scalar_programs

import autograd

EAGER_AT_MOST = 1000  # options, one by one


def loss_of(work, task):
    """The scalar loss of a task as one function of (params, *inputs)."""
    program = task.program
    if work.over == "mean":
        rows = autograd.vmap(program, in_axes=(None, *[0] * len(task.inputs)))
        return lambda params, *inputs: autograd.mean(rows(params, *inputs))
    if task.program is gpt.loss:
        return partial(program, take=autograd.take)
    return program


def prepare(work, task, backend="llvm"):
    """The compiled value and gradient, into buffers that are used again."""
    if not hasattr(autograd, "jit"):
        raise ImportError("autograd.jit does not exist yet")
    if work.over == "adam":
        return training(work, task, backend)
    params, inputs = task.params, task.inputs
    if work.over == "each":
        each = autograd.value_and_grad(task.program, argnums=tuple(range(len(params))))
        compiled = autograd.jit(autograd.vmap(each, in_axes=0), backend=backend)
        gradient = np.empty_like(params)
        out, arguments = (np.empty(params.shape[1]), tuple(gradient)), tuple(params)
    else:
        loss = loss_of(work, task)
        compiled = autograd.jit(autograd.value_and_grad(loss), backend=backend)
        gradient = np.empty_like(params)
        out, arguments = (np.empty(()), gradient), (params, *inputs)

    def run():
        value, _ = compiled(*arguments, out=out)
        return value, gradient.ravel()

    return run


def training(work, task, backend):
    """Two compiled functions; the second writes over its arguments."""
    loss = autograd.value_and_grad(loss_of(work, task))
    slope = autograd.jit(loss, backend=backend)
    axes = (0, 0, 0, 0, None, None)
    rows = autograd.vmap(scalar_programs.adam, in_axes=axes)
    update = autograd.jit(rows, backend=backend)
    params, (tokens,) = task.params.copy(), task.inputs
    (m, v), gradient = np.zeros((2, params.size)), np.empty_like(params)
    out, state = (np.empty(()), gradient), (params, m, v)

    def run():
        value, _ = slope(params, tokens, out=out)
        update(*state, gradient, 0, scalar_programs.RATE, out=state)
        return value, params

    return run


def prepare_numpy(work, task):
    """The compiled tier without LLVM."""
    return prepare(work, task, backend="numpy")


def prepare_eager(work, task):
    """Uncompiled: one call of ``value_and_grad``, graph and all."""
    program, params = task.program, task.params
    if work.over == "adam":
        return None
    if work.over == "each":
        return _one_by_one(program, params)
    if work.over == "mean":

        def loss(params, *inputs):
            rows = zip(*inputs, strict=True)
            return autograd.mean([program(params, *row) for row in rows])
    else:
        loss = program
    both = autograd.value_and_grad(loss)
    inputs, leaves = [x.tolist() for x in task.inputs], params.tolist()

    def run():
        value, gradient = both(leaves, *inputs)
        return value, np.array(gradient)

    return run


def _one_by_one(program, params):
    """Every column by itself; None when there are too many for that."""
    if params.shape[1] > EAGER_AT_MOST:
        return None
    both = autograd.value_and_grad(program, argnums=tuple(range(len(params))))

    def run():
        pairs = [both(*column) for column in params.T.tolist()]
        values, gradients = zip(*pairs, strict=True)
        return np.array(values), np.array(gradients).T.ravel()

    return run
