"""playground: a page without a graph of its own: formulas are typed into it.

It reads the grammar of the command line (``checks.expression``), has its functions, and
shows the graph as ``explore`` does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, overload

from autograd.checks.expression import Formula
from autograd.errors import ExpressionError
from autograd.table.primitives import TABLE
from autograd.table.reals import as_float
from viz.page import grammar, operations
from viz.page.document import Page, document, source
from viz.page.graph.explorer import SCRIPTS, notation

_EXAMPLES: list[tuple[str, str, dict[str, float]]] = [
    ("a neuron", "tanh(w*x + b)", {"w": -3.0, "x": 2.0, "b": 6.88}),
    ("a number used twice", "x*y + sin(x)", {"x": 2.0, "y": 3.0}),
    (
        "three inputs",
        "relu(dot([w1, w2, w3], [x1, x2, x3], b))",
        {"w1": 0.5, "w2": -1.0, "w3": 2.0, "x1": 1.0, "x2": 2.0, "x3": 1.5, "b": 0.1},
    ),
    ("a squared error", "(w*x + b - y)**2", {"w": 0.5, "x": 4.0, "b": 1.9, "y": 5.0}),
    ("cross-entropy", "logsumexp(a, b, c) - a", {"a": 2.0, "b": 1.0, "c": -1.0}),
    ("a kink", "relu(x) + abs(y)", {"x": 0.0, "y": -1.0}),
    ("an infinity, traced", "2*log(x) + x*y", {"x": 0.0, "y": 1.0}),
    ("a choice", "where(x > 0, log(x), x**2)", {"x": -0.5}),
]


@overload
def playground(
    path: None = None, formula: str = "tanh(w*x + b)", **numbers: Any
) -> Page: ...
@overload
def playground(
    path: str | os.PathLike[str], formula: str = "tanh(w*x + b)", **numbers: Any
) -> Path: ...
def playground(
    path: str | os.PathLike[str] | None = None,
    formula: str = "tanh(w*x + b)",
    **numbers: Any,
) -> Page | Path:
    """The playground: a page in which one types a formula and sees its graph.

    Value, graph, gradients and derivation follow as one types; the numbers are typed,
    or dragged in the graph; the page's address holds both, so that a link shares them.
    Grammar and functions are those of ``python -m autograd``.

    Parameters
    ----------
    path : a file name that ends in .html; without one, a page to show in a notebook.
    formula : what the page begins with.
    **numbers : the numbers of its names; 1 for those that are not given.

    Returns the path, or the page. Raises ExpressionError for what is no formula, or a
    number whose name does not occur in it, TypeError for what is no number, and
    RenderError for another ending or a file that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from viz import playground
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     playground(folder + "/page.html", "x * y + sin(x)", x=2, y=3).name
    'page.html'
    """
    known = Formula(formula)
    foreign = [name for name in numbers if name not in known.names]
    if foreign:
        raise ExpressionError(
            f"{', '.join(foreign)} does not occur in {formula!r}: leave it out, or "
            "write it into the formula"
        )
    if not numbers and formula == _EXAMPLES[0][1]:
        numbers = dict(_EXAMPLES[0][2])
    data = {
        "formula": formula,
        "numbers": {name: as_float(x) for name, x in numbers.items()},
        "examples": _EXAMPLES,
    }
    code = operations.code() + notation(TABLE) + grammar.code()
    body = source("graph/playground.html") + source("graph/explorer.html")
    scripts = [*SCRIPTS, "graph/crowd.js", "graph/playground.js"]
    styles = ["graph/explorer.css", "graph/playground.css"]
    page = document("playground", body, scripts, data, code, styles)
    return page.to(path)
