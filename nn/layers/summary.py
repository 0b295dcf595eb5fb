"""A model in a few lines: what it is made of, and how many parameters each part has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nn.layers.activations import activation_name, linear
from nn.layers.module import Module
from nn.layers.networks import Layer, Neuron, Sequential
from nn.layers.parts import Embedding
from nn.layers.recurrent import Recurrent

Row = tuple[str, str, str]  # name, what it does, parameters


def summary(model: Module) -> str:
    """One line for the model, and one for each of its parts.

    A part that is met twice counts once.

    >>> from nn import MLP, summary
    >>> print(summary(MLP(64, [32, 10], seed=0)))
    MLP 64 -> 32 relu -> 10, 2,410 parameters
      layer0  64 -> 32 relu  2,080
      layer1  32 -> 10         330
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary takes a nn.Module, got {type(model).__name__}")
    count = f"{len(model.parameters()):,} parameters"
    what = _what(model)
    head = f"{type(model).__name__}{' ' if what else ''}{what}, {count}"
    rows = list(_rows(model))
    if len(rows) < 2:
        return head
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        f"  {name:{widths[0]}}  {did:{widths[1]}}  {number:>{widths[2]}}".rstrip()
        for name, did, number in rows
    ]
    return "\n".join([head, *lines])


def _rows(model: Module) -> Iterator[Row]:
    if isinstance(model, Sequential):
        parts = [(f"layer{i}", layer) for i, layer in enumerate(model.layers)]
    else:
        parts = [*vars(model).items()]
    seen: set[Any] = set()
    for name, part in parts:
        if isinstance(part, Module):
            known = {id(p) for p in part.parameters()} - seen
            seen |= known
            yield name, _what(part) or type(part).__name__, f"{len(known):,}"
        elif isinstance(model, Sequential):
            yield name, activation_name(part).lower(), ""


def _what(model: Any) -> str:
    """The widths that a model leads through, and its activations."""
    steps = [*_steps(model)]
    return " -> ".join(steps)


def _steps(model: Any) -> Iterator[str]:
    if isinstance(model, Sequential):
        for i, layer in enumerate(model.layers):
            own = [*_steps(layer)]
            yield from own[1:] if i and len(own) > 1 else own
    elif isinstance(model, Layer):
        yield str(len(model.neurons[0].w))
        kinds = {_activation(neuron) for neuron in model.neurons}
        yield f"{len(model.neurons)}{kinds.pop() if len(kinds) == 1 else ''}"
    elif isinstance(model, Neuron):
        yield from (str(len(model.w)), f"1{_activation(model)}")
    elif isinstance(model, Embedding):
        yield from (str(len(model.weight)), f"{len(model.weight[0])} embedding")
    elif isinstance(model, Recurrent):
        yield from (str(model.nin), f"{model.width} {type(model).__name__.lower()}")
    elif not isinstance(model, Module):
        yield activation_name(model).lower()


def _activation(neuron: Neuron) -> str:
    active = neuron.nonlin and neuron.activation is not linear
    return f" {activation_name(neuron.activation).lower()}" if active else ""
