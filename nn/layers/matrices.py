"""Networks on many samples at once: a layer is a matrix, as textbooks write it.

    Y = activation(X W' + b)    X (samples, inputs), W (neurons, inputs)

For numbers alone, without a graph; equal to the scalar nodes' sums up to rounding.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Value, softmax
from autograd.native import EXTENSION
from nn.datasets.scaling import scaler_of
from nn.layers.activations import is_known
from nn.layers.networks import MLP, Layer, Neuron, Sequential

Floats = NDArray[np.float64]


def outputs_of(part: Any, X: Floats) -> Floats | None:
    """A network's outputs, (samples, outputs); None where a part has no matrix."""
    with np.errstate(all="ignore"):  # inf and nan are results, as everywhere
        return _outputs(part, X)


def _outputs(part: Any, X: Floats) -> Floats | None:
    kind = type(part)
    if kind in (Sequential, MLP):
        found: Floats | None = X
        for inner in part.layers:
            found = None if found is None else _outputs(inner, found)
        return found
    if kind is Layer:
        return _of_neurons(part.neurons, X)
    if kind is Neuron:
        return _of_neurons([part], X)
    if is_known(part):
        return _applied(part, X)
    if part is softmax:
        return np.stack(softmax([*X.T]), axis=1)
    scaler = scaler_of(part)
    if scaler is None or np.size(scaler.mean) not in (1, X.shape[1]):
        return None
    if part is scaler:
        return np.asarray((X - scaler.mean) / scaler.scale)
    return np.asarray(X * scaler.scale + scaler.mean)


def _of_neurons(neurons: list[Any], X: Floats) -> Floats | None:
    first = neurons[0]
    width = len(first.w)
    for n in neurons:
        alike = n.nonlin == first.nonlin and n.activation is first.activation
        if type(n) is not Neuron or len(n.w) != width or not alike:
            return None
    if X.shape[1] != width or not is_known(first.activation):
        return None
    numbers = b"".join([_numbers(n.w) for n in neurons])
    weights = np.frombuffer(numbers).reshape(len(neurons), width)
    Y = X @ weights.T + np.frombuffer(_numbers([n.b for n in neurons]))
    return _applied(first.activation, Y) if first.nonlin else Y


def _applied(activation: Any, Y: Floats) -> Floats:
    return np.asarray(activation(Y))


def _numbers(parameters: list[Any]) -> bytes:
    """The numbers of parameters, or of plain numbers in their place, as doubles."""
    found = EXTENSION.numbers(parameters) if EXTENSION else None
    if found is None:
        plain = [p.data if isinstance(p, Value) else float(p) for p in parameters]
        found = array("d", plain).tobytes()
    return bytes(found)
