"""How operations are written in mathematics: one table for LaTeX, MathML and pages.

``NOTATION`` has, for each row that is not simply a function's call, its form, its sign
in MathML and in LaTeX, and its rank, how tightly it binds. The forms:

    infix      x + y         prefix   -x           fraction   x over y
    power      x to the y    base     e to the x   root       under a root sign
    fences     |x|           sum      x + y + z    call       f(x, y)
    dot        w x + ...     mod      x mod y      floored    x over y, rounded down
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple


class Notation(NamedTuple):
    """The form of an operation, its sign (a pair for fences), and its rank."""

    form: str
    mathml: str
    latex: str
    rank: int = 9


def _infix(mathml: str, latex: str, rank: int) -> Notation:
    return Notation("infix", mathml, latex, rank)


def _call(mathml: str, latex: str) -> Notation:
    return Notation("call", mathml, latex)


def _named(name: str) -> Notation:
    return _call(escape(name), rf"\operatorname{{{in_latex(name)}}}")


def in_latex(text: str) -> str:
    r"""A text whose characters mean themselves in LaTeX.

    >>> print(in_latex("learning_rate"))
    learning\_rate
    """
    return "".join([_SPECIAL.get(c, c) for c in text])


_SPECIAL = {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\tilde{}"}
_SPECIAL |= {c: rf"\{c}" for c in "{}_#$%&"}


NOTATION: dict[str, Notation] = {
    "add": _infix("+", "+", 1),
    "subtract": _infix("−", "-", 1),
    "multiply": _infix("·", r"\cdot ", 3),
    "guarded_multiply": _infix("·", r"\cdot ", 3),
    "selected_multiply": _infix("·", r"\cdot ", 3),
    "divide": Notation("fraction", "", "", 4),
    "remainder": Notation("mod", "mod", r"\bmod", 1),
    "floor_divide": Notation("floored", "", ""),
    "power": Notation("power", "", "", 5),
    "negative": Notation("prefix", "−", "-", 1),
    "absolute": Notation("fences", "||", "||"),
    "floor": Notation("fences", "⌊⌋", r"\lfloor \rfloor"),
    "ceil": Notation("fences", "⌈⌉", r"\lceil \rceil"),
    "less": _infix("&lt;", "<", 0),
    "less_equal": _infix("≤", r"\le ", 0),
    "greater": _infix("&gt;", ">", 0),
    "greater_equal": _infix("≥", r"\ge ", 0),
    "equal": _infix("=", "=", 0),
    "not_equal": _infix("≠", r"\ne ", 0),
    "exp": Notation("base", "<mi>e</mi>", "e", 5),
    "exp2": Notation("base", "<mn>2</mn>", "2", 5),
    "sqrt": Notation("root", "", "2"),
    "dot": Notation("dot", "", "", 1),
    "sum": Notation("sum", "<mo>+</mo>", " + ", 1),
    "prod": Notation("sum", "<mo>·</mo>", r" \cdot ", 3),
    "log": _call("log", r"\log"),
    "sin": _call("sin", r"\sin"),
    "cos": _call("cos", r"\cos"),
    "tan": _call("tan", r"\tan"),
    "sinh": _call("sinh", r"\sinh"),
    "cosh": _call("cosh", r"\cosh"),
    "tanh": _call("tanh", r"\tanh"),
    "arcsin": _call("arcsin", r"\arcsin"),
    "arccos": _call("arccos", r"\arccos"),
    "arctan": _call("arctan", r"\arctan"),
    "maximum": _call("max", r"\max"),
    "minimum": _call("min", r"\min"),
    "sigmoid": _call("σ", r"\sigma"),
    "lgamma": _call("lnΓ", r"\ln\Gamma"),
    "polygamma": _call("ψ", r"\psi"),
    "sign": _named("sgn"),
    "relu": _named("ReLU"),
    "sech2": _call("sech²", r"\operatorname{sech}^2"),
}


def notation(row: str) -> Notation:
    """How a row is written; a call of its own name unless the table says otherwise."""
    return NOTATION.get(row) or _named(row)
