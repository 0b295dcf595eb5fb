"""A graph as formulas: what was computed, and the chain rule, with their numbers.

Reverse mode runs on symbols: every node has a formula in its operands, and a formula
for the derivative of the result by it, the sum over its users u of dy/du du/dx. Nodes
that are labelled, or used more than once, get names and lines of their own; the others
stand inside of their user's formula.

    y = tanh(w * x + b):    dy/dw = sech^2(w x + b) x = 1.002
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

from autograd.checks.explain import result_name
from autograd.errors import RenderError
from autograd.graph.nodes import CONSTANT, grouped, operands, pairs, topological_order
from autograd.graph.reverse import cotangents_of, edges
from autograd.numbers.symbolic import Expression, Symbol
from autograd.numbers.value import Value
from autograd.table.primitives import TABLE
from viz.formulas.trees import filled, is_predicate, partials
from viz.formulas.written import LATEX, MATHML, Derivative, Dialect, written

Node = Any


def latex(y: Value, max_nodes: int = 100) -> str:
    r"""The formula below a result in LaTeX, its derivatives, and all their numbers.

    Parameters
    ----------
    y : the result.
    max_nodes : the most operations that are written out.

    Returns an ``aligned`` environment, for display mathematics in LaTeX, KaTeX and
    MathJax. Raises TypeError if y is no Value, GraphError for a graph with a cycle, and
    RenderError for more than ``max_nodes`` operations.

    Examples
    --------
    >>> from autograd import Value
    >>> from viz import latex
    >>> w, x = Value(3.0, label="w"), Value(2.0, label="x")
    >>> print(latex(w * x))
    \begin{aligned}
    y &= w \cdot x = 6 \\
    \frac{\partial y}{\partial w} &= x = 2 \\
    \frac{\partial y}{\partial x} &= w = 3
    \end{aligned}
    """
    lines = [f"{left} &= {right}" for left, right in _lines(y, max_nodes, LATEX, " = ")]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def mathml(y: Value, max_nodes: int = 100) -> str:
    """The same in MathML, which browsers draw by themselves.

    Parameters
    ----------
    y, max_nodes : as for ``latex``.

    Returns a ``math`` element. Raises as ``latex`` does.

    Examples
    --------
    >>> from autograd import Value
    >>> from viz import mathml
    >>> mathml(Value(2.0, label="x") * 3.0).count("<mtr>")
    2
    """
    equals, start = "<mo>=</mo>", 'style="text-align: left"'
    rows = [
        f"<mtr><mtd>{left}</mtd><mtd>{equals}</mtd><mtd {start}>{right}</mtd></mtr>"
        for left, right in _lines(y, max_nodes, MATHML, equals)
    ]
    table = f'<mtable displaystyle="true">{"".join(rows)}</mtable>'
    return f'<math display="block">{table}</math>'


def _lines(
    y: Value, max_nodes: int, dialect: Dialect, equals: str
) -> Iterator[tuple[str, str]]:
    """(left side, right side) of each line."""
    if not isinstance(y, Value):
        raise TypeError(
            f"only Values have formulas, got {type(y).__name__}: give the result "
            "itself, not its .data"
        )
    found = _Derivation(y, max_nodes)
    if not found.interior:
        yield dialect.name(found.names[y]), dialect.number(y.data)
    for node in found.named_interior:
        texts = written(found.formulas[node], dialect), dialect.number(node.data)
        yield dialect.name(found.names[node]), equals.join(texts)
    for node, formula in found.derivatives():
        name = found.names[node]
        left = written(Derivative(found.names[y], name), dialect)
        number = dialect.number(found.cotangents.get(node, 0.0))
        text = written(formula, dialect)
        yield left, text if text == number else equals.join([text, number])


class _Derivation:
    """Formulas of the nodes, and of the derivatives by those that have names."""

    def __init__(self, y: Node, max_nodes: int) -> None:
        self.y = y
        self.interior, self.leaves = topological_order(y)
        if len(self.interior) > max_nodes:
            raise RenderError(
                f"the formula would have {len(self.interior):,} operations, more than "
                f"max_nodes={max_nodes}: write out a part of the graph, raise "
                f"max_nodes, or open it in a page: viz.explore"
            )
        self.names = self._named()
        self.cotangents = cotangents_of([(y, 1.0)])
        self.formulas: dict[Node, Any] = {}
        for node in self.interior:
            self.formulas[node] = self._formula(node)

    @property
    def named_interior(self) -> list[Node]:
        """The operations that have a line of their own, in their order."""
        return [node for node in self.interior if node in self.names]

    def _named(self) -> dict[Node, str]:
        uses = Counter(
            p for n in self.interior for p in operands(n) if type(p) is not float
        )
        taken = {node.label for node in (*self.leaves, *self.interior)}
        free = (f"v{i}" for i in count(1) if f"v{i}" not in taken)
        inputs = (f"x{i}" for i in count(1) if f"x{i}" not in taken)
        names = {x: x.label or next(inputs) for x in self.leaves}
        for node in self.interior:
            if node.label or (uses[node] > 1 and node is not self.y):
                names[node] = node.label or next(free)
        names[self.y] = self.y.label or result_name(taken)
        return names

    def _symbol(self, node: Node) -> Any:
        """What stands for a node in the formula of another."""
        return Symbol(self.names[node]) if node in self.names else self.formulas[node]

    def _given(self, node: Node) -> Any:
        flat = [x if p is CONSTANT else self._symbol(p) for p, x in pairs(node)]
        return node._primitive.regroup(flat, [len(xs) for _, xs in grouped(node)])

    def _formula(self, node: Node) -> Any:
        return Expression(node._primitive, self._given(node))

    def derivatives(self) -> Iterator[tuple[Node, Any]]:
        """(node, the formula of dy/dnode) for all that have names but y, from y on."""
        found: dict[Node, Any] = {self.y: 1.0}
        for node in reversed(self.interior):
            if node not in found:
                continue
            if node in self.names and node is not self.y:
                yield node, found[node]
                found[node] = Derivative(self.names[self.y], self.names[node])
            for operand, partial in self._partials(node):
                part = _product(found[node], partial)
                found[operand] = found[operand] + part if operand in found else part
        for leaf in self.leaves:
            if leaf is not self.y:
                yield leaf, found.get(leaf, 0.0)

    def _partials(self, node: Node) -> Iterator[tuple[Node, Any]]:
        """The operands that something flows to, each with its partial's formula."""
        primitive, flat = node._primitive, list(pairs(node))
        if primitive.push:  # a closure: nobody knows
            return
        numbers = iter([slope for _, slope in edges(node)])
        for k, (operand, _) in enumerate(flat):
            if operand is CONSTANT:
                continue
            number = next(numbers)
            if not (primitive.chooses and number == 0.0):
                formula = self._partial(node, k)
                yield operand, number if formula is None else formula

    def _partial(self, node: Node, k: int) -> Any:
        """The formula of a partial derivative; None where its number says more."""
        primitive, given = node._primitive, self._given(node)
        several = primitive.arity is None
        if not _is_own(primitive) or (several and primitive.chooses):
            return None
        if primitive.name == "prod":
            others = tuple([x for n, x in enumerate(given[0]) if n != k])
            return Expression(primitive, (others,)) if others else 1.0
        group, place = divmod(k, len(given[0])) if several else (k, 0)
        tree = partials(primitive)[group]
        if is_predicate(tree):  # where: whether it was chosen
            return None
        groups = given if several else [[x] for x in given]
        return filled(tree, groups, place, self._symbol(node))


def _is_own(primitive: Any) -> bool:
    return TABLE.get(primitive.name) is primitive


def _product(x: Any, y: Any) -> Any:
    """x * y, without what multiplies by 1."""
    if type(x) is float and x == 1.0:
        return y
    return x if type(y) is float and y == 1.0 else x * y
