"""From too many boxes to a readable few.

A partition gives each box a key; boxes with equal keys become one. Partitions are tried
from fine to coarse until few enough boxes remain: the operations of a neuron, of a
layer (known by labels such as ``layer0.neuron3.w1``), operations of the same kind at
the same depth (a run such as a + b + c + ... counts as one deep), and at last
everything within a band of depths. Results stay boxes of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from math import isnan

from autograd.errors import RenderError
from viz.graph.diagram import Box, Diagram, Edge, Span
from viz.graph.owners import owners

Key = Hashable

READABLE_BOXES, READABLE_EDGES = 60, 120
_BANDS = (8, 4, 2, 1)


def collapse(diagram: Diagram, how: str | None, max_nodes: int) -> Diagram:
    """The diagram with at most ``max_nodes`` boxes.

    ``how`` is None (leave it), "neuron", "layer", or "auto": only when it is too large.
    Raises RenderError when too many boxes remain.
    """
    few = len(diagram.boxes) <= max_nodes
    if how is None or (how == "auto" and few):
        return _within(diagram, max_nodes)
    most = (max_nodes, len(diagram.edges))
    if how == "auto":
        most = (min(READABLE_BOXES, max_nodes), READABLE_EDGES)
    smaller = diagram
    for name, keys in _partitions(diagram, how):
        smaller = _merge(diagram, keys)
        if len(smaller.boxes) <= most[0] and len(smaller.edges) <= most[1]:
            return _captioned(smaller, len(diagram.boxes), name)
    return _within(smaller, max_nodes)


def _within(diagram: Diagram, max_nodes: int) -> Diagram:
    count = len(diagram.boxes)
    if count > max_nodes:
        raise RenderError(
            f"the picture would have {count} boxes, more than max_nodes={max_nodes}; "
            f'draw it with collapse="auto" (or "neuron", "layer"), or raise max_nodes'
        )
    return diagram


def _captioned(diagram: Diagram, before: int, name: str) -> Diagram:
    after = len(diagram.boxes)
    if after == before:
        caption = "nothing to collapse: no labels such as layer0.neuron0.w0"
    else:
        caption = f"{before} boxes drawn as {after}, collapsed by {name}"
    return Diagram(diagram.boxes, diagram.edges, diagram.results, caption)


def _partitions(diagram: Diagram, how: str) -> Iterator[tuple[str, list[Key]]]:
    """(what it is called, the key of each box), from fine to coarse."""
    depths = _depths(diagram)
    for unit in ("neuron", "layer"):
        if how not in ("auto", unit):
            continue
        found: list[Key] = list(owners(diagram, unit))
        labelled = any(found)
        name = f"{unit}, " if labelled else ""
        if how == unit or (labelled and unit == "neuron"):
            yield unit, _fill(found, range(len(found)))
        yield name + "kind and depth", _fill(found, _alike(diagram, depths))
        if how == unit or unit == "layer":
            for bands in _BANDS:
                yield name + "depth", _fill(found, _banded(diagram, depths, bands))
    for bands in _BANDS:
        yield "depth", _banded(diagram, depths, bands)


def _fill(owned: Sequence[Key], others: Sequence[Key]) -> list[Key]:
    return [o or other for o, other in zip(owned, others, strict=True)]


def _depths(diagram: Diagram) -> list[int]:
    """Runs of operations below each box; a leaf stands just before its first user."""
    boxes = diagram.boxes
    depths = [0] * len(boxes)
    first_use: dict[int, int] = {}
    for edge in diagram.edges:
        more = boxes[edge.tail].symbol != boxes[edge.head].symbol
        depths[edge.head] = max(depths[edge.head], depths[edge.tail] + more)
    for edge in diagram.edges:
        if boxes[edge.tail].kind != "operation":
            below = depths[edge.head] - 1
            first_use[edge.tail] = min(below, first_use.get(edge.tail, below))
    for leaf, depth in first_use.items():
        depths[leaf] = depth
    return depths


def _alike(diagram: Diagram, depths: list[int]) -> list[Key]:
    """Boxes of one kind, symbol and depth; leaves also of one label but for digits."""
    return [
        (box.kind, box.symbol, _pattern(box), depth)
        if box.kind != "operation"
        else i
        if i in diagram.results
        else (box.kind, box.symbol, depth)
        for i, (box, depth) in enumerate(zip(diagram.boxes, depths, strict=True))
    ]


def _banded(diagram: Diagram, depths: list[int], bands: int) -> list[Key]:
    """Everything within a band of depths: its leaves, and the rest."""
    span = max(depths, default=0) + 1
    return [
        i if i in diagram.results else (box.kind == "leaf", depth * bands // span)
        for i, (box, depth) in enumerate(zip(diagram.boxes, depths, strict=True))
    ]


def _merge(diagram: Diagram, keys: list[Key]) -> Diagram:
    """One box for each key; a box that is alone with its key stays as it is."""
    members: dict[Key, list[int]] = {}
    for i, key in enumerate(keys):
        members.setdefault(key, []).append(i)
    place = {key: i for i, key in enumerate(members)}
    leaving = set(diagram.results)
    counts: Counter[tuple[int, int]] = Counter()
    for edge in diagram.edges:
        tail, head = place[keys[edge.tail]], place[keys[edge.head]]
        if tail != head:
            counts[tail, head] += 1
            leaving.add(edge.tail)
    boxes = [
        diagram.boxes[group[0]]
        if len(group) == 1
        else _group(key, [(diagram.boxes[i], i in leaving) for i in group])
        for key, group in members.items()
    ]
    edges = [Edge(tail, head, None, count) for (tail, head), count in counts.items()]
    results = frozenset(place[keys[i]] for i in diagram.results)
    return Diagram(boxes, edges, results)


def _group(key: Key, members: list[tuple[Box, bool]]) -> Box:
    """The box of several: their common name, the numbers that leave it, its content."""
    operations = [box for box, _ in members if box.kind == "operation"]
    leaves = [box for box, _ in members if box.kind == "leaf"]
    alike = operations or leaves or [box for box, _ in members]
    out = [box for box, leaves_it in members if leaves_it and box.kind == "operation"]
    shown = out or alike
    grads = [box.grad for box in shown if box.grad is not None]
    data, grad = _span([box.data for box in shown]), _span(grads) if grads else None
    kinds = Counter(box.symbol for box in operations)
    note = _inventory(kinds) if len(kinds) > 1 else ""
    if isinstance(key, str):
        note = f"{len(leaves)} parameters: {_inventory(kinds)}"
        return Box("group", key, "", data, grad, None, note)
    kind = "group" if operations else alike[0].kind
    title = f"{len(alike)} × {_common_name(alike)}"
    return Box(kind, title, "", data, grad, None, note)


def _common_name(boxes: list[Box]) -> str:
    """What all are called: a symbol, a label pattern, or just what they are."""
    first = boxes[0]
    if first.kind == "operation":
        return first.symbol if _same(box.symbol for box in boxes) else first.kind
    patterns = [_pattern(box) for box in boxes]
    return patterns[0] if first.label and _same(iter(patterns)) else first.kind


def _pattern(box: Box) -> str:
    return re.sub(r"\d+", "#", box.label)


def _same(texts: Iterator[str]) -> bool:
    return all(a == b for a, b in pairwise(texts))


def _inventory(kinds: Counter[str], most: int = 4) -> str:
    """``12 ×, 3 tanh``: the operations by number."""
    listed = [f"{n} {symbol}" for symbol, n in kinds.most_common(most)]
    return ", ".join(listed + ["…"] * (len(kinds) > most))


def _span(spans: Sequence[Span]) -> Span:
    """The least and the largest; NaN if there is one."""
    ends = [x for span in spans for x in span]
    bad = next(filter(isnan, ends), None)
    return (min(ends), max(ends)) if bad is None else (bad, bad)
