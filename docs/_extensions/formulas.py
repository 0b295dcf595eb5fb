"""Formulas as MathML, written at build: no script and no font is needed to read them.

latex2mathml hands on what it does not know as a text; that is refused here.
"""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert


def mathml(latex: str, display: str = "inline") -> str:
    r"""A formula as MathML, with its LaTeX as what copies and searches find.

    >>> "<mi>w</mi><mi>x</mi>" in mathml("w x")
    True
    >>> "columnalign" in mathml(r"\begin{aligned} a &= b \\ &= c \end{aligned}")
    True
    >>> mathml(r"\nosuchcommand x")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: \nosuchcommand is nothing that latex2mathml can show: ...
    """
    known = latex.replace("{aligned}", "{align*}")
    markup = convert(known, display=display)
    unknown = re.search(r">(\\[A-Za-z]+|&)<", markup)
    if unknown:
        raise ValueError(
            f"{unknown[1]} is nothing that latex2mathml can show: in {latex!r}; write "
            f"it with other commands"
        )
    return markup


def _inline(translator: Any, node: Any) -> None:
    translator.body.append(mathml(node.astext()))
    raise _skipped()


def _block(translator: Any, node: Any) -> None:
    formula = mathml(node.astext(), "block")
    translator.body.append(f'<div class="formula">{formula}</div>\n')
    raise _skipped()


def _skipped() -> Exception:
    from docutils.nodes import SkipNode

    return SkipNode()


def setup(app: Any) -> dict[str, Any]:
    """Sphinx asks every extension for this."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
