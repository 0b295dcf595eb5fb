"""How LLVM evaluates the rows of the table, 1, 2, 4 or 8 doubles at a time.

``KERNELS`` is the table of this machine: row name -> function of a builder and operand
names that emits the row and returns the result's name. Cheap rows are emitted in place,
the others as a call of an internal function, which ``module_text`` defines. A few ask
the C library, whose addresses ``register_symbols`` tells LLVM.

    lanes, needed = Lanes(8), set()
    y = emit_primitive(lanes, "tanh", ["%x"], needed)
    text = ... + module_text(needed)
    register_symbols()  # before the module is linked
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd.compiler.llvm.functions.elementary import (
    ELEMENTARY,
    floor_divide,
    remainder,
)
from autograd.compiler.llvm.functions.exponential import (
    EXPONENTIAL,
    LOGARITHMIC,
    tanh_and_sech2,
)
from autograd.compiler.llvm.functions.lanes import Lanes
from autograd.compiler.llvm.functions.special import GAMMA, SPECIAL
from autograd.compiler.llvm.functions.trigonometry import INVERSE, TRIGONOMETRIC
from autograd.compiler.llvm.functions.value import Kernel, Vector, on_names
from autograd.table.primitives import TABLE

# -- The C library ---------------------------------------------------------------------

# Functions: those that kernels call, and those that LLVM may call
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


# -- The table -------------------------------------------------------------------------

Emitter = Callable[..., str]
Needed = set[tuple[str, int]]  # row, width

INLINE = frozenset(ELEMENTARY)
PAIR = "tanh_and_sech2"

KERNELS: dict[str, Emitter] = {
    name: on_names(kernel)
    for name, kernel in {
        **ELEMENTARY,
        **LIBRARY,
        **EXPONENTIAL,
        **LOGARITHMIC,
        **TRIGONOMETRIC,
        **INVERSE,
        **SPECIAL,
        **GAMMA,
    }.items()
}


def _symbol(name: str, width: int) -> str:
    return f"row.{name}.{width}"


def emit_primitive(
    lanes: Lanes, name: str, operands: Sequence[str], needed: Needed
) -> str:
    """Emit a row, in place or as a call; what is called is added to ``needed``."""
    if name in INLINE:
        return KERNELS[name](lanes, *operands)
    needed.add((name, lanes.width))
    arguments = ", ".join(f"{lanes.type} {x}" for x in operands)
    symbol = _symbol(name, lanes.width)
    return lanes.emit(f"call {lanes.type} @{symbol}({arguments})")


def emit_tanh_and_sech2(lanes: Lanes, x: str, needed: Needed) -> tuple[str, str]:
    """Both rows of one operand, from one exponential."""
    needed.add((PAIR, lanes.width))
    pair = f"{{ {lanes.type}, {lanes.type} }}"
    both = lanes.emit(f"call {pair} @row.{PAIR}.{lanes.width}({lanes.type} {x})")
    first, second = [lanes.emit(f"extractvalue {pair} {both}, {k}") for k in (0, 1)]
    return first, second


def _define_pair(width: int) -> tuple[str, set[str]]:
    lanes = Lanes(width)
    first, second = tanh_and_sech2(Vector(lanes, "%x0"))
    pair = f"{{ {lanes.type}, {lanes.type} }}"
    head = f"define internal {pair} @row.{PAIR}.{width}({lanes.type} %x0) nounwind {{"
    one = lanes.emit(f"insertvalue {pair} poison, {lanes.type} {first.name}, 0")
    two = lanes.emit(f"insertvalue {pair} {one}, {lanes.type} {second.name}, 1")
    lines = [head, "entry:", *lanes.lines, f"  ret {pair} {two}", "}"]
    return "\n".join(lines) + "\n", lanes.called


def _define(name: str, width: int) -> tuple[str, set[str]]:
    """The text of a row's function, and the declarations it needs."""
    if name == PAIR:
        return _define_pair(width)
    lanes = Lanes(width)
    operands = [f"%x{i}" for i in range(TABLE[name].arity or 1)]
    result = KERNELS[name](lanes, *operands)
    parameters = ", ".join(f"{lanes.type} {x}" for x in operands)
    symbol = _symbol(name, width)
    head = f"define internal {lanes.type} @{symbol}({parameters}) nounwind {{"
    lines = [head, "entry:", *lanes.lines, f"  ret {lanes.type} {result}", "}"]
    return "\n".join(lines) + "\n", lanes.called


def definition(name: str, width: int) -> str:
    """The text of the internal function ``@row.<name>.<width>``.

    >>> print(definition("negative", 1))
    define internal double @row.negative.1(double %x0) nounwind {
    entry:
      %v1 = fneg double %x0
      ret double %v1
    }
    <BLANKLINE>
    """
    return _define(name, width)[0]


def module_text(needed: Needed, called: Iterable[str] = ()) -> str:
    """Every needed function once, and one declaration for each outside LLVM.

    ``called`` adds the declarations that builders of the caller collected.
    """
    texts, declarations = [], set(called)
    for name, width in sorted(needed):
        text, more = _define(name, width)
        texts.append(text)
        declarations |= more
    return "\n".join([*sorted(declarations), *texts])
