"""Links between files, as a repository shows them, become links between pages.

The docs are Markdown that is read in two places. A link leads from file to file, which
is right in a repository; the site has pages instead. One rule turns each link: to a
page of the docs, to the page that shows a file from above the docs (``PAGES``), to an
example in the gallery, to a live page; else to the file itself, in the repository's
viewer or, without one, as a copy in the site.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).parent.parent.parent
PAGES = {  # of the repository's root, by the page that includes them
    "project/readme": "README.md",
    "project/contributing": "CONTRIBUTING.md",
    "project/changelog": "CHANGELOG.md",
    "project/benchmarks": "benchmarks/README.md",
}
FOLDERS = {"docs/decisions": "docs/decisions/index.md", "examples": "docs/gallery.md"}
_SHOWN = {path: f"docs/{page}.md" for page, path in PAGES.items()}
_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^()\s]+)\)")
_INCLUDE = re.compile(r"```\{include\} (\S+)\n```\n?")


def relinked(text: str, home: str, page: str, viewer: str = "") -> str:
    """The Markdown of a file in the folder ``home``, to be read at the path ``page``.

    Both are paths from the repository's root. What is no link to a file that exists
    stays as it is.

    >>> relinked("See [security](docs/security.md#x).", "", "docs/project/readme.md")
    'See [security](../security.md#x).'
    >>> relinked("[xor](../examples/04_xor.py)", "docs", "docs/tutorial.md")
    '<a href="gallery.html#04-xor-py">xor</a>'
    >>> relinked("[play](playground.html)", "docs", "docs/pictures.md")
    '<a href="playground.html">play</a>'
    >>> relinked("[it](../setup.py)", "docs", "docs/tutorial.md", "https://x.org/b/")
    '[it](https://x.org/b/setup.py)'
    """

    def turned(link: re.Match[str]) -> str:
        image, words, target = link.groups()
        path, hash, fragment = target.partition("#")
        found = os.path.normpath(PurePosixPath(home, path)).replace(os.sep, "/")
        if not path or "://" in target or not (ROOT / found).exists():
            return link[0]
        if found.startswith("examples/") and found.endswith(".py"):
            gallery = _between(page, "docs/gallery.html")
            return f'<a href="{gallery}#{anchor(found)}">{words}</a>'
        found = _SHOWN.get(found, FOLDERS.get(found, found))
        if found.endswith(".html"):
            return f'<a href="{_between(page, found)}">{words}</a>'
        if viewer and not found.startswith("docs/"):
            return f"[{words}]({viewer}{quote(found)})"
        return f"{image}[{words}]({_between(page, found)}{hash}{fragment})"

    return _LINK.sub(turned, text)


def anchor(example: str) -> str:
    """Where an example stands in the gallery.

    >>> anchor("examples/04_xor.py")
    '04-xor-py'
    """
    return re.sub(r"\W|_", "-", PurePosixPath(example).name)


def _between(page: str, target: str) -> str:
    return os.path.relpath(target, PurePosixPath(page).parent).replace(os.sep, "/")


def _read(app: Any, name: str, source: list[str]) -> None:
    """Sphinx reads a page: files that it includes are put in, and links are turned."""
    page, viewer = f"docs/{name}.md", app.config.repository_files

    def included(match: re.Match[str]) -> str:
        file = (ROOT / page).parent.joinpath(match[1]).resolve()
        app.env.note_dependency(str(file))
        home = file.parent.relative_to(ROOT).as_posix()
        return relinked(file.read_text(encoding="utf-8"), home, page, viewer)

    home = str(PurePosixPath(page).parent)
    text = relinked(source[0], home, page, viewer)
    source[0] = _INCLUDE.sub(included, text)


def setup(app: Any) -> dict[str, Any]:
    """Sphinx asks every extension for this."""
    app.add_config_value("repository_files", "", "env")
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
