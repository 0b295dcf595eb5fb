"""A graph as plain data: boxes and edges, ready to be drawn or collapsed.

Boxes are listed operands first, so every edge leads from a smaller index to a larger
one. A ``dot`` node is drawn as its products and their sum; each product receives the
sum's gradient, since d(sum)/d(product) = 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

from autograd.graph.nodes import CONSTANT, grouped, pairs_of, topological_order
from autograd.graph.reverse import edges
from autograd.table.primitives import TABLE
from viz.graph.finite import finite_differences

Node = Any
DOT = TABLE["dot"]
Span = tuple[float, float]  # the least and the largest of some numbers


@dataclass(frozen=True, slots=True)
class Box:
    """One box: a leaf, a constant, an operation, or a group of them."""

    kind: str  # "leaf", "constant", "operation" or "group"
    symbol: str  # the operation's sign; for a group, its title
    label: str
    data: Span
    grad: Span | None
    numeric: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from an operand to the operation that uses it."""

    tail: int
    head: int
    partial: float | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes, the edges between their indices, which boxes are results, a caption."""

    boxes: list[Box]
    edges: list[Edge]
    results: frozenset[int]
    caption: str = ""


class Trace:
    """The walk from graph nodes to boxes; it remembers which box is which leaf.

    Raises GraphError if the graph has a cycle.
    """

    def __init__(
        self, roots: Sequence[Node], expand_dots: bool, partials: bool
    ) -> None:
        self.roots, self.expand_dots, self.partials = roots, expand_dots, partials
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        self._index: dict[Any, int] = {}
        self._constants: dict[Any, int] = {}
        interior, self.leaves = topological_order(*roots)
        for leaf in self.leaves:
            self._index[leaf] = self._add(_box("leaf", "", leaf))
        for node in interior:
            if expand_dots and node._primitive is DOT:
                self._expand(node)
            else:
                self._operation(node)

    @property
    def diagram(self) -> Diagram:
        """All boxes and edges, nothing collapsed."""
        results = frozenset(self._index[root] for root in self.roots)
        return Diagram(self.boxes, self.edges, results)

    def with_numeric(self, diagram: Diagram) -> Diagram:
        """The diagram with the finite difference beside the gradient of its leaves."""
        leaf_of = {id(self.boxes[self._index[leaf]]): leaf for leaf in self.leaves}
        drawn = [leaf_of[id(box)] for box in diagram.boxes if id(box) in leaf_of]
        slopes = finite_differences(self.roots, drawn)
        boxes = [
            _compared(box, slopes[leaf_of[id(box)]]) if id(box) in leaf_of else box
            for box in diagram.boxes
        ]
        return replace(diagram, boxes=boxes)

    def _add(self, box: Box) -> int:
        self.boxes.append(box)
        return len(self.boxes) - 1

    def _constant(self, value: float, key: Any) -> int:
        """The box of a plain number; the neurons of a layer share their inputs'."""
        if key not in self._constants:
            box = Box("constant", "", "", (value, value), None)
            self._constants[key] = self._add(box)
        return self._constants[key]

    def _tail(self, holder: Any, value: float, key: Any) -> int:
        found = self._index.get(holder) if holder is not CONSTANT else None
        return self._constant(value, key) if found is None else found

    def _connect(self, box: Box, operands: list[tuple[int, float | None]]) -> int:
        head = self._add(box)
        for tail, partial in operands:
            self.edges.append(Edge(tail, head, partial if self.partials else None))
        return head

    def _operation(self, node: Node) -> None:
        operands: list[tuple[int, float | None]] = []
        slopes = _partials(node) if self.partials else repeat(None)
        is_dot = node._primitive is DOT
        for group, numbers in grouped(node):
            for i, (holder, x) in enumerate(pairs_of(group, numbers)):
                if is_dot and i == 0 and holder is CONSTANT and x == 1.0:
                    continue  # what the bias is multiplied by
                tail = self._tail(holder, x, _key(node, group, numbers, i))
                slope = next(slopes) if holder is not CONSTANT else None
                operands.append((tail, slope))
        primitive = node._primitive
        box = _box("operation", primitive.symbol or primitive.name, node)
        self._index[node] = self._connect(box, operands)

    def _expand(self, node: Node) -> None:
        """Draw a dot node as a sum of products; its bias is a plain addend."""
        (ws, left), (xs, right) = grouped(node)
        terms: list[tuple[int, float | None]] = []
        pairs = zip(pairs_of(ws, left), pairs_of(xs, right), strict=False)
        for i, ((w, w_data), (x, x_data)) in enumerate(pairs):
            tail = self._tail(w, w_data, _key(node, ws, left, (i, 0)))
            if not (i == 0 and x is CONSTANT and x_data == 1.0):
                other = self._tail(x, x_data, _key(node, xs, right, (i, 1)))
                product, grad = w_data * x_data, node.grad or 0.0
                box = Box("operation", "*", "", (product, product), (grad, grad))
                slopes = (
                    None if w is CONSTANT else x_data,
                    None if x is CONSTANT else w_data,
                )
                operands = list(zip((tail, other), slopes, strict=True))
                tail = self._connect(box, operands)
            terms.append((tail, 1.0))
        self._index[node] = self._connect(_box("operation", "+", node), terms)


def _box(kind: str, symbol: str, node: Node) -> Box:
    grad = node.grad or 0.0  # None, as other libraries clear it, is 0
    return Box(kind, symbol, node.label, (node.data, node.data), (grad, grad))


def _compared(box: Box, slope: float | None) -> Box:
    return replace(box, numeric=slope, note="numeric n/a" if slope is None else "")


def _key(node: Node, group: Any, numbers: Any, position: Any) -> Any:
    """What identifies a constant: its place in a shared group, or in this node."""
    if group is CONSTANT:
        return id(numbers), position if isinstance(position, int) else position[0]
    return id(node), position


def _partials(node: Node) -> Iterator[float | None]:
    """d(node)/d(operand) for the operands that are nodes, in their order."""
    if node._primitive.push:  # a closure
        return repeat(None)
    return (partial for _, partial in edges(node))
