"""One HTML file out of a title, markup, data and the scripts beside this one.

The file needs nothing else: styles, scripts and data stand in it, and a policy in its
head forbids every request. Data are JSON in a script of their own, written so that no
text in them can end that script; NaN and the infinities, which JSON lacks, are the
texts "NaN", "Infinity" and "-Infinity" (``number`` in numbers.js reads them).

Scripts are plain files that share one scope and are put in the order given. Their
indentation and comments, and some spaces and ends of line, are left out of a page; of
markup only the indentation, since its spaces are its words'.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

from autograd.errors import RenderError
from viz.files.whole import write

_FOLDER = Path(__file__).parent
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:"
)


def document(
    title: str,
    body: str,
    scripts: Iterable[str],
    data: Any = None,
    code: str = "",
    styles: Iterable[str] = (),
    height: int = 560,
) -> Page:
    """The page: its title, the markup of its body, and the files of its scripts.

    ``data`` is what the scripts find as ``DATA``; ``code`` stands before them; the
    ``styles`` are files too, after the style that all pages share. ``height`` is that
    in a notebook, in pixels.

    >>> page = document("a < b", "<p>text</p>", ["numbers.js"], {"x": float("inf")})
    >>> "a &lt; b" in page.text, '{"x":"Infinity"}' in page.text
    (True, True)
    """
    parts = [code, *map(source, scripts), source("frame.js")]
    look = map(_style, ["style.css", *styles])
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{chr(10).join(look)}
</style>
</head>
<body>
{body}
<script type="application/json" id="data">{as_json(data)}</script>
<script>
"use strict";
{chr(10).join(filter(None, parts))}
</script>
</body>
</html>
"""
    return Page(text, height)


def as_json(data: Any) -> str:
    """JSON that may stand inside a script.

    >>> as_json({"label": "</script>", "x": float("nan")})
    '{"label":"\\\\u003c/script>","x":"NaN"}'
    """
    text = json.dumps(_finite(data), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        return data if isfinite(data) else _NAMES[str(data)]
    if isinstance(data, dict):
        return {str(name): _finite(x) for name, x in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(x) for x in data]
    return data


_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def source(name: str) -> str:
    """A file beside this one, as it stands in a page.

    >>> "a squared error; MSE is" in source("lessons/descent.html").replace("\\n", " ")
    True
    """
    text = (_FOLDER / name).read_text("utf-8")
    return compact(text) if name.endswith(".js") else re.sub(r"\n\s*", "\n", text)


def compact(text: str) -> str:
    """A script without indentation, comments, and some of its spaces and line ends.

    >>> compact("  const x = [1, 2]; // two" + chr(10) + "  say('a = b');")
    "const x=[1,2];say('a = b');"
    """
    lines = [re.sub(r"(^|\s+)// .*", "", line).strip() for line in text.splitlines()]
    joined = "\n".join([_squeezed(line) for line in lines if line])
    return re.sub(r"(?<=[{(\[,;])\n", "", joined)


def _squeezed(line: str) -> str:
    """A line without spaces around signs, if it has no texts, quotients or patterns."""
    if re.search(r"[\"'`/]|\+ \+|- -", line):
        return line
    return re.sub(r" ?([-=+*<>?:,{}()|&!;]+) ?", r"\1", line)


def _style(name: str) -> str:
    """A style sheet beside this one, without its comments and spaces."""
    text = (_FOLDER / name).read_text("utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).strip()
    return re.sub(r"\s*([{}:;,])\s*", r"\1", text)


def html_path(path: str | os.PathLike[str], otherwise: str) -> Path:
    """The path of a page, or RenderError that says what writes other files.

    >>> html_path("page.HTML", "").name
    'page.HTML'
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise RenderError(
            f"{target.name!r} does not end in .html: write {target.stem}.html; "
            f"{otherwise}"
        )
    return target


@dataclass(frozen=True, repr=False)
class Page:
    """A page as a text: notebooks show it, ``save`` writes it.

    In a notebook it stands in a frame of its own that may run scripts and nothing else:
    it needs no kernel and no network, and stays alive in exported HTML.

    >>> Page("<p>hello</p>", height=400)
    <a page of 12 characters: show it in a notebook, or .save("page.html")>
    """

    text: str
    height: int  # pixels, in a notebook

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it into a file that ends in .html; it appears whole or not at all.

        Raises RenderError for another ending, and when the file cannot be written.
        """
        target = html_path(
            path,
            "this is a page for browsers; viz.render writes pictures (.png, .svg, "
            ".pdf)",
        )
        write(target, self.text.encode("utf-8", "replace"))
        return target

    def to(self, path: str | os.PathLike[str] | None) -> Page | Path:
        """Itself, or the path of the file that it was written to."""
        return self if path is None else self.save(path)

    def _repr_html_(self) -> str:
        style = f"width: 100%; height: {self.height}px; border: 0"
        return (
            f'<iframe sandbox="allow-scripts" title="a live page" style="{style}" '
            f'srcdoc="{escape(self.text)}"></iframe>'
        )

    def __repr__(self) -> str:
        size = f"{len(self.text):,} characters"
        return f'<a page of {size}: show it in a notebook, or .save("page.html")>'
