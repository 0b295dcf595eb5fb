"""A model in a few lines: what it is made of, and how many parameters each part has."""

from __future__ import annotations

from collections.abc import Iterator

from nn.layers.activations import activation_word
from nn.layers.module import Module
from nn.layers.networks import Sequential

Row = tuple[str, str, str]  # name, what it does, parameters


def summary(model: Module) -> str:
    """One line for the model, which is its ``repr``, and one for each of its parts.

    A part that is met twice counts once.

    >>> from nn import MLP, summary
    >>> print(summary(MLP(64, [32, 10], seed=0)))
    MLP 64 -> 32 relu -> 10, 2,410 parameters
      layer0  64 -> 32 relu  2,080
      layer1  32 -> 10         330
    """
    if not isinstance(model, Module):
        raise TypeError(
            f"summary takes a nn.Module, got {type(model).__name__}: give it the model "
            "itself"
        )
    head = Module.__repr__(model)
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
    seen: set[int] = set()
    for name, part in parts:
        if isinstance(part, Module):
            known = {id(p) for p in part.parameters()} - seen
            seen |= known
            did = " -> ".join(part._steps()) or type(part).__name__
            yield name, did, f"{len(known):,}"
        elif isinstance(model, Sequential):
            yield name, activation_word(part), ""
