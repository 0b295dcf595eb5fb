"""How rows and their partial derivatives are written in a page.

The rules of the table run on symbols and give formulas, which are handed over as trees
of lists; the page puts names into their places and writes MathML.

>>> formulas(["tanh"])[1]["tanh"]
[['sech2', {'n': '0'}]]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd.numbers.symbolic import Expression, Symbol
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE
from viz.formulas.notation import NOTATION


def formulas(rows: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """({row: [form, sign, rank]}, {row: [the tree of each partial]}).

    The first also has the rows that occur in the second. A place in a tree is an
    operand's number, or "z" for the result. Of a row of many operands there is a tree
    for each group, with the group's number for the operand that is meant; ``{"each":
    tree}`` is the sum over all of them.
    """
    partials = {name: _partials(TABLE[name]) for name in rows}
    needed = {*rows, *_rows_in(list(partials.values())), "multiply", "sum"}
    written = {
        name: [known.form, _pair(known.mathml), known.rank]
        for name, known in NOTATION.items()
        if name in needed
    }
    return written, partials


def _partials(row: Primitive) -> list[Any]:
    if row.arity is not None:
        places = tuple([Symbol(str(n)) for n in range(row.arity)])
        return [_tree(formula) for formula in row.partials(places, Symbol("z"))]
    if row.name == "prod":  # the others, whose number varies
        return []
    groups = [(Symbol(str(n)),) for n in range(2 if row.name == "dot" else 1)]
    return [_tree(formula) for (formula,) in row.joint(*groups, Symbol("z"))]


def _pair(sign: str) -> Any:
    """The sign; of fences, one on either side."""
    return list(sign) if len(sign) == 2 and sign[0] in "|⌊⌈" else sign


def _tree(formula: Any) -> Any:
    if isinstance(formula, Symbol):
        return {"n": formula.name}
    if isinstance(formula, Expression):
        row = formula.primitive
        trees = [_tree(operand) for operand in row.flat(formula.operands)]
        return {"each": trees[0]} if row.name == "sum" else [row.name, *trees]
    return float(formula)


def _rows_in(tree: Any) -> Iterable[str]:
    if isinstance(tree, dict):
        yield from _rows_in(tree.get("each"))
    if isinstance(tree, list):
        if tree and isinstance(tree[0], str):
            yield tree[0]
        for branch in tree:
            yield from _rows_in(branch)
