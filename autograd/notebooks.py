"""What a notebook shows instead of a text: pictures, tables, pages.

Notebooks ask objects for ``_repr_html_`` and the like. Those here ask ``viz``, which
stands above all that is shown, when they are called; who works without notebooks never
imports it.
"""

from __future__ import annotations

from scalar_autograd import require


class Shown:
    """A base for what notebooks show as HTML."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        require("viz")
        from viz import notebooks

        return notebooks.html(self)


class Drawn(Shown):
    """A base for what notebooks show as a picture, or as HTML where it is too large."""

    __slots__ = ()

    def _repr_svg_(self) -> str | None:
        require("viz")
        from viz import notebooks

        return notebooks.svg(self)
