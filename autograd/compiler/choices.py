"""What choices may leave out: where a cotangent of 0 can mean "not chosen".

There it wins over an infinite or NaN partial, as if the edge were not there.
"""

from __future__ import annotations

import numpy as np

from autograd.compiler.bulk import Bulk, Map, Operation, Sum
from autograd.compiler.program import Ints

__all__ = ["Choices", "read_by_all"]


class Choices:
    """How the reverse pass has reached each position."""

    def __init__(self, size: int) -> None:
        self._behind = np.zeros(size, bool)  # a choice
        self._surely = np.zeros(size, bool)  # also, or only, in another way

    def reach(self, positions: Ints, behind: bool) -> None:
        """Note that a share is pushed to positions, behind a choice or not."""
        (self._behind if behind else self._surely)[positions] = True

    def leave_out(self, positions: Ints) -> bool:
        """Whether some of these positions are reached behind choices only."""
        return bool((self._behind[positions] & ~self._surely[positions]).any())


def read_by_all(bulk: Bulk, owner: Ints, place: Ints, candidates: Ints) -> list[int]:
    """What all candidates read is reached whichever of them is chosen.

    owner, place : for every position the operation that computes it, and where.
    """
    number = int(owner[candidates[0]])
    computed = 0 <= number < len(bulk.operations)  # and no input
    if not computed or (owner[candidates] != number).any():
        return []
    rows = place[candidates]
    columns = [column[rows] for column in _columns(bulk.operations[number])]
    return [int(column[0]) for column in columns if (column == column[0]).all()]


def _columns(operation: Operation) -> list[Ints]:
    """Index arrays with one operand for each result."""
    if isinstance(operation, Map):
        return list(operation.operands)
    parts = operation.terms if isinstance(operation, Sum) else []
    even = [part for part in parts if (part.counts == 1).all()]
    return [x for part in even for x in (part.left, part.right) if x is not None]
