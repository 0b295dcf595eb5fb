"""Draw a graph: ``draw_dot`` for notebooks, ``render`` for files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from graphviz import FORMATS

from autograd.errors import RenderError
from autograd.numbers.value import Value
from autograd.table.reals import short
from nn.layers.module import Module
from viz.files.whole import format_of, write
from viz.graph.collapse import DEFAULT_MOST
from viz.graph.collapse import collapse as collapsed
from viz.graph.diagram import Trace
from viz.graph.dot import STYLES, to_dot
from viz.graph.picture import Picture

_FORMATS = ("png", "svg", "pdf", "dot", "gv")
RANKDIRS = ("LR", "TB", "RL", "BT")
_CHOICES = {
    "style": tuple(STYLES),
    "rankdir": RANKDIRS,
    "collapse": ("auto", "neuron", "layer", None),
}


def draw_dot(
    y: Value | Iterable[Value],
    format: str = "svg",
    rankdir: str = "LR",
    *,
    style: str = "merged",
    collapse: str | None = "auto",
    expand_dots: bool = True,
    partials: bool = False,
    numeric: bool = False,
    max_nodes: int = DEFAULT_MOST,
    inputs: Sequence[str] = (),
    fold: bool = True,
    legend: bool = True,
) -> Picture:
    """The graph below a result as a ``graphviz.Digraph``, which notebooks display.

    Parameters
    ----------
    y : the result, or several of them.
    format : what ``.render()`` and ``.pipe()`` make unless told otherwise.
    rankdir : the direction of the edges: "LR", "TB", "RL" or "BT".
    style : "merged", one box for each node; or "micrograd", operations set apart.
    collapse : "neuron" or "layer" draw the operations of one as a box, known by labels
        such as ``layer0.neuron3.w1``; None draws all; "auto" collapses as far as needed
        when there are more than ``max_nodes`` boxes.
    expand_dots : draw a ``dot`` node as its products and their sum.
    partials : write the local derivative d(head)/d(tail) on each edge.
    numeric : write the central difference beside each leaf's gradient.
    max_nodes : the most boxes in a picture. Above 150, a picture that was asked to be
        collapsed may be larger before neurons of wide layers are elided.
    inputs : names for the inputs of the first layer, such as ``("hours", "age")``;
        plain numbers are x0, x1 ... otherwise.
    fold : leave out what only repeats its operand: a sum of one term, ``/ 1``, ``+ 0``.
    legend : show what the colours mean.

    Gradients shown are ``.grad``: call ``y.backward()`` first. Where all are 0, none is
    drawn and the caption says so; where only those of y are 0, the caption says that
    they belong to another result. NaN and infinities are violet. In SVG the pointer
    shows all digits of a box.

    Raises TypeError if y is no Value, ValueError for an unknown option and for names
    that no layer has as many inputs as, GraphError if the graph has a cycle, and
    RenderError for an unknown format and when more than ``max_nodes`` boxes remain.

    Examples
    --------
    >>> from autograd import Value
    >>> from viz import draw_dot
    >>> x = Value(3.0, label="x")
    >>> picture = draw_dot(x**2)
    >>> "base" in picture.source, "exponent" in picture.source
    (True, True)
    """
    options = {"style": style, "rankdir": rankdir, "collapse": collapse}
    for name, choice in options.items():
        if choice not in _CHOICES[name]:
            raise ValueError(f"{name} is one of {_CHOICES[name]}, got {short(choice)}")
    if str(format).lower() not in FORMATS:
        raise RenderError(
            f"unknown format {short(format)}: use one of {', '.join(sorted(FORMATS))}"
        )
    if not isinstance(max_nodes, Real):
        raise TypeError(f"max_nodes must be a number of boxes, got {short(max_nodes)}")
    trace = Trace(roots_of(y), expand_dots, partials, fold, input_names(inputs))
    diagram = collapsed(trace.diagram, collapse, max_nodes)
    if numeric:
        diagram = trace.with_numeric(diagram)
    return to_dot(diagram, style, rankdir, format, legend)


def input_names(inputs: Any) -> list[str]:
    """The names given for inputs; raises TypeError unless they are texts."""
    names = list(inputs) if isinstance(inputs, Iterable) else [inputs]
    if isinstance(inputs, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(
            f"inputs is a sequence of names, got {short(inputs)}: write "
            f"[{short(inputs)}] for one"
        )
    return names


def roots_of(y: Any) -> list[Value]:
    roots = [y] if isinstance(y, Value) or not isinstance(y, Iterable) else list(y)
    for root in roots:
        if not isinstance(root, Value):
            hint = "; viz.network draws networks" if isinstance(root, Module) else ""
            raise TypeError(
                f"only Values can be drawn, got {type(root).__name__}{hint}: give "
                "results of operations on Values"
            )
    if not roots:
        raise TypeError(
            "only Values can be drawn, got an empty sequence: give at least one"
        )
    return roots


def render(
    y: Value | Iterable[Value], path: str | os.PathLike[str], **options: Any
) -> Path:
    """Draw the graph below a result into a file; see ``viz.render``."""
    target = Path(path)
    format = format_of(target, _FORMATS)
    picture = draw_dot(y, **options)
    source = format in ("dot", "gv")
    content = picture.source.encode() if source else picture.pipe(format)
    write(target, content)
    return target
