"""training_film: what the page of a run plays, as an animated GIF or an MP4."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from autograd.missing import missing
from autograd.table.reals import short
from nn.validation import integer
from viz.files.films import film_maker, pause_of
from viz.files.whole import write
from viz.page.training.film import Watch
from viz.page.training.outlooks import ALPHABET, GRID, Outlook
from viz.page.training.record import Frame
from viz.plots.data import plain
from viz.plots.network import draw
from viz.plots.palette import LIGHT, LINES, MARKERS, STYLES, class_colours, signs
from viz.plots.scene import Scene, strength

_SIZE, _DPI = (10.0, 5.6), 90  # inches, and pixels in each
_LAYOUT = {"width_ratios": (3, 2), "left": 0.01, "right": 0.98, "bottom": 0.1}
_LAYOUT |= {"top": 0.9, "wspace": 0.16, "hspace": 0.34}


def training_film(
    watch: Watch,
    path: str | os.PathLike[str],
    *,
    seconds: float = 0.12,
    most: int = 60,
) -> Path:
    """Film a run that was watched: its network, what it says, and its loss.

    Parameters
    ----------
    watch : what ``watch_training`` returned, after the training.
    path : a file name that ends in .gif, or in .mp4 (with ffmpeg on the PATH).
    seconds : how long a frame stands, at least 0.02; the last stands four times longer.
    most : the most frames, at least 2; a film has no more than the page, which has 120.

    Returns the path. The file appears whole or not at all.

    Raises TypeError for anything but a watch, RenderError for another ending and when
    the file cannot be written, and MissingDependencyError without matplotlib, Pillow
    (.gif) or ffmpeg (.mp4).

    Examples
    --------
    >>> import tempfile
    >>> from nn import MLP, fit
    >>> from viz import training_film, watch_training
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> model = MLP(1, [3, 1], seed=0)
    >>> watch = watch_training(model, X, y)
    >>> history = fit(model, X, y, epochs=20, progress=False, callbacks=watch)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     training_film(watch, folder + "/run.gif", most=2).name
    'run.gif'
    """
    if not isinstance(watch, Watch):
        raise TypeError(
            "training_film films what viz.watch_training returns, got "
            f"{type(watch).__name__}: give it that, after the training"
        )
    if integer("most", most) < 2:
        raise ValueError(f"most must be at least 2 frames, got {short(most)}")
    target, pause = Path(path), pause_of(seconds)
    film = film_maker(target)
    frames = watch.recording.complete()
    chosen = np.linspace(0, len(frames) - 1, min(most, len(frames))).round()
    shown = [frames[int(k)] for k in chosen]
    write(target, film(_drawn(watch, shown), pause))
    return target


def _drawn(watch: Watch, frames: Sequence[Frame]) -> list[bytes]:
    """The frames as PNGs, all of one size."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise missing(
            "films of training need matplotlib", "matplotlib", "pillow"
        ) from None
    scenes, pictures = _Scenes(watch.recording.scene, frames), []
    for frame in frames:
        figure = Figure(figsize=_SIZE, dpi=_DPI)
        grid = figure.add_gridspec(2, 2, **_LAYOUT)
        draw(scenes.at(frame), figure.add_subplot(grid[:, 0]), legend=False)
        _outlook(watch.recording.outlook, frame, figure.add_subplot(grid[0, 1]))
        _curves(watch, frame, figure.add_subplot(grid[1, 1]))
        at = f"{watch.unit} {frame.time}" if frame.time else "before training"
        said = [f"{name} {x:.4g}" for name, x in frame.numbers.items()]
        figure.suptitle(plain(", ".join([at, *said])))
        out = io.BytesIO()
        figure.savefig(out, format="png")
        pictures.append(out.getvalue())
    return pictures


class _Scenes:
    """The scene of the network, with the numbers of each frame."""

    def __init__(self, still: Scene, frames: Sequence[Frame]) -> None:
        self.still = still
        self.weight = _largest([frame.weights for frame in frames])
        self.bias = _largest([frame.biases for frame in frames])
        columns = np.array([dot.place.column for dot in still.dots])
        activity = np.array([frame.activity for frame in frames])
        self.busiest = {c: _largest(activity[:, columns == c]) for c in {*columns}}

    def at(self, frame: Frame) -> Scene:
        lines = [
            replace(line, strength=strength(w, self.weight))
            for line, w in zip(self.still.lines, frame.weights, strict=True)
        ]
        biases, dots = iter(frame.biases), []
        for dot, mean in zip(self.still.dots, frame.activity, strict=True):
            column = dot.place.column
            bias = strength(next(biases), self.bias) if column else None
            size = strength(mean, self.busiest[column])
            dots.append(replace(dot, strength=size, bias=bias, number=""))
        return replace(self.still, lines=lines, dots=dots)


def _largest(rows: Any) -> float:
    sizes = np.abs(np.asarray(rows, float))
    return float(np.max(sizes[np.isfinite(sizes)], initial=0.0))


def _outlook(outlook: Outlook, frame: Frame, ax: Any) -> None:
    """What the model says now."""
    shown, classes, targets = frame.outlook, outlook.classes, outlook.targets
    names = ["input", "output"]
    if outlook.kind == "plane":
        _plane(outlook, shown["cells"], ax)
        return
    if outlook.kind == "confusion" and classes is not None:
        _confusion(shown["counts"], classes.names, ax)
        return
    if outlook.kind == "line":
        ax.plot(outlook.probe[:, 0], shown["y"], color=LIGHT[0], label="model")
        ax.scatter(outlook.X[:, 0], targets, s=12, color=LIGHT[1], label="data")
    elif outlook.kind == "scatter":
        flat, names = targets.ravel(), ["target", "output"]
        ends = [flat.min(), flat.max()]
        ax.plot(ends, ends, color=LIGHT[3], linestyle="--", label="equal")
        ax.scatter(flat, shown["y"], s=12, color=LIGHT[0], label="samples")
    else:
        ax.set_axis_off()
        return
    low, high = float(targets.min()), float(targets.max())
    pad = 0.25 * (high - low) or 1.0
    ax.set(ylim=(low - pad, high + pad), xlabel=plain(names[0]), ylabel=plain(names[1]))
    ax.legend(fontsize=8, loc="upper left")


def _plane(outlook: Outlook, cells: str, ax: Any) -> None:
    classes = outlook.classes
    assert classes is not None  # a plane shows classes
    levels = np.array([ALPHABET.index(c) for c in cells], float).reshape(GRID, GRID)
    (left, low), (right, high) = outlook.probe[0], outlook.probe[-1]
    across, up = np.linspace(left, right, GRID), np.linspace(low, high, GRID)
    colours = class_colours(len(classes.names))
    if outlook.two:
        sure = np.ma.masked_equal(levels, 63) - 31
        ax.imshow(
            sure,
            cmap=signs(),
            extent=(left, right, low, high),
            vmin=-31,
            vmax=31,
            alpha=0.6,
            interpolation="bilinear",
            origin="lower",
            aspect="auto",
        )
        if sure.min() < 0 < sure.max():
            ax.contour(across, up, sure, levels=[0.0], colors="black", linewidths=1.2)
    else:
        from matplotlib.colors import ListedColormap

        top = len(colours) - 0.5
        cmap = ListedColormap(colours)
        ax.pcolormesh(across, up, levels, alpha=0.4, cmap=cmap, vmin=-0.5, vmax=top)
    for k, name in enumerate(classes.names):
        mine = outlook.X[classes.of == k]
        marker = MARKERS[k % len(MARKERS)]
        ax.scatter(*mine.T, s=14, color=[colours[k]], marker=marker, label=plain(name))
    ax.legend(fontsize=8, loc="upper right", title="class")


def _confusion(counts: list[list[int]], names: list[str], ax: Any) -> None:
    ax.imshow(counts, cmap="Blues")
    most = max(map(max, counts)) or 1
    for r, row in enumerate(counts):
        for c, count in enumerate(row):
            ink = "white" if count > 0.6 * most else "black"
            ax.text(c, r, count, ha="center", va="center", color=ink, fontsize=7)
    places, names = range(len(names)), [plain(name) for name in names]
    ax.set_xticks(places, names, fontsize=7)
    ax.set_yticks(places, names, fontsize=7)
    ax.set(xlabel="taken for", ylabel="is")


def _curves(watch: Watch, frame: Frame, ax: Any) -> None:
    """The losses of the whole run, and where the frame stands."""
    curves = watch.recording.curves
    losses = {name: xs for name, xs in curves.items() if "loss" in name}
    for i, (name, values) in enumerate(losses.items()):
        look = {"color": LINES[i % len(LINES)], "linestyle": STYLES[i % len(STYLES)]}
        ax.plot(range(1, len(values) + 1), values, label=plain(name), **look)
    ax.axvline(frame.time, color="black", linewidth=0.8)
    numbers = [x for values in losses.values() for x in values if isfinite(x)]
    if numbers and min(numbers) > 0 and max(numbers) / min(numbers) >= 50:
        ax.set_yscale("log")
    ax.set(xlabel=watch.unit, ylabel="loss", xlim=(0, max(1, watch.recording.time)))
    if losses:
        ax.legend(fontsize=8, loc="upper right")
