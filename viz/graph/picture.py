"""A ``graphviz.Digraph`` that draws itself with or without the ``dot`` program.

With ``dot`` on the PATH, that is used. Without, or when it fails, a child process
imports pygraphviz, whose wheels contain Graphviz; where there are no such wheels, the
program graphviz-pure is the third choice (docs/decisions/0011). Large bitmaps are
scaled down to what viewers can open, and say so.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import struct
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import graphviz

from autograd.errors import RenderError
from autograd.missing import missing
from viz.files.children import orderly_end, run
from viz.graph.caption import LATER, remark
from viz.graph.fonts import FAMILY, environment

MAX_PIXELS = 8000
SCRIPTS = sysconfig.get_path("scripts")  # where packages install programs
_SCALED = (
    f"scaled down to {MAX_PIXELS} pixels, the most that viewers open: "
    f"draw it as SVG, or collapsed, to read it all"
)
_LARGE = 28  # points, which are to be read when they are scaled down too
_BITMAPS = {"png", "jpg", "jpeg", "jpe", "gif"}
_ENDS = {  # how a whole picture begins and ends
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"IEND\xaeB`\x82"),
    "pdf": (b"%PDF", b"%%EOF"),
    "svg": (b"<?xml", b"</svg>"),
    "gif": (b"GIF8", b";"),
    **dict.fromkeys(("jpg", "jpeg", "jpe"), (b"\xff\xd8", b"\xff\xd9")),
}
NEXT = "\n//next\n"  # between graphs that are drawn one after the other
_CHILD = """
import sys, pygraphviz
format, engine, size = sys.argv[1:]
for source in sys.stdin.buffer.read().decode("utf-8").split("\\n//next\\n"):
    graph = pygraphviz.AGraph(string=source)
    if size and "size" not in graph.graph_attr.keys():
        graph.graph_attr["size"] = size
    sys.stdout.buffer.write(graph.draw(format=format, prog=engine))
"""


class Picture(graphviz.Digraph):  # type: ignore[misc]
    """A directed graph in Graphviz's language, with all of ``graphviz.Digraph``."""

    def pipe(
        self,
        format: str | None = None,
        *more: Any,
        engine: str | None = None,
        encoding: str | None = None,
        **options: Any,
    ) -> Any:
        """The drawn picture: bytes, or text if an encoding is given.

        Raises RenderError if Graphviz refuses, and MissingDependencyError if there is
        none of ``dot``, pygraphviz and graphviz-pure.
        """
        if any(more) or any(options.values()):
            keywords = {"engine": engine, "encoding": encoding, **options}
            return super().pipe(format, *more, **keywords)
        chosen = format or self.format
        drawn = self._draw(chosen, engine or self.engine)
        return drawn if encoding is None else drawn.decode(encoding)

    def render(
        self,
        filename: Any = None,
        directory: Any = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *more: Any,
        outfile: Any = None,
        engine: str | None = None,
        **options: Any,
    ) -> str:
        """Save the source, and the picture beside it; return the picture's path."""
        if any(more) or any(options.values()):
            names = (filename, directory, view, cleanup, format, *more)
            keywords = {"outfile": outfile, "engine": engine, **options}
            path: str = super().render(*names, **keywords)
            return path
        suffix = None if outfile is None else Path(outfile).suffix[1:]
        chosen = format or suffix or self.format
        drawn = self.pipe(chosen, engine=engine)
        if outfile is not None and filename is None:
            filename = Path(outfile).with_suffix(".gv")
        source = self.save(filename, directory=directory)
        target = str(outfile or f"{source}.{chosen}")
        Path(target).write_bytes(drawn)
        if cleanup:
            os.remove(source)
        if view:
            self._view(target, format=chosen, quiet=False)
        return target

    def _draw(self, format: str, engine: str) -> bytes:
        """The picture; a bitmap has at most MAX_PIXELS a side, whatever its dpi."""
        if format not in _BITMAPS:
            return draw(self.source, format, engine)
        inches, source = MAX_PIXELS / 96.0, self.source
        drawn = draw(source, format, engine, inches)
        if format == "png":
            excess = max(struct.unpack(">II", drawn[16:24])) / MAX_PIXELS
            if excess > 0.99:
                smaller = inches / max(1.0, excess)
                drawn = draw(_with(source, _SCALED), format, engine, smaller)
        return drawn


def _with(source: str, line: str) -> str:
    """The source of a graph with one more line in its caption."""
    if LATER in source:
        return source.replace(LATER, remark(line, _LARGE))
    last = source.rindex("}")
    label = f'label="{line}" fontsize={_LARGE} labelloc=b'
    return f"{source[:last]}graph [{label}]{source[last:]}"


def draw(source: str, format: str, engine: str, inches: float = 0.0) -> bytes:
    """The picture, by the first way that works, in a process of its own."""
    size = f"{inches:g},{inches:g}" if inches else ""
    reasons = []
    for command, text in _commands(source, format, engine, size):
        drawn, reason = _run(command, text, format)
        if not reason:
            return drawn
        reasons.append(reason)
    if not reasons:
        raise missing(
            "drawing needs Graphviz",
            "pygraphviz",
            otherwise="where that has no wheel, pip install graphviz-pure; or install "
            "the program dot: apt-get install graphviz (Debian, Ubuntu), brew install "
            "graphviz (macOS), winget install graphviz (Windows)",
        )
    why = "; ".join(dict.fromkeys(reasons))
    raise RenderError(
        f"Graphviz could not draw the picture as {format}: {why}; try another format, "
        ".svg, or install Graphviz anew"
    )


def _commands(
    source: str, format: str, engine: str, size: str
) -> Iterator[tuple[list[str], str]]:
    """The ways to draw on this machine, the preferred first: a command, its input."""
    limit = [f"-Gsize={size}"] if size else []
    options = [f"-K{engine}", f"-T{format}", *limit]
    dot = shutil.which("dot")
    if dot is not None:
        yield [dot, *options], source
    if importlib.util.find_spec("pygraphviz") is not None:
        yield [sys.executable, "-P", "-c", _CHILD, format, engine, size], source
    folders = os.pathsep.join([SCRIPTS, os.environ.get("PATH", "")])
    pure = shutil.which("graphviz-pure", path=folders)
    if pure is not None:  # it knows the widths of a few fonts only
        yield [pure, *options], source.replace(FAMILY, "Arial")


def _run(command: list[str], source: str, format: str) -> tuple[bytes, str]:
    """What a command draws, and why that is no picture (or "")."""
    try:
        with orderly_end(), environment() as variables:
            done = run(command, source.encode(), variables)
    except OSError as error:
        return b"", f"{command[0]} could not be run ({error.strerror})"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    errors = [line for line in said if line.startswith("Error")]
    if errors or done.returncode:
        status = f"{command[0]} ended with status {done.returncode}"
        return b"", " ".join(errors or said[-1:]) or status
    start, end = _ENDS.get(format, (b"", b""))
    if not done.stdout.startswith(start) or not done.stdout:
        return b"", f"{command[0]} wrote no picture"
    if not done.stdout.rstrip(b"\r\n").endswith(end):
        return b"", f"{command[0]} wrote part of a picture, {len(done.stdout)} bytes"
    return done.stdout, ""
