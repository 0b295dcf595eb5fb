"""Pictures in files: of the graph below a result, or of a network."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autograd.numbers.value import Value
from nn.layers.module import Module
from viz.files.whole import format_of, write
from viz.graph.render import render as render_graph
from viz.plots.markup import network_svg
from viz.plots.network import network_picture

_FORMATS = ("png", "svg", "pdf")


def render(
    y: Value | Iterable[Value] | Module, path: str | os.PathLike[str], **options: Any
) -> Path:
    """Draw the graph below a result, or a network, into a file of the format it names.

    Parameters
    ----------
    y : the result, or several of them; or a network of layers.
    path : a file name that ends in .png, .svg, .pdf; for graphs also in .dot or .gv for
        the source.
    **options : as for ``draw_dot``; for a network as for ``network``, ``x=`` for a
        sample among them.

    Returns the path. The file appears whole or not at all.

    Raises RenderError for another ending and when the file cannot be written,
    MissingDependencyError when there is nothing to draw with, and as ``draw_dot`` or
    ``network``.

    Examples
    --------
    >>> import tempfile
    >>> from autograd import Value, tanh
    >>> from nn import MLP
    >>> from viz import render
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     render(tanh(Value(0.5, label="x")), folder + "/neuron.svg").name
    ...     render(MLP(2, [4, 1]), folder + "/network.svg", x=[1.0, 2.0]).name
    'neuron.svg'
    'network.svg'
    """
    if not isinstance(y, Module):
        return render_graph(y, path, **options)
    target = Path(path)
    format = format_of(target, _FORMATS, "a format for networks")
    if format == "svg":
        write(target, network_svg(y, **options).encode())
    else:
        write(target, network_picture(y, format, **options))
    return target
