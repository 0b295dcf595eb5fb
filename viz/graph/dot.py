"""From a diagram to Graphviz, in two styles.

``merged``: one box for each node, its operation and label over data | grad.
``micrograd``: a record of label | data | grad, and a separate node for the operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan, log10, sqrt

from viz.graph import labels
from viz.graph.caption import (
    NEGATIVE,
    NOT_FINITE,
    POSITIVE,
    TINTS,
    caption,
    is_odd,
    numbers_of,
    tint,
)
from viz.graph.diagram import Box, Diagram, Edge, Span
from viz.graph.fonts import FAMILY
from viz.graph.order import rows
from viz.graph.picture import Picture

_LINE = "#64748b"


def canvas(rankdir: str, format: str) -> Picture:
    """A picture with nothing in it yet."""
    return Picture(
        format=format,
        graph_attr={
            "rankdir": rankdir,
            "fontname": FAMILY,
            "fontsize": "9",
            "tooltip": "a computation graph",
        },
        node_attr={"fontname": FAMILY, "fontsize": "11"},
        edge_attr={
            "fontname": FAMILY,
            "fontsize": "9",
            "arrowsize": "0.7",
            "color": _LINE,
        },
    )


def to_dot(
    diagram: Diagram, style: str, rankdir: str, format: str, legend: bool
) -> Picture:
    """The diagram as a Graphviz graph."""
    picture = canvas(rankdir, format)
    text = caption(diagram, legend and style == "merged")  # the other has no colours
    if text:
        picture.attr(label=text, labelloc="b")
    ends = STYLES[style](picture, diagram)
    for edge in diagram.edges:
        style_of = _edge_style(edge, diagram.boxes)
        picture.edge(f"n{edge.tail}", ends[edge.head], **style_of)
    return picture


def _merged(picture: Picture, diagram: Diagram) -> list[str]:
    """Draw the boxes; the name of the one where each box's arrows end."""
    largest = largest_gradient(diagram)
    for i, box in enumerate(diagram.boxes):
        hint = _tooltip(box)
        if box.kind == "constant" and not box.symbol:
            constant(picture, i, box, tooltip=hint)
        else:
            table = _table(box, largest)
            picture.node(f"n{i}", table, shape="plain", tooltip=hint)
    hold_order(picture, diagram)
    return [f"n{i}" for i in range(len(diagram.boxes))]


def hold_order(picture: Picture, diagram: Diagram) -> None:
    """Draw rows of boxes in their order, by invisible arrows."""
    for row in rows(diagram):
        names = " -> ".join([f"n{i}" for i in row])
        picture.body.append(f"\t{{ rank=same; {names} [style=invis] }}\n")


def constant(picture: Picture, i: int, box: Box, **more: str) -> None:
    """Draw a plain number that took part, with its name if it has one."""
    name = labels.record(labels.clip(box.label, 30))
    picture.node(
        f"n{i}",
        (f"{name} = " if name else "") + labels.number(box.data[0]),
        shape="box",
        style="rounded,filled",
        fillcolor=NOT_FINITE if is_odd(box.data) else TINTS["constant"],
        color="#cbd5e1",
        fontsize="10",
        margin="0.06,0.02",
        width="0",
        height="0",
        **more,
    )


def _tooltip(box: Box) -> str:
    """What it is, and its numbers with all their digits."""
    kind = "" if box.kind == "group" else box.kind
    lines = [" ".join(filter(None, (kind, box.symbol, box.label)))]
    spans = ((box.subject, box.data), ("grad", box.grad))
    more = (("weights", box.weights), ("their grad", box.weight_grads))
    for name, span in (*spans, *more):
        if span is not None:
            ends = dict.fromkeys(map(repr, span))
            lines.append(f"{name} {' … '.join(ends)}")
    return labels.tooltip(lines)


def _table(box: Box, largest: float) -> str:
    """The HTML-like label: a header, then data | grad (| numeric), then the note."""
    tint_of_box = TINTS[box.kind]
    header = title(box)
    plain = "white" if header else tint_of_box
    first = [_numbers_cell(box.subject, box.data, plain)]
    if box.grad is not None:
        first.append(_numbers_cell("grad", box.grad, colour(box.grad, largest)))
    if box.numeric is not None:
        first.append(cell("numeric " + labels.number(box.numeric), "white"))
    span = f' colspan="{len(first)}"'
    lines = [cell(header, tint_of_box, span)] if header else []
    lines.append("".join(first))
    if box.weights is not None:
        second = [_numbers_cell("weights", box.weights, "white")]
        if box.weight_grads is not None:
            tinted = colour(box.weight_grads, largest)
            second.append(_numbers_cell("grad", box.weight_grads, tinted))
        lines.append("".join(second))
    if box.note:
        small = f'<font point-size="9">{labels.html(labels.clip(box.note))}</font>'
        lines.append(cell(small, "white", span))
    frame = 'border="0" cellborder="1" cellspacing="0" cellpadding="4"'
    body = "".join([f"<tr>{line}</tr>" for line in lines])
    return f'<<table {frame} color="{_LINE}">{body}</table>>'


def _numbers_cell(name: str, span: Span, tinted: str) -> str:
    """Some numbers and what they are of; NaN and infinity in bold, on their colour."""
    text = f"{name} {_numbers(span)}"
    if is_odd(span):
        return cell(f"<b>{text}</b>", NOT_FINITE)
    return cell(text, tinted)


def cell(content: str, tinted: str, more: str = "") -> str:
    return f'<td{more} bgcolor="{tinted}">{content}</td>'


def title(box: Box) -> str:
    """The header: the operation in bold, then the label."""
    label = labels.html(labels.clip(box.label))
    if not box.symbol:
        return f"<b>{label}</b>" if label else ""
    symbol = labels.html(labels.clip(box.symbol))
    return f"<b>{symbol}</b>" + (f"&nbsp;&nbsp;{label}" if label else "")


def _micrograd(picture: Picture, diagram: Diagram) -> list[str]:
    """Draw records, and operations of their own before them, where arrows end.

    Graphviz refuses edges between neighbouring records, also invisible ones: here it
    orders what enters an operation itself, as well as it can.
    """
    heads = []
    picture.attr(ordering="in")
    for i, box in enumerate(diagram.boxes):
        grad = "" if box.grad is None else "grad " + _numbers(box.grad)
        numeric = "" if box.numeric is None else "numeric " + labels.number(box.numeric)
        name = box.label if box.kind == "operation" else box.label or box.symbol
        data = f"{box.subject} {_numbers(box.data)}"
        fields = [labels.clip(name), data, grad, numeric, box.note]
        text = " | ".join([labels.record(field) for field in fields if field])
        hint = _tooltip(box)
        odd = {"style": "filled", "fillcolor": NOT_FINITE}
        more = odd if is_odd(numbers_of(box)) else {}
        picture.node(f"n{i}", f"{{ {text} }}", shape="record", tooltip=hint, **more)
        heads.append(f"n{i}")
        if box.kind == "operation":
            heads[i] = f"n{i}op"
            sign = labels.record(labels.clip(box.symbol))
            picture.node(heads[i], sign, tooltip=hint)
            picture.edge(heads[i], f"n{i}", tooltip=hint)
    return heads


STYLES = {"merged": _merged, "micrograd": _micrograd}


def _edge_style(edge: Edge, boxes: Sequence[Box]) -> dict[str, str]:
    tail, head = boxes[edge.tail], boxes[edge.head]
    way = f"{_name(tail)} to {_name(head)}"
    lines = [f"{way}: {edge.part}" if edge.part else way]
    text = [edge.part] if edge.part else []
    style = {}
    if edge.partial is not None:
        lines.append(f"local derivative {edge.partial!r}")
        text.append(labels.number(edge.partial))
    if edge.count > 1:
        lines.append(f"{edge.count} arrows")
        style["penwidth"] = f"{min(3.0, 1.0 + log10(edge.count) / 2):.2g}"
    if text:
        style["label"] = f" {': '.join(text)} "
    return {**style, "tooltip": labels.tooltip(lines)}


def _name(box: Box) -> str:
    return box.label or box.symbol or labels.number(box.data[0])


def _numbers(span: Span) -> str:
    low, high = span
    if low == high or isnan(low):
        return labels.number(low)
    return f"{labels.number(low)} … {labels.number(high)}"


def largest_gradient(diagram: Diagram) -> float:
    spans = [g for box in diagram.boxes for g in (box.grad, box.weight_grads) if g]
    ends = [abs(x) for span in spans for x in span]
    return max(filter(isfinite, ends), default=0.0)


def colour(span: Span, largest: float) -> str:
    """White for 0, towards blue above and red below, by size among all gradients."""
    low, high = span
    grad = high if abs(high) >= abs(low) else low
    if is_odd(span):
        return NOT_FINITE
    if grad == 0.0:
        return "white"
    share = 0.15 + 0.85 * min(1.0, sqrt(abs(grad) / largest))
    return tint(POSITIVE if grad > 0 else NEGATIVE, share)
