"""The chain rule of one derivative, written out path by path with its numbers.

dy/dx is the sum over all paths from x to y of the product of the partial derivatives
along the path (Bauer 1974). The paths are counted in one pass, not walked one by one;
the largest contributions are found by keeping the few best at each node.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

from autograd.graph import check_acyclic, grouped, operands, topological_order
from autograd.reverse import edges
from autograd.symbolic import Symbol
from autograd.value import Value

__all__ = ["Explanation", "Path", "explain"]

Node = Any


@dataclass(frozen=True)
class Step:
    """One edge of a path: from an operand to the node that uses it."""

    operand: str
    result: str
    operation: str
    formula: str
    partial: float


@dataclass(frozen=True)
class Path:
    """One way from x to y, first step first."""

    steps: tuple[Step, ...]
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """dy/dx: its value, the number of paths, and the largest contributions.

    ``print`` shows them as text; ``latex()`` writes them out.
    """

    y: str
    x: str
    value: float
    count: int
    paths: tuple[Path, ...]

    def __str__(self) -> str:
        shown = len(self.paths)
        few = "" if shown == self.count else f", the {shown} largest"
        lines = [f"d{self.y}/d{self.x} = {self.value!r}: {self.count} path(s){few}"]
        for number, path in enumerate(self.paths, 1):
            way = " -> ".join([path.steps[0].operand, *[s.result for s in path.steps]])
            lines.append(f"{number}. {way}: {path.contribution:.6g}")
            lines += [
                f"     d{s.result}/d{s.operand} = {s.formula} = {s.partial:.6g}"
                for s in path.steps
            ]
        return "\n".join(lines)

    def latex(self) -> str:
        """The sum of products as a LaTeX formula."""
        products = []
        for path in self.paths:
            steps = reversed(path.steps)
            symbols = [
                rf"\frac{{\partial {_tex(s.result)}}}{{\partial {_tex(s.operand)}}}"
                for s in steps
            ]
            numbers = [f"({s.partial:.6g})" for s in reversed(path.steps)]
            products.append((r"\,".join(symbols), r"\cdot".join(numbers)))
        dots = [] if len(self.paths) == self.count else [r"\cdots"]
        first = " + ".join([symbols for symbols, _ in products] + dots)
        second = " + ".join([numbers for _, numbers in products] + dots)
        whole = rf"\frac{{d {_tex(self.y)}}}{{d {_tex(self.x)}}}"
        return f"{whole} = {first} = {second} = {self.value:.6g}"


def _tex(name: str) -> str:
    return rf"\mathrm{{{name}}}".replace("_", r"\_").replace("#", r"\#")


def explain(y: Value, wrt: Value, largest: int = 10) -> Explanation:
    """Write out dy/dwrt: every path, its local derivatives, its contribution.

    Parameters
    ----------
    y, wrt : the result, and the node to differentiate with respect to.
    largest : how many paths to show, those of the largest contribution first; all are
        counted, be there 2^60 of them.

    >>> from autograd import Value, explain
    >>> x, w = Value(3.0, label="x"), Value(2.0, label="w")
    >>> print(explain(w * x + x, wrt=x))
    dy/dx = 3.0: 2 path(s)
    1. x -> v1 -> y: 2
         dv1/dx = w = 2
         dy/dv1 = 1 = 1
    2. x -> y: 1
         dy/dx = 1 = 1
    """
    for node in (y, wrt):
        if not isinstance(node, Value):
            raise TypeError(f"explain takes Values, got {type(node).__name__}")
    if largest < 1:
        raise ValueError(f"largest must be 1 or more, got {largest}")
    interior, leaves = topological_order(y)
    check_acyclic(interior)
    names = _names(interior, leaves, y)
    if wrt not in names:
        names[wrt] = wrt.label or "x"
    count = {y: 1}
    best: dict[Node, list[tuple[float, Any]]] = {y: [(1.0, None)]}
    total: dict[Node, float] = {y: 1.0}
    for node in reversed(interior):
        if node not in count or node is wrt:
            continue
        for position, (operand, partial) in enumerate(_numbered(node)):
            count[operand] = count.get(operand, 0) + count[node]
            total[operand] = total.get(operand, 0.0) + total[node] * partial
            links = [(p * partial, (node, position, more)) for p, more in best[node]]
            links += best.get(operand, [])
            best[operand] = heapq.nlargest(largest, links, key=_size)
    paths = [
        Path(tuple(_steps(wrt, link, names)), product)
        for product, link in best.get(wrt, [])
        if link is not None
    ]
    value = total.get(wrt, 0.0)
    return Explanation(names[y], names[wrt], value, count.get(wrt, 0), tuple(paths))


def _size(link: tuple[float, Any]) -> float:
    return abs(link[0])


def _numbered(node: Node) -> list[tuple[Node, float]]:
    """The operands that something flows from, each with its partial derivative."""
    chooses = node._primitive.chooses
    return [(p, slope) for p, slope in edges(node) if slope or not chooses]


def _names(interior: list[Node], leaves: list[Node], y: Node) -> dict[Node, str]:
    """A name for every node: its label, else v1, v2 ... in topological order."""
    names = {}
    for i, leaf in enumerate(leaves, 1):
        names[leaf] = leaf.label or f"x{i}"
    for i, node in enumerate(interior, 1):
        names[node] = node.label or ("y" if node is y else f"v{i}")
    return names


def _steps(start: Node, link: Any, names: dict[Node, str]) -> Any:
    operand = start
    while link is not None:
        node, position, link = link
        _, partial = _numbered(node)[position]
        yield Step(
            names[operand],
            names[node],
            node._primitive.name,
            _formula(node, position, names),
            partial,
        )
        operand = node


def _formula(node: Node, position: int, names: dict[Node, str]) -> str:
    """The partial derivative of one edge, as the row writes it, with these names."""
    row = node._primitive
    if row.by_hand:
        return "a number given by hand"
    flat = [p if type(p) is float else Symbol(names[p]) for p in operands(node)]
    rest = iter(flat)
    groups = tuple([tuple([next(rest) for _ in xs]) for _, xs in grouped(node)])
    given = groups if row.arity is None else groups[0]
    if row.chooses:  # what is not chosen has no edge
        return f"{_numbered(node)[position][1]:g}"
    formulas = row.partials(given, Symbol(names[node]))
    pairs = zip(operands(node), formulas, strict=True)
    formula = [f for p, f in pairs if type(p) is not float][position]
    return f"{formula:g}" if type(formula) is float else str(formula)
