"""Executors: a bulk program on a backend, with a memory for each running thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.bulk import Bulk
from autograd.compiler.lower import lowered
from autograd.compiler.numpy_backend import NumpyMachine
from autograd.errors import ShapeError

__all__ = ["Executor", "Settings"]

Floats = npt.NDArray[np.float64]


class Settings:
    """What ``jit`` was asked for."""

    def __init__(self, backend: str | None, strict: bool, limit: int) -> None:
        if backend not in (None, "numpy", "llvm"):
            raise ValueError(f"backend is None, 'numpy' or 'llvm', got {backend!r}")
        self.backend, self.strict, self.limit = backend, strict, limit

    def arguments(self) -> tuple[Any, ...]:
        """The same as arguments of ``jit``."""
        return self.backend, self.strict, self.limit


class Executor:
    """Runs a bulk program: numbers in, results out."""

    def __init__(self, bulk: Bulk, settings: Settings) -> None:
        self.bulk = lowered(bulk) if not settings.strict else bulk
        self.backend, self.reason = _choice(settings)
        self._make = self._maker(settings)
        self.machines = [self._make()]

    def _maker(self, settings: Settings) -> Callable[[], Any]:
        if self.backend == "numpy":
            return lambda: NumpyMachine(self.bulk, settings.strict)
        from autograd.compiler.llvm_backend import LLVMMachine, LLVMProgram

        program = LLVMProgram(self.bulk)
        return lambda: LLVMMachine(program)

    def run(self, numbers: Sequence[Floats]) -> Floats:
        """The flat results for the input numbers, given in parts."""
        machine = self.machines.pop() if self.machines else self._make()
        try:
            start = 0
            for part in numbers:
                machine.memory[start : start + len(part)] = part
                start += len(part)
            if start != self.bulk.inputs:
                raise ShapeError(f"{self.bulk.inputs} numbers are needed, got {start}")
            machine.run()
            return np.asarray(machine.memory[self.bulk.outputs])
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
