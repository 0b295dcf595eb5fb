"""How LLVM evaluates primitives, 1, 2, 4 or 8 doubles at a time.

``KERNELS`` is the table of this machine: primitive name -> function of vectors. Cheap
primitives are emitted in place, the others as a call of an internal function, which
``module_text`` defines.

    lanes, needed = Lanes(8), set()
    y = emit_primitive(lanes, "tanh", ["%x"], needed)
    text = ... + module_text(needed)
    register_symbols()  # before the module is linked

What kernels take from the C library is called lane by lane; ``register_symbols`` tells
LLVM where it is.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograd.compiler.llvm.functions.elementary import ELEMENTARY, REMAINDERS
from autograd.compiler.llvm.functions.exponential import (
    EXPONENTIAL,
    LOGARITHMIC,
    tanh_and_sech2,
)
from autograd.compiler.llvm.functions.lanes import Kernel, Lanes, Vector
from autograd.compiler.llvm.functions.special import SPECIAL
from autograd.compiler.llvm.functions.trigonometry import INVERSE, TRIGONOMETRIC
from autograd.table.primitives import TABLE

# Functions of the C library: those that kernels call, and those that LLVM may call
# where the processor has no such instruction.
FUNCTIONS = (
    *("exp", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt", "fmod"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "lgamma"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc"),
    *("fma", "floor", "ceil", "trunc"),
)
Needed = set[tuple[str, int]]  # primitive, width
INLINE = frozenset(ELEMENTARY)
PAIR = "tanh_and_sech2"


def _lgamma(x: Vector) -> Vector:
    return x.library("lgamma")


KERNELS: dict[str, Kernel] = {
    **ELEMENTARY,
    "lgamma": _lgamma,
    **REMAINDERS,
    **EXPONENTIAL,
    **LOGARITHMIC,
    **TRIGONOMETRIC,
    **INVERSE,
    **SPECIAL,
}


def emit_primitive(
    lanes: Lanes, name: str, operands: Sequence[str], needed: Needed
) -> str:
    """Emit a primitive in place, or as a call of what is added to ``needed``."""
    if name in INLINE:
        return KERNELS[name](*[Vector(lanes, x) for x in operands]).name
    return _call(lanes, lanes.type, name, operands, needed)


def emit_tanh_and_sech2(lanes: Lanes, x: str, needed: Needed) -> tuple[str, str]:
    """Both primitives of one operand, from one exponential."""
    pair = f"{{ {lanes.type}, {lanes.type} }}"
    both = _call(lanes, pair, PAIR, [x], needed)
    first, second = [lanes.emit(f"extractvalue {pair} {both}, {k}") for k in (0, 1)]
    return first, second


def _call(
    lanes: Lanes, result: str, name: str, operands: Sequence[str], needed: Needed
) -> str:
    needed.add((name, lanes.width))
    arguments = ", ".join(f"{lanes.type} {x}" for x in operands)
    return lanes.emit(f"call {result} @row.{name}.{lanes.width}({arguments})")


def _define(name: str, width: int) -> tuple[str, set[str]]:
    """The text of a primitive's function, and the declarations it needs."""
    lanes = Lanes(width)
    arity = 1 if name == PAIR else TABLE[name].arity or 1
    operands = [Vector(lanes, f"%x{i}") for i in range(arity)]
    kind = lanes.type
    if name == PAIR:
        kind = f"{{ {lanes.type}, {lanes.type} }}"
        first, second = tanh_and_sech2(*operands)
        one = lanes.emit(f"insertvalue {kind} poison, {lanes.type} {first.name}, 0")
        result = lanes.emit(f"insertvalue {kind} {one}, {lanes.type} {second.name}, 1")
    else:
        result = KERNELS[name](*operands).name
    parameters = ", ".join(f"{lanes.type} {x.name}" for x in operands)
    head = f"define internal {kind} @row.{name}.{width}({parameters}) nounwind {{"
    lines = [head, "entry:", *lanes.lines, f"  ret {kind} {result}", "}"]
    return "\n".join(lines) + "\n", lanes.called


def module_text(needed: Needed, called: Iterable[str] = ()) -> str:
    """Every needed function once, and one declaration for each outside LLVM.

    ``called`` adds the declarations that builders of the caller collected.

    >>> print(module_text({("negative", 1)}))
    define internal double @row.negative.1(double %x0) nounwind {
    entry:
      %v1 = fneg double %x0
      ret double %v1
    }
    <BLANKLINE>
    """
    texts, declarations = [], set(called)
    for name, width in sorted(needed):
        text, more = _define(name, width)
        texts.append(text)
        declarations |= more
    return "\n".join([*sorted(declarations), *texts])


def _libraries() -> Iterator[Any]:
    """Where the C library's mathematics may be found, on any platform."""
    names = ["ucrtbase", "msvcrt"] if sys.platform == "win32" else [None]
    for name in [*names, ctypes.util.find_library("m")]:
        try:
            yield ctypes.CDLL(name)
        except OSError:
            continue


def register_symbols() -> None:
    """Tell LLVM the addresses of the functions of the C library that there are."""
    addresses: dict[str, int] = {}
    for library in _libraries():
        for name in FUNCTIONS:
            function = getattr(library, name, None)
            if name not in addresses and function is not None:
                addresses[name] = ctypes.cast(function, ctypes.c_void_p).value or 0
    llvm = importlib.import_module("llvmlite.binding")  # slow to import: on first use
    for name, address in addresses.items():
        llvm.add_symbol(name, address)
