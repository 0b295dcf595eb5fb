"""Neurons, layers of neurons, and networks of layers.

A neuron computes ``activation(b + w1 x1 + w2 x2 + ...)``. Constructor arguments,
attributes, texts and, without a seed, the very weights are those of micrograd's ``nn``.

Inside a network samples are lists, also of one number: a layer's ``rows`` gives
lists to the next one; ``batch`` and calls unwrap the last list of one number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from numbers import Real
from operator import methodcaller
from typing import Any, ClassVar

from autograd import Primitive, ShapeError, Value, affine
from autograd.numbers.engine import affine_nodes
from autograd.spelling import spelled
from autograd.table.reals import short
from nn.layers.activations import (
    Activation,
    activation_name,
    activation_word,
    find_activation,
    is_known,
    linear,
)
from nn.layers.initialisers import Generator, Initialiser, find_initialiser, generator
from nn.layers.module import Module, remembered
from nn.validation import integer, is_sequence

Number = Any
Sample = Sequence[Number]
Seed = int | Generator | None
AtOnce = Callable[[list[Any]], list[Any] | None]


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

    _short: ClassVar = {"w": "w"}
    _numbers = ("w", "b")

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

    def __call__(self, x: Sample) -> Number:
        """The neuron's output for one sample of ``nin`` inputs."""
        outputs = _layer_function([self])
        return outputs(checked_sample(x, len(self.w), self))[0]

    def _steps(self) -> list[str]:
        return [str(len(self.w)), f"1{_applied(self)}"]

    def __repr__(self) -> str:
        activation = self.activation if self.nonlin else linear
        return f"{activation_name(activation)}Neuron({len(self.w)})"


class Network(Module):
    """What takes a list for each sample, and gives one: subclasses define how."""

    def __call__(self, x: Sample) -> Any:
        """The output for one sample: a list, or one number instead of a list of it."""
        return _unwrapped(self._outputs([x]))[0]

    def batch(self, X: Iterable[Sample]) -> list[Any]:
        """The Values of ``[net(x) for x in X]``, computed several times faster."""
        return _unwrapped(self.rows(X))

    def rows(self, X: Iterable[Sample]) -> list[Any]:
        """As ``batch``, but one output stays a list."""
        return self._outputs(_as_list(X))

    def _outputs(self, samples: list[Any]) -> list[Any]:
        raise NotImplementedError


class Layer(Network):
    """``nout`` neurons side by side, all with the same ``nin`` inputs.

    Further arguments are those of ``Neuron``. Called with one sample it returns a list
    of ``nout`` Values; a layer of one neuron returns that neuron's Value (but inside a
    network, layers pass lists on). Raises ShapeError for another number of inputs.

    >>> from nn import Layer
    >>> layer = Layer(2, 3, seed=0)
    >>> layer, len(layer([1.0, 2.0]))
    (Layer 2 -> 3 relu, 9 parameters, 3)
    """

    _short: ClassVar = {"neurons": "neuron"}

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

    def _outputs(self, samples: list[Any]) -> list[Any]:
        neurons, width = self.neurons, len(self.neurons[0].w)
        at_once = _at_once(neurons)
        if at_once and (rows := at_once(samples)) is not None:
            return rows
        samples = [checked_sample(x, width, self) for x in samples]
        if set(map(type, neurons)) == {Neuron}:  # a subclass may call differently
            outputs = _layer_function(neurons)
            return [outputs(x) for x in samples]
        return [[neuron(x) for neuron in neurons] for x in samples]

    def _steps(self) -> list[str]:
        kinds = {_applied(neuron) for neuron in self.neurons}
        kind = kinds.pop() if len(kinds) == 1 else ""
        return [str(len(self.neurons[0].w)), f"{len(self.neurons)}{kind}"]


class Sequential(Network):
    """Modules and functions applied one after the other.

    Each element is a module, a function of a list of numbers (``softmax``), or an
    activation, by name or as the function, which acts on every number. A last output
    of one number is returned as that number, not as a list.

    >>> from nn import Layer, Sequential, softmax
    >>> hidden, last = Layer(2, 4, seed=0), Layer(4, 3, nonlin=False, seed=1)
    >>> net = Sequential(hidden, last, softmax)
    >>> round(sum(p.data for p in net([1.0, 2.0])), 12)
    1.0
    """

    _short: ClassVar = {"layers": "layer"}

    def __init__(self, *layers: Module | str | Callable[..., Any]) -> None:
        self.layers: list[Any] = [
            find_activation(layer) if isinstance(layer, str) else layer
            for layer in layers
        ]
        for i, layer in enumerate(self.layers):
            if not callable(layer):
                raise TypeError(
                    f"element {i} must be a module or a function, got "
                    f"{type(layer).__name__}"
                )
            if isinstance(layer, Module):
                layer.label(f"layer{i}.")

    def _outputs(self, samples: list[Any]) -> list[Any]:
        for layer, at_once in zip(self.layers, _kept(self), strict=False):
            if at_once and (outputs := at_once(samples)) is not None:
                samples = outputs
            elif isinstance(layer, Module):
                samples = layer.rows(samples)
            elif is_known(layer):
                samples = [[layer(x) for x in sample] for sample in samples]
            else:
                samples = [layer(sample) for sample in samples]
        return samples

    def _steps(self) -> list[str]:
        steps: list[str] = []
        for layer in self.layers:
            own = (
                layer._steps()
                if isinstance(layer, Module)
                else [activation_word(layer)]
            )
            own = own or [type(layer).__name__]
            follows = any(step[0].isdigit() for step in steps)
            steps += own[1:] if follows and own[0].isdigit() else own
        return steps


class MLP(Sequential):
    """A multi-layer perceptron: ``nin`` inputs, then layers of the widths ``nouts``.

    Parameters
    ----------
    nin : the number of inputs.
    nouts : the number of neurons of each layer, the last for the outputs.
    activation : of all layers but the last; or a list of one for each of these.
    seed : an int for weights of its own; None draws from the global ``random`` exactly
        as micrograd does.
    init : how weights are drawn, see ``nn.INITIALISERS``; biases start at 0.
    output : the activation of the last layer.

    Called with one sample it returns a list of Values, or one Value when the last
    layer has one neuron. Raises ShapeError for another number of inputs, and for
    another number of activations than of layers that have one.

    >>> from nn import MLP
    >>> model = MLP(2, [16, 16, 1], seed=0)
    >>> len(model.parameters()), len(model.batch([[1.0, 2.0], [3.0, 4.0]]))
    (337, 2)
    >>> MLP(2, [1, 1, 1], activation=["tanh", "relu"]).layers[1]
    Layer 1 -> 1 relu, 2 parameters
    """

    @spelled(
        {
            "nonlinearity": "activation",
            "random_state": "seed",
            "initialiser": "init",
            "initializer": "init",
            "output_activation": "output",
        },
        {
            "hidden": "nouts, the width of each layer, the last of the outputs",
            "hidden_layer_sizes": "nouts, the width of each layer, outputs included",
            "layers": "nouts, the width of each layer, the last of the outputs",
            "bias": "nothing: every neuron has one",
        },
    )
    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str | Activation | Sequence[str | Activation] = "relu",
        seed: Seed = None,
        init: str | Initialiser = "uniform",
        output: str | Activation = "linear",
    ) -> None:
        if not isinstance(nouts, Iterable) or isinstance(nouts, str):
            raise TypeError(
                f"nouts is a sequence of widths, got {short(nouts)}: write "
                f"MLP({short(nin)}, [{short(nouts)}]) for one layer"
            )
        nouts = list(nouts)
        at_least_one(len(nouts), "an MLP", "layer")
        *hidden, last = pairwise([nin, *nouts])
        activations = _one_for_each(activation, len(hidden))
        drawn: dict[str, Any] = {"init": init, "seed": generator(seed)}
        super().__init__(
            *[
                Layer(*widths, activation=activation, **drawn)
                for widths, activation in zip(hidden, activations, strict=True)
            ],
            Layer(*last, nonlin=output != "linear", activation=output, **drawn),
        )


def _applied(neuron: Neuron) -> str:
    active = neuron.nonlin and neuron.activation is not linear
    return f" {activation_word(neuron.activation)}" if active else ""


def _one_for_each(activation: Any, count: int) -> list[Activation]:
    """The activations of the hidden layers, from one for all or from a list."""
    if not (isinstance(activation, list | tuple) and activation):
        return [find_activation(activation)] * count
    if len(activation) != count:
        raise ShapeError(
            f"{len(activation)} activations for {count} hidden layer(s): give one for "
            f"each, and that of the last layer as output="
        )
    return [find_activation(f) for f in activation]


def at_least_one(count: int, who: str, what: str) -> None:
    if integer(f"{who}'s number of {what}s", count) < 1:
        raise ShapeError(f"{who} needs at least one {what}, got {count}")


def _as_list(X: Iterable[Any]) -> list[Any]:
    return X.tolist() if hasattr(X, "tolist") else list(X)


def checked_sample(x: Sample, width: int, module: Module) -> list[Number]:
    """One sample as a list of floats and Values, its width checked."""
    try:
        xs = _as_list(x)
    except TypeError:
        raise TypeError(
            f"a sample is a sequence of {width} number(s), got {short(x)}; write "
            f"[x] for one"
        ) from None
    if len(xs) != width:
        many = (
            "; use .batch(X) for many samples at once"
            if any(map(is_sequence, xs))
            else ""
        )
        raise ShapeError(
            f"{type(module).__name__} takes {width} inputs, got {len(xs)}: give one "
            f"number for each{many}"
        )
    for kind in set(map(type, xs)):
        if kind is not float and not hasattr(kind, "level"):
            return [float(x) if isinstance(x, Real) else x for x in xs]
    return xs


def _kept(net: Sequential) -> list[AtOnce | None]:
    """The layers' functions of many samples, kept until the network changes.

    Its weights are read and grouped once for all calls between two steps of training.
    """
    known = remembered(net)
    if known is None:
        return [None] * len(net.layers)
    memory, numbers = known
    layers: list[AtOnce | None]
    weighed_at, layers = memory.kept.get("layers", (None, []))
    if weighed_at != numbers:
        layers = [_at_once(x.neurons) if type(x) is Layer else None for x in net.layers]
        memory.kept["layers"] = numbers, layers  # at once: other threads may look
    return layers


def _at_once(neurons: list[Neuron]) -> AtOnce | None:
    """Samples in, a list for each out, by the accelerator: None where it has no such
    function. For samples that need a second look the function returns None."""
    if set(map(type, neurons)) != {Neuron}:
        return None
    activations = [n.activation if n.nonlin else linear for n in neurons]
    activation = activations[0]
    if activations.count(activation) != len(activations):
        return None
    if not (activation is linear or isinstance(activation, Primitive)):
        return None
    weigh = affine_nodes([n.w for n in neurons], [n.b for n in neurons])
    batch = getattr(weigh, "batch", None)  # of the accelerator alone
    applied = None if activation is linear else activation
    return batch and (lambda samples: batch(samples, applied))


def _layer_function(neurons: list[Neuron]) -> Callable[[Sample], list[Number]]:
    """The outputs of neurons for a sample; their weights are read here, once."""
    weigh = affine([n.w for n in neurons], [n.b for n in neurons])
    activations = [n.activation if n.nonlin else linear for n in neurons]
    first = activations[0]
    if any(activation is not first for activation in activations):
        return lambda x: [f(y) for f, y in zip(activations, weigh(x), strict=True)]
    if first is linear:
        return weigh
    if isinstance(first, Primitive) and isinstance(neurons[0].b, Value):
        first = methodcaller(first.name)  # faster than the primitive's own call
    return lambda x: list(map(first, weigh(x)))


def _unwrapped(outputs: list[Any]) -> list[Any]:
    return [
        y[0] if type(y) is list and len(y) == 1 and not is_sequence(y[0]) else y
        for y in outputs
    ]
