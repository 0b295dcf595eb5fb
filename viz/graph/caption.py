"""What stands below a picture: its colours, and remarks about what is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from viz.graph import labels
from viz.graph.diagram import Box, Diagram

# A diverging pair that colour-blind readers tell apart, pale enough for black text.
POSITIVE, NEGATIVE, NOT_FINITE = (103, 169, 207), (239, 138, 98), "#d9b3f0"
TINTS = {
    "leaf": "#fef3c7",
    "constant": "#f8fafc",
    "operation": "#e2e8f0",
    "group": "#cbd5e1",
}
LATER = "<!--more-->"  # where a remark can be added to a picture's source
_LINE = "#94a3b8"


def caption(diagram: Diagram, legend: bool) -> str:
    """The HTML-like label of the whole picture; "" where there is nothing to say."""
    cells = "".join(
        f'<td border="1" bgcolor="{colour}">{labels.html(text)}</td>'
        for text, colour in (_legend(diagram) if legend else ())
    )
    lines = diagram.caption.splitlines()
    rows = [remark(line) for line in lines]
    if cells:
        frame = 'border="0" cellspacing="4" cellpadding="2"'
        inner = f'<table {frame} color="{_LINE}"><tr>{cells}</tr></table>'
        rows.insert(0, f"<tr><td>{inner}</td></tr>")
    if not rows:
        return ""
    frame = 'border="0" cellborder="0" cellspacing="0" cellpadding="1"'
    return f"<<table {frame}>{''.join(rows)}{LATER}</table>>"


def remark(text: str, size: int = 9) -> str:
    """One line of the caption, as a row of its table."""
    font = f'<font point-size="{size}">{labels.html(text)}</font>'
    return f"<tr><td>{font}</td></tr>"


def is_odd(numbers: Iterable[float]) -> bool:
    """Whether NaN or an infinity is among the numbers."""
    return not all(map(isfinite, numbers))


def _legend(diagram: Diagram) -> list[tuple[str, str]]:
    """(meaning, colour) of what occurs; nothing for a box on its own."""
    boxes = diagram.boxes
    if len(boxes) < 2:
        return []
    kinds = {box.kind for box in boxes}
    names = {"group": "several in one box"}
    found = [(names.get(k, k), TINTS[k]) for k in TINTS if k in kinds]
    if any(box.grad for box in boxes):
        found += [("grad > 0", tint(POSITIVE)), ("grad < 0", tint(NEGATIVE))]
    if any(is_odd(numbers_of(box)) for box in boxes):
        found.append(("NaN or ∞", NOT_FINITE))
    return found


def numbers_of(box: Box) -> list[float]:
    """All numbers that a box shows."""
    spans = (box.data, box.grad, box.weights, box.weight_grads)
    return [x for span in spans if span is not None for x in span]


def tint(colour: tuple[int, int, int], share: float = 1.0) -> str:
    """A colour, mixed with white by its share."""
    return "#" + "".join([f"{round(255 - share * (255 - c)):02x}" for c in colour])
