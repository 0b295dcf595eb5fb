"""What numpy knows of single rows: exact ones, folds, and choosing by an index."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.numpy_memory import Floats
from autograd.compiler.program import Ints

__all__ = ["EXACT", "FOLDS", "take_rows"]


FOLDS: dict[str, Any] = {  # rows of many operands that are folds of a ufunc
    "maximum": np.maximum,
    "minimum": np.minimum,
    "prod": np.multiply,
}


# Rows that numpy evaluates with the very bits of the float evaluation.
EXACT = {
    *("add", "subtract", "multiply", "divide"),
    *("negative", "absolute", "sign"),
    *("sqrt", "where"),
    *("less", "less_equal", "greater", "greater_equal"),
    *("equal", "not_equal", "guarded_multiply", "relu"),
    *("step", "nonnegative", "one_minus_square"),
}


def take_rows(operands: Floats, starts: Ints, out: Floats) -> None:
    """Rows (index, candidates ...): the candidate at the index; NaN outside."""
    count = (np.diff(starts) - 1)[:, np.newaxis]
    index = operands[starts[:-1]]
    place = np.where(index < 0, index + count, index)
    inside = (place >= 0) & (place < count)
    place = np.where(inside, place, 0).astype(np.int64)
    lane = np.arange(operands.shape[1])
    chosen = operands[starts[:-1, np.newaxis] + 1 + place, lane]
    out[...] = np.where(inside, chosen, np.nan)
