"""The scalar programs, each once, as anybody might write them.

Plain loops over numbers and autograd's functions only: they run on floats, on Values
and on tracers. Parameters stand in one flat sequence, in the order of the C programs in
``benchmarks/reference``. The language model is in ``gpt.py``.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import autograd

RATE = 0.01  # of Adam
SMALL, DIGITS = (2, 16, 16, 1), (784, 64, 10)


def mlp(params, xs, widths):
    """The outputs of a network, tanh hidden, linear last; weights, then bias."""
    start = 0
    for number, (n, m) in enumerate(pairwise(widths), 2):
        outputs = []
        for _ in range(m):
            y = params[start + n]
            for i in range(n):
                y = y + params[start + i] * xs[i]
            outputs.append(autograd.tanh(y) if number < len(widths) else y)
            start += n + 1
        xs = outputs
    return xs


def adam(param, m, v, gradient, step, rate):
    """A parameter and its moments after a step, counted from 0 (C5-step)."""
    m = 0.85 * m + 0.15 * gradient
    v = 0.99 * v + 0.01 * gradient * gradient
    c1, c2 = 1.0 / (1.0 - 0.85 ** (step + 1)), 1.0 / (1.0 - 0.99 ** (step + 1))
    return param - rate * (m * c1) / (autograd.sqrt(v * c2) + 1e-8), m, v


def squared_error(params, x, y):
    """The squared error of MLP(2, [16, 16, 1]) on one sample (C1, C2)."""
    deviation = mlp(params, x, SMALL)[0] - y
    return deviation * deviation


def mean_squared_error(params, xs, ys):
    """The same over many samples, as one function (C8)."""
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        total = total + squared_error(params, x, y)
    return total / len(ys)


def cross_entropy(params, pixels, target):
    """The cross-entropy of MLP(784, [64, 10]); the target is one-hot (C6, C7)."""
    logits = mlp(params, pixels, DIGITS)
    chosen = 0.0
    for t, z in zip(target, logits, strict=True):
        chosen = chosen + t * z
    return autograd.logsumexp(logits) - chosen


def rosenbrock(x):
    """The chained Rosenbrock function (C3)."""
    total = 0.0
    for i in range(len(x) - 1):
        a, b = x[i + 1] - x[i] * x[i], 1.0 - x[i]
        total = total + (100.0 * a * a + b * b)
    return total


def black_scholes(spot, strike, time, rate, volatility):
    """The price of a European call (C4)."""
    spread = volatility * autograd.sqrt(time)
    drift = (rate + 0.5 * volatility * volatility) * time
    d1 = (autograd.log(spot / strike) + drift) / spread
    d2 = d1 - spread
    upper = 0.5 + 0.5 * autograd.erf(d1 * math.sqrt(0.5))
    lower = 0.5 + 0.5 * autograd.erf(d2 * math.sqrt(0.5))
    return spot * upper - strike * autograd.exp(-rate * time) * lower


def n_body(x):
    """The sum of 1 / (r^2 + 0.01) over all pairs of bodies (C9)."""
    energy = 0.0
    for i in range(0, len(x), 3):
        for j in range(0, i, 3):
            a, b, c = x[i] - x[j], x[i + 1] - x[j + 1], x[i + 2] - x[j + 2]
            energy = energy + 1.0 / (a * a + b * b + c * c + 0.01)
    return energy


STEP, GRAVITY = 0.01, 9.81


def accelerations(params, state):
    """The derivative of (x, y, vx, vy): a mass on a damped spring, swinging."""
    stiffness, mass, length, damping = params[0], params[1], params[2], params[3]
    x, y, vx, vy = state
    r = autograd.sqrt(x * x + y * y)
    pull = stiffness * (r - length) / r
    return [
        vx,
        vy,
        -(pull * x + damping * vx) / mass,
        -(pull * y + damping * vy) / mass - GRAVITY,
    ]


def trajectory(params, steps):
    """The states (x, y, vx, vy) after each step of Runge-Kutta 4.

    params : stiffness, mass, rest length, damping, and where it is let go (x, y).
    """
    slope = partial(accelerations, params)
    state, states = [params[4], params[5], 0.0, 0.0], []
    for _ in range(steps):
        k1 = slope(state)
        k2 = slope([s + 0.5 * STEP * k for s, k in zip(state, k1, strict=True)])
        k3 = slope([s + 0.5 * STEP * k for s, k in zip(state, k2, strict=True)])
        k4 = slope([s + STEP * k for s, k in zip(state, k3, strict=True)])
        state = [
            s + STEP / 6.0 * (a + 2.0 * b + 2.0 * c + d)
            for s, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True)
        ]
        states.append(state)
    return states


def spring_pendulum(params, observed):
    """The squared deviations of the trajectory from the observed points."""
    total = 0.0
    for state, point in zip(trajectory(params, len(observed)), observed, strict=True):
        dx, dy = state[0] - point[0], state[1] - point[1]
        total = total + (dx * dx + dy * dy)
    return total


def irregular(plan, params):
    """The sum of the tanh of the last 500 results of a random program."""
    xs = list(params)
    for name, i, j in plan:
        if name == "+":
            xs.append(xs[i] + xs[j])
        elif name == "-":
            xs.append(xs[i] - xs[j])
        elif name == "*":
            xs.append(xs[i] * xs[j] * 0.5)
        else:
            xs.append(autograd.tanh(xs[i]))
    total = 0.0
    for x in xs[-500:]:
        total = total + autograd.tanh(x)
    return total
