"""Formulas given as text: parsed with ``ast`` against a whitelist, never ``eval``.

>>> from autograd.checks.expression import Formula
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
from collections.abc import Callable, Collection
from typing import Any

from autograd.checks.meant import Meant, meant
from autograd.errors import ExpressionError
from autograd.numbers import functions
from autograd.numbers.operators import METHODS
from autograd.table.primitives import TABLE

_LONGEST = 10_000  # characters
_FEW = 4  # operands shown of an operation
_WIDE = 60  # characters shown of a part of a formula
_SEQUENCES = {"sum", "prod", "mean", "logsumexp"}  # take their operands one by one too
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: TABLE["add"],
    ast.Sub: TABLE["subtract"],
    ast.Mult: TABLE["multiply"],
    ast.Div: TABLE["divide"],
    ast.FloorDiv: TABLE["floor_divide"],
    ast.Mod: TABLE["remainder"],
    ast.Pow: TABLE["power"],
    ast.USub: TABLE["negative"],
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
                f"a formula of {len(text)} characters; at most {_LONGEST} are read: "
                f"write a part of it as a number of its own"
            )
        self.text = text.strip()
        if not self.text:
            raise ExpressionError('the formula is empty: give one, such as "w*x + b"')
        try:
            self.steps = self._postorder(self._parsed())
        except ExpressionError:
            remedy = suggestion(text)
            if remedy is None:
                raise
            raise ExpressionError(
                f"{remedy.why}: did you mean\n  {remedy.text}"
            ) from None
        names = [node.id for node, _ in self.steps if isinstance(node, ast.Name)]
        self.names = tuple(dict.fromkeys([n for n in names if n not in CONSTANTS]))

    def __call__(self, **numbers: Any) -> Any:
        """The formula's value, for floats, Values or anything else that rows take."""
        known = {**CONSTANTS, **numbers}
        stack: list[Any] = []
        for node, count in self.steps:
            start = len(stack) - count
            operands = stack[start:]
            stack[start:] = [self._value(node, operands, known)]
        return stack.pop()

    def first_not_finite(self, **numbers: Any) -> str | None:
        """The first operation that gives NaN or an infinity, in one line.

        >>> Formula("2 * log(x)").first_not_finite(x=-1.0)
        'log(x) is nan: log of -1.0'
        """
        known, stack = {**CONSTANTS, **numbers}, list[Any]()
        for node, count in self.steps:
            start = len(stack) - count
            operands = stack[start:]
            stack[start:] = [self._value(node, operands, known)]
            found = stack[-1]
            if operands and type(found) is float and not math.isfinite(found):
                of = " and ".join(map(repr, operands[:_FEW]))
                more = f", ... ({count} in all)" if count > _FEW else ""
                return f"{self._source(node)} is {found}: {_name(node)} of {of}{more}"
        return None

    def _parsed(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            place = error.lineno or 1, (error.offset or 1) - 1
            raise self._error(error.msg, *place) from None
        except (RecursionError, MemoryError):
            raise ExpressionError(
                "the formula is nested too deeply to be read: shorten it, or write a "
                "long sum a + b + ... as sum(a, b, ...)"
            ) from None
        except ValueError as error:
            raise ExpressionError(f"the formula cannot be read: {error}") from None

    def _error(self, message: str, line: int, column: int) -> ExpressionError:
        shown = self.text.splitlines()[line - 1]
        return ExpressionError(f"{message}\n  {shown}\n  {' ' * column}^")

    def _at(self, node: Any, message: str) -> ExpressionError:
        """An error that points at a node, whose place ``ast`` counts in bytes."""
        line = self.text.splitlines()[node.lineno - 1]
        before = line.encode()[: node.col_offset].decode()
        return self._error(message, node.lineno, len(before))

    def _source(self, node: Any) -> str:
        """The part of the text that a node was read from."""
        part = ast.get_source_segment(self.text, node) or ""
        return part if len(part) <= _WIDE else f"{part[:_WIDE]}..."

    def _postorder(self, root: ast.expr) -> list[tuple[Any, int]]:
        """(node, number of its operands), every node after its operands."""
        steps: list[tuple[Any, int]] = []
        waiting = [root]
        while waiting:
            node = waiting.pop()
            operands = self._operands(node)
            steps.append((node, len(operands)))
            waiting += operands
        return steps[::-1]

    def _operands(self, node: ast.expr) -> list[ast.expr]:
        """The operands of a node; raises for what is not in the whitelist."""
        if isinstance(node, ast.Name):
            return []
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return []
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return [node.left, node.right]
        if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
            return [node.operand]
        if isinstance(node, ast.Compare):
            if len(node.ops) == 1 and type(node.ops[0]) in OPERATORS:
                return [node.left, node.comparators[0]]
            raise self._at(
                node,
                "only two numbers are compared, with < <= > >= == !=: write where(a < "
                "x, where(x < b, 1, 0), 0) for a < x < b",
            )
        if isinstance(node, ast.List):
            return node.elts
        if not isinstance(node, ast.Call):
            raise self._at(
                node,
                "this is not part of a formula: use numbers, names, operators, "
                "functions, and lists in brackets",
            )
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            name = self._source(node.func)
            raise self._at(node, f"unknown function {name}; known are {known}")
        if node.keywords:
            raise self._at(node, "operands have no names: write f(x), not f(x=...)")
        return node.args

    def _value(self, node: Any, operands: list[Any], known: dict[str, Any]) -> Any:
        if isinstance(node, ast.Name):
            return known[node.id]
        if isinstance(node, ast.List):
            return operands
        try:
            if isinstance(node, ast.Constant):
                return float(node.value)  # type: ignore[arg-type]
            return _function(node)(*operands)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._at(node, str(error)) from None


def suggestion(text: str, names: Collection[str] = ()) -> Meant | None:
    """What a formula that cannot be read most likely means; it can be read itself.

    ``names`` are those of the numbers that are known.
    """
    found = meant(text, FUNCTIONS, names)
    if found is None or len(found.text) > _LONGEST:
        return None
    if meant(found.text, FUNCTIONS, names) is not None:
        return None
    try:
        Formula(found.text)
    except ExpressionError:
        return None
    return found


def sign_of(node: Any) -> str:
    """The sign of an infix operator of ``ast``, as Python itself writes it.

    >>> sign_of(ast.FloorDiv)
    '//'
    """
    x = ast.Name("x", ast.Load())
    infix = (
        ast.BinOp(x, node(), x)
        if issubclass(node, ast.operator)
        else ast.Compare(x, [node()], [x])
    )
    return ast.unparse(infix).strip("x ")


def _function(node: Any) -> Callable[..., Any]:
    if isinstance(node, ast.Call):
        return _callable(node.func.id)  # type: ignore[attr-defined]
    return OPERATORS[type(node.ops[0] if isinstance(node, ast.Compare) else node.op)]


def _name(node: Any) -> str:
    """What the operation of a node is called."""
    called = isinstance(node, ast.Call)
    return node.func.id if called else getattr(_function(node), "name", "")


def _callable(name: str) -> Callable[..., Any]:
    """The function of a name; those of one sequence take their operands singly too."""
    function = FUNCTIONS[name]
    if name not in _SEQUENCES:
        return function

    def call(*operands: Any) -> Any:
        listed = len(operands) == 1 and isinstance(operands[0], list)
        return function(operands[0] if listed else operands)

    return call
