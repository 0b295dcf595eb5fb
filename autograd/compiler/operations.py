"""The operations of bulk programs: index arrays of what is read and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.program import Ints
from autograd.primitive import Primitive
from autograd.primitives import TABLE

__all__ = [
    "PRODUCTS",
    "Map",
    "Operation",
    "Reduce",
    "Sum",
    "Terms",
    "depends",
    "describe",
    "reads_by_row",
    "runs_of",
]


# The row of a product, by how strong zero is in it: see Terms.strong.
PRODUCTS = TABLE["multiply"], TABLE["guarded_multiply"], TABLE["selected_multiply"]


@dataclass(eq=False)
class Map:
    """target[i] = row(operands[0][i], operands[1][i], ...)."""

    row: Primitive
    target: Ints
    operands: tuple[Ints, ...]
    loop: int = 0

    def reads(self) -> Iterator[Ints]:
        """Every index array that is read."""
        yield from self.operands


@dataclass(eq=False)
class Terms:
    """Terms of one form: row i has starts[i] to starts[i + 1] of them.

    ``strong`` says whose exact 0 beats infinity and NaN in the products: 1 the left
    factor's, 2 either's; with 0 they are plain IEEE (see ``autograd.strong``).
    """

    sign: int
    starts: Ints
    left: Ints
    right: Ints | None = None
    over_rows: bool = False  # summed over the batch as well
    strong: int = 0

    @property
    def counts(self) -> Ints:
        """How many terms each row has."""
        return self.starts[1:] - self.starts[:-1]

    @property
    def rows(self) -> Ints:
        """The row of each term."""
        return np.repeat(np.arange(len(self.starts) - 1), self.counts)


@dataclass(eq=False)
class Sum:
    """target[i] = the sum of all terms of row i."""

    target: Ints
    terms: list[Terms]
    loop: int = 0

    def reads(self) -> Iterator[Ints]:
        """Every index array that is read."""
        for part in self.terms:
            yield part.left
            if part.right is not None:
                yield part.right


@dataclass(eq=False)
class Reduce:
    """target[i] = row(operands starts[i] to starts[i + 1]); groups side by side."""

    row: Primitive
    target: Ints
    starts: Ints
    groups: tuple[Ints, ...]
    loop: int = 0

    def reads(self) -> Iterator[Ints]:
        """Every index array that is read."""
        yield from self.groups

    @property
    def counts(self) -> Ints:
        """How many operands each row has."""
        return self.starts[1:] - self.starts[:-1]

    @property
    def rows(self) -> Ints:
        """The row of each operand."""
        return np.repeat(np.arange(len(self.starts) - 1), self.counts)


Operation = Map | Sum | Reduce


def runs_of(operations: list[Operation]) -> list[list[Operation]]:
    """Operations one by one, those of a loop together."""
    runs: list[list[Operation]] = []
    for operation in operations:
        if operation.loop and runs and runs[-1][0].loop == operation.loop:
            runs[-1].append(operation)
        else:
            runs.append([operation])
    return runs


def reads_by_row(operation: Operation) -> Iterator[tuple[Ints, Ints]]:
    """(row, position) of everything that an operation reads."""
    if isinstance(operation, Map):
        rows = np.arange(len(operation.target))
        yield from [(rows, positions) for positions in operation.operands]
    elif isinstance(operation, Reduce):
        yield from [(operation.rows, positions) for positions in operation.groups]
    else:
        for part in operation.terms:
            yield part.rows, part.left
            if part.right is not None:
                yield part.rows, part.right


def describe(operation: Operation) -> str:
    """One line: what an operation computes, how often, from how many terms."""
    n = len(operation.target)
    if isinstance(operation, Map):
        return f"{operation.row.name} x {n}"
    if isinstance(operation, Reduce):
        return f"{operation.row.name} x {n} of {_span(operation.starts)}"
    parts = [
        f"{'-' if part.sign < 0 else '+'}{_span(part.starts)}"
        f"{' guarded' if part.strong else ''}"
        f"{' products' if part.right is not None else ''}"
        f"{' over the batch' if part.over_rows else ''}"
        for part in operation.terms
    ]
    return f"sum x {n} of {' '.join(parts)}"


def _span(starts: Ints) -> str:
    counts = np.diff(starts)
    low, high = (int(counts.min()), int(counts.max())) if len(counts) else (0, 0)
    return f"{high}" if low == high else f"{low}..{high}"


def depends(operation: Operation, needed: npt.NDArray[np.bool_]) -> Any:
    """Which results of an operation depend on what is needed."""
    if isinstance(operation, Map):
        if operation.row.predicate:
            return np.zeros(len(operation.target), bool)
        return np.logical_or.reduce([needed[x] for x in operation.operands])
    found = np.zeros(len(operation.target), np.int64)
    for rows, positions in reads_by_row(operation):
        hits = needed[positions]
        found += np.bincount(rows[hits], minlength=len(found))
    return found > 0
