"""A layer of neurons: many dots of the same inputs, which share all that they can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autograd.errors import ShapeError
from autograd.numbers.engine import affine_nodes
from autograd.table.primitives import TABLE

_DOT = TABLE["dot"]


def affine(rows: Iterable[Sequence[Any]], biases: Iterable[Any]) -> Affine:
    """A layer of neurons as a function: inputs in, ``bias + w1 x1 + ...`` for each row.

    The weights are read here, once, and the inputs once in each call; all nodes share
    them. Call ``affine`` again after changing the weights. Raises ShapeError, naming
    both numbers, when widths differ.

    >>> from autograd import affine
    >>> affine([[1.0, 2.0], [3.0, 4.0]], [0.5, 0.25])([1.0, 1.0])
    [3.5, 7.25]
    """
    rows = [ws if type(ws) in (list, tuple) else tuple(ws) for ws in rows]
    biases = list(biases)
    if len(rows) != len(biases):
        raise ShapeError(
            f"{len(rows)} rows of weights with {len(biases)} biases: give a row of "
            "weights and a bias for each output"
        )
    return Affine(rows, biases)


class Affine:
    """What ``affine`` returns."""

    def __init__(self, rows: list[Any], biases: list[Any]) -> None:
        widths = set(map(len, rows))
        if len(widths) > 1:
            raise ShapeError(
                f"the rows of weights differ in width: {sorted(widths)}: give each row "
                "a weight for each input"
            )
        self.rows, self.biases, self.width = rows, biases, max(widths, default=0)
        self.nodes = affine_nodes(rows, biases)  # None around other numbers than Values

    def __call__(self, xs: Iterable[Any]) -> list[Any]:
        """The outputs for one sample."""
        xs = tuple(xs)
        if len(xs) != self.width:
            raise ShapeError(
                f"{self.width} weights for each output, {len(xs)} inputs: give one "
                "weight for each input"
            )
        if self.nodes is not None:
            nodes = self.nodes(xs)
            if nodes is not None:
                return nodes
        rows = zip(self.biases, self.rows, strict=True)
        return [_DOT((bias, *ws), (1.0, *xs)) for bias, ws in rows]
