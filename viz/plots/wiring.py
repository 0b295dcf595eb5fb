"""What a network consists of: its layers in order, read as arrays of floats.

A model becomes ``Stage``s. Each is a layer of neurons with what follows it up to the
next one: activations of a ``Sequential`` and functions such as ``softmax``. Models are
only read here: no graph is built, and no ``.grad``, mode or random state is changed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ShapeError
from autograd.graph.modes import no_grad
from nn.layers.activations import activation_name, is_known, linear
from nn.layers.module import Module
from nn.layers.networks import Layer, Neuron, Sequential
from nn.validation import finite, is_sequence, plain

Array = NDArray[np.float64]

_DRAWN = "MLP, Layer, Neuron, and Sequential of layers, activations and functions"
_AS_WRITTEN = {Neuron: ("__call__",), Layer: ("__call__", "_outputs", "rows")}
_AS_WRITTEN[Sequential] = _AS_WRITTEN[Layer]


@dataclass
class Stage:
    """A layer of neurons, and the functions between it and the next one."""

    neurons: list[Neuron]
    after: list[Callable[[Any], Any]] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        return len(self.neurons[0].w)

    def weights(self) -> Array:
        """One row for each neuron."""
        return np.array([[w.data for w in n.w] for n in self.neurons], float)

    def biases(self) -> Array:
        return np.array([n.b.data for n in self.neurons], float)

    def gradients(self) -> tuple[Array, Array]:
        """``.grad`` of weights and biases."""
        rows = [[w.grad for w in n.w] for n in self.neurons]
        return np.array(rows, float), np.array([n.b.grad for n in self.neurons], float)

    @property
    def activations(self) -> list[Any]:
        """The activation of each neuron."""
        return [n.activation if n.nonlin else linear for n in self.neurons]

    @property
    def title(self) -> str:
        """Its activations and functions by name, linear ones left out beside others."""
        found = dict.fromkeys([*self.activations, *self.after])
        names = [activation_name(f) for f in found if f is not linear]
        return ", ".join(names) or activation_name(linear)

    @property
    def squash(self) -> str:
        """What alone acts here if that is relu, tanh or sigmoid, else nothing."""
        names = {activation_name(f) for f in (*self.activations, *self.after)}
        found = (names - {"Linear"}).pop() if len(names - {"Linear"}) == 1 else ""
        return found.lower() if found in ("ReLU", "Tanh", "Sigmoid") else ""

    def outputs(self, X: Array) -> Array:
        """What leaves the stage for each row of X, by plain floats."""
        with np.errstate(all="ignore"):
            z = X @ self.weights().T + self.biases()
            first = self.activations[0]
            if all(f is first for f in self.activations):
                z = _mapped(first, z)
            else:
                columns = zip(self.activations, z.T, strict=True)
                z = np.stack([_mapped(f, column) for f, column in columns], axis=1)
            return through(self.after, z)


def through(functions: Sequence[Any], Y: Array) -> Array:
    """Rows after some functions of a ``Sequential``."""
    for f in functions:
        Y = _mapped(f, Y) if is_known(f) else np.array(_rows(f, Y), float)
    return Y


def _mapped(f: Any, Y: Array) -> Array:
    """A function of one number on all of them."""
    if is_known(f):
        return np.asarray(f(Y), float)
    with no_grad():
        found = [plain("an activation", f(y)) for y in Y.ravel().tolist()]
    return np.array(found, float).reshape(Y.shape)


def _rows(f: Any, Y: Array) -> list[Any]:
    """A function of a list on each row."""
    with no_grad():
        return [plain(activation_name(f), list(f(row))) for row in Y.tolist()]


@dataclass
class Wiring:
    """A network: functions of its inputs, if it begins with some, and its stages."""

    before: list[Callable[[Any], Any]]
    stages: list[Stage]

    @property
    def widths(self) -> list[int]:
        """The number of inputs, and of neurons of each layer."""
        return [self.stages[0].inputs, *[len(s.neurons) for s in self.stages]]

    def columns(self, X: Array) -> list[Array]:
        """What enters the first layer for each row of X, and what leaves each layer."""
        with undisturbed():
            found = [through(self.before, X)]
            for stage in self.stages:
                found.append(stage.outputs(found[-1]))
        return found


@contextmanager
def undisturbed() -> Iterator[None]:
    """What functions of the user's draw inside is drawn again after it."""
    own, numpys = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(own)
        np.random.set_state(numpys)


def wiring(model: Any, who: str = "viz.network draws") -> Wiring:
    """The layers of a model.

    Raises TypeError for what is no network of layers, and ShapeError when it has none
    or the width of one does not fit the next.

    >>> from nn import MLP
    >>> wiring(MLP(2, [3, 1], seed=0)).widths
    [2, 3, 1]
    """
    if not isinstance(model, Module):
        raise TypeError(
            f"{who} {_DRAWN}; got {type(model).__name__}: give a model of these"
        )
    found = Wiring([], [])
    for part in _parts(model, who):
        if isinstance(part, Stage):
            found.stages.append(part)
        else:
            (found.stages[-1].after if found.stages else found.before).append(part)
    if not found.stages:
        raise ShapeError(f"{who} layers: this {type(model).__name__} has none: add one")
    for i, stage in enumerate(found.stages[1:], 1):
        if stage.inputs != found.widths[i]:
            raise ShapeError(
                f"layer {i} takes {stage.inputs} inputs, and {found.widths[i]} come "
                f"from the layer before it: make the two equal"
            )
    return found


def _parts(part: Any, who: str) -> Iterator[Any]:
    """Stages and functions in order."""
    for kind, methods in _AS_WRITTEN.items():
        if isinstance(part, kind):
            own = [m for m in methods if getattr(type(part), m) is not getattr(kind, m)]
            if own:
                raise TypeError(
                    f"{who} {_DRAWN}: {type(part).__name__} has a {own[0]} of its own, "
                    "which may compute anything: use a part of nn instead"
                )
    if isinstance(part, Sequential):
        for inner in part.layers:
            yield from _parts(inner, who)
    elif isinstance(part, Layer):
        for neuron in part.neurons:
            list(_parts(neuron, who))
        yield Stage(part.neurons)
    elif isinstance(part, Neuron):
        yield Stage([part])
    elif isinstance(part, Module) or not callable(part):
        raise TypeError(f"{who} {_DRAWN}; got {type(part).__name__}: build it of these")
    else:
        yield part


def sample(wires: Wiring, x: Any) -> list[Array]:
    """The columns of one sample as vectors; ShapeError if it has another width."""
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    if not is_sequence(x) or ((row := [*x]) and is_sequence(row[0])):
        raise ShapeError(f"x must be one sample, a list of {wires.widths[0]} numbers")
    if not wires.before and len(row) != wires.widths[0]:
        raise ShapeError(
            f"the network takes {wires.widths[0]} inputs, x has {len(row)} numbers: "
            "give as many"
        )
    values = [getattr(xi, "data", xi) if hasattr(xi, "op") else xi for xi in row]
    X = np.array([[finite("x", xi, i) for i, xi in enumerate(values)]], float)
    return [column[0] for column in wires.columns(X)]
