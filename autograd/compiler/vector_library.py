"""Rows evaluated one lane at a time: by the C library, or by a call back into Python.

The strict tier is made of these, because they are what the float evaluation of a row
calls: the same functions of the same library give the same bits. What CPython computes
with its own code (``math.hypot``, ``math.lgamma``, polygamma) is called back.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from math import inf, nan
from typing import Any

from autograd.compiler.vector_elementary import floor_divide, remainder
from autograd.compiler.vector_value import Kernel, Vector
from autograd.primitives import TABLE

__all__ = [
    "LIBRARY",
    "STRICT",
    "raise_pending",
    "register_callback",
    "register_symbols",
    "symbol_of",
]

SPLITTER = 134217729.0  # 2^27 + 1

# Functions of the C library: those that kernels call, and those that LLVM may call
# where the processor has no such instruction.
FUNCTIONS = (
    *("exp", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt", "fmod"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "lgamma"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc"),
    *("fma", "floor", "ceil", "trunc"),
)
CALLED_BACK = ("hypot", "direction_cosine", "lgamma", "polygamma")


def called(function: str) -> Kernel:
    """A function of the C library in every lane."""

    def kernel(*operands: Vector) -> Vector:
        lanes = operands[0].lanes
        return Vector(lanes, lanes.call_each(function, *[x.name for x in operands]))

    return kernel


def symbol_of(name: str) -> str:
    """What the float evaluation of a row is called in IR."""
    return f"autograd.{name}"


exp, log1p, tanh = called("exp"), called("log1p"), called("tanh")


def _exp2(x: Vector) -> Vector:
    return called("pow")(x.constant(2.0), x)


def _sigmoid(x: Vector) -> Vector:
    e = exp((x >= 0.0).choose(-x, x))
    return (x >= 0.0).choose(1.0 / (1.0 + e), e / (1.0 + e))


def _softplus(x: Vector) -> Vector:
    tail = log1p(exp(-abs(x)))
    return (x > 0.0).choose(x + tail, tail)


def _sech2(x: Vector) -> Vector:
    t, e = tanh(x), exp(-2.0 * abs(x))
    tails = 4.0 * e / (1.0 + e * (2.0 + e))
    return (abs(x) < 0.5).choose(1.0 - t * t, tails)


def _product_error(x: Vector, y: Vector) -> Vector:
    """Dekker's, operation by operation as ``special.product_error``."""
    head = x * SPLITTER
    x_high = head - (head - x)
    head = y * SPLITTER
    y_high = head - (head - y)
    x_low, y_low = x - x_high, y - y_high
    rest = (x_high * y_high - x * y) + x_high * y_low + x_low * y_high
    return rest + x_low * y_low


def _gaussian(x: Vector) -> Vector:
    square = x * x
    inside = exp(-square) * (1.0 - _product_error(x, x))
    return (square < 750.0).choose(inside, x.is_nan().choose(x, 0.0))


def _cbrt(x: Vector) -> Vector:
    tiny = abs(x) < 1e-280
    scaled = tiny.choose(x * 2.0**900, x)
    y = called("cbrt")(scaled)
    square = y * y
    residual = (scaled - square * y) - _product_error(square, y)
    residual = residual - _product_error(y, y) * y
    root = y + residual / (3.0 * square)
    root = (abs(y) < inf).choose(root, y)
    root = tiny.choose(root * 2.0**-300, root)
    return x.equals(0.0).choose(x, root)


# What the fast tier takes from here: there are no kernels for these.
LIBRARY: dict[str, Kernel] = {
    "lgamma": called("lgamma"),
    "polygamma": called(symbol_of("polygamma")),
    "floor_divide": floor_divide,
    "remainder": remainder,
}
# Row -> the function of C that its float evaluation calls.
_SAME = {
    **{name: name for name in ("exp", "expm1", "log", "log2", "log10", "log1p")},
    **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: name for name in ("erf", "erfc")},
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "power": "pow",
}
STRICT: dict[str, Kernel] = {
    **{name: called(function) for name, function in _SAME.items()},
    **{name: called(symbol_of(name)) for name in CALLED_BACK},
    "floor_divide": floor_divide,
    "remainder": remainder,
    "exp2": _exp2,
    "cbrt": _cbrt,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "sech2": _sech2,
    "gaussian": _gaussian,
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


_symbols: dict[tuple[str, Callable[..., float]], str] = {}
_kept: list[Any] = []  # thunks live as long as any code that may call them
_raised: deque[BaseException] = deque()
_registering = threading.Lock()


def _llvm() -> Any:
    """llvmlite takes a tenth of a second to import: on first use."""
    return importlib.import_module("llvmlite.binding")


def _guarded(evaluate: Callable[..., float]) -> Callable[..., float]:
    """An error cannot cross compiled code: it is kept, and the result is NaN."""

    def call(*operands: float) -> float:
        try:
            return float(evaluate(*operands))
        except BaseException as error:
            _raised.append(error)
            return nan

    return call


def raise_pending() -> None:
    """Raise the first error of a called-back row since the last call, if any."""
    if _raised:
        error = _raised.popleft()
        _raised.clear()
        raise error


def register_callback(name: str, evaluate: Callable[..., float], arity: int) -> str:
    """Make a float evaluation callable from compiled code; returns its symbol.

    A row of the table has a symbol of its name; another row, which may have any name,
    one of its own.
    """
    with _registering:
        known = _symbols.get((name, evaluate))
        if known is not None:
            return known
        in_table = name in TABLE and TABLE[name].evaluate is evaluate
        symbol = symbol_of(name if in_table else f"user.{len(_kept)}")
        signature = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * arity)
        thunk = signature(_guarded(evaluate))
        _kept.append(thunk)
        _llvm().add_symbol(symbol, ctypes.cast(thunk, ctypes.c_void_p).value)
        _symbols[name, evaluate] = symbol
        return symbol


def register_symbols() -> None:
    """Tell LLVM the addresses of the C functions and of the called-back rows."""
    for name in CALLED_BACK:
        row = TABLE[name]
        register_callback(name, row.evaluate, row.arity or 1)
    for name, address in _addresses().items():
        _llvm().add_symbol(name, address)
