"""Formulas given as text: parsed with ``ast`` against a whitelist, never ``eval``.

>>> from autograd.expression import Formula
>>> f = Formula("tanh(w*x + b)")
>>> f.names
('w', 'x', 'b')
>>> f(w=1.0, x=0.0, b=0.0)
0.0
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from autograd import functions
from autograd.errors import ExpressionError
from autograd.operators import METHODS
from autograd.primitives import TABLE

__all__ = ["FUNCTIONS", "Formula"]

_LONGEST = 10_000
_SEQUENCES = {"sum", "prod", "mean", "logsumexp"}  # take their operands one by one too
_CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: TABLE["divide"],
    ast.FloorDiv: TABLE["floor_divide"],
    ast.Mod: TABLE["remainder"],
    ast.Pow: TABLE["power"],
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Lt: TABLE["less"],
    ast.LtE: TABLE["less_equal"],
    ast.Gt: TABLE["greater"],
    ast.GtE: TABLE["greater_equal"],
    ast.Eq: TABLE["equal"],
    ast.NotEq: TABLE["not_equal"],
}

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **METHODS,
    **{
        name: getattr(functions, name)
        for name in functions.__all__
        if not name.endswith("softmax")  # these give lists
    },
    "abs": TABLE["absolute"],
    "pow": TABLE["power"],
    "max": functions.maximum,
    "min": functions.minimum,
}


class Formula:
    """A formula in named numbers.

    Operators ``+ - * / // % **`` and comparisons, the functions in ``FUNCTIONS``, lists
    (for ``dot([w1, w2], [x1, x2], b)``), and the constants pi, e, inf and nan. Raises
    ExpressionError, which points at the place, for anything else.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise ExpressionError(
                f"a formula of {len(text)} characters; at most {_LONGEST} are read"
            )
        self.text = text
        try:
            self.tree = ast.parse(text.strip(), mode="eval").body
            names = self._check(self.tree)
        except SyntaxError as error:
            raise self._error(error.msg, (error.offset or 1) - 1) from None
        except (ValueError, RecursionError, MemoryError) as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionError(f"the formula cannot be read: {error}") from None
        self.names = tuple(dict.fromkeys(names))

    def __call__(self, **numbers: Any) -> Any:
        """The formula's value, for floats, Values or anything else that rows take."""
        return self._evaluate(self.tree, {**_CONSTANTS, **numbers})

    def _error(self, message: str, column: int) -> ExpressionError:
        return ExpressionError(f"{message}\n  {self.text.strip()}\n  {' ' * column}^")

    def _check(self, node: ast.AST) -> list[str]:
        """The free names, in order; raises for what is not in the whitelist."""
        if isinstance(node, ast.Name):
            return [] if node.id in _CONSTANTS else [node.id]
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return []
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return self._check(node.left) + self._check(node.right)
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return self._check(node.operand)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._check(node.left) + self._check(node.comparators[0])
        if isinstance(node, ast.List):
            return [name for part in node.elts for name in self._check(part)]
        column = getattr(node, "col_offset", 0)
        if not isinstance(node, ast.Call):
            raise self._error("this is not part of a formula", column)
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            raise self._error(
                f"unknown function; known are {', '.join(sorted(FUNCTIONS))}", column
            )
        if node.keywords:
            raise self._error("operands are given by position", column)
        return [name for part in node.args for name in self._check(part)]

    def _evaluate(self, node: Any, numbers: dict[str, Any]) -> Any:
        if isinstance(node, ast.Name):
            return numbers[node.id]
        if isinstance(node, ast.Constant):
            return float(node.value)  # type: ignore[arg-type]
        if isinstance(node, ast.List):
            return [self._evaluate(part, numbers) for part in node.elts]
        if isinstance(node, ast.BinOp):
            parts, call = [node.left, node.right], _OPERATORS[type(node.op)]
        elif isinstance(node, ast.UnaryOp):
            parts, call = [node.operand], _OPERATORS[type(node.op)]
        elif isinstance(node, ast.Compare):
            parts = [node.left, node.comparators[0]]
            call = _OPERATORS[type(node.ops[0])]
        else:
            parts, call = node.args, _callable(node.func.id)
        operands = [self._evaluate(part, numbers) for part in parts]
        try:
            return call(*operands)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._error(str(error), node.col_offset) from None


def _callable(name: str) -> Callable[..., Any]:
    """The function of a name; those of one sequence take their operands singly too."""
    function = FUNCTIONS[name]
    if name not in _SEQUENCES:
        return function

    def call(*operands: Any) -> Any:
        listed = len(operands) == 1 and isinstance(operands[0], list)
        return function(operands[0] if listed else operands)

    return call
