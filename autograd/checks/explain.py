"""The chain rule of one derivative, written out path by path with its numbers.

dy/dx is the sum over all paths from x to y of the product of the partial derivatives
along the path (Bauer 1974). The paths are counted in one pass, not walked one by one;
the largest contributions are found by keeping the few best at each node. A node's count
and best are forgotten once they have been handed on to its operands, so that memory
grows with the graph, and not with the number of digits of the count as well.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from math import log10
from typing import Any

from autograd.graph.handmade import Handmade
from autograd.graph.nodes import grouped, operands, topological_order
from autograd.graph.reverse import edges
from autograd.notebooks import Shown
from autograd.numbers.symbolic import Symbol
from autograd.numbers.value import Value

Node = Any
_WHOLE = 10**21  # counts below are printed with all their digits
_LONG = 100  # steps: of longer paths the first and the last half are printed


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


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """dy/dx: its value, the number of paths, and the largest contributions.

    ``print`` shows them as text, of long paths both ends; ``latex()`` writes them out.
    """

    y: str
    x: str
    value: float
    count: int
    paths: tuple[Path, ...]

    def __str__(self) -> str:
        shown = len(self.paths)
        few = "" if shown == self.count else f", the {shown} largest"
        lines = [f"{self._head()}{few}"]
        for number, path in enumerate(self.paths, 1):
            first, last, left_out = _ends(path.steps)
            way = [path.steps[0].operand, *[s.result for s in first]]
            if left_out:
                way += ["...", *[s.result for s in last]]
            lines.append(f"{number}. {' -> '.join(way)}: {path.contribution:.6g}")
            lines += map(_line, first)
            if left_out:
                lines += [f"     ... {left_out} steps ...", *map(_line, last)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{self._head()}>"

    def _head(self) -> str:
        count = _written(self.count)
        return f"d{self.y}/d{self.x} = {self.value!r}: {count} path(s)"

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


def _ends(steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], tuple[Step, ...], int]:
    """The steps to print first, those to print last, and how many lie between."""
    if len(steps) <= _LONG:
        return steps, (), 0
    half = _LONG // 2
    return steps[:half], steps[-half:], len(steps) - 2 * half


def _line(step: Step) -> str:
    value = f"{step.partial:.6g}"
    said = value if step.formula == value else f"{step.formula} = {value}"
    return f"     d{step.result}/d{step.operand} = {said}"


def _written(count: int) -> str:
    """A count in digits, or its size: Python writes no integer of 4,300 digits.

    >>> _written(2**60), _written(2**100_000)
    ('1152921504606846976', 'about 9.99e+30102')
    """
    if count < _WHOLE:
        return str(count)
    exponent, rest = divmod(log10(count), 1.0)
    return f"about {10.0**rest:.2f}e+{exponent:.0f}"


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
         dy/dv1 = 1
    2. x -> y: 1
         dy/dx = 1
    """
    for node in (y, wrt):
        if not isinstance(node, Value):
            raise TypeError(
                f"explain takes Values, got {type(node).__name__}: give it the result "
                "of operations on Values, not its .data"
            )
    if largest < 1:
        raise ValueError(f"largest must be 1 or more, got {largest}")
    interior, leaves = topological_order(y)
    names = _names(interior, leaves, y)
    if wrt not in names:
        names[wrt] = wrt.label or "x"
    between = _above(wrt, interior)
    known: dict[Node, _Paths] = {y: (1, 1.0, [(1.0, None)])} if y in between else {}
    for node in reversed(interior):
        if node not in known or node is wrt:
            continue
        count, total, best = known.pop(node)
        for position, (operand, partial) in enumerate(_edges(node)):
            if operand not in between:
                continue
            links = [(p * partial, (node, position, more)) for p, more in best]
            found = count, total * partial, links
            if operand in known:
                found = _together(known[operand], found, largest)
            known[operand] = found
    count, value, best = known.get(wrt, (0, 0.0, []))
    steps: dict[tuple[Node, int], Step] = {}
    paths = [
        Path(tuple(_steps(wrt, link, names, steps)), product)
        for product, link in best
        if link is not None
    ]
    return Explanation(names[y], names[wrt], value, count, tuple(paths))


# From y to a node: the number of paths, dy/dnode, and (product, last edge) of the best.
_Paths = tuple[int, float, list[tuple[float, Any]]]


def _above(wrt: Node, interior: list[Node]) -> set[Node]:
    """The nodes from which a path leads to wrt, itself included."""
    above = {wrt}
    for node in interior:
        if any(type(p) is not float and p in above for p in operands(node)):
            above.add(node)
    return above


def _together(some: _Paths, more: _Paths, largest: int) -> _Paths:
    best = heapq.nlargest(largest, [*more[2], *some[2]], key=_size)
    return some[0] + more[0], some[1] + more[1], best


def _size(link: tuple[float, Any]) -> float:
    return abs(link[0])


def _edges(node: Node) -> list[tuple[Node, float]]:
    """The operands that something flows from, each with its partial derivative."""
    chooses = node._primitive.chooses
    return [(p, slope) for p, slope in edges(node) if slope or not chooses]


def _names(interior: list[Node], leaves: list[Node], y: Node) -> dict[Node, str]:
    """A name for every node: its label, else v1, v2 ... in topological order."""
    taken = {node.label for node in (*leaves, *interior)}
    names = {x: x.label or unused(f"x{i}", taken) for i, x in enumerate(leaves, 1)}
    for i, node in enumerate(interior, 1):
        names[node] = node.label or unused(f"v{i}", taken)
    names[y] = y.label or result_name(taken)
    return names


def result_name(taken: set[str]) -> str:
    """What a result without a label is called, where others have these labels."""
    return next((x for x in ("y", "L") if x not in taken), unused("result", taken))


def unused(name: str, taken: set[str]) -> str:
    """The name, or one like it that no label is."""
    while name in taken:
        name += "_"
    return name


def _steps(
    start: Node,
    link: Any,
    names: dict[Node, str],
    known: dict[tuple[Node, int], Step],
) -> Iterator[Step]:
    """The edges of a path; those that paths share are one object."""
    operand = start
    while link is not None:
        node, position, link = link
        if (node, position) not in known:
            _, partial = _edges(node)[position]
            known[node, position] = Step(
                names[operand],
                names[node],
                node._primitive.name,
                _formula(node, position, names),
                partial,
            )
        yield known[node, position]
        operand = node


def _formula(node: Node, position: int, names: dict[Node, str]) -> str:
    """The partial derivative of one edge as a formula, with these names."""
    primitive = node._primitive
    if isinstance(primitive, Handmade):
        return "a number given by hand"
    flat = [p if type(p) is float else Symbol(names[p]) for p in operands(node)]
    given = primitive.regroup(flat, [len(xs) for _, xs in grouped(node)])
    if primitive.chooses:  # what is not chosen has no edge
        return f"{_edges(node)[position][1]:g}"
    formulas = primitive.partials(given, Symbol(names[node]))
    pairs = zip(operands(node), formulas, strict=True)
    formula = [f for p, f in pairs if type(p) is not float][position]
    return f"{formula:g}" if type(formula) is float else str(formula)
