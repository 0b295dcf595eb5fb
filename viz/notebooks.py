"""What notebooks show: graphs and networks as pictures, everything else as tables.

The classes say so themselves (``autograd.notebooks``) and ask here: a small graph is
drawn, a large one is summed up; a model shows its network and its layers, a history its
curves, a report its verdicts. What cannot be drawn on this machine is written instead.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from math import isfinite
from typing import Any

from autograd import Explanation, GradcheckReport, Value
from autograd.compiler.jit import Compiled
from autograd.errors import AutogradError, MissingDependencyError
from autograd.graph.nodes import topological_order
from nn.layers.module import Module
from nn.training.history import History
from viz.graph.render import draw_dot
from viz.plots.curves import loss_curve
from viz.plots.markup import network_svg

_SMALL = 60  # nodes of a graph that is drawn
_ROWS = 20  # of a table
_BAD = "color: #b91c1c; font-weight: 600"


def svg(value: Any) -> str | None:
    """The graph below a value, or None: a leaf, a large graph, nothing to draw with."""
    interior, leaves = _below(value)
    if not interior or len(interior) + len(leaves) > _SMALL:
        return None
    try:
        drawn = draw_dot(value).pipe("svg", encoding="utf-8")
    except AutogradError:
        return None
    return _fitted(drawn)


def _fitted(drawn: str) -> str:
    """An SVG for the inside of a page, no wider than there is room."""
    return '<svg style="max-width: 100%; height: auto"' + drawn.partition("<svg")[2]


def html(thing: Any) -> str | None:
    """The HTML of what notebooks show; None where a text or a picture says it."""
    shown = (show for kind, show in _KINDS.items() if isinstance(thing, kind))
    return next(shown)(thing)


def _value(value: Value) -> str | None:
    interior, leaves = _below(value)
    if not interior or svg(value) is not None:
        return None
    bad = sum(not isfinite(node.data) for node in interior)
    rows = [
        ("data", f"{value.data!r}"),
        ("grad", f"{value.grad!r}"),
        ("graph", f"{len(interior):,} operations, {len(leaves):,} leaves"),
        *([("not finite", f"{bad:,} of them")] if bad else []),
        ("to see it", "viz.explore(y), viz.render(y, 'graph.png')"),
    ]
    return _table(value.label or value.op, ("", ""), rows)


def _module(model: Module) -> str:
    named = model.named_parameters()
    groups: dict[str, list[Value]] = {}
    for name, parameter in named.items():
        groups.setdefault(_layer_of(name), []).append(parameter)
    rows = [
        (name, f"{len(found):,}", _range(p.data for p in found))
        for name, found in groups.items()
    ]
    title = f"{type(model).__name__}, {len(named):,} parameters"
    table = _table(title, ("", "parameters", "from … to"), rows)
    try:
        return f"{network_svg(model)}{table}"
    except (AutogradError, TypeError):  # a model of one's own: no layers to draw
        return table


def _history(history: History) -> str:
    best = history.best_epoch
    rows = [
        (name, f"{xs[-1]:.4g}", "" if best is None else f"{xs[best]:.4g}")
        for name, xs in history.columns().items()
    ]
    end = f", stopped: {history.stopped}" if history.stopped else ""
    title = f"{len(history)} epoch(s){end}"
    head = ("", "last", f"best epoch, {best}" if best is not None else "")
    return _curves(history) + _table(title, head, rows)


def _curves(history: History) -> str:
    """The loss as a picture, without pyplot's memory of figures."""
    try:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.0, 3.2), layout="constrained")
        loss_curve(history, ax=figure.subplots())
    except (ImportError, MissingDependencyError, AutogradError):
        return ""  # no matplotlib, or nothing that can be drawn
    file = io.StringIO()
    figure.savefig(file, format="svg")
    return _fitted(file.getvalue())


def _report(report: GradcheckReport) -> str:
    rows = [
        (e.name, f"{e.analytic:.10g}", f"{e.numeric:.10g}", f"{e.error:.1e}", e.verdict)
        for e in report.entries
    ]
    title = "gradients agree" if report else "gradients DISAGREE"
    head = ("input", "analytic", "numeric", "error", "")
    return _table(title, head, rows, lambda row: row[-1] == "WRONG")


def _explanation(found: Explanation) -> str:
    title = f"d{found.y}/d{found.x} = {found.value!r}: {found.count} path(s)"
    rows = []
    for number, path in enumerate(found.paths, 1):
        rows.append((f"{number}.", "", f"{path.contribution:.6g}"))
        for step in path.steps[:_ROWS]:
            slope = f"d{step.result}/d{step.operand}"
            rows.append(("", f"{slope} = {step.formula}", f"{step.partial:.6g}"))
        if len(path.steps) > _ROWS:
            rows.append(("", f"… {len(path.steps) - _ROWS} steps more", ""))
    return _table(title, ("path", "local derivative", "number"), rows, most=200)


def _compiled(function: Compiled) -> str:
    name = getattr(function, "__name__", "a function")
    return f"<b>compiled {escape(name)}</b><pre>{escape(function.report())}</pre>"


_KINDS: dict[type, Callable[[Any], str | None]] = {
    Value: _value,
    Module: _module,
    History: _history,
    GradcheckReport: _report,
    Explanation: _explanation,
    Compiled: _compiled,
}


def _below(value: Value) -> tuple[list[Any], list[Any]]:
    return topological_order(value)


def _layer_of(name: str) -> str:
    """``layer0`` of ``layer0.neuron3.w1``, ``encoder.0`` of ``encoder.0.weight.1``."""
    found = re.match(r"\w+\.\d+(?=\.)", name)
    return found[0] if found else name.partition(".")[0]


def _range(numbers: Iterable[float]) -> str:
    found = list(numbers)
    return f"{min(found):.4g} … {max(found):.4g}"


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    is_bad: Callable[[Sequence[str]], bool] = lambda row: False,
    most: int = _ROWS,
) -> str:
    """A table of texts; of a long one the beginning, and how much was left out."""
    top = "".join([f"<th>{escape(text)}</th>" for text in head])
    lines = []
    for row in rows[:most]:
        cells = "".join([f"<td>{escape(text)}</td>" for text in row])
        look = f' style="{_BAD}"' if is_bad(row) else ""
        lines.append(f"<tr{look}>{cells}</tr>")
    more = f"<p>… and {len(rows) - most} more</p>" if len(rows) > most else ""
    body = f"<thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f"<div><b>{escape(title)}</b><table>{body}</table>{more}</div>"
