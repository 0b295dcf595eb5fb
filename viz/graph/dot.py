"""From a diagram to Graphviz, in two styles.

``merged``: one box for each node, its operation and label over data | grad.
``micrograd``: a record of label | data | grad, and a separate node for the operation.
"""

from __future__ import annotations

from math import isfinite, isinf, isnan, log10, sqrt
from typing import Any

from viz.graph import labels
from viz.graph.diagram import Box, Diagram, Span
from viz.graph.fonts import FAMILY
from viz.graph.picture import Picture

# A diverging pair that colour-blind readers tell apart, pale enough for black text.
_POSITIVE, _NEGATIVE, _NAN = (103, 169, 207), (239, 138, 98), "#d9c2e9"
_TINTS = {
    "leaf": "#fef3c7",
    "constant": "#f8fafc",
    "operation": "#e2e8f0",
    "group": "#cbd5e1",
}
_LINE = "#64748b"


def to_dot(diagram: Diagram, style: str, rankdir: str, format: str) -> Picture:
    """The diagram as a Graphviz graph."""
    picture = Picture(
        format=format,
        graph_attr={"rankdir": rankdir, "fontname": FAMILY, "fontsize": "10"},
        node_attr={"fontname": FAMILY, "fontsize": "11"},
        edge_attr={
            "fontname": FAMILY,
            "fontsize": "9",
            "arrowsize": "0.7",
            "color": _LINE,
        },
    )
    if diagram.caption:
        picture.attr(label=labels.record(diagram.caption), labelloc="b")
    STYLES[style](picture, diagram)
    return picture


def _merged(picture: Picture, diagram: Diagram) -> None:
    largest = _largest_gradient(diagram)
    for i, box in enumerate(diagram.boxes):
        if box.kind == "constant" and not box.symbol:
            text = labels.constant(box.data[0])
            picture.node(
                f"n{i}",
                text,
                shape="box",
                style="rounded,filled",
                fillcolor=_TINTS["constant"],
                color="#cbd5e1",
                fontsize="10",
                margin="0.06,0.02",
                width="0",
                height="0",
            )
        else:
            picture.node(f"n{i}", _table(box, largest), shape="plain")
    for edge in diagram.edges:
        picture.edge(f"n{edge.tail}", f"n{edge.head}", **_edge_style(edge))


def _table(box: Box, largest: float) -> str:
    """The HTML-like label: a header, then data | grad (| numeric), then the note."""
    tint = _TINTS[box.kind]
    cells = [("data " + _numbers(box.data), tint if not _title(box) else "white")]
    if box.grad is not None:
        cells.append(("grad " + _numbers(box.grad), _colour(box.grad, largest)))
    if box.numeric is not None:
        cells.append(("numeric " + labels.number(box.numeric), "white"))
    rows = [_cell(text, colour) for text, colour in cells]
    span = f' colspan="{len(cells)}"'
    header = _title(box)
    lines = [f"<tr>{_cell(header, tint, span)}</tr>"] if header else []
    lines.append(f"<tr>{''.join(rows)}</tr>")
    if box.note:
        small = f'<font point-size="9">{labels.html(labels.clip(box.note))}</font>'
        lines.append(f"<tr>{_cell(small, 'white', span)}</tr>")
    frame = 'border="0" cellborder="1" cellspacing="0" cellpadding="4"'
    return f'<<table {frame} color="{_LINE}">{"".join(lines)}</table>>'


def _cell(content: str, colour: str, more: str = "") -> str:
    return f'<td{more} bgcolor="{colour}">{content}</td>'


def _title(box: Box) -> str:
    """The header: the operation in bold, then the label."""
    label = labels.html(labels.clip(box.label))
    if not box.symbol:
        return f"<b>{label}</b>" if label else ""
    symbol = labels.html(labels.clip(box.symbol))
    return f"<b>{symbol}</b>" + (f"&nbsp;&nbsp;{label}" if label else "")


def _micrograd(picture: Picture, diagram: Diagram) -> None:
    heads = {}
    for i, box in enumerate(diagram.boxes):
        grad = "" if box.grad is None else "grad " + _numbers(box.grad)
        numeric = "" if box.numeric is None else "numeric " + labels.number(box.numeric)
        name = box.label if box.kind == "operation" else box.label or box.symbol
        data = "data " + _numbers(box.data)
        fields = [labels.clip(name), data, grad, numeric, box.note]
        text = " | ".join([labels.record(field) for field in fields if field])
        picture.node(f"n{i}", f"{{ {text} }}", shape="record")
        heads[i] = f"n{i}"
        if box.kind == "operation":
            heads[i] = f"n{i}op"
            picture.node(heads[i], labels.record(labels.clip(box.symbol)))
            picture.edge(heads[i], f"n{i}")
    for edge in diagram.edges:
        picture.edge(f"n{edge.tail}", heads[edge.head], **_edge_style(edge))


STYLES = {"merged": _merged, "micrograd": _micrograd}


def _edge_style(edge: Any) -> dict[str, str]:
    if edge.count > 1:
        return {"penwidth": f"{min(3.0, 1.0 + log10(edge.count) / 2):.2g}"}
    if edge.partial is not None:
        return {"label": f" {labels.number(edge.partial)} "}
    return {}


def _numbers(span: Span) -> str:
    low, high = span
    if low == high or isnan(low):
        return labels.number(low)
    return f"{low:.3g} … {high:.3g}"


def _largest_gradient(diagram: Diagram) -> float:
    ends = [abs(x) for box in diagram.boxes if box.grad for x in box.grad]
    return max(filter(isfinite, ends), default=0.0)


def _colour(span: Span, largest: float) -> str:
    """White for 0, towards blue above and red below, by size among all gradients."""
    low, high = span
    if isnan(low):
        return _NAN
    grad = high if abs(high) >= abs(low) else low
    if grad == 0.0:
        return "white"
    size = 1.0 if isinf(grad) else sqrt(abs(grad) / largest)
    end = _POSITIVE if grad > 0 else _NEGATIVE
    share = 0.15 + 0.85 * size
    return "#" + "".join([f"{round(255 - share * (255 - c)):02x}" for c in end])
