"""The gallery: every example, what it says of itself, prints and draws.

The examples are run when the site is built, each in a folder of its own; the pictures
are those that they write into ``output/``. The page holds a comment where they belong.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from links import anchor
from sphinx.errors import ExtensionError

ROOT = Path(__file__).parent.parent.parent
_PAGE = "gallery"
_PLACE = "<!-- the examples -->"
_PICTURES, _LIVE = (".png", ".svg"), (".html",)
_LINES = 12  # printed lines on a card


@dataclass(frozen=True)
class Example:
    """An example that was run: its file, what it printed, the files that it wrote."""

    path: Path
    printed: str
    files: list[str]  # their names, those of pictures first

    @property
    def title(self) -> str:
        """The few words before the colon with which its docstring begins."""
        return self._docstring.partition(": ")[0]

    @property
    def said(self) -> str:
        """What its docstring says after them, as a sentence."""
        said = self._docstring.partition(": ")[2]
        return said[:1].upper() + said[1:]

    @property
    def _docstring(self) -> str:
        return ast.get_docstring(ast.parse(self.path.read_text(encoding="utf-8"))) or ""

    @property
    def pictures(self) -> list[str]:
        """The names of its pictures."""
        return [name for name in self.files if name.endswith(_PICTURES)]

    @property
    def folder(self) -> str:
        """Where its files stand in the site."""
        return f"_static/gallery/{self.path.stem}"


def run(path: Path, target: Path) -> Example:
    """Run one example, and keep what it wrote in the folder ``target``.

    Raises ExtensionError, with what it complained of, when it fails.
    """
    environment = {"MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, path],
            cwd=folder,
            env=os.environ | environment,
            capture_output=True,
            encoding="utf-8",
        )
        if done.returncode:
            raise ExtensionError(f"{path.name} failed:\n{done.stderr}")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        wrote = sorted(Path(folder, "output").glob("*"), key=_pictures_first)
        files = [file for file in wrote if file.suffix in _PICTURES + _LIVE]
        for file in files:
            shutil.copy(file, target)
    printed = done.stdout.replace(f"{ROOT}{os.sep}", "")  # no path of this machine
    return Example(path, printed, [file.name for file in files])


def _pictures_first(file: Path) -> tuple[bool, int]:
    """Pictures before pages, in the order in which they were written."""
    return file.suffix not in _PICTURES, file.stat().st_mtime_ns


def card(example: Example) -> str:
    """The example in a grid: its first picture, or the first lines that it prints."""
    name = example.path.name
    lines = [escape(line) or "&#160;" for line in example.printed.splitlines()]
    text = "\n".join(lines[:_LINES])  # without empty lines, which end HTML in Markdown
    shown = f'<div class="printed" aria-hidden="true">{text}</div>'
    if example.pictures:
        shown = f'<img src="{example.folder}/{example.pictures[0]}" alt="">'
    first = escape(example.said.splitlines()[0].replace("`", ""))
    return (
        f'<li><a class="card" href="#{anchor(name)}">{shown}<b>{example.title}</b>'
        f"<span>{first}</span></a></li>"
    )


def section(example: Example) -> str:
    """The example at length, as Markdown."""
    name, folder = example.path.name, example.folder
    source = example.path.read_text(encoding="utf-8")
    pictures = [
        f'<p class="example"><a href="{folder}/{picture}"><img '
        f'src="{folder}/{picture}" alt="{picture}, as {name} draws it"></a></p>'
        for picture in example.pictures
    ]
    pages = [
        f'<a href="{folder}/{file}">{file}</a>'
        for file in example.files
        if file.endswith(_LIVE)
    ]
    live = [f"Live pages: {', '.join(pages)}."] if pages else []
    download = f'<a href="{folder}/{name}" download>Download {name}</a>'
    return "\n\n".join(
        [
            f'<span id="{anchor(name)}"></span>',
            f"## {example.title}",
            example.said,
            *pictures,
            *live,
            f"It prints:\n\n```text\n{example.printed.rstrip()}\n```",
            f"<details><summary>{name}</summary>\n\n```python\n{source}```\n\n</details>",
            download,
        ]
    )


def page(examples: list[Example]) -> str:
    """All of them: the grid, then one after the other."""
    cards = "\n".join(map(card, examples))
    return "\n\n".join([f'<ul class="cards">\n{cards}\n</ul>', *map(section, examples)])


def _gallery(app: Any, name: str, source: list[str]) -> None:
    """Put the examples into their page."""
    if name != _PAGE:
        return
    paths = sorted((ROOT / "examples").glob("*.py"))
    for path in paths:
        app.env.note_dependency(str(path))
    target = Path(app.outdir, "_static", "gallery")
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        examples = list(workers.map(lambda path: run(path, target / path.stem), paths))
    source[0] = source[0].replace(_PLACE, page(examples))


def setup(app: Any) -> dict[str, Any]:
    """Sphinx asks every extension for this."""
    app.connect("source-read", _gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
