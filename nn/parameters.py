"""Parameters of a run: in their Values, or, for compiled steps, in one array.

Whoever computes eagerly asks for the Values first; whoever runs compiled code asks for
the array. What is not asked for is not written.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from autograd import Value
from nn.clipping import clip_grad_norm, clipped
from nn.module import Module
from nn.optimiser import Array, Optimiser, assign
from nn.optimisers import OPTIMISERS

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
        """The numbers in one array."""
        if self._x is not None:
            return self._x
        x = np.array([p.data for p in self.values])
        if self.direct:  # else the optimiser works on the Values
            self._x = x
        return x

    def in_values(self) -> list[Value]:
        """The Values, with their numbers and gradients up to date."""
        x, g = self._x, self._g
        if x is not None:
            try:
                self._write(x, g)
            except BaseException:  # an interruption must not leave half of them
                self._write(x, g)
                raise
            self._x = self._g = None
        return self.values

    def _write(self, x: Array, g: Array | None) -> None:
        assign(self.values, x.tolist())
        if g is not None:
            for parameter, slope in zip(self.values, g.tolist(), strict=True):
                parameter.grad = slope

    # -- One step --------------------------------------------------------------------

    def backward(self, loss: Value) -> Array:
        """The gradient of a loss in the graph, added to what frozen Values have."""
        self.in_values()
        self.optimiser.zero_grad()
        before = np.array([p.grad for p in self.values])
        loss.backward()
        with np.errstate(invalid="ignore"):
            found: Array = np.array([p.grad for p in self.values]) - before
        return found

    def receive(self, gradient: Array) -> None:
        """The gradient from compiled code."""
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
            self._g = clipped(self._g, max_norm)

    def finite(self) -> bool:
        """Whether no gradient is NaN or infinite."""
        if self._g is None:
            return all(map(isfinite, [p.grad for p in self.optimiser.params]))
        return bool(np.isfinite(self._g).all())

    def step(self) -> None:
        """One step of the optimiser."""
        optimiser = self.optimiser
        if self._x is None or self._g is None:
            optimiser.step()
            self._x = None
            return
        after, state = optimiser.computed(self._x, self._g)
        self._x, optimiser.steps, optimiser.state = after, optimiser.steps + 1, state
