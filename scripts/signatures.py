"""Write autograd/signatures.pyi: Value's operators and methods, read off the table.

They are made when ``autograd`` is imported; type checkers and editors, which do not run
it, read this file instead.
"""

from __future__ import annotations

from pathlib import Path

from autograd.numbers.operators import BINARY, COMPARISONS, METHODS, UNARY

HEAD = '''"""What type checkers and editors are told of Value; nothing here is run.

Generated from the table of primitives by ``python scripts/signatures.py``: do not edit.
The operators and methods themselves are made from the same table in ``eager``.
"""

from numbers import Real
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from autograd.numbers.operators import Operators
from autograd.numbers.value import Value
from autograd.table.primitive import Primitive

Plain = float | Real | np.floating[Any] | np.integer[Any] | np.bool_
Arrays = NDArray[Any]

class Predicate(Primitive):
    """A row whose results are plain truth values."""

    @overload  # type: ignore[override]
    def __call__(self, x: float | Value, y: float | Value, /) -> float: ...
    @overload
    def __call__(self, *operands: Any) -> Any: ...

class Signatures(Operators):
    """The operators and methods of Value: one for each row of the table."""

'''
OPERATOR = """\
    @overload
    def __{name}__(self, other: {operand}, /) -> {result}: ...
    @overload
    def __{name}__(self, other: Arrays, /) -> {arrays}: ...
"""
CLIP = """\
    def clip(
        self,
        low: Plain | Value | None = None,
        high: Plain | Value | None = None,
        out: Any = None,
    ) -> Value: ...
"""


def operator(name: str, operand: str, result: str) -> str:
    """An operator with a number, and with an array, which works element by element."""
    arrays = "Arrays"
    if name.endswith("divmod"):
        result, arrays = f"tuple[{result}, {result}]", "tuple[Arrays, Arrays]"
    return OPERATOR.format(name=name, operand=operand, result=result, arrays=arrays)


def method(name: str, operands: int) -> str:
    """A method of so many operands beside self."""
    others = "".join([f", {letter}: Plain | Value" for letter in "yz"[:operands]])
    return f"    def {name}(self{others}, /) -> Value: ...\n"


def module() -> str:
    """The whole file."""
    parts = [HEAD]
    for name in [*BINARY, "divmod"]:
        parts.append(operator(name, "Plain | Value", "Value"))
        parts.append(operator(f"r{name}", "Plain", "Value"))
    parts += [operator(name, "Plain | Value", "bool") for name in COMPARISONS]
    parts += [method(f"__{name}__", 0) for name in ["pos", *UNARY]]
    parts += [method(name, (row.arity or 1) - 1) for name, row in METHODS.items()]
    return "".join([*parts, CLIP])


if __name__ == "__main__":
    path = Path(__file__).parent.parent / "autograd" / "signatures.pyi"
    path.write_text(module(), encoding="utf-8")
