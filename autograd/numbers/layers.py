"""The nodes of a layer of neurons, in Python: dots that share their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.graph.nodes import CONSTANT, kept_number, kept_operand
from autograd.numbers.eager import Node, record
from autograd.table.primitives import TABLE


def affine_nodes(
    rows: list[Any], biases: list[Any]
) -> Callable[[tuple[Any, ...]], list[Any] | None] | None:
    """A function from inputs to a dot for each row; None unless all rows hold Values.

    The rows and their numbers are shared by all its results, and so are the inputs. It
    returns None for inputs that are no Values and floats.
    """
    weights = [(bias, *ws) for ws, bias in zip(rows, biases, strict=True)]
    if not all(isinstance(w, Node) for row in weights for w in row):
        return None
    dot, saved = TABLE["dot"], [tuple([w._number for w in row]) for row in weights]

    def nodes(xs: tuple[Any, ...]) -> list[Any] | None:
        plain = all(type(x) is float for x in xs)
        if not (plain or all(type(x) is float or isinstance(x, Node) for x in xs)):
            return None
        operands = CONSTANT if plain else (CONSTANT, *map(kept_operand, xs))
        numbers = (1.0, *map(kept_number, xs))
        return [
            record(dot, (row, operands), (own, numbers))
            for row, own in zip(weights, saved, strict=True)
        ]

    return nodes
