"""A film of backpropagation: ``animate`` writes an animated GIF, or an MP4 by ffmpeg.

``frames`` says what is seen; here one process of Graphviz draws all frames, and Pillow
or ffmpeg puts them into a file.
"""

from __future__ import annotations

import importlib
import io
import os
import shutil
from collections.abc import Sequence
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

from autograd.errors import MissingDependencyError, RenderError
from autograd.numbers.value import Value
from autograd.table.reals import short
from viz.graph.children import orderly_end, run
from viz.graph.diagram import Trace
from viz.graph.frames import Story
from viz.graph.picture import NEXT, draw
from viz.graph.render import RANKDIRS, input_names, write

_WIDEST = 1600.0  # pixels
_HELD = 4  # the last frame stands this many times longer
_PNG = b"\x89PNG\r\n\x1a\n"
_RARE = 1  # Pillow's number of the palette that keeps rare colours: one lit arrow
_ENDINGS = (".gif", ".mp4")


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
        raise TypeError(f"only a Value can be animated, got {type(y).__name__}")
    if rankdir not in RANKDIRS:
        raise ValueError(f"rankdir is one of {RANKDIRS}, got {short(rankdir)}")
    target, pause = Path(path), _seconds(seconds)
    film = _film_maker(target)
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


def _seconds(seconds: Any) -> float:
    if not isinstance(seconds, Real):
        raise TypeError(f"seconds is a number, got {short(seconds)}")
    pause = float(seconds)
    if not (isfinite(pause) and pause >= 0.02):
        raise ValueError(f"seconds is at least 0.02, got {short(seconds)}")
    return pause


def _film_maker(target: Path) -> Any:
    """What makes the file out of pictures; refused before anything is drawn."""
    ending = target.suffix.lower()
    if ending == ".gif":
        try:
            return _Gif(importlib.import_module("PIL.Image"))
        except ImportError:
            raise MissingDependencyError(
                "animated GIFs need Pillow, which is not installed; run: "
                'pip install "scalar-autograd[plot]"'
            ) from None
    if ending == ".mp4":
        program = shutil.which("ffmpeg")
        if program is None:
            raise MissingDependencyError(
                "MP4 needs the program ffmpeg, which is not on the PATH; install it "
                "(`apt-get install ffmpeg`, `brew install ffmpeg`), or write a .gif"
            )
        return _Mp4(program)
    raise RenderError(
        f"{target.name!r} does not end in a known format: use one of "
        f"{', '.join(_ENDINGS)}"
    )


def _drawn(sources: list[str]) -> list[bytes]:
    """The frames as PNG, drawn by one process; one by one where it draws only one."""
    inches = _WIDEST / 96.0
    whole = draw(NEXT.join(sources), "png", "dot", inches)
    pictures = [_PNG + part for part in whole.split(_PNG)[1:]]
    if len(pictures) == len(sources):
        return pictures
    return [draw(source, "png", "dot", inches) for source in sources]


class _Gif:
    def __init__(self, image: Any) -> None:
        self.image = image

    def __call__(self, pictures: list[bytes], pause: float) -> bytes:
        """An animated GIF that repeats for ever."""
        opened = [self.image.open(io.BytesIO(png)).convert("RGB") for png in pictures]
        frames = [picture.quantize(256, _RARE, dither=0) for picture in opened]
        each = round(1000 * pause)
        times = [each] * (len(frames) - 1) + [each * _HELD]
        out, (first, *rest) = io.BytesIO(), frames
        first.save(
            out, "GIF", save_all=True, append_images=rest, duration=times, loop=0
        )
        return out.getvalue()


class _Mp4:
    def __init__(self, program: str) -> None:
        self.program = program

    def __call__(self, pictures: list[bytes], pause: float) -> bytes:
        """A film that any browser plays, written through a pipe."""
        even = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white,fps=25,format=yuv420p"
        command = (
            f"{self.program} -v error -f image2pipe -c:v png -framerate {1 / pause:.6g}"
            f" -i - -vf {even} -movflags frag_keyframe+empty_moov -f mp4 -"
        )
        content = b"".join([*pictures, *[pictures[-1]] * (_HELD - 1)])
        try:
            with orderly_end():
                done = run(command.split(" "), content, os.environ)
        except OSError as error:
            raise RenderError(f"ffmpeg could not be run ({error.strerror})") from error
        if done.returncode or not done.stdout:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            why = "; ".join(said[-2:]) or f"status {done.returncode}"
            raise RenderError(f"ffmpeg could not make the film: {why}")
        return done.stdout
