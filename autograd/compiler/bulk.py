"""Bulk programs: a handful of operations on index arrays over one flat memory.

Number k lives at position k of the memory. Inputs come first, constants follow, every
operation writes a block of its own. Three kinds of operation are enough:

- ``Map``: target[i] = row(operand1[i], operand2[i], ...);
- ``Sum``: target[i] = sum over terms j of row i: sign * left[j] * right[j];
- ``Reduce``: target[i] = row(all operands j of row i), for maximum and its like.

Operations with the same number ``loop`` (not 0) stand together and run step by step:
row t of all of them before row t + 1, or with a negative number before row t - 1.

Positions are plain arrays, so that gathers, shifts, transposes and broadcasts all look
the same here; what is regular about them is found when they are lowered (``nests``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from autograd.compiler.operations import (
    PRODUCTS,
    Map,
    Operation,
    Reduce,
    Sum,
    Terms,
    depends,
    describe,
    reads_by_row,
    runs_of,
)
from autograd.compiler.program import Ints
from autograd.compiler.verification import verify

__all__ = [
    "PRODUCTS",
    "Bulk",
    "Floats",
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

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(eq=False)
class Bulk:
    """Operations in order, over a memory of ``size`` numbers.

    Attributes
    ----------
    inputs : inputs are positions 0 to inputs - 1.
    constants : position -> number, of what was baked in.
    outputs : the positions that are returned.
    batch, lanes : how many rows stream through, and which positions hold one number
        for each of them; all others are shared by the rows.
    blocks : (first input, columns) of every array whose rows stream through: it lies
        in memory row by row, as it comes.
    regions : (first position, count) of arrays that may lie outside of the memory.
    """

    operations: list[Operation]
    size: int
    inputs: int
    constants: dict[int, float]
    outputs: Ints
    batch: int = 0
    lanes: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    blocks: list[tuple[int, int]] = field(default_factory=list)
    regions: list[tuple[int, int]] = field(default_factory=list)

    def has_lanes(self, positions: Ints) -> npt.NDArray[np.bool_]:
        """Which positions hold one number for each row of the batch."""
        if not len(self.lanes):
            return np.zeros(len(positions), bool)
        return np.asarray(self.lanes[positions])

    def memory(self) -> Floats:
        """A fresh memory with the constants in place; 64-byte aligned."""
        room = np.zeros(self.size + 16)
        offset = -(room.ctypes.data // 8) % 8
        memory = room[offset : offset + self.size]
        if self.constants:
            memory[list(self.constants)] = list(self.constants.values())
        return memory

    def verify(self) -> Bulk:
        """Self, after proving that nothing is read before, or beside, what is written.

        Every position read holds an input, a constant or an earlier result; every
        position is written once; rows of terms follow each other. A wrong grouping
        could then only cost speed, never memory.
        """
        verify(self)
        return self

    def pruned(self) -> Bulk:
        """The program without the operations that no output needs."""
        needed = np.zeros(self.size, bool)
        needed[self.outputs] = True
        kept: list[Operation] = []
        for run in reversed(runs_of(self.operations)):
            wanted: set[int] = set()
            while True:  # within a loop what comes first may need what comes last
                found = {
                    k for k, op in enumerate(run) if needed[op.target].any()
                } - wanted
                if not found:
                    break
                wanted |= found
                for k in found:
                    for positions in run[k].reads():
                        needed[positions] = True
            kept += [run[k] for k in sorted(wanted, reverse=True)]
        return replace(self, operations=kept[::-1])

    def __str__(self) -> str:
        head = f"{len(self.operations)} bulk operations, {self.size} numbers"
        return "\n".join([head, *("  " + describe(op) for op in self.operations)])
