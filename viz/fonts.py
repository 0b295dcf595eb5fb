"""Fonts on a machine that has none: the bundled DejaVu Sans, found by fontconfig.

Without any font Graphviz draws text as empty boxes. Its process is told, by a
configuration file of its own, to look where it would look anyway and in ``_fonts`` too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

__all__ = ["FAMILY", "environment"]

FAMILY = "DejaVu Sans,Verdana,sans-serif"  # Verdana: the same widths, for browsers
FOLDER = Path(__file__).parent / "_fonts"
_SYSTEM = (
    "/etc/fonts/fonts.conf",
    "/usr/local/etc/fonts/fonts.conf",
    "/opt/homebrew/etc/fonts/fonts.conf",
)


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """The environment for a process that draws, with the bundled fonts in reach."""
    chosen = os.environ.get("FONTCONFIG_FILE")
    with TemporaryDirectory() as folder:
        file = Path(folder, "fonts.conf")
        file.write_text(_configuration((chosen,) if chosen else _SYSTEM), "utf-8")
        yield {**os.environ, "FONTCONFIG_FILE": str(file)}


def _configuration(included: tuple[str, ...]) -> str:
    includes = [
        f'<include ignore_missing="yes">{escape(path)}</include>' for path in included
    ]
    return "\n".join(
        (
            '<?xml version="1.0"?>',
            '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
            "<fontconfig>",
            *includes,
            f"<dir>{escape(str(FOLDER))}</dir>",
            '<cachedir prefix="xdg">fontconfig</cachedir>',
            "</fontconfig>",
        )
    )
