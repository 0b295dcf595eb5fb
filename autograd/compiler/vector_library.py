"""What machine code takes from the C library, and how LLVM is told where it is."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import sys
from collections.abc import Iterable
from typing import Any

from autograd.compiler.vector_elementary import floor_divide, remainder
from autograd.compiler.vector_value import Kernel, Vector

__all__ = ["LIBRARY", "register_symbols"]

# Functions of the C library: those that kernels call, and those that LLVM may call
# where the processor has no such instruction.
FUNCTIONS = (
    *("exp", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt", "fmod"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "lgamma"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc"),
    *("fma", "floor", "ceil", "trunc"),
)


def _lgamma(x: Vector) -> Vector:
    """The C library's, lane by lane."""
    return Vector(x.lanes, x.lanes.call_each("lgamma", x.name))


LIBRARY: dict[str, Kernel] = {
    "lgamma": _lgamma,
    "floor_divide": floor_divide,
    "remainder": remainder,
}


def _libraries() -> Iterable[Any]:
    """Where the C library's mathematics may be found, on any platform."""
    names = ["ucrtbase", "msvcrt"] if sys.platform == "win32" else [None]
    for name in [*names, ctypes.util.find_library("m")]:
        try:
            yield ctypes.CDLL(name)
        except OSError:
            continue


def _addresses() -> dict[str, int]:
    """The address of every function of ``FUNCTIONS`` that the platform has."""
    found: dict[str, int] = {}
    for library in _libraries():
        for name in FUNCTIONS:
            function = getattr(library, name, None)
            if name not in found and function is not None:
                address = ctypes.cast(function, ctypes.c_void_p).value
                found[name] = address or 0
    return found


def register_symbols() -> None:
    """Tell LLVM the addresses of the C library's functions."""
    llvm = importlib.import_module("llvmlite.binding")  # slow to import: on first use
    for name, address in _addresses().items():
        llvm.add_symbol(name, address)
