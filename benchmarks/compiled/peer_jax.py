"""JAX on the CPU: ``jax.jit(value_and_grad(f))`` in double precision."""

from __future__ import annotations

from functools import partial

import array_programs
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def spring_pendulum(xp, params, observed):
    """The loop over time is a scan: unrolled, it takes too long to compile."""

    def step(state, point):
        state = array_programs.runge_kutta(xp, params, state)
        return state, ((state[:2] - point) ** 2).sum()

    start = jnp.concatenate([params[4:6], jnp.zeros(2)])
    return jax.lax.scan(step, start, observed)[1].sum()


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


def training(task):
    """One compiled function: value, gradient and Adam."""
    loss = partial(array_programs.language_model, jnp)

    @jax.jit
    def step(params, m, v, tokens):
        value, gradient = jax.value_and_grad(loss)(params, tokens)
        return value, array_programs.adam(jnp, params, m, v, gradient, 0)

    tokens, params = jnp.asarray(task.inputs[0]), jnp.asarray(task.params)
    state = params, jnp.zeros_like(params), jnp.zeros_like(params)

    def run():
        nonlocal state
        value, state = step(*state, tokens)
        return np.asarray(value), np.asarray(state[0])

    return run


def price_and_greeks(columns):
    prices, pull = jax.vjp(
        partial(array_programs.black_scholes, jnp, jax.scipy.special.erf), columns
    )
    return prices, pull(jnp.ones_like(prices))[0]


def prepare(work, task):
    """A call that returns value and gradient as numpy arrays; None: no such program."""
    if work.over == "adam":
        return training(task)
    params = jnp.asarray(task.params)
    if work.name == "C4":
        compiled, inputs = jax.jit(price_and_greeks), ()
    elif work.name in LOSSES:
        loss = partial(LOSSES[work.name], jnp)
        compiled = jax.jit(jax.value_and_grad(loss))
        inputs = [jnp.asarray(x) for x in task.inputs]
        if work.name == "C5":
            tokens = np.array(task.program.keywords["tokens"])
            compiled = jax.jit(jax.value_and_grad(partial(loss, tokens=tokens)))
    else:
        return None

    def run():
        value, gradient = compiled(params, *inputs)
        return np.asarray(value), np.asarray(gradient).ravel()

    return run
