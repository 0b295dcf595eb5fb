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

__all__ = ["Executor", "Section", "Settings"]

Floats = npt.NDArray[np.float64]


Section = tuple[int, int, bool]


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
        self.bulk = lowered(bulk) if not settings.strict else bulk
        self.backend, self.reason = _choice(settings)
        self._make = self._maker(settings)
        self.machines = [self._make()]
        self.outputs = [self._output(*section) for section in sections]

    def _maker(self, settings: Settings) -> Callable[[], Any]:
        if self.backend == "numpy":
            return lambda: NumpyMachine(self.bulk, settings.strict)
        from autograd.compiler.llvm_backend import LLVMMachine, LLVMProgram

        program = LLVMProgram(self.bulk)
        return lambda: LLVMMachine(program)

    def _output(self, begin: int, end: int, wide: bool) -> tuple[Any, tuple[int, ...]]:
        """Where a section lies in the memory: a slice or indices; and its shape."""
        layout = self.machines[0].layout
        positions = self.bulk.outputs[begin:end]
        lanes = self.bulk.has_lanes(positions)
        places = layout.address[positions]
        shape: tuple[int, ...] = (end - begin,)
        if wide or lanes.any():
            shape = (end - begin, layout.rows)
            along = np.arange(layout.rows) * layout.step[positions][:, np.newaxis]
            places = (places[:, np.newaxis] + along).ravel()
        if len(places) and (np.diff(places) == 1).all():
            return slice(int(places[0]), int(places[-1]) + 1), shape
        return places, shape

    def run(self, numbers: Sequence[Floats]) -> list[Floats]:
        """The result of every section for the input numbers, given in parts."""
        machine = self.machines.pop() if self.machines else self._make()
        try:
            start, memory = 0, machine.memory
            for part in numbers:
                memory[start : start + part.size] = part.reshape(-1)
                start += part.size
            if start != machine.layout.inputs:
                raise ShapeError(
                    f"{machine.layout.inputs} numbers are needed, got {start}"
                )
            machine.run()
            return [
                np.array(memory[where]).reshape(shape) for where, shape in self.outputs
            ]
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
