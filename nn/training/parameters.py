"""Parameters of a run: in their Values, or, for compiled steps, in one array.

Whoever computes eagerly or looks at the model calls ``sync_to_values`` first; whoever
runs a program asks for the ``array``. Between compiled steps nothing is written to the
Values, which for a small batch would cost as much as the step.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from autograd import Value
from nn.layers.module import Module
from nn.training.optimisers import (
    OPTIMISERS,
    Array,
    Optimiser,
    assign,
    clip_grad_norm,
    norm_and_scale,
)

__all__ = ["Parameters"]


class Parameters:
    """A model's parameters, their gradients, and the optimiser that changes them."""

    def __init__(self, model: Module, optimiser: Optimiser) -> None:
        self.optimiser, self.values = optimiser, model.parameters()
        known = type(optimiser) in OPTIMISERS.values()
        self.direct = known and optimiser.params == self.values
        self._x: Array | None = None  # None while the Values hold the numbers
        self._g: Array | None = None

    def array(self) -> Array:
        if self._x is not None:
            return self._x
        x = np.array([p.data for p in self.values])
        if self.direct:  # else the optimiser works on the Values
            self._x = x
        return x

    def sync_to_values(self) -> None:
        """Write numbers and gradients of compiled steps to the Values."""
        x, g = self._x, self._g
        if x is not None:
            try:
                self._write(x, g)
            except BaseException:  # an interruption must not leave half of them
                self._write(x, g)
                raise
            self._x = self._g = None

    def _write(self, x: Array, g: Array | None) -> None:
        assign(self.values, x.tolist())
        if g is not None:
            for parameter, slope in zip(self.values, g.tolist(), strict=True):
                parameter.grad = slope

    # -- One step --------------------------------------------------------------------

    def backward(self, loss: Value) -> Array:
        """The gradient of a loss in the graph, added to what frozen Values have."""
        self.sync_to_values()
        self.optimiser.zero_grad()
        before = np.array([p.grad for p in self.values])
        loss.backward()
        with np.errstate(invalid="ignore"):
            found: Array = np.array([p.grad for p in self.values]) - before
        return found

    def set_gradient(self, gradient: Array) -> None:
        """Take the gradient that a program computed."""
        if self.direct:
            self._g = gradient
            return
        self.optimiser.zero_grad()
        for parameter, slope in zip(self.values, gradient.tolist(), strict=True):
            parameter.grad += slope

    def clip(self, max_norm: float) -> None:
        """Scale the gradient down to a norm, if it is longer."""
        if self._g is None:
            clip_grad_norm(self.optimiser.params, max_norm)
        else:
            with np.errstate(invalid="ignore"):  # of an infinite gradient
                self._g = self._g * norm_and_scale(self._g, max_norm)[1]

    def finite(self) -> bool:
        if self._g is None:
            return all(map(isfinite, [p.grad for p in self.optimiser.params]))
        return bool(np.isfinite(self._g).all())

    def step(self) -> None:
        optimiser = self.optimiser
        if self._x is None or self._g is None:
            optimiser.step()
            self._x = None
            return
        after, state = optimiser.next_state(self._x, self._g)
        self._x, optimiser.steps, optimiser.state = after, optimiser.steps + 1, state
