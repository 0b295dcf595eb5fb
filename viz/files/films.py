"""Films out of pictures: an animated GIF by Pillow, an MP4 by ffmpeg.

A film is chosen by the ending of its file, and refused before anything is drawn.
"""

from __future__ import annotations

import importlib
import io
import os
import shutil
from collections.abc import Callable
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

from autograd.errors import MissingDependencyError, RenderError
from autograd.missing import missing
from autograd.table.reals import short
from viz.files.children import orderly_end, run
from viz.files.whole import format_of

_HELD = 4  # the last frame stands this many times longer
_RARE = 1  # Pillow's number of the palette that keeps rare colours: one lit arrow
_FORMATS = ("gif", "mp4")

FilmMaker = Callable[[list[bytes], float], bytes]


def pause_of(seconds: Any) -> float:
    """How long a frame stands, at least 0.02 seconds."""
    if not isinstance(seconds, Real):
        raise TypeError(f"seconds must be a number, got {short(seconds)}")
    pause = float(seconds)
    if not (isfinite(pause) and pause >= 0.02):
        raise ValueError(f"seconds must be at least 0.02, got {short(seconds)}")
    return pause


def film_maker(target: Path) -> FilmMaker:
    """What makes the bytes of a film out of PNGs and the seconds that each stands."""
    if format_of(target, _FORMATS) == "gif":
        try:
            return _Gif(importlib.import_module("PIL.Image"))
        except ImportError:
            raise missing("animated GIFs need Pillow", "pillow") from None
    program = shutil.which("ffmpeg")
    if program is None:
        raise MissingDependencyError(
            "MP4 needs the program ffmpeg, which is not on the PATH; install it "
            "(`apt-get install ffmpeg`, `brew install ffmpeg`), or write a .gif"
        )
    return _Mp4(program)


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
            raise RenderError(
                f"ffmpeg could not be run ({error.strerror}); install it anew, or "
                "write a .gif instead"
            ) from error
        if done.returncode or not done.stdout:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            why = "; ".join(said[-2:]) or f"status {done.returncode}"
            raise RenderError(
                f"ffmpeg could not make the film: {why}; write a .gif instead"
            )
        return done.stdout
