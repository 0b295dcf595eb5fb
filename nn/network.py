"""Networks: modules one after the other, and the multi-layer perceptron.

Constructor, attributes, texts and, without a seed, the very weights of ``MLP`` are
those of micrograd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd.table.reals import short
from nn.activations import ACTIVATIONS, Activation, activation_name, find_activation
from nn.initialisers import Initialiser, generator
from nn.module import Module
from nn.neuron import Layer, Row, Seed, at_least_one, listed, unwrap

__all__ = ["MLP", "Sequential"]


class Sequential(Module):
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
            if isinstance(layer, Layer):
                layer.label(f"layer{i}.")

    def __call__(self, x: Row) -> Any:
        """The output for one sample."""
        return unwrap(Sequential.rows(self, [x]))[0]

    def batch(self, X: Iterable[Row]) -> list[Any]:
        """The outputs for many samples; each layer's weights are read once.

        The same Values as ``[net(x) for x in X]``, several times faster.
        """
        return unwrap(self.rows(X))

    def rows(self, X: Iterable[Row]) -> list[Any]:
        """As ``batch``, but one output stays a list."""
        rows = listed(X)
        for layer in self.layers:
            if isinstance(layer, Module):
                rows = layer.rows(rows)
            elif layer in ACTIVATIONS.values():
                rows = [[layer(x) for x in row] for row in rows]
            else:
                rows = [layer(row) for row in rows]
        return rows

    def __repr__(self) -> str:
        names = [
            str(layer) if isinstance(layer, Module) else activation_name(layer)
            for layer in self.layers
        ]
        return f"{type(self).__name__} of [{', '.join(names)}]"


class MLP(Sequential):
    """A multi-layer perceptron: ``nin`` inputs, then layers of the widths ``nouts``.

    Parameters
    ----------
    nin : the number of inputs.
    nouts : the number of neurons of each layer, the last for the outputs.
    activation : of all layers but the last.
    seed : an int for weights of its own; None draws from the global ``random`` exactly
        as micrograd does.
    init : how weights are drawn, see ``nn.INITIALISERS``; biases start at 0.
    output : the activation of the last layer.

    Called with one sample it returns a list of Values, or one Value when the last
    layer has one neuron. Raises ShapeError for another number of inputs.

    >>> from nn import MLP
    >>> model = MLP(2, [16, 16, 1], seed=0)
    >>> len(model.parameters()), len(model.batch([[1.0, 2.0], [3.0, 4.0]]))
    (337, 2)
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str | Activation = "relu",
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
        activation = find_activation(activation)
        widths, rng, last = [nin, *nouts], generator(seed), len(nouts) - 1
        layers = [
            Layer(
                widths[i],
                widths[i + 1],
                nonlin=i != last or output != "linear",
                activation=output if i == last else activation,
                init=init,
                seed=rng,
            )
            for i in range(len(nouts))
        ]
        super().__init__(*layers)
