"""numpy: value and gradient derived and written by hand, with BLAS for the products.

Buffers are made once where that is easy; matrices are views of the flat parameters.
"""

from __future__ import annotations

import math
from itertools import pairwise

import array_programs
import numpy as np
import numpy_tape
import scalar_programs
from numpy_gpt import Model

try:
    from scipy.special import erf
except ImportError:
    erf = np.vectorize(math.erf, otypes=[float])


def layers(flat, widths):
    """Views (m, n + 1) of each layer's weights, with the biases in the last column."""
    views, start = [], 0
    for n, m in pairwise(widths):
        views.append(flat[start : start + m * (n + 1)].reshape(m, n + 1))
        start += m * (n + 1)
    return views


def network(task, widths, loss):
    """A run of a network; loss(outputs) -> value, derivative in the outputs."""
    gradient, inputs = np.empty_like(task.params), task.inputs[0].reshape(-1, widths[0])
    weights, slopes = layers(task.params, widths), layers(gradient, widths)

    def run():
        results = [inputs]
        for number, w in enumerate(weights, 1):
            z = results[-1] @ w[:, :-1].T
            z += w[:, -1]
            results.append(np.tanh(z, out=z) if number < len(weights) else z)
        value, z = loss(results.pop())
        for w, dw in zip(weights[::-1], slopes[::-1], strict=True):
            x = results.pop()
            product = np.matmul if len(x) > 1 else np.multiply
            product(z.T, x, out=dw[:, :-1])
            z.sum(axis=0, out=dw[:, -1])
            z = (z @ w[:, :-1]) * (1.0 - x * x) if results else None
        return value, gradient

    return run


def squared_error(task):
    targets = task.inputs[1].reshape(-1, 1)

    def loss(outputs):
        deviations = outputs - targets
        value = np.vdot(deviations, deviations) / len(targets)
        return value, deviations * (2.0 / len(targets))

    return network(task, scalar_programs.SMALL, loss)


def cross_entropy(task):
    targets = task.inputs[1].reshape(-1, 10)

    def loss(logits):
        top = logits.max(axis=1, keepdims=True)
        powers = np.exp(logits - top)
        total = powers.sum(axis=1, keepdims=True)
        value = (np.log(total) + top).sum() - np.vdot(targets, logits)
        return value / len(targets), (powers / total - targets) / len(targets)

    return network(task, scalar_programs.DIGITS, loss)


def rosenbrock(task):
    x, gradient = task.params, np.empty_like(task.params)

    def run():
        a, b = x[1:] - x[:-1] * x[:-1], 1.0 - x[:-1]
        value = 100.0 * np.dot(a, a) + np.dot(b, b)
        gradient[0] = 0.0
        np.multiply(200.0, a, out=gradient[1:])
        gradient[:-1] -= 400.0 * x[:-1] * a + 2.0 * b
        return value, gradient

    return run


def greeks(columns):
    """Prices and their derivatives in spot, strike, time, rate and volatility."""
    spot, strike, time, rate, volatility = columns
    root = np.sqrt(time)
    spread = volatility * root
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * time) / spread
    upper = 0.5 + 0.5 * erf(d1 * math.sqrt(0.5))
    lower = 0.5 + 0.5 * erf((d1 - spread) * math.sqrt(0.5))
    discount = np.exp(-rate * time)
    paid = strike * discount * lower
    vega = spot * root * np.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    theta = 0.5 * vega * volatility / time + rate * paid
    return spot * upper - paid, [upper, -discount * lower, theta, time * paid, vega]


def options(task, block=8192):
    """In blocks that stay in the cache."""
    params = task.params
    prices, gradient = np.empty(params.shape[1]), np.empty_like(params)

    def run():
        for start in range(0, prices.size, block):
            part = slice(start, start + block)
            prices[part], gradient[:, part] = greeks(params[:, part])
        return prices, gradient.ravel()

    return run


def bodies(task):
    """Every pair twice, and every body with itself, which gives 1 / 0.01."""
    x = task.params.reshape(-1, 3)

    def run():
        apart = x[:, None, :] - x[None, :, :]
        inverse = 1.0 / (np.einsum("ijk,ijk->ij", apart, apart) + 0.01)
        value = 0.5 * (inverse.sum() - len(x) / 0.01)
        gradient = np.einsum("ij,ijk->ik", -2.0 * inverse * inverse, apart)
        return value, gradient.ravel()

    return run


def training(task):
    """The parameters change at each call; the step stays the first."""
    params = task.params.copy()
    model, m, v = Model(params, task.inputs[0]), *np.zeros((2, params.size))

    def run():
        value, gradient = model()
        params[:], m[:], v[:] = array_programs.adam(np, params, m, v, gradient, 0)
        return value, params

    return run


PROGRAMS = {
    "C1": squared_error,
    "C2": squared_error,
    "C3": rosenbrock,
    "C4": options,
    "C5": lambda task: Model(task.params, task.program.keywords["tokens"]),
    "C5-tokens": lambda task: Model(task.params, task.inputs[0]),
    "C5-step": training,
    "C6": cross_entropy,
    "C7": cross_entropy,
    "C8": squared_error,
    "C9": bodies,
    "pendulum": numpy_tape.pendulum,
    "irregular": numpy_tape.irregular,
}


def prepare(work, task):
    """A call that returns value and gradient; None when there is no such program."""
    return PROGRAMS[work.name](task) if work.name in PROGRAMS else None
