"""Watching: what leaves each layer of a model, noted down while it computes.

Layers are watched in a copy around other Values: the model itself is not touched, nor
are its gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Value
from nn.datasets.scaling import scaler_of
from nn.layers.activations import activation_word, is_known, linear
from nn.layers.module import Module, modules_of
from nn.layers.networks import Layer, Network, Neuron, Sequential
from nn.layers.recurrent import RNN
from nn.validation import is_sequence, plain

Floats = NDArray[np.float64]


@dataclass
class Watched:
    """A layer or function, and the rows of numbers that left it, one for each call.

    ``activations`` has what acts last on each number of a row; empty where that is not
    known.
    """

    name: str
    kind: str
    activations: list[Any] = field(default_factory=list)
    parameters: list[Value] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)
    log: list[Watched] = field(default_factory=list, repr=False)  # of all that gave one

    def note(self, output: Any) -> None:
        """Keep an output: a number, a row of them, or the rows of a sequence."""
        if is_sequence(output) and len(output) and is_sequence(output[0]):
            for row in output:
                self.note(row)
        else:
            if not self.rows:
                self.log.append(self)
            found = plain("outputs", output)
            self.rows.append(found if is_sequence(output) else [found])

    def outputs(self) -> Floats:
        """(calls, numbers)."""
        return np.array(self.rows, dtype=float)


def watched(model: Module) -> tuple[Module, list[Watched]]:
    """A copy of a model that notes down what its layers give, and where it does so.

    Watched are modules without modules below them, layers of neurons, and functions
    between the parts of a ``Sequential``; each is listed when it first computes.
    """
    copy = model._bound([Value(p.data) for p in model.parameters()])
    names = {id(p): name for name, p in copy.named_parameters().items()}
    log: list[Watched] = []
    inside: set[int] = set()  # neurons of layers
    for module in modules_of(copy):
        if isinstance(module, Layer):
            inside |= {*map(id, module.neurons)}
        if isinstance(module, Sequential):
            module.layers = [*module.layers]
            for i, part in enumerate(module.layers):
                if not isinstance(part, Module) and scaler_of(part) is None:
                    name = f"{_path(module, names)}layer{i}"
                    note = Watched(name, activation_word(part), log=log)
                    module.layers[i] = _function(part, note)
        elif id(module) not in inside and _is_layer(module) and module.parameters():
            name = _path(module, names).rstrip(".") or type(module).__name__.lower()
            note = Watched(name, _kind(module), _acting(module), log=log)
            note.parameters = module.parameters()
            _watch(module, note)
    return copy, log


def _is_layer(module: Module) -> bool:
    return isinstance(module, Layer) or modules_of(module) == [module]


def _path(module: Module, names: dict[int, str]) -> str:
    """What the names of a module's parameters begin with, in the whole model."""
    for local, parameter in module.named_parameters().items():
        return names[id(parameter)].removesuffix(local)
    return ""


def _kind(module: Module) -> str:
    return " -> ".join(module._steps()) or type(module).__name__


def _acting(module: Module) -> list[Any]:
    """The activation of each number that a layer gives."""
    if isinstance(module, RNN):
        return [module.activation] * module.width
    neurons = module.neurons if isinstance(module, Layer) else [module]
    return [
        (n.activation if n.nonlin else linear) for n in neurons if isinstance(n, Neuron)
    ]


def _function(function: Any, note: Watched) -> Callable[[Any], Any]:
    """A function of a list for a ``Sequential``, whose result is noted down."""

    def call(sample: Any) -> Any:
        each = is_known(function)
        output = [function(x) for x in sample] if each else function(sample)
        note.note(output)
        if each:
            note.activations = [function] * len(output)
        return output

    return call


def _watch(module: Module, note: Watched) -> None:
    """Let a module of a copy note down what it gives, batches included."""
    kind: Any = type(module)

    def rows(self: Any, samples: list[Any]) -> list[Any]:
        outputs: list[Any] = kind._outputs(self, samples)
        for output in outputs:
            note.note(output)
        return outputs

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        output = kind.__call__(self, *args, **kwargs)
        note.note(output)
        return output

    own = {"_outputs": rows} if isinstance(module, Network) else {"__call__": call}
    module.__class__ = type(kind.__name__, (kind,), own)
