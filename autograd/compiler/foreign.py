"""Operations that LLVM has no code for: Python's turn between two machine codes.

Rows of the user's own are of this kind. Machine code never calls Python: a program is
cut into functions, and between them the numpy backend runs such operations on the same
memory, in the same layout. So an error or an interrupt arrives as in any Python code.
``report()`` names the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autograd.compiler.bulk import Bulk, Floats, Operation
from autograd.compiler.layout import Layout
from autograd.compiler.numpy_backend import NumpyMachine

__all__ = ["Foreign"]


class Foreign:
    """Some operations of a program whose streams are unmixed for its layout."""

    def __init__(self, bulk: Bulk, layout: Layout, operations: list[Operation]) -> None:
        self.bulk = replace(bulk, operations=operations, regions=[])
        self.layout = layout

    def on(self, memory: Floats) -> Callable[[], None]:
        """What runs them on a memory."""
        return NumpyMachine(self.bulk, place=(self.layout, memory)).run
