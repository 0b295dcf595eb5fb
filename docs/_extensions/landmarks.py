"""What the theme leaves for screen readers to guess is said in the pages.

The sidebars get names, the headings in them a level, the page of the search a heading,
and the empty corner of a table is none. The texts are those that the theme writes: a
test looks for the result.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_ASIDE, _CAPTION = '<aside class="%s-drawer"', '<p class="caption" role="heading"'
_RESULTS = '<div id="search-results"></div>'
_BETTER = {
    _ASIDE % "sidebar" + ">": _ASIDE % "sidebar" + ' aria-label="Site">',
    _ASIDE % "toc" + ">": _ASIDE % "toc" + ' aria-label="This page">',
    _CAPTION + ">": _CAPTION + ' aria-level="2">',
    '<th class="head"><p></p></th>': "<td></td>",
    _RESULTS: f"<h1>Search</h1>{_RESULTS}",
}


def _finished(app: Any, problem: Exception | None) -> None:
    if problem or app.builder.format != "html":
        return
    for name in app.env.found_docs | {"genindex", "search", "py-modindex"}:
        path = Path(app.outdir, f"{name}.html")
        if path.exists():
            text = path.read_text(encoding="utf-8")
            for old, new in _BETTER.items():
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    """Sphinx asks every extension for this."""
    app.connect("build-finished", _finished)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
