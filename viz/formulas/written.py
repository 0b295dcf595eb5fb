"""Formulas written out, as LaTeX or as MathML.

A formula is a number, or an expression of ``numbers.symbolic``. Each dialect has one
method for each form of ``notation``; brackets follow from the ranks.

>>> from autograd.numbers.symbolic import Symbol
>>> from autograd.table.primitives import TABLE
>>> x, y = Symbol("x"), Symbol("y1")
>>> written((x + y) * 2.0 / x ** 2.0, LATEX)
'\\\\frac{(x + y_{1}) \\\\cdot 2}{x^{2}}'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from math import isinf, isnan
from typing import Any

from autograd.numbers.symbolic import Expression, Symbol
from viz.formulas.notation import Notation, in_latex, notation

_MOST = 12  # terms that are written out


class Latex:
    """How forms are put together in LaTeX."""

    def number(self, x: float) -> str:
        """Four significant digits."""
        if isnan(x):
            return r"\mathrm{NaN}"
        if isinf(x):
            return r"\infty" if x > 0 else r"-\infty"
        mantissa, _, exponent = f"{x:.4g}".partition("e")
        power = rf" \cdot 10^{{{int(exponent)}}}" if exponent else ""
        return mantissa + power

    def name(self, label: str) -> str:
        """A label: one letter is a variable; digits at its end are an index."""
        word, index = _parted(label)
        text = in_latex(word)
        text = text if len(word) == 1 else rf"\mathrm{{{text}}}"
        return f"{text}_{{{index}}}" if index else text

    def derivative(self, y: str, x: str) -> str:
        """dy/dx, of names that are written already."""
        return rf"\frac{{\partial {y}}}{{\partial {x}}}"

    def brackets(self, x: str, left: str = "(", right: str = ")") -> str:
        """Something in brackets."""
        return f"{left}{x}{right}"

    def infix(self, known: Notation, x: str, y: str) -> str:
        return f"{x} {known.latex.strip()} {y}"

    def mod(self, known: Notation, x: str, y: str) -> str:
        return f"{x} {known.latex} {y}"

    def floored(self, known: Notation, x: str, y: str) -> str:
        return rf"\left\lfloor {self.fraction(known, x, y)} \right\rfloor"

    def prefix(self, known: Notation, x: str) -> str:
        return f"{known.latex}{x}"

    def fraction(self, known: Notation, x: str, y: str) -> str:
        return rf"\frac{{{x}}}{{{y}}}"

    def power(self, known: Notation, x: str, y: str) -> str:
        return f"{x}^{{{y}}}"

    def base(self, known: Notation, x: str) -> str:
        return f"{known.latex}^{{{x}}}"

    def root(self, known: Notation, x: str) -> str:
        return rf"\sqrt{{{x}}}"

    def fences(self, known: Notation, x: str) -> str:
        pair = known.latex.split() if " " in known.latex else [*known.latex]
        return f"{pair[0]} {x} {pair[1]}"

    def sum(self, known: Notation, *xs: str) -> str:
        return known.latex.join([*xs[:_MOST], *[r"\cdots"] * (len(xs) > _MOST)])

    def call(self, known: Notation, *xs: str) -> str:
        shown = [*xs[:_MOST], *[r"\ldots"] * (len(xs) > _MOST)]
        return f"{known.latex}({', '.join(shown)})"


class MathML:
    """How forms are put together in MathML, as browsers draw it."""

    def number(self, x: float) -> str:
        """Four significant digits."""
        if isnan(x) or isinf(x):
            text = "NaN" if isnan(x) else "∞" if x > 0 else "−∞"
            return f"<mn>{text}</mn>"
        mantissa, _, exponent = f"{x:.4g}".replace("-", "−").partition("e")
        if not exponent:
            return f"<mn>{mantissa}</mn>"
        power = f"<mn>{exponent.lstrip('+').replace('−0', '−').lstrip('0')}</mn>"
        ten = f"<msup><mn>10</mn>{power}</msup>"
        return f"<mrow><mn>{mantissa}</mn><mo>·</mo>{ten}</mrow>"

    def name(self, label: str) -> str:
        """A label; digits at its end are an index."""
        word, index = _parted(label)
        text = f"<mi>{escape(word)}</mi>"
        return f"<msub>{text}<mn>{index}</mn></msub>" if index else text

    def derivative(self, y: str, x: str) -> str:
        """dy/dx, of names that are written already."""
        rows = [f"<mrow><mi>∂</mi>{z}</mrow>" for z in (y, x)]
        return f"<mfrac>{rows[0]}{rows[1]}</mfrac>"

    def brackets(self, x: str, left: str = "(", right: str = ")") -> str:
        """Something in brackets."""
        return f"<mrow><mo>{left}</mo>{x}<mo>{right}</mo></mrow>"

    def infix(self, known: Notation, x: str, y: str) -> str:
        return f"<mrow>{x}<mo>{known.mathml}</mo>{y}</mrow>"

    def mod(self, known: Notation, x: str, y: str) -> str:
        return self.infix(known, x, y)

    def floored(self, known: Notation, x: str, y: str) -> str:
        return self.brackets(self.fraction(known, x, y), *"⌊⌋")

    def prefix(self, known: Notation, x: str) -> str:
        return f"<mrow><mo>{known.mathml}</mo>{x}</mrow>"

    def fraction(self, known: Notation, x: str, y: str) -> str:
        return f"<mfrac><mrow>{x}</mrow><mrow>{y}</mrow></mfrac>"

    def power(self, known: Notation, x: str, y: str) -> str:
        return f"<msup>{x}<mrow>{y}</mrow></msup>"

    def base(self, known: Notation, x: str) -> str:
        return f"<msup>{known.mathml}<mrow>{x}</mrow></msup>"

    def root(self, known: Notation, x: str) -> str:
        return f"<msqrt>{x}</msqrt>"

    def fences(self, known: Notation, x: str) -> str:
        return self.brackets(x, *known.mathml)

    def sum(self, known: Notation, *xs: str) -> str:
        shown = [*xs[:_MOST], *["<mi>…</mi>"] * (len(xs) > _MOST)]
        return f"<mrow>{known.mathml.join(shown)}</mrow>"

    def call(self, known: Notation, *xs: str) -> str:
        shown = [*xs[:_MOST], *["<mi>…</mi>"] * (len(xs) > _MOST)]
        inside = self.brackets("<mo>,</mo>".join(shown))
        return f"<mrow><mi>{known.mathml}</mi>{inside}</mrow>"


Dialect = Latex | MathML
LATEX, MATHML = Latex(), MathML()


class Derivative(Symbol):
    """The symbol of a derivative that has a line of its own: dy/dx."""

    __slots__ = ("of", "y")

    def __init__(self, y: str, of: str) -> None:
        super().__init__(f"d{y}/d{of}")
        self.y, self.of = y, of


def written(formula: Any, dialect: Dialect) -> str:
    """The text of a formula."""
    return _written(formula, dialect)[0]


def _written(formula: Any, dialect: Dialect) -> tuple[str, int]:
    """The text, and how tightly its outermost operation binds."""
    if isinstance(formula, Derivative):
        names = dialect.name(formula.y), dialect.name(formula.of)
        return dialect.derivative(*names), 9
    if isinstance(formula, Symbol):
        return dialect.name(formula.name), 9
    if not isinstance(formula, Expression):
        return dialect.number(formula), _rank_of_number(formula)
    row = formula.primitive
    known = notation(row.name)
    parts = [_written(part, dialect) for part in row.flat(formula.operands)]
    if known.form == "dot":
        return _dot(parts, dialect), known.rank
    least = _LEAST[known.form](known.rank) if known.form in _LEAST else (0,)
    texts = [
        dialect.brackets(text) if rank < least[min(k, len(least) - 1)] else text
        for k, (text, rank) in enumerate(parts)
    ]
    put: Callable[..., str] = getattr(dialect, known.form)
    return put(known, *texts), known.rank


def _rank_of_number(x: float) -> int:
    """As of a sum for what begins with a minus, of a product for a power of ten."""
    text = f"{x:.4g}"
    return 1 if text.startswith("-") else 3 if "e" in text else 9


# The least rank of each operand that needs no brackets.
_LEAST: dict[str, Callable[[int], Sequence[int]]] = {
    "infix": lambda rank: (rank, rank + 1),
    "prefix": lambda rank: (2,),
    "mod": lambda rank: (4, 4),
    "power": lambda rank: (9, 0),
    "sum": lambda rank: (rank + 1,),
}


def _dot(parts: list[tuple[str, int]], dialect: Dialect) -> str:
    """w1 x1 + w2 x2 + ..."""
    times, one = notation("multiply"), dialect.number(1.0)
    half = len(parts) // 2
    terms = []
    for (w, rank), (x, other) in zip(parts[:half], parts[half:], strict=True):
        least = 2 if x == one else times.rank
        w = dialect.brackets(w) if rank < least else w
        x = dialect.brackets(x) if other <= times.rank else x
        terms.append(w if x == one else dialect.infix(times, w, x))
    return dialect.sum(notation("sum"), *terms)


def _parted(label: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*?[^\d.])(\d{1,3})", label, re.DOTALL)
    return (found[1], found[2]) if found else (label, "")
