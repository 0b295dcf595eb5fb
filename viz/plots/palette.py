"""Colours that colour-blind readers tell apart, shared by plots, pictures and pages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import isnan
from typing import Any

# Positive, negative, not finite, zero
LIGHT = ("#2166ac", "#b35806", "#8250a8", "#64748b")
DARK = ("#7ab8e0", "#f5a55a", "#c9a3e6", "#94a3b8")
# Okabe and Ito's, for things without a sign; a marker and a line each besides
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
STYLES = ("-", "--", "-.", ":")


def kind(strength: float) -> int:
    """Where a strength stands in a palette."""
    if isnan(strength):
        return 2
    return int(strength < 0) if strength else 3


def colour(strength: float, palette: Sequence[str]) -> str:
    """Blue for positive, orange for negative, violet for not finite, grey for 0."""
    return palette[kind(strength)]


def signs() -> Any:
    """A colormap from orange over white to blue."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = [LIGHT[1], "#ffffff", LIGHT[0]]
    made = LinearSegmentedColormap.from_list("signs", shades)
    return made.with_extremes(bad=LIGHT[2])


def class_colours(count: int, cmap: Any = None) -> list[Any]:
    """A colour for each class: orange and blue for two."""
    if cmap is None and count == 2:
        return [LIGHT[1], LIGHT[0]]
    if cmap is None and count <= len(LINES):
        return list(islice(LINES, count))
    from matplotlib import colormaps

    chosen = colormaps.get_cmap(cmap or "viridis")
    return [chosen(i / max(1, count - 1)) for i in range(count)]
