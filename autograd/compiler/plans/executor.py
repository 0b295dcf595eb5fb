"""Executors: a bulk program on a backend, with a memory for each running thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from threading import Thread
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.adjoint.lower import lowered
from autograd.compiler.bulk.bulk import Bulk
from autograd.compiler.bulk.layout import Section
from autograd.compiler.numpy.machine import NumpyMachine
from autograd.compiler.trace.tracer import LIMIT
from autograd.table.reals import short
from autograd.threads import apart

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """What ``jit`` was asked for."""

    backend: str | None = None
    strict: bool = False
    background: bool = False
    limit: int = LIMIT

    def __post_init__(self) -> None:
        if self.backend not in (None, "numpy", "llvm"):
            raise ValueError(
                f"backend must be None, 'numpy' or 'llvm', got {short(self.backend)}"
            )
        if self.strict and self.backend == "llvm":
            raise ValueError(
                "strict=True runs on the numpy backend, operation by operation: leave "
                "backend= out"
            )


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
        self.program: Any = None  # of machine code that runs in one memory
        self.settings, self.waiting = settings, None
        if settings.background and self.backend == "llvm":
            self.backend, self.reason = "numpy", "until LLVM is ready"
            self._make = self._maker()
            self.machines = [self._make()]
            self.waiting = Thread(target=self._change)  # the process waits for its end
            self.waiting.start()
            return
        self._make = self._maker()
        self.machines = [self._make()]

    @property
    def is_compiling(self) -> bool:
        """Whether a thread is at it still."""
        return self.waiting is not None and self.waiting.is_alive()

    def _change(self) -> None:
        """Compile for LLVM, then let calls go there."""
        settings = replace(self.settings, background=False)
        try:
            twin = Executor(self.bulk, settings, self.sections)
        except Exception as error:
            self.reason = f"LLVM failed in the background: {error!r}"
            return
        self.program = twin.program
        self._make, self.machines = twin._make, twin.machines
        self.backend, self.form = twin.backend, twin.form
        self.reason = "compiled in the background"

    def _maker(self) -> Callable[[], Any]:
        bulk, sections = self.bulk, self.sections
        if self.backend == "numpy":

            def start() -> NumpyMachine:
                machine = NumpyMachine(bulk, self.settings.strict)
                machine.prepare(bulk, sections)
                return machine

            return start
        kinds = _llvm_kinds()
        kind = next(kind for kind in kinds if kind.fits(bulk))
        program = kind.compile(bulk)
        self.form = kind.form
        self.program = program if kind.in_one_memory else None
        return lambda: kind.start(program, sections)

    def run(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None] | None = None
    ) -> list[Floats]:
        """The result of every section for the input numbers, given in parts.

        Results with lanes are written into ``buffers`` where the machine can. A machine
        belongs to one call at a time: to a thread, to a call within a call. It is used
        again only when its call has ended well.
        """
        pool = self.machines  # a change of backend brings a new one
        try:
            machine = pool.pop()
        except IndexError:
            machine = self._make()
        found: list[Floats] = machine.call(
            numbers, buffers or [None] * len(self.sections)
        )
        pool.append(machine)
        return found


@cache
def _llvm_kinds() -> Any:
    """The machines on LLVM; llvmlite takes long to import: on first use."""
    path = "autograd.compiler.llvm.machines"
    return apart(lambda: import_module(path)).KINDS


def _choice(settings: Settings) -> tuple[str, str]:
    """The backend, and why it was chosen."""
    if settings.backend is not None:
        return settings.backend, "as asked for"
    if settings.strict:
        return "numpy", "strict: every operation as the eager engine does it"
    if find_spec("llvmlite") is None:
        return "numpy", 'llvmlite is not installed (extra "compile")'
    return "llvm", "llvmlite is installed"
