"""How LLVM evaluates primitives, 1, 2, 4 or 8 doubles at a time.

``KERNELS`` is the table of this machine: primitive name -> function of vectors. What is
a few instructions (``IN_PLACE``) is emitted in place, all else as a call of an internal
function, which ``module_text`` defines.

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
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import nan
from typing import Any

from autograd.compiler.llvm.functions.exponential import (
    EXPONENTIAL,
    LOGARITHMIC,
    tanh_and_sech2,
)
from autograd.compiler.llvm.functions.lanes import Kernel, Lanes, Mask, Vector, by_name
from autograd.compiler.llvm.functions.special import SPECIAL
from autograd.compiler.llvm.functions.trigonometry import INVERSE, TRIGONOMETRIC
from autograd.table.primitives import TABLE

Needed = set[tuple[str, int]]  # primitive, width
PAIR = "tanh_and_sech2"

# -- A few instructions --------------------------------------------------------------
# The bits are those of the eager engine. Adding 0.0 turns -0.0 into 0.0, where the
# primitive's float evaluation passes through an integer.


def sign(x: Vector) -> Vector:
    """-1, 0 or 1; NaN for NaN."""
    at_most_zero = (x < 0.0).choose(-1.0, x.is_nan().choose(x, 0.0))
    return (x > 0.0).choose(1.0, at_most_zero)


def _rounded(intrinsic: str) -> Kernel:
    return lambda x: x.intrinsic(intrinsic) + 0.0


def _truth(compare: Callable[[Vector, Vector], Mask]) -> Kernel:
    return lambda x, y: compare(x, y).choose(1.0, 0.0)


def where(condition: Vector, x: Vector, y: Vector) -> Vector:
    """x unless the condition is 0 (NaN counts as true)."""
    return condition.differs(0.0).choose(x, y)


def guarded_multiply(x: Vector, y: Vector) -> Vector:
    """x * y, but 0 where an exact 0 of x meets infinity or NaN."""
    product = x * y
    return (x.equals(0.0) & product.is_nan()).choose(0.0, product)


def selected_multiply(x: Vector, y: Vector) -> Vector:
    """x * y, but 0 where an exact 0 on either side meets infinity or NaN."""
    product, zero = x * y, x.equals(0.0) | y.equals(0.0)
    return (zero & product.is_nan()).choose(0.0, product)


def nonnegative(x: Vector) -> Vector:
    """x where x >= 0, else NaN."""
    return (x >= 0.0).choose(x + 0.0, nan)


def sqrt(x: Vector) -> Vector:
    """The square root; its NaN below zero is the processor's."""
    return x.intrinsic("sqrt")


def one_minus_square(x: Vector) -> Vector:
    return (1.0 - x) * (1.0 + x)


def relu(x: Vector) -> Vector:
    """x above zero or NaN, else 0."""
    return x.above_or_nan(0.0).choose(x, 0.0)


def step(x: Vector) -> Vector:
    """1 above zero, else 0; NaN for NaN."""
    return (x > 0.0).choose(1.0, x.is_nan().choose(x, 0.0))


IN_PLACE: dict[str, Kernel] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
    "absolute": operator.abs,
    "floor": _rounded("floor"),
    "ceil": _rounded("ceil"),
    "trunc": _rounded("trunc"),
    "less": _truth(operator.lt),
    "less_equal": _truth(operator.le),
    "greater": _truth(operator.gt),
    "greater_equal": _truth(operator.ge),
    "equal": _truth(Vector.equals),
    "not_equal": _truth(Vector.differs),
    **by_name(guarded_multiply, selected_multiply, one_minus_square),
    **by_name(sign, step, relu, nonnegative, where, sqrt),
}

KERNELS: dict[str, Kernel] = {
    **IN_PLACE,
    **EXPONENTIAL,
    **LOGARITHMIC,
    **TRIGONOMETRIC,
    **INVERSE,
    **SPECIAL,
}


# -- Their text ----------------------------------------------------------------------


def emit_primitive(
    lanes: Lanes, name: str, operands: Sequence[str], needed: Needed
) -> str:
    """Emit a primitive in place, or as a call of what is added to ``needed``."""
    if name in IN_PLACE:
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


# -- The C library -------------------------------------------------------------------

# Functions of the C library: those that kernels call, and those that LLVM may call
# where the processor has no such instruction.
FUNCTIONS = (
    *("exp", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt", "fmod"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "lgamma"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc"),
    *("fma", "floor", "ceil", "trunc"),
)


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
