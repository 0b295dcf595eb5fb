"""The table of operations in JavaScript, generated from the rows.

How a row is evaluated is written in operations.js: JavaScript has mathematics of its
own. Its derivatives are not: a row's partials are run on symbols, and the formulas that
come back are written out as calls of those functions,

    tanh:  partials: (x, z) => [sech2(x)]

An n-ary row has operands without number. Its partials are run on groups of a single
symbol, ``xs[i]``, which stands for every operand: the partial that comes back is that
of each, and a sum over the group is one over all,

    logsumexp:  partials: (xs, z) => {
        const t0 = sum(xs.map((_, i) => exp(xs[i] - z)));
        return [xs.map((_, i) => exp(xs[i] - z) / t0)];
    }

Only the partials of a product are not of this kind: they are written by hand, as
``others`` in operations.js.

A page gets the rows it wants, those that their partials are made of, and of
operations.js what these name, in a scope of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

from autograd.compiler.llvm.functions import coefficients
from autograd.numbers.symbolic import Expression, Symbol
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE
from viz.page.document import compact

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_GROUPS = {"dot": ("ws", "xs")}
_BY_HAND = {"prod": "[others(xs)]"}
_SHARE = """
// What an operand gets: sent * partial, where zero is strong.
function share(row, sent, partial) {
  if (row.chooses && partial === 0) return 0;
  return sent === 0 && !Number.isFinite(partial) ? 0 : sent * partial;
}
"""


def code(names: Iterable[str] = TABLE) -> str:
    """JavaScript that defines ``ROWS``, with the rows of these names, and ``share``.

    A row is ``{name, symbol, arity, chooses, predicate, symmetric, value, partials}``,
    less the traits that it lacks; ``value(...operands)`` is a number and
    ``partials(...operands, result)`` an array of one for each operand. The arity of an
    n-ary row is null: its operands are arrays, and so are their partials.

    >>> "sech2" in code(["tanh"]), "exp2" in code(["tanh"])
    (True, False)
    """
    rows = {name: _row(TABLE[name]) for name in _with_partials(names)}
    entries = [f"{name}: {text}," for name, text in rows.items()]
    return _scope("ROWS", entries) + compact(_SHARE)


def functions(name: str, formulas: Mapping[str, tuple[str, Iterable[Any]]]) -> str:
    """JavaScript that defines an object of functions, each of which gives an array.

    A function is its parameters, one letter each, and formulas of these as symbols.

    >>> from autograd import jvp, tanh
    >>> x = Symbol("x")
    >>> text = functions("CURVES", {"tanh": ("x", jvp(tanh, (x,), (1.0,)))})
    >>> text.splitlines()[-3]
    '"tanh": (x) => [tanh(x), guarded_multiply(1, sech2(x))],'
    """
    writer = _Writer()
    entries = [
        f"{json.dumps(key)}: ({', '.join(names)}) => "
        f"[{', '.join(map(writer.text, results))}],"
        for key, (names, results) in formulas.items()
    ]
    return _scope(name, entries)


def _scope(name: str, entries: list[str]) -> str:
    """An object of these entries, in a scope that has what they name."""
    text = "\n".join(entries)
    named = "\n".join(_named_in(text))
    return f"const {name} = (() => {{\n{named}\nreturn {{\n{text}\n}};\n}})();\n"


def _with_partials(names: Iterable[str]) -> list[str]:
    """These rows, and those that derivatives of any order are made of."""
    found: dict[str, None] = {}
    waiting = list(names)[::-1]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += sorted(set(re.findall(r"\w+", _partials(TABLE[name]))) & _NAMES)
    return list(found)


_NAMES = TABLE.keys()


def _row(row: Primitive) -> str:
    facts = {
        "name": row.name,
        "symbol": row.symbol,
        "arity": row.arity,
        "chooses": row.chooses,
        "predicate": row.predicate,
        "symmetric": row.symmetric,
    }
    true = {key: fact for key, fact in facts.items() if fact is not False}
    known = ", ".join([f"{key}: {json.dumps(fact)}" for key, fact in true.items()])
    return f"{{{known}, value: {row.name}, partials: {_partials(row)}}}"


# -- Partials ------------------------------------------------------------------------


@cache
def _partials(row: Primitive) -> str:
    """A JavaScript function of the operands and the result."""
    writer = _Writer()
    if row.arity is not None:
        names = ("x", "y", "w")[: row.arity]
        found = row.joint(*map(Symbol, names), Symbol("z"))
        result = f"[{', '.join(map(writer.text, found))}]"
    else:
        names = _GROUPS.get(row.name, ("xs",))
        found = row.joint(*[(Symbol(f"{name}[i]"),) for name in names], Symbol("z"))
        groups = [writer.each(names[0], partial) for (partial,) in found]
        result = _BY_HAND.get(row.name) or f"[{', '.join(groups)}]"
    parameters = ", ".join([*names, "z"])
    if not writer.sums:
        return f"({parameters}) => {result}"
    sums = " ".join([f"const {name} = {text};" for text, name in writer.sums.items()])
    return f"({parameters}) => {{ {sums} return {result}; }}"


class _Writer:
    """Formulas as JavaScript; sums over a whole group are set aside."""

    def __init__(self) -> None:
        self.sums: dict[str, str] = {}

    def each(self, group: str, x: Any) -> str:
        """The array of x for each i."""
        return f"{group}.map((_, i) => {self.text(x)})"

    def text(self, x: Any) -> str:
        if isinstance(x, Symbol):
            return str(x)
        if not isinstance(x, Expression):
            return number(x)
        if x.primitive.name == "sum" and "[i]" in str(x):
            text = f"sum({self.each('xs', x.operands[0][0])})"
            return self.sums.setdefault(text, f"t{len(self.sums)}")
        name = x.primitive.name
        if name in _INFIX:
            return f" {_INFIX[name]} ".join(map(self._wrapped, x.operands))
        if name == "negative":
            return f"-{self._wrapped(x.operands[0])}"
        if x.primitive.arity is not None:
            return f"{name}({', '.join(map(self.text, x.operands))})"
        groups = [f"[{', '.join(map(self.text, group))}]" for group in x.operands]
        return f"{name}({', '.join(groups)})"

    def _wrapped(self, x: Any) -> str:
        inner = isinstance(x, Expression) and not isinstance(x, Symbol)
        operation = inner and x.primitive.name in {*_INFIX, "negative"}
        return f"({self.text(x)})" if operation else self.text(x)


def number(x: float) -> str:
    """A float in JavaScript.

    >>> number(2.0), number(0.1), number(float("-inf"))
    ('2', '0.1', '-Infinity')
    """
    if x != x:
        return "NaN"
    if abs(x) == inf:
        return "Infinity" if x > 0.0 else "-Infinity"
    return repr(x).removesuffix(".0")


# -- Functions -----------------------------------------------------------------------


@cache
def _declarations() -> dict[str, str]:
    """What operations.js declares, and the coefficients that it names: name -> text."""
    text = (Path(__file__).parent / "operations.js").read_text("utf-8")
    parts = re.split(r"^(?=(?:const|function) )", text, flags=re.MULTILINE)[1:]
    found = {re.split(r"\W+", part, maxsplit=2)[1]: compact(part) for part in parts}
    for name in ("ERF", "ERFCX"):
        found[name] = f"const {name} = {json.dumps(getattr(coefficients, name))};"
    return found


def _named_in(text: str) -> list[str]:
    """The declarations that a text names, and those that they name, as they stand."""
    declared, waiting = _declarations(), [text]
    found: set[str] = set()
    while waiting:
        words = set(re.findall(r"(?<![.\w])\w+", waiting.pop()))
        words = words & declared.keys() - found
        found |= words
        waiting += [declared[word] for word in words]
    return [part for name, part in declared.items() if name in found]
