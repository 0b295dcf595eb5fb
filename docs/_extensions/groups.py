"""A group of pages in the sidebar: a toctree that is left out while it has no page."""

from __future__ import annotations

from typing import Any

from docutils.statemachine import StringList
from sphinx.directives.other import TocTree
from sphinx.util.matching import patfilter


class Group(TocTree):
    """The directive, for patterns of pages: what matches none makes no warning."""

    def run(self) -> list[Any]:
        """The toctree, or nothing."""
        pages = self.env.found_docs
        found = [line for line in self.content if any(patfilter(pages, line))]
        self.content = StringList(found, self.env.docname)
        return super().run() if found else []


def setup(app: Any) -> dict[str, Any]:
    """Sphinx asks every extension for this."""
    app.add_directive("group", Group)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
