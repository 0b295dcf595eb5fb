"""The grammar of formulas in JavaScript, generated from ``autograd.checks.expression``.

formula.js parses; what it looks up is put before it: operators and the rows they are,
constants, Python's keywords, and the functions. Those of a fixed number of
operands are run on symbols and written out as calls of rows,

    silu: [1, 1, (op, x) => op("multiply", x, op("sigmoid", x))]

with the least and the largest number of operands. Functions of sequences are written by
hand in formula.js; of these there is only the name: ``max: "maximum"``.
"""

from __future__ import annotations

import ast
import inspect
import json
import keyword
from collections.abc import Callable
from typing import Any

from autograd.checks.expression import CONSTANTS, FUNCTIONS, OPERATORS, sign_of
from autograd.numbers.symbolic import Expression, Symbol
from autograd.table.primitive import Primitive
from viz.page.document import source
from viz.page.operations import number

_OF_SEQUENCES = {"dot", "logsumexp", "maximum", "mean", "minimum", "prod", "sum"}
_OPERANDS = ("x", "y", "w")


def code() -> str:
    """JavaScript that defines ``FORMULAS``, for a page that has the rows.

    It has the functions ``parse``, ``names`` and ``build``, which formula.js explains,
    the class FormulaError, and the lists ``functions`` and ``constants`` of names.

    >>> 'square: [1, 1, (op, x) => op("multiply", x, x)],' in code()
    True
    """
    operators = {
        sign_of(node): row.name
        for node, row in OPERATORS.items()
        if isinstance(row, Primitive) and issubclass(node, ast.operator | ast.cmpop)
    }
    constants = ", ".join([f"{name}: {number(x)}" for name, x in CONSTANTS.items()])
    functions = [f"{name}: {_function(f)}," for name, f in FUNCTIONS.items()]
    return "\n".join(
        [
            "const FORMULAS = (() => {",
            f"const OPERATORS = {json.dumps(operators)};",
            f"const CONSTANTS = {{{constants}}};",
            f"const KEYWORDS = {json.dumps(keyword.kwlist)};",
            "const FUNCTIONS = {",
            *functions,
            "};",
            source("formula.js"),
            "const functions = Object.keys(FUNCTIONS);",
            "const constants = Object.keys(CONSTANTS);",
            "return { parse, names, build, FormulaError, functions, constants };",
            "})();",
        ]
    )


def _function(function: Callable[..., Any]) -> str:
    defaults: dict[str, float] = {}
    if isinstance(function, Primitive):
        operands = [*_OPERANDS[: function.arity]]
    elif function.__name__ in _OF_SEQUENCES:
        return json.dumps(function.__name__)
    else:
        found = inspect.signature(function).parameters
        operands = [*found]
        defaults = {x: p.default for x, p in found.items() if p.default is not p.empty}
    given = [x for x in operands if x not in defaults]
    optional = [f"{x} = {number(default)}" for x, default in defaults.items()]
    parameters = ", ".join(["op", *given, *optional])
    result = _text(function(*map(Symbol, operands)))
    return f"[{len(given)}, {len(operands)}, ({parameters}) => {result}]"


def _text(x: Any) -> str:
    """A formula as calls of ``op``, which takes the name of a row and its operands."""
    if isinstance(x, Symbol):
        return str(x)
    if isinstance(x, tuple):
        return f"[{', '.join(map(_text, x))}]"
    if not isinstance(x, Expression):
        return number(x)
    return f"op({', '.join([json.dumps(x.primitive.name), *map(_text, x.operands)])})"
