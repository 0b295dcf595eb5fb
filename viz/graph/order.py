"""Boxes that are drawn side by side, in their order: a layer's neurons, operands.

Graphviz places the boxes of a rank where edges cross least, which may turn a / b into
b / a. Invisible edges within a rank hold an order: each row is a chain of them. Only
boxes that surely share a rank are chained, so that the picture keeps its shape: those
at one depth, and operands that nothing else uses, which stand just before their user.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from viz.graph.diagram import Diagram


def rows(diagram: Diagram) -> list[list[int]]:
    """Indices of boxes of one rank each, in the order to draw them, two or more."""
    depths = [0] * len(diagram.boxes)
    operands: dict[int, list[int]] = {}
    for edge in diagram.edges:
        depths[edge.head] = max(depths[edge.head], depths[edge.tail] + 1)
        operands.setdefault(edge.head, []).append(edge.tail)
    uses = Counter(edge.tail for edge in diagram.edges)
    found = []
    for layer in diagram.layers:
        for depth in dict.fromkeys(depths[i] for i in layer):
            found.append([i for i in layer if depths[i] == depth])
    for head, tails in operands.items():
        alone = [i for i in tails if uses[i] == 1]
        near = depths[head] - 1
        found.append([i for i in alone if i not in operands or depths[i] == near])
    return _without_circles(found)


def _without_circles(found: list[list[int]]) -> list[list[int]]:
    """The rows, each cut where it would contradict or repeat the ones before it."""
    after: dict[int, set[int]] = {}
    kept = []
    for row in found:
        part = row[:1]
        for left, right in pairwise(row):
            if (
                left == right
                or right in after.get(left, ())
                or _leads(after, right, left)
            ):
                kept.append(part)
                part = [right]
            else:
                after.setdefault(left, set()).add(right)
                part.append(right)
        kept.append(part)
    return [row for row in kept if len(row) > 1]


def _leads(after: dict[int, set[int]], start: int, end: int) -> bool:
    """Whether a chain of rows leads from one box to another."""
    seen, open_ = {start}, [start]
    while open_:
        for following in after.get(open_.pop(), ()):
            if following == end:
                return True
            if following not in seen:
                seen.add(following)
                open_.append(following)
    return False
