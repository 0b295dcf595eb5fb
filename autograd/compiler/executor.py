"""Executors: a bulk program on a backend, with a memory for each running thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk import Bulk
from autograd.compiler.lower import lowered
from autograd.compiler.memory import MemoryMachine, Section
from autograd.compiler.numpy_backend import NumpyMachine

__all__ = ["Executor", "Settings"]

Floats = npt.NDArray[np.float64]


_MANY = 300  # bulk operations: with more, compiling their loops does not pay


class Settings:
    """What ``jit`` was asked for."""

    def __init__(self, backend: str | None, strict: bool, limit: int) -> None:
        if backend not in (None, "numpy", "llvm"):
            raise ValueError(f"backend is None, 'numpy' or 'llvm', got {backend!r}")
        if strict and backend == "llvm":
            raise ValueError(
                "strict=True runs on the numpy backend, operation by operation: leave "
                "backend= out"
            )
        self.backend, self.strict, self.limit = backend, strict, limit

    def arguments(self) -> tuple[Any, ...]:
        """The same as arguments of ``jit``."""
        return self.backend, self.strict, self.limit


class Executor:
    """Runs a bulk program: numbers in, results out.

    ``sections`` cuts the outputs into results: (begin, end, whether there is one for
    each row). The result of a section is flat, or [output, row of the batch].
    """

    def __init__(
        self, bulk: Bulk, settings: Settings, sections: Sequence[Section]
    ) -> None:
        self.bulk = (bulk if settings.strict else lowered(bulk)).verify()
        self.backend, self.reason = _choice(settings)
        self.sections = sections
        self.form = "bulk operations"
        self._make = self._maker(settings)
        self.machines = [self._make()]

    def _maker(self, settings: Settings) -> Callable[[], Any]:
        if self.backend == "numpy":
            return lambda: self._prepared(NumpyMachine(self.bulk, settings.strict))
        from autograd.compiler import llvm_backend, straight, table_backend

        if straight.applicable(self.bulk):
            self.form = "straight-line code over rows"
            if self.bulk.batch <= straight.BLOCK:
                small = straight.ResidentProgram(self.bulk)
                return lambda: self._prepared(llvm_backend.LLVMMachine(small))
            whole = straight.Straight(self.bulk)
            return lambda: straight.StraightMachine(whole, self.sections)
        if len(self.bulk.operations) > _MANY and table_backend.fits(self.bulk):
            self.form = "descriptors of irregular operations"
            listed = table_backend.TableProgram(self.bulk)
            return lambda: self._prepared(llvm_backend.LLVMMachine(listed))
        program = llvm_backend.LLVMProgram(self.bulk)
        return lambda: self._prepared(llvm_backend.LLVMMachine(program))

    def _prepared(self, machine: MemoryMachine) -> MemoryMachine:
        machine.prepare(self.bulk, self.sections)
        return machine

    def run(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None] | None = None
    ) -> list[Floats]:
        """The result of every section for the input numbers, given in parts.

        Results with lanes are written into ``buffers`` where the machine can.
        """
        machine = self.machines.pop() if self.machines else self._make()
        try:
            found: list[Floats] = machine.call(
                numbers, buffers or [None] * len(self.sections)
            )
            return found
        finally:
            self.machines.append(machine)


def _choice(settings: Settings) -> tuple[str, str]:
    """The backend, and why it was chosen."""
    if settings.backend is not None:
        return settings.backend, "as asked for"
    if settings.strict:
        return "numpy", "strict: every operation as the eager engine does it"
    if find_spec("llvmlite") is None:
        return "numpy", 'llvmlite is not installed (extra "compile")'
    return "llvm", "llvmlite is installed"
