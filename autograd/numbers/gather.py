"""``take``: an element chosen by an integer input, which may change between calls.

Outside of ``jit`` it is indexing. A traced index becomes a row of its own, whose
operands are the index and all candidates; the candidate that is chosen gets the whole
gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

from autograd.numbers.lifted import primal_of
from autograd.numbers.value import Value
from autograd.table.primitive import Primitive
from autograd.table.primitives import absolute, equal, floor

Number = Any


def _evaluate(operands: Sequence[float]) -> float:
    index, candidates = operands[0], operands[1:]
    place = int(index) if index == index and abs(index) < 2**53 else len(candidates)
    inside = -len(candidates) <= place < len(candidates)
    return candidates[place] if inside else nan


def place_of(index: Number, count: Number) -> Number:
    """Where an index leads, from either end: as ``int`` does, it drops a fraction."""
    whole = floor(absolute(index))
    return whole + (count - 2.0 * whole) * (index <= -1.0)


def _chosen(operands: Sequence[Number], result: Number) -> tuple[list[Number]]:
    index, count = operands[0], len(operands) - 1
    place = place_of(index, count)
    return ([0.0, *[equal(place, k) for k in range(count)]],)


TAKE = Primitive("take", _evaluate, joint=_chosen, chooses=True)


def take(xs: Sequence[Any], i: Number) -> Any:
    """xs[i], where i may be an input of a compiled function; of rows, the whole row.

    Negative indices count from the end. Outside of the sequence a plain index raises
    IndexError; a traced one, which cannot, gives NaN.

    >>> from autograd import take
    >>> take([[1.0, 2.0], [3.0, 4.0]], 1)
    [3.0, 4.0]
    """
    if isinstance(i, Value) or not hasattr(i, "level"):
        return xs[int(i.data if isinstance(i, Value) else i)]
    bottom = primal_of(i) if hasattr(i, "primal") else i
    if not hasattr(bottom, "level"):
        return xs[int(bottom)]
    if hasattr(xs[0], "__len__"):
        return [take(column, i) for column in zip(*xs, strict=True)]
    return TAKE((i, *xs))
