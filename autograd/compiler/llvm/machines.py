"""Which machine a program runs on: the first that fits, and why it is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.compiler.bulk.bulk import Bulk
from autograd.compiler.bulk.layout import Section
from autograd.compiler.llvm import blocked, straight, tables
from autograd.compiler.llvm.backend import LLVMMachine, LLVMProgram


@dataclass(frozen=True)
class Kind:
    """A way to run bulk programs.

    Attributes
    ----------
    form : its name, in reports.
    why : what it is good for.
    fits : whether it can, and should, run a program.
    compile : machine code for a program, shared by its machines.
    start : a machine with a memory of its own, which runs the code for sections.
    """

    form: str
    why: str
    fits: Callable[[Bulk], bool]
    compile: Callable[[Bulk], Any]
    start: Callable[[Any, Sequence[Section]], Any]

    @property
    def in_one_memory(self) -> bool:
        """Whether all numbers lie in one memory, as a native entry needs it."""
        return self.start is _in_one_memory


def _in_one_memory(program: LLVMProgram, sections: Sequence[Section]) -> LLVMMachine:
    machine = LLVMMachine(program)
    machine.prepare(program.bulk, sections)
    return machine


KINDS = (
    Kind(
        "straight-line code over rows where they are",
        "large batches of small programs: arrays are read and written in place",
        straight.is_large,
        straight.Straight,
        straight.StraightMachine,
    ),
    Kind(
        "bulk operations over blocks of rows",
        "large batches of larger programs: what a block computes stays in the cache",
        blocked.fits,
        blocked.Blocked,
        blocked.BlockedMachine,
    ),
    Kind(
        "straight-line code over rows",
        "small batches of small programs: all numbers of a sample stay in registers",
        straight.fits,
        straight.ResidentProgram,
        _in_one_memory,
    ),
    Kind(
        "descriptors of irregular operations",
        "irregular programs: loops of their own would take long to compile",
        tables.fits,
        tables.TableProgram,
        _in_one_memory,
    ),
    Kind(
        "bulk operations",
        "all others: fused loops, and kernels for contractions",
        lambda bulk: True,
        LLVMProgram,
        _in_one_memory,
    ),
)
