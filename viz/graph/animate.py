"""A film of backpropagation: ``animate`` writes an animated GIF, or an MP4 by ffmpeg.

``frames`` says what is seen; here one process of Graphviz draws all frames, which
``viz.files.films`` puts into a file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from autograd.errors import RenderError
from autograd.numbers.value import Value
from autograd.table.reals import short
from viz.files.films import film_maker, pause_of
from viz.files.whole import write
from viz.graph.diagram import Trace
from viz.graph.frames import Story
from viz.graph.picture import NEXT, draw
from viz.graph.render import RANKDIRS, input_names

_WIDEST = 1600.0  # pixels
_PNG = b"\x89PNG\r\n\x1a\n"


def animate(
    y: Value,
    path: str | os.PathLike[str],
    *,
    seconds: float = 1.0,
    rankdir: str = "LR",
    expand_dots: bool = True,
    fold: bool = True,
    inputs: Sequence[str] = (),
    max_nodes: int = 60,
) -> Path:
    """Film the graph below a result: computed node by node, then differentiated.

    Parameters
    ----------
    y : the result.
    path : a file name that ends in .gif, or in .mp4 (with ffmpeg on the PATH).
    seconds : how long a frame stands, at least 0.02; the last stands four times longer.
    rankdir, expand_dots, fold, inputs : as for ``draw_dot``.
    max_nodes : the most boxes; each operation has two frames.

    Returns the path. Gradients are worked out aside, with d(y)/d(y) = 1: ``.grad`` is
    neither read nor written. The file appears whole or not at all.

    Raises TypeError if y is no Value, RenderError for another ending, for more than
    ``max_nodes`` boxes and when the file cannot be written, GraphError for a cycle and
    for operations made by hand, and MissingDependencyError without Graphviz, Pillow
    (.gif) or ffmpeg (.mp4).

    Examples
    --------
    >>> from autograd import Value, tanh
    >>> from viz import animate
    >>> w, x = Value(-3.0, label="w"), Value(2.0, label="x")
    >>> animate(tanh(w * x), "backprop.gif").name  # doctest: +SKIP
    'backprop.gif'
    """
    if not isinstance(y, Value):
        raise TypeError(
            f"only a Value can be animated, got {type(y).__name__}: give the result "
            "itself, not its .data"
        )
    if rankdir not in RANKDIRS:
        raise ValueError(f"rankdir is one of {RANKDIRS}, got {short(rankdir)}")
    target, pause = Path(path), pause_of(seconds)
    film = film_maker(target)
    trace = Trace([y], expand_dots, True, fold, input_names(inputs))
    if len(trace.boxes) > max_nodes:
        raise RenderError(
            f"the film would show {len(trace.boxes)} boxes, more than "
            f"max_nodes={max_nodes}: animate a smaller graph, use expand_dots=False, "
            f"or raise max_nodes"
        )
    pictures = _drawn(Story(trace).sources(rankdir))
    write(target, film(pictures, pause))
    return target


def _drawn(sources: list[str]) -> list[bytes]:
    """The frames as PNG, drawn by one process; one by one where it draws only one."""
    inches = _WIDEST / 96.0
    whole = draw(NEXT.join(sources), "png", "dot", inches)
    pictures = [_PNG + part for part in whole.split(_PNG)[1:]]
    if len(pictures) == len(sources):
        return pictures
    return [draw(source, "png", "dot", inches) for source in sources]
