"""Fonts on a machine that has none: the bundled DejaVu Sans, found by fontconfig.

Without any font Graphviz draws text as empty boxes. Its process is told, by a
configuration file of its own, to look where it would look anyway and at the bundled
fonts too. Some versions of fontconfig write into the folders that they read
(``.uuid``), so it gets a copy: in the user's cache, since its index is kept by the
folder's name; where there is none, in a temporary folder that holds the index as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

from nn.files import replace

FAMILY = "DejaVu Sans,Verdana,sans-serif"  # Verdana: the same widths, for browsers
FOLDER = Path(__file__).parent / "_fonts"
_SYSTEM = (
    "/etc/fonts/fonts.conf",
    "/usr/local/etc/fonts/fonts.conf",
    "/opt/homebrew/etc/fonts/fonts.conf",
)
_INDEX = '<cachedir prefix="xdg">fontconfig</cachedir>'


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """The environment for a process that draws, with the bundled fonts in reach."""
    chosen = os.environ.get("FONTCONFIG_FILE")
    included = [
        f'<include ignore_missing="yes">{escape(path)}</include>'
        for path in ((chosen,) if chosen else _SYSTEM)
    ]
    with TemporaryDirectory() as folder:
        try:
            fonts = _copied(_cache())
            lines = [*included, _folder(fonts), _INDEX]
        except (OSError, RuntimeError):  # read-only, full, or a user without a home
            aside = Path(folder, "index")
            fonts = _copied(Path(folder, "fonts"))
            first = f"<cachedir>{escape(str(aside))}</cachedir>"
            lines = [first, *included, _folder(fonts), _INDEX]
        file = Path(folder, "fonts.conf")
        file.write_text("\n".join([*_HEAD, *lines, "</fontconfig>"]), "utf-8")
        yield {**os.environ, "FONTCONFIG_FILE": str(file)}


_HEAD = (
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    "<fontconfig>",
)


def _folder(fonts: Path) -> str:
    return f"<dir>{escape(str(fonts))}</dir>"


def _cache() -> Path:
    """Where the copy is kept; relative paths do not count, as XDG says."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(chosen) if os.path.isabs(chosen) else Path.home() / ".cache"
    if not base.is_absolute():
        raise RuntimeError(f"the home folder {str(Path.home())!r} is no absolute path")
    return base / "scalar-autograd-fonts"


def _copied(target: Path) -> Path:
    """The folder, with the bundled fonts in it, equal byte for byte."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for font in FOLDER.glob("*.ttf"):
        content, copy = font.read_bytes(), target / font.name
        if not copy.is_file() or copy.read_bytes() != content:
            replace(copy, content)
    return target
