"""The partial derivatives of the table as trees, for pages and for formulas of graphs.

A row's rules run on symbols, and the formulas that come back become trees of lists:
``["sech2", {"n": "0"}]``. Guards are left out, which make a rule right at the edges of
its domain and which no textbook writes: y x^(y - 1) is how the derivative of a power is
written, whatever is done about x = 0.

>>> partials(TABLE["power"])[0]
['multiply', {'n': '1'}, ['power', {'n': '0'}, ['subtract', {'n': '1'}, 1.0]]]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any

from autograd.numbers.symbolic import Expression, Symbol
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE
from viz.formulas.notation import NOTATION

Tree = Any
_PREDICATES = {name for name, row in TABLE.items() if row.predicate}


def partials(row: Primitive) -> list[Tree]:
    """The partial derivative for each operand, or for each group of operands.

    A place in a tree is ``{"n": operand}``, or "z" for the result. Of a row of many
    operands the place is the operand that is meant of a group, and ``{"each": tree}`` a
    sum over all; a product has no such tree, for its partials are the others' products.
    """
    if row.arity is not None:
        places = tuple([Symbol(str(n)) for n in range(row.arity)])
        return [_tree(formula) for formula in row.partials(places, Symbol("z"))]
    if row.name == "prod":
        return []
    groups = [(Symbol(str(n)),) for n in range(2 if row.name == "dot" else 1)]
    return [_tree(formula) for (formula,) in row.joint(*groups, Symbol("z"))]


def filled(tree: Tree, groups: Sequence[Sequence[Any]], k: int, result: Any) -> Any:
    """The formula of a tree: what stands for its places, the k-th operand being meant.

    Rows of a fixed number of operands have each in a group of its own, and k = 0.
    """
    if isinstance(tree, float):
        return tree
    if isinstance(tree, list):
        row = TABLE[tree[0]]
        operands = tuple([filled(part, groups, k, result) for part in tree[1:]])
        return _folded(row, operands if row.arity is not None else (operands,))
    if "each" in tree:
        each = range(len(groups[0]))
        terms = tuple([filled(tree["each"], groups, n, result) for n in each])
        return Expression(TABLE["sum"], (terms,))
    return result if tree["n"] == "z" else groups[int(tree["n"])][k]


def _folded(row: Primitive, operands: tuple[Any, ...]) -> Any:
    """The operation; its value if it is one of numbers alone, and x for x ** 1."""
    if all(type(x) is float for x in row.flat(operands)):
        return row.evaluate(*operands)
    if row.name == "power" and operands[1] == 1.0:
        return operands[0]
    return Expression(row, operands)


def tables(rows: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """({row: [form, sign, rank]}, {row: [the tree of each partial]}), for a page.

    The first also has the rows that occur in the second.
    """
    trees = {name: partials(TABLE[name]) for name in rows}
    needed = {*rows, *_rows_in([*trees.values()]), "multiply", "sum"}
    written = {
        name: [known.form, _pair(known.mathml), known.rank]
        for name, known in NOTATION.items()
        if name in needed
    }
    return written, trees


def _pair(sign: str) -> Any:
    """The sign; of fences, one on either side."""
    return list(sign) if len(sign) == 2 and sign[0] in "|⌊⌈" else sign


def _tree(formula: Any) -> Tree:
    if isinstance(formula, Symbol):
        return {"n": formula.name}
    if not isinstance(formula, Expression):
        return float(formula)
    row = formula.primitive
    trees = [_tree(operand) for operand in row.flat(formula.operands)]
    if row.name == "where":  # a guard: what holds elsewhere
        return trees[1] if _is_nan(trees[2]) else trees[2]
    if row.name == "nonnegative":
        return trees[0]
    if row.name == "add" and is_predicate(trees[1]):
        return trees[0]
    if row.name == "guarded_multiply":
        return ["multiply", *trees]
    return {"each": trees[0]} if row.name == "sum" else [row.name, *trees]


def _is_nan(tree: Tree) -> bool:
    return isinstance(tree, float) and isnan(tree)


def is_predicate(tree: Tree) -> bool:
    """Whether a formula is a comparison, which is 0 or 1."""
    return isinstance(tree, list) and tree[0] in _PREDICATES


def _rows_in(tree: Tree) -> Iterable[str]:
    if isinstance(tree, dict):
        yield from _rows_in(tree.get("each"))
    if isinstance(tree, list):
        if tree and isinstance(tree[0], str):
            yield tree[0]
        for branch in tree:
            yield from _rows_in(branch)
