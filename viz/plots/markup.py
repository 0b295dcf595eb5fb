"""A network as SVG: a text for notebooks and pages, without matplotlib.

Its styles reach nothing outside it, and follow the reader's light or dark scheme.
"""

from __future__ import annotations

from html import escape
from math import isnan
from typing import Any

from nn.layers.module import Module
from viz.plots.palette import DARK, LIGHT, kind
from viz.plots.places import RADIUS
from viz.plots.scene import Dot, Line, Scene, Tile, scene

_UNIT = 56  # pixels between two neurons
_TOP, _BELOW = 0.8, 2.3  # rows for the title, and for words and the legend
_LEVELS = 8  # of colour in a picture of weights
_NAME = "autograd-network"
_KINDS = ("positive", "negative", "unknown", "zero")


def network_svg(model: Module, x: Any = None, **options: Any) -> str:
    """The picture of ``network`` as the text of an SVG element.

    Arguments and errors are those of ``network``, without ``ax``. Matplotlib is not
    needed. The pointer shows each weight and bias in four digits. Put the text into a
    page as it is, or into a file that ends in .svg.

    >>> from nn import MLP
    >>> from viz import network_svg
    >>> picture = network_svg(MLP(2, [4, 1], seed=0), inputs=("hours", "<age>"))
    >>> picture.count("<circle"), "&lt;age&gt;" in picture
    (12, True)
    """
    drawn = scene(model, x, **options)
    across = drawn.left + drawn.width + drawn.right
    width, height = across * _UNIT, (drawn.height + _TOP + _BELOW) * _UNIT
    width = max(width, 440.0)
    parts = [
        *(_wire(line) for line in sorted(drawn.lines, key=lambda a: abs(a.strength))),
        *(_words_on(line) for line in drawn.lines if line.text),
        *(_tile(tile) for tile in drawn.tiles),
        *(_circle(dot) for dot in drawn.dots),
        *(_text(gap.x, gap.y, f"⋮ {gap.count:,} more") for gap in drawn.gaps),
        *(
            _text(x, drawn.height + 0.35 + 0.32 * i, text)
            for x, texts in drawn.under
            for i, text in enumerate(texts)
        ),
    ]
    shift = (width - across * _UNIT) / 2 + drawn.left * _UNIT
    title = escape(drawn.title)
    label = escape(f"{drawn.title}. {', '.join(t for _, t in drawn.legend)}.")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{_NAME}" role="img" '
        f'aria-label="{label}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" style="max-width:100%;height:auto">'
        f"<title>{title}</title><style>{_style()}</style>"
        f'<rect class="paper" width="100%" height="100%"/>'
        f'<text class="head" x="{width / 2:.0f}" y="{0.5 * _UNIT:.0f}">{title}</text>'
        f'<g transform="translate({shift:.1f} {_TOP * _UNIT:.1f})">{"".join(parts)}</g>'
        f"{_legend(drawn, width, height)}</svg>"
    )


def _style() -> str:
    """Rules for this class alone."""
    rules = [
        f".{_NAME}{{{_variables('#ffffff', '#0f172a', LIGHT)};font:13px system-ui,"
        f"'DejaVu Sans',sans-serif}}",
        f"@media(prefers-color-scheme:dark){{.{_NAME}"
        f"{{{_variables('#0f172a', '#f1f5f9', DARK)}}}}}",
        f".{_NAME} .paper{{fill:var(--net-paper)}}",
        f".{_NAME} text{{fill:var(--net-ink);text-anchor:middle;"
        f"dominant-baseline:central}}",
        f".{_NAME} .head{{font-size:15px;font-weight:600}}",
        f".{_NAME} .left{{text-anchor:start}}.{_NAME} .right{{text-anchor:end}}",
        f".{_NAME} .on{{font-size:11px;paint-order:stroke;stroke-width:4px;"
        f"stroke:var(--net-paper)}}",
        f".{_NAME} .b{{font-size:10px}}",
        f".{_NAME} circle{{stroke:var(--net-ink);fill:var(--net-paper)}}",
        f".{_NAME} circle.fill{{stroke:none}}",
    ]
    for name in _KINDS:
        rules.append(f".{_NAME} .wire.{name}{{stroke:var(--net-{name})}}")
        rules.append(f".{_NAME} .fill.{name}{{fill:var(--net-{name})}}")
        rules.append(f".{_NAME} .ring.{name}{{stroke:var(--net-{name})}}")
    return "".join(rules)


def _variables(paper: str, ink: str, palette: tuple[str, ...]) -> str:
    signs = [f"--net-{k}:{c}" for k, c in zip(_KINDS, palette, strict=True)]
    return ";".join([f"--net-paper:{paper}", f"--net-ink:{ink}", *signs])


def _kind(strength: float) -> str:
    return _KINDS[kind(strength)]


def _size(strength: float) -> float:
    return 1.0 if isnan(strength) else abs(strength)


def _text(x: float, y: float, text: str, look: str = "") -> str:
    where = f'x="{x * _UNIT:.1f}" y="{y * _UNIT:.1f}"'
    return f'<text class="{look}" {where}>{escape(text)}</text>'


def _wire(line: Line) -> str:
    (a, b), size = (line.tail, line.head), _size(line.strength)
    return (
        f'<line class="wire {_kind(line.strength)}" x1="{a.x * _UNIT:.1f}" '
        f'y1="{a.y * _UNIT:.1f}" x2="{b.x * _UNIT:.1f}" y2="{b.y * _UNIT:.1f}" '
        f'stroke-width="{0.5 + 3.5 * size:.2f}" '
        f'stroke-opacity="{0.3 + 0.7 * size:.2f}">'
        f"<title>{escape(line.says)}</title></line>"
    )


def _words_on(line: Line) -> str:
    a, b, share = line.tail, line.head, line.share
    where = a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)
    return _text(*where, line.text, "on")


def _circle(dot: Dot) -> str:
    x, y = dot.place.x, dot.place.y
    parts = [_disc(x, y, RADIUS)]
    if dot.strength is not None:
        opacity = f' fill-opacity="{0.45 * _size(dot.strength):.2f}"'
        parts.append(_disc(x, y, RADIUS, f"fill {_kind(dot.strength)}", opacity))
    if dot.number:
        parts.append(_text(x, y, dot.number))
    if dot.name:
        side = (RADIUS + 0.12) * (1 if dot.right else -1)
        parts.append(_text(x + side, y, dot.name, "left" if dot.right else "right"))
    if dot.bias is not None:
        at = x - 0.75 * RADIUS, y - 0.75 * RADIUS
        parts += [_disc(*at, 0.15, f"ring {_kind(dot.bias)}"), _text(*at, "b", "b")]
    return f"<g><title>{escape(dot.says)}</title>{''.join(parts)}</g>"


def _disc(x: float, y: float, r: float, look: str = "", more: str = "") -> str:
    where = f'cx="{x * _UNIT:.1f}" cy="{y * _UNIT:.1f}" r="{r * _UNIT:.1f}"'
    return f'<circle class="{look}" {where}{more}/>'


def _tile(tile: Tile) -> str:
    """Squares of one colour and strength are one path."""
    rows, columns = tile.strengths.shape
    cell = tile.side * _UNIT / max(rows, columns)
    paths: dict[tuple[str, int], list[str]] = {}
    for (r, c), s in zip(_cells(rows, columns), tile.strengths.ravel(), strict=True):
        level = round(_LEVELS * _size(float(s)))
        if level:
            paths.setdefault((_kind(float(s)), level), []).append(f"M{c} {r}h1v1h-1z")
    x, y = tile.x * _UNIT - columns * cell / 2, tile.y * _UNIT - rows * cell / 2
    drawn = "".join(
        f'<path class="fill {sign}" fill-opacity="{n / _LEVELS:.3g}" d="{"".join(d)}"/>'
        for (sign, n), d in paths.items()
    )
    border = f"M0 0h{columns}v{rows}h-{columns}z"
    frame = f'<path fill="none" stroke="gray" stroke-width=".1" d="{border}"/>'
    place = f"translate({x:.1f} {y:.1f}) scale({cell:.3f})"
    return f'<g transform="{place}">{drawn}{frame}</g>'


def _cells(rows: int, columns: int) -> list[tuple[int, int]]:
    return [(r, c) for r in range(rows) for c in range(columns)]


def _legend(drawn: Scene, width: float, height: float) -> str:
    """What the lines mean, in two columns below."""
    parts = []
    for i, (strength, text) in enumerate(drawn.legend):
        x, y = 16 + (i % 2) * width / 2, height - 62 + 22 * (i // 2)
        if strength:
            parts.append(
                f'<line class="wire {_kind(strength)}" x1="{x:.0f}" x2="{x + 24:.0f}" '
                f'y1="{y:.0f}" y2="{y:.0f}" stroke-width="4"/>'
            )
        where = f'x="{x + 32:.0f}" y="{y:.0f}"'
        parts.append(f'<text class="left" {where}>{escape(text)}</text>')
    return "".join(parts)
