"""A film of backpropagation, frame by frame: what is known, and what happens.

First the leaves are given; each operation is computed from its operands (forward); the
result's own gradient is 1; each operation, last to first, hands its gradient times a
local derivative to its operands, where the shares add up (backward). The gradients are
worked out here, on the boxes, and nothing is written into the graph.

All frames have one layout: cells have fixed sizes, and what is not known yet is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from autograd.errors import GraphError
from autograd.graph.strong import is_zero, share
from viz.graph import labels
from viz.graph.caption import NOT_FINITE, TINTS, is_odd
from viz.graph.diagram import Box, Diagram, Edge, Trace
from viz.graph.dot import canvas, cell, colour, constant, hold_order, title

_NOW, _FLOW = "#fde047", "#ea580c"  # the box that acts, and what moves
_LETTER, _LINE, _MOST_LINES = 7.2, 16, 5  # points of width and height; lines of text
_INFIX = {"+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">="}


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the film."""

    known: int  # boxes up to here have data
    grads: dict[int, float]  # the sums so far
    now: int | None  # the box that acts
    lines: tuple[str, ...]  # what happens
    moves: bool = True  # whether its arrows carry something


class Story:
    """The frames of a traced graph, and their pictures in Graphviz's language.

    Raises GraphError if an operation was made by hand: only ``backward()`` can follow.
    """

    def __init__(self, trace: Trace) -> None:
        self.primitives = trace.primitives
        self.diagram = _with_names(trace.diagram)
        self.into: dict[int, list[Edge]] = {}
        for edge in self.diagram.edges:
            self.into.setdefault(edge.head, []).append(edge)
        self.names = [_name(box) for box in self.diagram.boxes]
        (self.root,) = self.diagram.results
        self.frames = [*self._forward(), *self._backward()]
        grads = map(abs, self.frames[-1].grads.values())
        self._largest = max(filter(isfinite, grads), default=0.0)
        self._longest = dict.fromkeys(range(len(self.names)), len(_grad(0.0)))
        for frame in self.frames:
            for i, grad in frame.grads.items():
                self._longest[i] = max(self._longest[i], len(_grad(grad)))

    def _forward(self) -> Iterator[Frame]:
        boxes = self.diagram.boxes
        yield Frame(-1, {}, None, ("forward: the leaves are given",))
        for i, box in enumerate(boxes):
            if box.kind == "operation":
                line = f"forward: {self._formula(i)} = {labels.number(box.data[0])}"
                yield Frame(i, {}, i, (line,))

    def _formula(self, i: int) -> str:
        """``z = a + b``: the operation in the names of its operands."""
        box, operands = self.diagram.boxes[i], self.into[i]
        names = [self.names[edge.tail] for edge in operands]
        shown = names if len(names) <= 4 else [*names[:3], "…", names[-1]]
        infix = box.symbol in _INFIX and len(names) > 1
        text = (
            f" {box.symbol} ".join(shown)
            if infix
            else f"{box.symbol}({', '.join(shown)})"
        )
        return f"{self.names[i]} = {text}"

    def _backward(self) -> Iterator[Frame]:
        last, y = len(self.diagram.boxes) - 1, self.names[self.root]
        grads = {self.root: 1.0}
        start = (f"backward: d{y}/d{y} = 1",)
        yield Frame(last, dict(grads), self.root, start, moves=False)
        for i in range(last, -1, -1):
            if i in grads and self.diagram.boxes[i].kind == "operation":
                lines = list(self._handed_on(i, grads))
                yield Frame(last, dict(grads), i, tuple(lines or ["backward: 0"]))

    def _handed_on(self, i: int, grads: dict[int, float]) -> Iterator[str]:
        """Add the shares of the operands; what is said of each."""
        y, z, primitive = self.names[self.root], self.names[i], self.primitives[i]
        for edge in self.into[i]:
            if self.diagram.boxes[edge.tail].kind == "constant":
                continue
            if edge.partial is None:
                raise GraphError(
                    f"operation {primitive.name!r} was made by hand, which only "
                    f"backward() can follow; write it as a Primitive to animate it"
                )
            if primitive.chooses and is_zero(edge.partial):
                continue  # not chosen
            part = share(primitive, grads[i], edge.partial)
            before = grads.get(edge.tail)
            grads[edge.tail] = part if before is None else before + part
            x = self.names[edge.tail]
            slope, sent = labels.number(edge.partial), labels.number(grads[i])
            total = labels.number(grads[edge.tail])
            now = "" if before is None else f", now {total}"
            yield (
                f"backward: d{y}/d{x} += ∂{z}/∂{x} · d{y}/d{z} = "
                f"{slope} · {sent} = {labels.number(part)}{now}"
            )

    def sources(self, rankdir: str) -> list[str]:
        """Each frame in Graphviz's language, all of one layout."""
        rows = max(len(frame.lines) for frame in self.frames)
        rows = min(rows, _MOST_LINES)
        longest = max(len(line) for frame in self.frames for line in frame.lines)
        return [self._source(f, rankdir, rows, longest) for f in self.frames]

    def _source(self, frame: Frame, rankdir: str, rows: int, longest: int) -> str:
        picture = canvas(rankdir, "png")
        picture.attr(label=_caption(frame.lines, rows, longest), labelloc="b")
        for i, box in enumerate(self.diagram.boxes):
            if box.kind == "constant":
                constant(picture, i, box)
            else:
                picture.node(f"n{i}", self._table(i, box, frame), shape="plain")
        for edge in self.diagram.edges:
            fixed = frame.grads and self.diagram.boxes[edge.tail].kind == "constant"
            acts = edge.head == frame.now and frame.moves and not fixed
            flow = {"color": _FLOW} if acts else {}
            mark = {"label": f" {edge.part} "} if edge.part else {}
            picture.edge(f"n{edge.tail}", f"n{edge.head}", **flow, **mark)
        hold_order(picture, self.diagram)
        source: str = picture.source
        return source

    def _table(self, i: int, box: Box, frame: Frame) -> str:
        """Name over data | grad, in cells whose sizes do not depend on the frame."""
        tint = _NOW if i == frame.now else TINTS[box.kind]
        known = box.kind == "leaf" or i <= frame.known
        data = f"data {labels.number(box.data[0])}"
        odd = known and is_odd(box.data)
        grad = frame.grads.get(i)
        text = "" if grad is None else _grad(grad)
        ground = "white" if grad is None else colour((grad, grad), self._largest)
        numbers = [
            (data if known else "", NOT_FINITE if odd else "white", len(data)),
            (text, ground, self._longest[i]),
        ]
        cells = "".join(
            cell(text, ground, _fixed(width)) for text, ground, width in numbers
        )
        look = 'border="0" cellborder="1" cellspacing="0" cellpadding="4"'
        top = cell(title(box) or " ", tint, ' colspan="2"')
        rows = f"<tr>{top}</tr><tr>{cells}</tr>"
        return f'<<table {look} color="#64748b">{rows}</table>>'


def _grad(x: float) -> str:
    return f"grad {labels.number(x)}"


def _fixed(letters: int) -> str:
    width = round(_LETTER * letters) + 10
    return f' fixedsize="true" width="{width}" height="24"'


def _caption(lines: tuple[str, ...], rows: int, longest: int) -> str:
    """The lines in cells of one size, whatever they say."""
    shown = list(lines)
    if len(shown) > rows:
        shown[rows - 1 :] = [f"… and {len(shown) - rows + 1} operands more"]
    shown += [""] * (rows - len(shown))
    width = round(_LETTER * min(longest, 120))
    size = f'fixedsize="true" width="{width}" height="{_LINE}"'
    body = "".join(
        f"<tr><td {size}>{labels.html(labels.clip(line, 120, 1))}</td></tr>"
        for line in shown
    )
    frame = 'border="0" cellborder="0" cellspacing="0" cellpadding="0"'
    return f'<<font point-size="11"><table {frame}>{body}</table></font>>'


def _with_names(diagram: Diagram) -> Diagram:
    """Operations without a label are called v1, v2 ..., and the result y."""
    taken = {box.label for box in diagram.boxes}
    free = (f"v{k}" for k in range(1, len(diagram.boxes) + len(taken) + 1))
    boxes: list[Any] = []
    for i, box in enumerate(diagram.boxes):
        name = box.label
        if not name and box.kind == "operation":
            last = i in diagram.results and "y" not in taken
            name = "y" if last else next(v for v in free if v not in taken)
        boxes.append(replace(box, label=name))
    return replace(diagram, boxes=boxes)


def _name(box: Box) -> str:
    """What a caption calls it; a leaf without a label by its number."""
    return labels.clip(box.label, 24, 1) or labels.number(box.data[0])
