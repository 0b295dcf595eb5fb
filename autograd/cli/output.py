"""What a command shows: the value and the gradients as text, the graph in files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from autograd.checks.anomaly import detect_anomaly
from autograd.checks.explain import explain
from autograd.checks.expression import Formula
from autograd.checks.gradcheck import gradcheck
from autograd.errors import AnomalyError, ExpressionError
from autograd.numbers.value import Value
from scalar_autograd import require


def show(formula: Formula, numbers: Mapping[str, float], args: Any) -> bool:
    """Print and draw; whether no gradient is wrong."""
    leaves = {name: Value(x, label=name) for name, x in numbers.items()}
    y: Any = formula(**leaves)
    if isinstance(y, list):
        raise ExpressionError(
            f"the formula is a list of {len(y)}; it must be one number: take its "
            f"sum(...), or one entry"
        )
    _check_endings(args)
    y = y if isinstance(y, Value) else Value(y, label=formula.text)
    print(f"{formula.text} = {y.data!r}")
    why = formula.first_not_finite(**numbers)
    if why:
        print(f"  because {why}" if not isfinite(y.data) else f"  although {why}")
    right = True
    if numbers:
        report = gradcheck(
            lambda *xs: formula(**dict(zip(numbers, xs, strict=True))),
            *numbers.values(),
            raise_exception=False,
        )
        print(report.table([*numbers]))
        right = bool(report)
    if isfinite(y.data):
        _print_gradient_that_is_not_finite(formula, leaves)
    if args.explain:
        for leaf in leaves.values():
            print(f"\n{explain(y, wrt=leaf)}")
    _draw(y, args)
    return right


def _print_gradient_that_is_not_finite(
    formula: Formula, leaves: Mapping[str, Value]
) -> None:
    """Which operation made it, with which numbers."""
    try:
        with detect_anomaly(at_once=False):
            y = formula(**leaves)
            if isinstance(y, Value):
                y.backward()
    except AnomalyError as error:
        print(f"  because {str(error).splitlines()[0]}")
    finally:
        for leaf in leaves.values():
            leaf.grad = 0.0


def _check_endings(args: argparse.Namespace) -> None:
    """The option says the format, and the file's name the same."""
    for format in ("png", "svg", "pdf", "html"):
        path = getattr(args, format)
        if path is None or Path(path).suffix.lower() == f".{format}":
            continue
        other = Path(path).suffix.lower()[1:]
        if other in ("png", "svg", "pdf", "html"):
            remedy = f"write --{other} {path}"
        else:
            remedy = f"write --{format} {path or 'graph'}.{format}"
        raise ExpressionError(
            f"--{format} needs a file that ends in .{format}, got {path!r}: {remedy}"
        )


def _draw(y: Value, args: argparse.Namespace) -> None:
    """LaTeX and files; viz stands above autograd, and is imported when called."""
    pictures = [args.png, args.svg, args.pdf]
    if not args.latex and [args.html, *pictures] == [None] * 4:
        return
    require("viz")
    from viz import explore, latex, render

    if args.latex:
        print(f"\n{latex(y)}")
    if args.html is not None:
        print(f"wrote {explore(y, args.html)}")
    y.backward()
    for path in pictures:
        if path is not None:
            print(f"wrote {render(y, path)}")
