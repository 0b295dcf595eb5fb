"""From too many boxes to a readable few.

A partition gives each box a key; boxes with equal keys become one. Partitions are tried
from fine to coarse until few enough boxes remain: the operations of a neuron, of a
layer (known by labels such as ``layer0.neuron3.w1``), operations of the same kind at
the same depth (a run such as a + b + c + ... counts as one deep), and at last
everything within a band of depths. Results stay boxes of their own. What repeats, such
as a network for each of 32 samples, becomes one box with a count; of a wide layer only
the first and last neurons are drawn one by one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isnan

from autograd.errors import RenderError
from viz.graph.diagram import Box, Diagram, Edge, Span
from viz.graph.owners import neuron_of, owners

Key = Hashable

READABLE_BOXES, READABLE_EDGES = 60, 120
DEFAULT_MOST = 150  # boxes; whoever allows more also finds more readable
_BANDS = (8, 4, 2, 1)
_WIDE, _FIRST, _LAST = 8, 3, 1  # neurons of a layer, or inputs


def collapse(diagram: Diagram, how: str | None, max_nodes: int) -> Diagram:
    """The diagram with at most ``max_nodes`` boxes.

    ``how`` is None (leave it), "neuron", "layer", or "auto": only when it is too large.
    Raises RenderError when too many boxes remain.
    """
    few = len(diagram.boxes) <= max_nodes
    if how is None or (how == "auto" and few):
        return _within(diagram, max_nodes)
    more = max(1.0, max_nodes / DEFAULT_MOST) if how != "auto" else 1.0
    most = (min(READABLE_BOXES * more, max_nodes), READABLE_EDGES * more)
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
    lines = [*diagram.caption.splitlines(), caption]
    return replace(diagram, caption="\n".join(lines))


def _partitions(diagram: Diagram, how: str) -> Iterator[tuple[str, list[Key]]]:
    """(what it is called, the key of each box), from fine to coarse."""
    depths = _depths(diagram)
    for unit in ("neuron", "layer"):
        if how not in ("auto", unit):
            continue
        found: list[Key] = list(owners(diagram, unit))
        labelled = any(found)
        name = f"{unit}, " if labelled else ""
        alike = _alike(diagram, depths)
        if how == unit or (labelled and unit == "neuron"):
            rest = _inputs(diagram) if labelled else range(len(found))
            yield unit, _fill(found, rest)
        yield name + "kind and depth", _fill(found, alike)
        if how == unit == "neuron" and labelled:
            yield name + "kind and depth", _fill(_elided(diagram, found), alike)
        if how == unit or unit == "layer":
            for bands in _BANDS:
                yield name + "depth", _fill(found, _banded(diagram, depths, bands))
    for bands in _BANDS:
        yield "depth", _banded(diagram, depths, bands)


def _inputs(diagram: Diagram) -> list[Key]:
    """Leaves and constants of one name are one."""
    named = zip(diagram.boxes, _names(diagram), strict=True)
    return [
        i
        if box.kind == "operation" or not name or i in diagram.results
        else (box.kind, name)
        for i, (box, name) in enumerate(named)
    ]


def _names(diagram: Diagram) -> list[str]:
    """The labels, or of many that differ by digits alone their common pattern."""
    named = {box.label for box in diagram.boxes if box.kind != "operation"}
    alike = Counter(map(_pattern, named))
    patterns = [_pattern(box.label) for box in diagram.boxes]
    return [
        pattern if alike[pattern] > _WIDE else box.label
        for box, pattern in zip(diagram.boxes, patterns, strict=True)
    ]


def _elided(diagram: Diagram, neurons: Sequence[Key]) -> list[Key]:
    """The first and the last neurons of a wide layer stay; the others are one."""
    layers: dict[str, list[str]] = {}
    for name in dict.fromkeys(str(key) for key in neurons if key):
        layers.setdefault(name.rpartition("neuron")[0], []).append(name)
    renamed: dict[Key, Key] = {}
    for names in layers.values():
        if len(names) > _WIDE:
            names.sort(key=lambda name: int(name.rpartition("neuron")[2]))
            inner = names[_FIRST:-_LAST]
            last = inner[-1].rpartition("neuron")[2]
            title = f"{inner[0]} … {last} ({len(inner)} neurons)"
            renamed.update(dict.fromkeys(inner, title))
    return [renamed.get(key, key) for key in neurons]


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
    """Boxes of one kind, symbol and depth; leaves also of one name."""
    named = zip(diagram.boxes, depths, _names(diagram), strict=True)
    return [
        (box.kind, box.symbol, name, depth)
        if box.kind != "operation"
        else i
        if i in diagram.results
        else (box.kind, box.symbol, depth)
        for i, (box, depth, name) in enumerate(named)
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
    alone = [len(members[key]) == 1 for key in keys]
    leaving = set(diagram.results)
    edges: dict[Key, Edge] = {}
    for number, edge in enumerate(diagram.edges):
        tail, head = place[keys[edge.tail]], place[keys[edge.head]]
        if tail == head:
            continue
        leaving.add(edge.tail)
        if alone[edge.tail] and alone[edge.head]:
            edges[number] = replace(edge, tail=tail, head=head)
        else:
            before = edges.get((tail, head), Edge(tail, head, None, 0, edge.part))
            part = edge.part if edge.part == before.part else ""
            edges[tail, head] = Edge(tail, head, None, before.count + edge.count, part)
    boxes = [
        diagram.boxes[group[0]]
        if len(group) == 1
        else _group(key, [(diagram.boxes[i], i in leaving) for i in group])
        for key, group in members.items()
    ]
    results = frozenset(place[keys[i]] for i in diagram.results)
    layers = tuple(
        tuple(dict.fromkeys(place[keys[i]] for i in layer)) for layer in diagram.layers
    )
    return Diagram(boxes, list(edges.values()), results, diagram.caption, layers)


def _group(key: Key, members: list[tuple[Box, bool]]) -> Box:
    """The box of several: their common name, the numbers that leave it, its content."""
    operations = [box for box, _ in members if box.kind == "operation"]
    leaves = [box for box, _ in members if box.kind == "leaf"]
    alike = operations or leaves or [box for box, _ in members]
    out = [box for box, leaves_it in members if leaves_it and box.kind == "operation"]
    shown = out or alike
    data, grad = _span([box.data for box in shown]), _grads(shown)
    kinds = Counter(box.symbol for box in operations)
    subject = ("output" if len(shown) == 1 else "outputs") if operations else "data"
    if isinstance(key, str):
        neurons = len({neuron_of(box) for box in leaves})
        times = len(out) // neurons if len(out) % neurons == 0 else 1
        if any(count % max(times, 1) for count in kinds.values()):
            times = 1
        each = Counter({symbol: n // max(times, 1) for symbol, n in kinds.items()})
        note = f"{len(leaves)} parameters: {_inventory(each)}"
        title = key + (f" × {times}" if times > 1 else "")
        weights = _span([box.data for box in leaves])
        own = (weights, _grads(leaves))
        return Box("group", title, "", data, grad, None, note, subject, *own)
    note = _inventory(kinds) if len(kinds) > 1 else ""
    kind = "group" if operations else alike[0].kind
    return Box(kind, _common_title(alike), "", data, grad, None, note, subject)


def _grads(boxes: Sequence[Box]) -> Span | None:
    grads = [box.grad for box in boxes if box.grad is not None]
    return _span(grads) if grads else None


def _common_title(boxes: list[Box]) -> str:
    """How many of what: ``12 × tanh``, ``x0 × 32``, ``x0 … x63``, ``5 × leaf``."""
    first, count = boxes[0], len(boxes)
    if first.kind == "operation":
        alike = _same(box.symbol for box in boxes)
        return f"{count} × {first.symbol if alike else first.kind}"
    names = dict.fromkeys(box.label for box in boxes)
    if not first.label or not _same(map(_pattern, names)):
        return f"{count} × {first.kind}"
    times = count // len(names) if count % len(names) == 0 else 1
    title = " … ".join(dict.fromkeys([first.label, [*names][-1]]))
    return title + (f" × {times}" if times > 1 else "")


def _pattern(label: str) -> str:
    return re.sub(r"\d+", "#", label)


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
