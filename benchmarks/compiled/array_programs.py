"""The works on whole arrays, each once, for peers that differentiate by themselves.

``xp`` is the peer's namespace (``jax.numpy``, ``torch``); arrays are its own. Written
as its users would write them: matrix products and elementwise functions.
"""

from __future__ import annotations

import math
from itertools import pairwise

import gpt
import scalar_programs


def mlp(xp, params, xs, widths):
    """The outputs (samples, last width) of a network on inputs (samples, first)."""
    start = 0
    for number, (n, m) in enumerate(pairwise(widths), 2):
        weights = params[start : start + m * (n + 1)].reshape(m, n + 1)
        xs = xs @ weights[:, :n].T + weights[:, n]
        xs = xp.tanh(xs) if number < len(widths) else xs
        start += m * (n + 1)
    return xs


def squared_error(xp, params, points, targets):
    """The mean over samples (C1, C2, C8)."""
    outputs = mlp(xp, params, points.reshape(-1, 2), scalar_programs.SMALL)
    return ((outputs[:, 0] - targets) ** 2).mean()


def log_sum_exp(xp, xs):
    """Of the last axis, without overflow."""
    top = xp.amax(xs, -1)[..., None]
    return xp.log(xp.exp(xs - top).sum(-1)) + top[..., 0]


def cross_entropy(xp, params, pixels, targets):
    """The mean over samples (C6, C7)."""
    logits = mlp(xp, params, pixels.reshape(-1, 784), scalar_programs.DIGITS)
    targets = targets.reshape(-1, 10)
    return (log_sum_exp(xp, logits) - (targets * logits).sum(-1)).mean()


def rosenbrock(xp, x):
    a, b = x[1:] - x[:-1] * x[:-1], 1.0 - x[:-1]
    return (100.0 * a * a + b * b).sum()


def black_scholes(xp, erf, columns):
    """The prices of all options (C4)."""
    spot, strike, time, rate, volatility = columns
    spread = volatility * xp.sqrt(time)
    drift = (rate + 0.5 * volatility * volatility) * time
    d1 = (xp.log(spot / strike) + drift) / spread
    upper = 0.5 + 0.5 * erf(d1 * math.sqrt(0.5))
    lower = 0.5 + 0.5 * erf((d1 - spread) * math.sqrt(0.5))
    return spot * upper - strike * xp.exp(-rate * time) * lower


def n_body(xp, x):
    """Every pair twice, and every body with itself, which gives 1 / 0.01 (C9)."""
    x = x.reshape(-1, 3)
    apart = x[:, None, :] - x[None, :, :]
    total = (1.0 / ((apart * apart).sum(-1) + 0.01)).sum()
    return 0.5 * (total - len(x) / 0.01)


def rms_norm(xp, x):
    return x / xp.sqrt((x * x).mean(-1)[:, None] + 1e-5)


def language_model(xp, params, tokens):
    """The mean cross-entropy of a token's prediction of the next (C5)."""
    w, start = {}, 0
    for name, (m, n) in gpt.SHAPES.items():
        w[name] = params[start : start + m * n].reshape(m, n)
        start += m * n
    steps, size = len(tokens) - 1, gpt.WIDTH // gpt.HEADS
    x = rms_norm(xp, w["tokens"][tokens[:-1]] + w["positions"][:steps])
    normed, heads = rms_norm(xp, x), (steps, gpt.HEADS, size)
    query, keys, values = [
        (normed @ w[name].T).reshape(heads).swapaxes(0, 1)
        for name in ("queries", "keys", "values")
    ]
    scores = query @ keys.swapaxes(1, 2) / math.sqrt(size)
    past = xp.tril(xp.ones((steps, steps))) > 0.0
    scores = xp.where(past, scores, -xp.inf)
    weights = xp.exp(scores - log_sum_exp(xp, scores)[..., None])
    mixed = (weights @ values).swapaxes(0, 1).reshape(steps, gpt.WIDTH)
    x = mixed @ w["mix"].T + x
    hidden = (rms_norm(xp, x) @ w["widen"].T).clip(0.0)
    x = hidden @ w["narrow"].T + x
    logits = x @ w["logits"].T
    chosen = logits[xp.arange(steps), tokens[1:]]
    return (log_sum_exp(xp, logits) - chosen).mean()


def adam(xp, params, m, v, gradient, step):
    """Parameters and moments after a step of Adam, counted from 0 (C5-step)."""
    m, v = 0.85 * m + 0.15 * gradient, 0.99 * v + 0.01 * gradient * gradient
    c1, c2 = 1.0 / (1.0 - 0.85 ** (step + 1)), 1.0 / (1.0 - 0.99 ** (step + 1))
    change = scalar_programs.RATE * (m * c1) / (xp.sqrt(v * c2) + 1e-8)
    return params - change, m, v


def accelerations(xp, params, state):
    """The derivative of the pendulum's state (x, y, vx, vy)."""
    stiffness, mass, length, damping = params[:4]
    x, y, vx, vy = state
    r = xp.sqrt(x * x + y * y)
    pull = stiffness * (r - length) / r
    ax = -(pull * x + damping * vx) / mass
    ay = -(pull * y + damping * vy) / mass - scalar_programs.GRAVITY
    return xp.stack([vx, vy, ax, ay])


def runge_kutta(xp, params, state):
    """The state one step later."""
    step = scalar_programs.STEP
    k1 = accelerations(xp, params, state)
    k2 = accelerations(xp, params, state + 0.5 * step * k1)
    k3 = accelerations(xp, params, state + 0.5 * step * k2)
    k4 = accelerations(xp, params, state + step * k3)
    return state + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
