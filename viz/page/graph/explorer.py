"""explore: a live page of a graph, in one file.

Python hands over the graph as plain data, operands first: what each node is, where its
operands are, its number, its label, the neuron that it belongs to, and the line that
made it. All else is done by the page: it evaluates the rows and their derivatives
itself (``operations``), lays out and draws.
"""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, overload

from autograd.checks.sources import Line, line_of
from autograd.errors import RenderError
from autograd.graph.nodes import CONSTANT, grouped, pairs_of, topological_order
from autograd.graph.reverse import edges
from autograd.numbers.value import Value
from autograd.table.primitives import TABLE
from viz.formulas.trees import tables
from viz.graph.diagram import Box, Diagram, Edge
from viz.graph.marks import parts
from viz.graph.owners import owners
from viz.graph.render import roots_of
from viz.page import operations
from viz.page.document import Page, as_json, document, source

Node = Any
SCRIPTS = (
    *("numbers.js", "elements.js", "graph/graph.js", "graph/layout.js"),
    *("graph/fold.js", "graph/mathml.js", "graph/draw.js", "graph/explorer.js"),
    *("graph/input.js", "graph/panel.js"),
)
_FEW = 40  # nodes; more can be a crowd
_AROUND = 2  # lines shown before and after the one that made a node


@overload
def explore(
    y: Value | Iterable[Value],
    path: None = None,
    *,
    title: str = "",
    max_nodes: int = 20_000,
) -> Page: ...
@overload
def explore(
    y: Value | Iterable[Value],
    path: str | os.PathLike[str],
    *,
    title: str = "",
    max_nodes: int = 20_000,
) -> Path: ...
def explore(
    y: Value | Iterable[Value],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "",
    max_nodes: int = 20_000,
) -> Page | Path:
    """A live page of the graph below a result: one HTML file, and nothing else.

    In the page leaves are dragged, and all numbers follow; both passes go step by step;
    a selected node shows its local derivatives and the chain rule that made its
    gradient; neurons, layers and repeated parts fold. Gradients are those of y, or of
    the sum of several results, whatever ``.grad`` holds.

    Parameters
    ----------
    y : the result, or several of them.
    path : a file name that ends in .html; without one, a page to show in a notebook.
    title : the heading; by default the label of the result.
    max_nodes : the most nodes in a page.

    Returns the path, or the page. The file appears whole or not at all. The page
    computes everything from the leaves' data as they are now. What only Python can
    evaluate (your own primitives) keeps its number, and what it depends on stays fixed;
    where only ``backward()`` knows the way back, gradients are shown as unknown. Lines
    of Python are shown for nodes made under ``source_lines``.

    Raises TypeError if y is no Value, GraphError for a graph with a cycle, RenderError
    for more than ``max_nodes`` nodes, another ending, or a file that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from autograd import Value, tanh
    >>> from viz import explore
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     explore(tanh(Value(0.5, label="x")), folder + "/neuron.html").name
    'neuron.html'
    """
    roots = roots_of(y)
    graph = _Graph(roots, max_nodes)
    named = title or " and ".join(root.label for root in roots[:3] if root.label)
    heading = named or "a computation graph"
    data = {**graph.data(), "title": heading}
    code = operations.code(graph.rows) + notation(graph.rows)
    body = source("graph/explorer.html")
    crowd = ["graph/crowd.js"] if len(graph.nodes) > _FEW else []
    scripts = [*SCRIPTS, *crowd, "graph/open.js"]
    page = document(heading, body, scripts, data, code, ["graph/explorer.css"])
    return page.to(path)


def notation(rows: Iterable[str]) -> str:
    """JavaScript that says how rows, their derivatives and operands are written."""
    written, trees = tables(rows)
    found = {name: list(islice(parts(TABLE[name]), 3)) for name in rows}
    named = {name: marks for name, marks in found.items() if any(marks)}
    known = {"NOTATION": written, "PARTIALS": trees, "PARTS": named}
    return "".join([f"const {k}={as_json(table)};\n" for k, table in known.items()])


class _Graph:
    """The nodes below some results as plain data, every operand before its users."""

    def __init__(self, roots: Sequence[Node], max_nodes: int) -> None:
        self.roots = roots
        self.nodes: list[dict[str, Any]] = []
        self.sources: dict[Line, int] = {}
        self._index: dict[Any, int] = {}
        interior, leaves = topological_order(*roots)
        count = len(interior) + len(leaves)
        if count > max_nodes:
            raise RenderError(
                f"the page would have {count:,} nodes, more than max_nodes="
                f"{max_nodes:,}: explore a part of the graph (a loss of fewer samples, "
                f"a layer's output), or raise max_nodes"
            )
        for leaf in leaves:
            self._index[leaf] = self._add(row=None, data=leaf.data, label=leaf.label)
        for node in interior:
            self._operation(node)
        self._owners()

    def _add(self, **node: Any) -> int:
        """A node; what is empty is left out, and filled in by the page."""
        self.nodes.append({k: v for k, v in node.items() if v or k in ("row", "data")})
        return len(self.nodes) - 1

    def _operation(self, node: Node) -> None:
        operands, sizes = list[int](), list[int]()
        for group, numbers in grouped(node):
            sizes.append(len(numbers))
            for i, (holder, x) in enumerate(pairs_of(group, numbers)):
                shared = group is CONSTANT
                key = (id(numbers), i) if shared else (id(node), len(operands))
                operands.append(self._operand(holder, x, key))
        primitive, line = node._primitive, line_of(node)
        own = TABLE.get(primitive.name) is not primitive
        if line is not None:
            self.sources.setdefault(line, len(self.sources))
        index = self._add(
            row=primitive.name if not own else f"python:{primitive.name}",
            data=node.data,
            label=node.label,
            args=operands,
            sizes=sizes if primitive.arity is None else None,
            symbol=primitive.symbol if own else None,
        )
        if own:
            self.nodes[index]["slopes"] = _slopes(node)
        if line is not None:
            self.nodes[index]["source"] = self.sources[line]
        self._index[node] = index

    def _operand(self, holder: Any, x: float, key: Any) -> int:
        found = self._index.get(holder if holder is not CONSTANT else key)
        if found is None:
            found = self._index[key] = self._add(row="", data=x)
        return found

    def _owners(self) -> None:
        """The layer and the neuron of each node, by the names of parameters."""
        boxes = [_box(node) for node in self.nodes]
        arrows = [
            Edge(tail, head)
            for head, node in enumerate(self.nodes)
            for tail in node.get("args", ())
        ]
        diagram = Diagram(boxes, arrows, frozenset())
        layers, neurons = owners(diagram, "layer"), owners(diagram, "neuron")
        for node, layer, neuron in zip(self.nodes, layers, neurons, strict=True):
            if layer:
                node["owner"] = [layer, neuron]

    @property
    def rows(self) -> list[str]:
        """The rows of the table that take part; products, for dots that are opened."""
        found = {node["row"] for node in self.nodes} & TABLE.keys()
        opened = {"multiply", "sum"} if "dot" in found else set()
        return sorted(found | opened | {"add"})

    def data(self) -> dict[str, Any]:
        """What the page reads: nodes, results and lines of Python."""
        return {
            "nodes": self.nodes,
            "results": [self._index[root] for root in self.roots],
            "sources": [_excerpt(line) for line in self.sources],
        }


def _box(node: dict[str, Any]) -> Box:
    row, x = node["row"], node["data"]
    kind = "operation" if row else "leaf" if row is None else "constant"
    symbol = TABLE[row].symbol if row in TABLE else row or ""
    return Box(kind, symbol, node.get("label", ""), (x, x), None)


def _slopes(node: Node) -> list[float] | None:
    """The partial derivatives of what only Python can evaluate; 0 for plain numbers.

    None for a closure, whose slopes nobody knows.
    """
    if node._primitive.push:
        return None
    known = iter([float(slope) for _, slope in edges(node)])
    flat = [holder for group, xs in grouped(node) for holder, _ in pairs_of(group, xs)]
    return [0.0 if holder is CONSTANT else next(known) for holder in flat]


def _excerpt(line: Line) -> dict[str, Any]:
    """A line with those around it; of its file only the name: pages are passed on."""
    lines = linecache.getlines(line.file)
    first = max(1, line.number - _AROUND)
    shown = [text.rstrip("\n") for text in lines[first - 1 : line.number + _AROUND]]
    name = os.path.basename(line.file)
    return {"file": name, "line": line.number, "first": first, "lines": shown}
