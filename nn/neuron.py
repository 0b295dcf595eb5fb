"""Neurons, and layers of them.

A neuron computes ``activation(b + w1 x1 + w2 x2 + ...)``. Constructor arguments,
attributes, texts and, without a seed, the very weights are those of micrograd's ``nn``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from operator import methodcaller
from typing import Any

from autograd import Primitive, ShapeError, Value, affine
from autograd.table.reals import short
from nn.activations import Activation, activation_name, find_activation, linear
from nn.initialisers import Generator, Initialiser, find_initialiser, generator
from nn.module import Module
from nn.settings import integer

__all__ = ["Layer", "Neuron"]

Number = Any
Row = Sequence[Number]
Seed = int | Generator | None


class Neuron(Module):
    """One neuron: ``activation(b + w1 x1 + w2 x2 + ...)``.

    Parameters
    ----------
    nin : the number of inputs.
    nonlin : False leaves the activation out.
    activation : a name in ``nn.ACTIVATIONS``, or any function of one number.
    init : a name in ``nn.INITIALISERS``, or a function ``(rng, nin, nout) -> float``.
    seed : an int, or a ``random.Random``; None draws from the global ``random``.

    Called with ``nin`` numbers or Values it returns one Value. Raises ShapeError for
    another number of inputs.

    >>> from nn import Neuron
    >>> neuron = Neuron(2, activation="tanh", seed=0)
    >>> neuron, neuron([0.0, 0.0]).data
    (TanhNeuron(2), 0.0)
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        activation: str | Activation = "relu",
        init: str | Initialiser = "uniform",
        seed: Seed = None,
    ) -> None:
        at_least_one(nin, "a neuron", "input")
        draw, rng = find_initialiser(init), generator(seed)
        self.w = [Value(draw(rng, nin, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.nonlin = nonlin
        self.activation = find_activation(activation)
        self.label()

    def __call__(self, x: Row) -> Number:
        """The neuron's output for one sample of ``nin`` inputs."""
        return _activate([self], affine([self.w], [self.b]))(
            _inputs(x, len(self.w), self)
        )[0]

    def label(self, prefix: str = "") -> None:
        """Name the parameters ``{prefix}w0``, ``{prefix}w1`` ..., ``{prefix}b``."""
        self.b.label = f"{prefix}b"
        for k, w in enumerate(self.w):
            w.label = f"{prefix}w{k}"

    def __repr__(self) -> str:
        activation = self.activation if self.nonlin else linear
        return f"{activation_name(activation)}Neuron({len(self.w)})"


class Layer(Module):
    """``nout`` neurons side by side, all with the same ``nin`` inputs.

    Further arguments are those of ``Neuron``. Called with one sample it returns a list
    of ``nout`` Values; a layer of one neuron returns that neuron's Value (but inside a
    network, layers pass lists on).

    >>> from nn import Layer
    >>> layer = Layer(2, 3, seed=0)
    >>> layer, len(layer([1.0, 2.0]))
    (Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], 3)
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        *,
        init: str | Initialiser = "uniform",
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        at_least_one(nout, "a layer", "neuron")
        draw, rng = find_initialiser(init), generator(seed)
        self.neurons = [
            Neuron(nin, init=lambda r, n, _: draw(r, n, nout), seed=rng, **kwargs)
            for _ in range(nout)
        ]
        self.label()

    def __call__(self, x: Row) -> Any:
        """The outputs for one sample: a list, or one Value for a layer of one."""
        return unwrap(Layer.rows(self, [x]))[0]

    def batch(self, X: Iterable[Row]) -> list[Any]:
        """The outputs for many samples; the weights are read once."""
        return unwrap(self.rows(X))

    def rows(self, X: Iterable[Row]) -> list[list[Number]]:
        """As ``batch``, always with a list for each sample."""
        neurons = self.neurons
        width = len(neurons[0].w)
        samples = [_inputs(x, width, self) for x in listed(X)]
        if set(map(type, neurons)) != {Neuron}:  # a subclass may call differently
            return [[neuron(x) for neuron in neurons] for x in samples]
        outputs = _activate(
            neurons, affine([n.w for n in neurons], [n.b for n in neurons])
        )
        return [outputs(x) for x in samples]

    def label(self, prefix: str = "") -> None:
        """Name the parameters ``{prefix}neuron0.w0`` ...."""
        for j, neuron in enumerate(self.neurons):
            neuron.label(f"{prefix}neuron{j}.")

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


def at_least_one(count: int, who: str, what: str) -> None:
    if integer(f"{who}'s number of {what}s", count) < 1:
        raise ShapeError(f"{who} needs at least one {what}, got {count}")


def listed(X: Iterable[Row]) -> list[Any]:
    return X.tolist() if hasattr(X, "tolist") else list(X)


def _inputs(x: Row, width: int, who: Module) -> list[Number]:
    """One sample as a list of floats and Values, its width checked."""
    try:
        xs = listed(x)
    except TypeError:
        raise TypeError(
            f"a sample is a sequence of {width} number(s), got {short(x)}; write "
            f"[x] for one"
        ) from None
    if len(xs) != width:
        raise ShapeError(
            f"{type(who).__name__} takes {width} inputs, got {len(xs)}; use "
            f".batch(X) for many samples at once"
        )
    for kind in set(map(type, xs)):
        if kind is not float and not hasattr(kind, "level"):
            return [float(x) if isinstance(x, Real) else x for x in xs]
    return xs


def _activate(
    neurons: list[Neuron], weigh: Callable[[Row], list[Number]]
) -> Callable[[Row], list[Number]]:
    """The layer's function: ``weigh``, then each neuron's activation."""
    activations = [n.activation if n.nonlin else linear for n in neurons]
    first = activations[0]
    if any(activation is not first for activation in activations):
        return lambda x: [f(y) for f, y in zip(activations, weigh(x), strict=True)]
    if first is linear:
        return weigh
    if isinstance(first, Primitive) and isinstance(neurons[0].b, Value):
        first = methodcaller(first.name)  # a row's method is its fast way in
    return lambda x: list(map(first, weigh(x)))


def unwrap(rows: list[Any]) -> list[Any]:
    return [row[0] if type(row) is list and len(row) == 1 else row for row in rows]
