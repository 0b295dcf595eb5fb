"""How LLVM evaluates the rows of the table, 1, 2, 4 or 8 doubles at a time.

``KERNELS`` is the table of this machine: row name -> function of a builder and operand
names that emits the row and returns the result's name. Cheap rows are emitted in place,
the others as a call of an internal function, which ``module_text`` defines. The strict
table repeats the float evaluation bit by bit: slower, from the C library.

    lanes, needed = Lanes(8), set()
    y = emit_row(lanes, "tanh", ["%x"], needed)
    text = ... + module_text(needed)
    register_symbols()  # before the module is linked
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from autograd.compiler.lanes import Lanes
from autograd.compiler.vector_elementary import ELEMENTARY
from autograd.compiler.vector_exponential import EXPONENTIAL
from autograd.compiler.vector_inverse import INVERSE
from autograd.compiler.vector_library import (
    LIBRARY,
    STRICT,
    raise_pending,
    register_callback,
    register_symbols,
)
from autograd.compiler.vector_logarithm import LOGARITHMIC
from autograd.compiler.vector_special import SPECIAL
from autograd.compiler.vector_trigonometry import TRIGONOMETRIC
from autograd.compiler.vector_value import on_names
from autograd.primitives import TABLE

__all__ = [
    "INLINE",
    "KERNELS",
    "REDUCTIONS",
    "STRICT_KERNELS",
    "Needed",
    "definition",
    "emit_row",
    "module_text",
    "raise_pending",
    "register_callback",
    "register_symbols",
]

Emitter = Callable[..., str]
Needed = set[tuple[str, int, bool]]  # row, width, strict

REDUCTIONS = frozenset({"sum", "prod", "dot", "maximum", "minimum", "logsumexp"})
INLINE = frozenset(ELEMENTARY)

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
    }.items()
}
STRICT_KERNELS: dict[str, Emitter] = {
    name: on_names(kernel) for name, kernel in {**ELEMENTARY, **STRICT}.items()
}


def _symbol(name: str, width: int, strict: bool) -> str:
    return f"row.{name}.{width}{'.strict' if strict else ''}"


def emit_row(lanes: Lanes, name: str, operands: Sequence[str], needed: Needed) -> str:
    """Emit a row, in place or as a call; what is called is added to ``needed``."""
    if name in INLINE:
        return KERNELS[name](lanes, *operands)
    needed.add((name, lanes.width, lanes.strict))
    arguments = ", ".join(f"{lanes.type} {x}" for x in operands)
    symbol = _symbol(name, lanes.width, lanes.strict)
    return lanes.emit(f"call {lanes.type} @{symbol}({arguments})")


def _define(name: str, width: int, strict: bool) -> tuple[str, set[str]]:
    """The text of a row's function, and the declarations it needs."""
    lanes = Lanes(width, strict=strict)
    operands = [f"%x{i}" for i in range(TABLE[name].arity or 1)]
    result = (STRICT_KERNELS if strict else KERNELS)[name](lanes, *operands)
    parameters = ", ".join(f"{lanes.type} {x}" for x in operands)
    symbol = _symbol(name, width, strict)
    head = f"define internal {lanes.type} @{symbol}({parameters}) nounwind {{"
    lines = [head, "entry:", *lanes.lines, f"  ret {lanes.type} {result}", "}"]
    return "\n".join(lines) + "\n", lanes.called


def definition(name: str, width: int, strict: bool = False) -> str:
    """The text of the internal function ``@row.<name>.<width>`` (or ``....strict``).

    >>> print(definition("negative", 1))
    define internal double @row.negative.1(double %x0) nounwind {
    entry:
      %v1 = fneg double %x0
      ret double %v1
    }
    <BLANKLINE>
    """
    return _define(name, width, strict)[0]


def module_text(needed: Needed, called: Iterable[str] = ()) -> str:
    """Every needed function once, and one declaration for each outside LLVM.

    ``called`` adds the declarations that builders of the caller collected.
    """
    texts, declarations = [], set(called)
    for name, width, strict in sorted(needed):
        text, more = _define(name, width, strict)
        texts.append(text)
        declarations |= more
    return "\n".join([*sorted(declarations), *texts])
