"""Which neuron, or layer, an operation belongs to: known by its parameters' labels.

A neuron owns the products and sums of its parameters, and what is computed from those
alone on the way to other neurons' parameters. Where nothing follows, it also owns one
function of the sum: its activation; the loss stays outside.
"""

from __future__ import annotations

import re

from viz.graph.diagram import Box, Diagram

_PARAMETER = re.compile(r"((?:.*\.)?neuron\d+)\.[^.]+")
_LINEAR = {"+", "*", "-", "·", "Σ"}


def owners(diagram: Diagram, unit: str) -> list[str]:
    """The neuron or layer that each box belongs to, by name; empty for none."""
    count = len(diagram.boxes)
    operands: list[list[int]] = [[] for _ in range(count)]
    for edge in diagram.edges:
        operands[edge.head].append(edge.tail)
    names = [neuron_of(box) for box in diagram.boxes]
    direct = [_direct(diagram, i, operands[i], names) for i in range(count)]
    feeds = [False] * count  # on the way to a neuron's parameters
    for i in reversed(range(count)):
        for tail in operands[i]:
            feeds[tail] = feeds[tail] or feeds[i] or bool(direct[i])
    linear = [False] * count
    for i, box in enumerate(diagram.boxes):
        if box.kind == "operation":
            names[i] = direct[i] or _inherited(
                diagram, i, operands[i], names, feeds[i], linear
            )
            joins = box.symbol in _LINEAR and len(set(operands[i])) > 1
            linear[i] = bool(direct[i]) or (bool(names[i]) and joins)
    return names if unit == "neuron" else [_layer_of(name) for name in names]


def neuron_of(box: Box) -> str:
    """The neuron whose parameter a leaf is, by its label; empty for none."""
    found = _PARAMETER.fullmatch(box.label) if box.kind == "leaf" else None
    return found[1] if found else ""


def _layer_of(neuron: str) -> str:
    return neuron.rpartition("neuron")[0].rstrip(".") or ("layer" if neuron else "")


def _direct(diagram: Diagram, i: int, operands: list[int], names: list[str]) -> str:
    """The neuron whose parameter takes part in this product or sum."""
    box = diagram.boxes[i]
    if box.symbol not in _LINEAR or len(set(operands)) < 2:
        return ""
    found = {names[j] for j in operands if diagram.boxes[j].kind == "leaf" and names[j]}
    return found.pop() if len(found) == 1 else ""


def _inherited(
    diagram: Diagram,
    i: int,
    operands: list[int],
    names: list[str],
    feeds: bool,
    linear: list[bool],
) -> str:
    """The neuron that all operands belong to, if this operation is still part of it."""
    inner = {j for j in operands if diagram.boxes[j].kind != "constant"}
    found = {names[j] if diagram.boxes[j].kind == "operation" else "" for j in inner}
    name = found.pop() if len(found) == 1 else ""
    if not name or feeds:
        return name
    adds = diagram.boxes[i].symbol in ("+", "Σ") and len(inner) > 1
    activates = len(operands) == 1 and linear[operands[0]]
    return name if adds or activates else ""
