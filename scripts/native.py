"""Write autograd/native/rows.h: the accelerator's derivatives, read off the table.

Which rows C evaluates by itself stands in autograd/native/evaluate.h; of these, every
row whose partial derivatives are expressions in such rows gets a code. The others call
their Python functions.
"""

from __future__ import annotations

import re
from math import isnan
from pathlib import Path
from typing import Any

from autograd.numbers.operators import METHODS
from autograd.numbers.symbolic import Expression, Symbol
from autograd.table.primitives import TABLE, Row

FOLDER = Path(__file__).parent.parent / "autograd" / "native"
EVALUATED = set(re.findall(r"row_(\w+)\(double", (FOLDER / "evaluate.h").read_text()))
INFIX = {"add": "+", "subtract": "-", "multiply": "*"}
MANY = ("sum", "dot")  # rows of many operands whose slopes are those operands, or 1
HEAD = """/* Generated from the table of primitives by scripts/native.py: do not edit.
 *
 * x, y: the numbers of the operands; z: the result. Of each row is said whether a
 * partial of exactly 0 says "not chosen"; METHODS lists the rows that are methods.
 * Partials of a row with many operands x may need the total of a term of each.
 */
"""


TOTALLED = ("maximum", "minimum", "logsumexp")  # and those where a sum takes part


class Foreign(Exception):
    """A partial derivative that needs a row which C does not evaluate."""


def written(x: Any) -> str:
    """An expression in C; every operation in the order in which Python does it."""
    if isinstance(x, Symbol):
        return x.name
    if not isinstance(x, Expression):
        return "NAN" if isnan(x) else repr(float(x))
    name = x.primitive.name
    if name == "sum":
        return "total"
    parts = [written(p) for p in x.operands]
    if name in INFIX:
        return f"({parts[0]} {INFIX[name]} {parts[1]})"
    if name not in EVALUATED:
        raise Foreign
    return f"row_{name}({', '.join(parts)})"


def slopes(row: Row) -> list[str]:
    """The partial derivatives of a row, in C."""
    symbols = [Symbol(name) for name in "xy"[: row.arity]]
    return [written(p) for p in row.partials(tuple(symbols), Symbol("z"))]


def rows() -> dict[str, list[str]]:
    """{name: partial derivatives in C}, of all rows with code for one or two."""
    found = {}
    for name, row in TABLE.items():
        if name in EVALUATED and row.arity in (1, 2) and not row.predicate:
            try:
                found[name] = slopes(row)
            except Foreign:
                continue
    return found


def term_and_slope(row: Row) -> tuple[str, str]:
    """Of a row of many operands: what of each is summed, and its partial derivative.

    Its rule is asked about one operand, which stands for them all.
    """
    ((slope,),) = row.joint([Symbol("x")], Symbol("z"))
    (total,) = {id(part): part for part in _sums(slope)}.values()
    ((term,),) = total.operands
    return written(term), written(slope)


def _sums(x: Any) -> list[Any]:
    if not isinstance(x, Expression) or isinstance(x, Symbol):
        return []
    if x.primitive.name == "sum":
        return [x]
    return [part for operand in x.operands for part in _sums(operand)]


def function(name: str, i: int, slope: str) -> str:
    """A partial derivative as a C function."""
    return (
        f"static inline double slope_{name}_{i}(double x, double y, double z)\n"
        f"{{\n    (void)x, (void)y, (void)z;\n    return {slope};\n}}\n"
    )


def header() -> str:
    """The whole file."""
    known, lines = rows(), [HEAD]
    for name, partials in known.items():
        lines += [function(name, i, slope) for i, slope in enumerate(partials)]
    for title, arity in (("UNARY", 1), ("BINARY", 2)):
        own = [name for name in known if TABLE[name].arity == arity]
        lines.append(f"\n#define {title}_ROWS(ROW)")
        lines += [f" \\\n    ROW({name}, {int(TABLE[name].chooses)})" for name in own]
        lines.append("\n")
    for name in TOTALLED:
        term, slope = term_and_slope(TABLE[name])
        lines += [
            f"static inline double term_{name}(double x, double z)\n"
            f"{{\n    return {term};\n}}\n",
            f"static inline double share_{name}(double x, double z, double total)\n"
            f"{{\n    (void)x, (void)z;\n    return {slope};\n}}\n",
        ]
    lines.append("\n#define TOTALLED_ROWS(ROW)")
    lines += [f" \\\n    ROW({name}, {int(TABLE[name].chooses)})" for name in TOTALLED]
    lines.append("\n\n#define MANY_ROWS(ROW) TOTALLED_ROWS(ROW)")
    lines += [f" \\\n    ROW({name}, 0)" for name in MANY]
    lines.append("\n\n#define METHODS(METHOD)")
    for method, row in METHODS.items():
        if row.arity == 1 and row.name in known:
            lines.append(f" \\\n    METHOD({method}, {row.name})")
    return "".join(lines) + "\n"


if __name__ == "__main__":
    (FOLDER / "rows.h").write_text(header(), encoding="utf-8")
