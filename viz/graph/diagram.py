"""A graph as plain data: boxes and edges, ready to be drawn or collapsed.

Boxes are listed operands first, so every edge leads from a smaller index to a larger
one. A ``dot`` node is drawn as its products and their sum; each product receives the
sum's gradient, since d(sum)/d(product) = 1. The numbers that a layer's neurons share
are its inputs, and have names. Gradients are drawn once some node of the graph has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any

from autograd.graph.nodes import CONSTANT, grouped, pairs_of, topological_order
from autograd.graph.reverse import edges
from autograd.table.primitives import TABLE
from viz.graph.finite import finite_differences
from viz.graph.marks import parts, repeated

Node = Any
DOT = TABLE["dot"]
Span = tuple[float, float]  # the least and the largest of some numbers
Tail = tuple[int, float | None, str]  # an operand: its box, slope, and part

NO_GRADIENTS = "no gradients yet: call backward()"
STALE = "gradients of another result: backward() was not called on this one"


@dataclass(frozen=True, slots=True)
class Box:
    """One box: a leaf, a constant, an operation, or a group of them."""

    kind: str  # "leaf", "constant", "operation" or "group"
    symbol: str  # the operation's sign; for a group, its title
    label: str
    data: Span
    grad: Span | None  # None where there is none, or none yet
    numeric: float | None = None
    note: str = ""
    subject: str = "data"  # what the data are
    weights: Span | None = None  # of a group's parameters
    weight_grads: Span | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from an operand to the operation that uses it."""

    tail: int
    head: int
    partial: float | None = None
    count: int = 1
    part: str = ""  # what the operand is to the operation, such as "exponent"


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes, edges between their indices, which are results, a caption of lines.

    ``layers`` lists boxes that stand side by side: the neurons of a layer, its inputs.
    """

    boxes: list[Box]
    edges: list[Edge]
    results: frozenset[int]
    caption: str = ""
    layers: tuple[tuple[int, ...], ...] = ()


class Trace:
    """The walk from graph nodes to boxes; it remembers which box is which leaf.

    ``fold`` leaves out operations that only repeat their operand; ``inputs`` are names
    for the inputs of the first layer, instead of x0, x1 .... Raises GraphError if the
    graph has a cycle, ValueError if no layer has as many inputs as there are names.
    """

    def __init__(
        self,
        roots: Sequence[Node],
        expand_dots: bool,
        partials: bool,
        fold: bool = True,
        inputs: Sequence[str] = (),
    ) -> None:
        self.roots, self.expand_dots, self.partials = roots, expand_dots, partials
        self.fold, self.folded = fold, 0
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        self.primitives: dict[int, Any] = {}  # of each operation's box
        self._index: dict[Any, int] = {}
        self._constants: dict[Any, int] = {}
        interior, self.leaves = topological_order(*roots)
        self.graded = any(node.grad for node in chain(interior, self.leaves))
        self.layers = _layers(interior)
        self._names = _input_names(self.layers, inputs)
        for leaf in self.leaves:
            self._index[leaf] = self._add(self._box("leaf", "", leaf))
        for node in interior:
            if self._repeats(node):
                continue
            if expand_dots and node._primitive is DOT:
                self._expand(node)
            else:
                self._operation(node)

    @property
    def diagram(self) -> Diagram:
        """All boxes and edges, nothing collapsed."""
        results = frozenset(self._index[root] for root in self.roots)
        return Diagram(
            self.boxes, self.edges, results, self._caption(), (*self._side_by_side(),)
        )

    def _caption(self) -> str:
        lines = []
        if not self.graded:
            lines.append(NO_GRADIENTS)
        elif not any(root.grad for root in self.roots):
            lines.append(STALE)
        if self.folded:
            some = f"{self.folded} operation{'s'[: self.folded > 1]}"
            lines.append(f"{some} without effect left out, fold=False draws all")
        return "\n".join(lines)

    def _side_by_side(self) -> Iterator[tuple[int, ...]]:
        """The inputs of each layer of plain or given numbers, and its neurons."""
        for layer in self.layers:
            found = [self._constants.get(key) for key in layer.keys]
            found += [self._index.get(leaf) for leaf in layer.leaves]
            yield tuple(dict.fromkeys(i for i in found if i is not None))
            yield tuple(dict.fromkeys(self._index[node] for node in layer.neurons))

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
            name = self._names.get(key, "")
            box = Box("constant", "", name, (value, value), None)
            self._constants[key] = self._add(box)
        return self._constants[key]

    def _tail(self, holder: Any, value: float, key: Any) -> int:
        found = self._index.get(holder) if holder is not CONSTANT else None
        return self._constant(value, key) if found is None else found

    def _box(self, kind: str, symbol: str, node: Node) -> Box:
        label = node.label or self._names.get(node, "")
        return Box(kind, symbol, label, (node.data, node.data), self._grad(node))

    def _grad(self, node: Node) -> Span | None:
        grad = node.grad or 0.0  # None, as other libraries clear it, is 0
        return (grad, grad) if self.graded else None

    def _connect(self, box: Box, primitive: Any, operands: list[Tail]) -> int:
        head = self._add(box)
        self.primitives[head] = primitive
        for tail, slope, part in operands:
            partial = slope if self.partials else None
            self.edges.append(Edge(tail, head, partial, part=part))
        return head

    def _repeats(self, node: Node) -> bool:
        """Let the box of the operand stand for a node that only repeats it."""
        operand = repeated(node) if self.fold else None
        return operand is not None and self._stands_for(self._index[operand], node)

    def _stands_for(self, i: int, node: Node) -> bool:
        """Whether a box can stand for a node: both cannot have a name."""
        box = self.boxes[i]
        if node.label and (box.label or box.kind != "operation"):
            return False
        self.boxes[i] = replace(box, label=box.label or node.label)
        self._index[node] = i
        self.folded += 1
        return True

    def _operation(self, node: Node) -> None:
        operands: list[Tail] = []
        slopes = _partials(node) if self.partials else repeat(None)
        is_dot = node._primitive is DOT
        for group, numbers in grouped(node):
            named = parts(node._primitive)
            for i, (holder, x) in enumerate(pairs_of(group, numbers)):
                part = next(named)
                if is_dot and i == 0 and holder is CONSTANT and x == 1.0:
                    continue  # what the bias is multiplied by
                tail = self._tail(holder, x, _key(node, group, numbers, i))
                slope = next(slopes) if holder is not CONSTANT else None
                operands.append((tail, slope, part))
        primitive = node._primitive
        box = self._box("operation", primitive.symbol or primitive.name, node)
        self._index[node] = self._connect(box, primitive, operands)

    def _expand(self, node: Node) -> None:
        """Draw a dot node as a sum of products; its bias is a plain addend."""
        (ws, left), (xs, right) = grouped(node)
        terms: list[Tail] = []
        pairs = zip(pairs_of(ws, left), pairs_of(xs, right), strict=False)
        for i, ((w, w_data), (x, x_data)) in enumerate(pairs):
            tail = self._tail(w, w_data, _key(node, ws, left, (i, 0)))
            if not (i == 0 and x is CONSTANT and x_data == 1.0):
                other = self._tail(x, x_data, _key(node, xs, right, (i, 1)))
                product = w_data * x_data
                box = Box("operation", "*", "", (product, product), self._grad(node))
                slopes = (
                    None if w is CONSTANT else x_data,
                    None if x is CONSTANT else w_data,
                )
                both = zip((tail, other), slopes, ("", ""), strict=True)
                tail = self._connect(box, TABLE["multiply"], list(both))
            terms.append((tail, 1.0, ""))
        if self.fold and len(terms) == 1 and self._stands_for(terms[0][0], node):
            return
        box = self._box("operation", "+", node)
        self._index[node] = self._connect(box, TABLE["sum"], terms)


@dataclass(slots=True)
class _Layer:
    """The dot nodes that share their inputs, and what those are known by."""

    neurons: list[Node]
    width: int
    keys: list[Any]  # of plain numbers
    leaves: list[Node]


def _layers(interior: Sequence[Node]) -> list[_Layer]:
    """The layers of a graph: dot nodes with the very same group of inputs."""
    found: dict[Any, _Layer] = {}
    for node in interior:
        if node._primitive is not DOT:
            continue
        xs, right = grouped(node)[1]
        shared = id(right if xs is CONSTANT else xs)
        if shared in found:
            found[shared].neurons.append(node)
            continue
        first = int(right[0] == 1.0 and (xs is CONSTANT or xs[0] is CONSTANT))
        keys = [(id(right), i) for i in range(first, len(right))]
        leaves = [] if xs is CONSTANT else list(xs[first:])
        if any(x is CONSTANT or x._primitive for x in leaves):
            leaves = []  # inputs are what comes from outside
        plain = keys if xs is CONSTANT else []
        width = len(plain or leaves)
        found[shared] = _Layer([node], width, plain, leaves)
    return list(found.values())


def _input_names(layers: list[_Layer], given: Sequence[str]) -> dict[Any, str]:
    """Names for constants, by key: those given, or x0, x1 ...; for leaves, if given."""
    names: dict[Any, str] = {}
    for layer in layers:
        own = given if len(given) == layer.width else ()
        xs = own or [f"x{i}" for i in range(layer.width)]
        names.update(zip(layer.keys, xs, strict=False))
        names.update(zip(layer.leaves, own, strict=False))
    widths = sorted({layer.width for layer in layers if layer.width})
    if given and len(given) not in widths:
        takes = f"takes {' or '.join(map(str, widths))}" if widths else "is not there"
        raise ValueError(
            f"inputs= gives {len(given)} name(s), and a layer with plain inputs "
            f"{takes}: give a name for each of its inputs"
        )
    return names


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
