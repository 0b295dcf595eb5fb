"""Operations that LLVM has no code for: called back into Python, on the same memory.

Rows of the user's own are of this kind. The operation is run by the numpy backend on
the memory of the machine that calls; ``report()`` says so.
"""

from __future__ import annotations

import ctypes
from dataclasses import replace
from typing import Any

import numpy as np

from autograd.compiler.bulk import Bulk, Operation
from autograd.compiler.layout import Layout
from autograd.compiler.numpy_backend import NumpyMachine

__all__ = ["Foreign"]


class Foreign:
    """Some operations, as a C function of the memory's address."""

    def __init__(self, bulk: Bulk, layout: Layout, operations: list[Operation]) -> None:
        self.bulk = replace(bulk, operations=operations)
        self.size = layout.size
        self.machines: dict[int, NumpyMachine] = {}
        self.failures: list[BaseException] = []
        self.thunk = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._run)

    @property
    def address(self) -> int:
        """The address of the C function."""
        return ctypes.cast(self.thunk, ctypes.c_void_p).value or 0

    def _run(self, address: int) -> None:
        try:
            if address not in self.machines:
                kind = ctypes.c_double * self.size
                numbers: Any = np.ctypeslib.as_array(kind.from_address(address))
                self.machines[address] = NumpyMachine(self.bulk, numbers=numbers)
            self.machines[address].run()
        except BaseException as error:
            self.failures.append(error)

    def raise_failure(self) -> None:
        """Raise what went wrong while Python could not."""
        if self.failures:
            failures, self.failures = self.failures, []
            raise failures[0]
