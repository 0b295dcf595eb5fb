"""watch_training: a page of a training run that is played, paused and scrubbed.

``record`` measures the run frame by frame, ``outlooks`` says what the model says about
its data, ``verdicts`` what goes wrong. Here their numbers become the data of one page.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from autograd.errors import RenderError, ShapeError
from autograd.numbers.value import Value
from nn.layers.module import Module
from nn.losses.named import find_loss
from nn.training.history import History
from nn.training.mismatches import OF_SCORES
from nn.training.samples import checked_samples
from nn.validation import number
from viz.page.document import Page, document, html_path, source
from viz.page.training.outlooks import ALPHABET, Outlook, classes_of, digits, four
from viz.page.training.record import KINDS, MOST_SAMPLES, Frame, Recording
from viz.page.training.verdicts import ADVICE
from viz.plots.data import column_names
from viz.plots.scene import Scene, scene
from viz.plots.wiring import Array, Stage, Wiring, wiring

MOST_BYTES = 1_000_000
_BINS = 24  # of a histogram
_POINTS = 400  # of a curve


def watch_training(
    model: Module,
    X: Any,
    y: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    loss: str | Callable[[Any, Any], Any] | None = None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    labels: Sequence[str] = (),
    threshold: float | None = None,
    title: str = "",
    most: int = 12,
) -> Watch:
    """Record a training run, for a page that plays it: one HTML file, and nothing else.

    In the page the weights change colour and width as they are learned, beside what the
    model says (where it decides, its fitted line, its confusion matrix, or outputs
    against targets), loss and metrics, and histograms of each layer's weights,
    activations and gradients over time. Dead and saturated neurons, vanishing and
    exploding gradients are named, with what to do about them.

    Parameters
    ----------
    model : a network of layers, as for ``network``.
    X, y : samples and targets, as for ``fit``; up to 200 of them, evenly spread, are
        watched.
    path : a file name that ends in .html, written when a ``with`` block ends, also by
        an exception.
    loss : a name in ``nn.LOSSES`` or a function; gradients shown are then its own, on
        up to 200 samples. By default they are ``.grad`` as the last step left them.
    inputs, outputs, labels : names of inputs, outputs and classes; inputs are also
        named by the columns of a data frame.
    threshold : for two classes, the score between them; by default half way between
        their numbers, or 0 where ``loss`` is one of logits or scores.
    title : the heading of the page.
    most : wider layers are elided.

    Use it as a callback, ``fit(..., callbacks=watch)`` and ``watch.save("run.html")``,
    or around a loop of your own, with ``watch.step(loss)`` at the end of each step.
    Watching changes neither gradients nor random states nor the result, bit for bit
    (functions in the model with a generator of their own are called more often). A page
    has at most 120 frames and 1 MB: longer runs are thinned, wider layers elided,
    numbers have four digits.

    Raises TypeError for what is no network of layers, ShapeError and DataError for
    samples that do not fit it, RenderError for another ending or a missing folder.

    Examples
    --------
    >>> import tempfile
    >>> from nn import MLP, fit
    >>> from viz import watch_training
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> model = MLP(1, [3, 1], seed=0)
    >>> watch = watch_training(model, X, y)
    >>> history = fit(model, X, y, epochs=20, progress=False, callbacks=watch)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     watch.save(folder + "/run.html").name
    'run.html'

    A loop of your own:

    >>> from nn import SGD, mse_loss
    >>> optimiser = SGD(model.parameters(), lr=0.01)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with watch_training(model, X, y, folder + "/loop.html") as watch:
    ...         for _ in range(10):
    ...             optimiser.zero_grad()
    ...             loss = mse_loss(model.batch(X), y)
    ...             loss.backward()
    ...             optimiser.step()
    ...             watch.step(loss)
    """
    wires = wiring(model, "viz.watch_training watches")
    samples = checked_samples(X, y)
    if not wires.before and len(samples.X[0]) != wires.widths[0]:
        raise ShapeError(
            f"the network takes {wires.widths[0]} inputs, and samples in X have "
            f"{len(samples.X[0])} numbers: give as many for each sample"
        )
    measured = None if loss is None else find_loss(loss)
    if threshold is None and measured in OF_SCORES:
        threshold = 0.0
    order = np.linspace(0, len(samples) - 1, min(len(samples), MOST_SAMPLES))
    shown = samples.take(order.round().astype(int).tolist())
    rows, targets = np.array(shown.X, float), np.array(shown.y, float)
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    names = inputs or (() if wires.before else column_names(X) or ())
    drawn = scene(model, inputs=names, outputs=outputs, most=most, write=None)
    classes = classes_of(targets, wires.widths[-1], threshold, labels)
    outlook = Outlook(wires, rows, targets, classes)
    pair = shown.X, shown.y
    recording = Recording(model, wires, drawn, outlook, pair, measured)
    return Watch(recording, None if path is None else _checked(path), title)


def _checked(path: str | os.PathLike[str]) -> Path:
    """A path that can be written at the end of the run, as far as one can tell now."""
    target = html_path(
        path, "viz.training_film writes films (.gif, .mp4) of what was watched"
    )
    if not target.parent.is_dir() or target.is_dir():
        raise RenderError(
            f"cannot write {str(target)!r}: there is no such folder: make it first"
        )
    return target


class Watch:
    """A run that is being watched; ``watch_training`` makes it."""

    def __init__(self, recording: Recording, path: Path | None, title: str) -> None:
        self.recording, self.path = recording, path
        self.title = title or recording.scene.title
        self.unit, self.stopped = "step", ""

    def __call__(self, epoch: int, model: Module, history: History) -> None:
        """An epoch of ``fit`` has ended; a callback."""
        if model is not self.recording.model:
            raise ValueError(
                "this watch belongs to another model than fit trains: make one with "
                "viz.watch_training(model) of this one"
            )
        self.unit, self.stopped = "epoch", history.stopped
        columns = history.columns()
        columns.pop("learning rate", None)
        self.recording.add({name: column[-1] for name, column in columns.items()})

    def step(self, loss: Any, **metrics: Any) -> None:
        """A step of your own loop has ended, before the gradients are set to 0.

        ``loss`` and metrics are numbers or Values.
        """
        given = {"loss": loss, **metrics}
        self.recording.add(
            {
                name: number(name, x.data if isinstance(x, Value) else x)
                for name, x in given.items()
            }
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page of what was seen so far; it appears whole or not at all.

        Returns the path. Raises RenderError when the name does not end in .html, and
        when the file cannot be written.
        """
        return film_page(self).save(path)

    def _repr_html_(self) -> str:
        return film_page(self)._repr_html_()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            self.stopped = said.splitlines()[0][:200]
        if self.path is not None:
            self.save(self.path)


def film_page(watch: Watch) -> Page:
    """The page, with as many frames as there is room for."""
    frames, body = watch.recording.complete(), source("training/film.html")
    scripts = ["numbers.js", "training/charts.js", "training/film.js"]
    while True:
        data = film_data(watch, frames)
        page = document(watch.title, body, scripts, data, styles=["training/film.css"])
        if len(page.text.encode()) <= MOST_BYTES or len(frames) <= 2:
            return page
        frames = [*frames[:-1:2], frames[-1]]


def film_data(watch: Watch, frames: Sequence[Frame]) -> dict[str, Any]:
    """What the page reads."""
    recording = watch.recording
    return {
        "title": watch.title,
        "unit": watch.unit,
        "time": recording.time,
        "stopped": watch.stopped,
        "measured": recording.loss is not None,
        "samples": len(recording.outlook.X),
        "net": _net(recording.scene, recording.wires),
        "outlook": recording.outlook.still(),
        "curves": {name: _curve(c) for name, c in recording.curves.items()},
        "frames": [_frame(frame) for frame in frames],
        "spreads": {kind: _histograms(frames, kind) for kind in KINDS},
        "alphabet": ALPHABET,
        "advice": ADVICE,
    }


def _net(drawn: Scene, wires: Wiring) -> dict[str, Any]:
    index = {dot.place: i for i, dot in enumerate(drawn.dots)}
    return {
        "width": four(drawn.width),
        "height": drawn.height,
        "left": four(drawn.left),
        "right": four(drawn.right),
        "dots": [
            [four(d.place.x), d.place.y, d.place.column, d.place.index, d.name]
            for d in drawn.dots
        ],
        "lines": [[index[a.tail], index[a.head]] for a in drawn.lines],
        "gaps": [[four(g.x), g.y, g.count] for g in drawn.gaps],
        "under": [[four(x), texts] for x, texts in drawn.under],
        "layers": [_layer(s) for s in wires.stages],
    }


def _layer(stage: Stage) -> str:
    count = len(stage.neurons)
    return f"{stage.title}, {count} neuron" + "s" * (count != 1)


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "time": frame.time,
        "numbers": frame.numbers,
        "weights": frame.weights,
        "biases": frame.biases,
        "activity": frame.activity,
        "outlook": frame.outlook,
        "findings": [list(finding) for finding in frame.findings],
    }


def _curve(values: Sequence[float]) -> list[list[float]]:
    """[times, values] of at most so many points, the last among them."""
    stride = -(-len(values) // _POINTS)
    kept = sorted({*range(0, len(values), stride), len(values) - 1})
    return [[float(i + 1) for i in kept], digits([values[i] for i in kept])]


def _histograms(frames: Sequence[Frame], kind: str) -> list[dict[str, Any]]:
    """For each layer the range of its numbers, and a row of letters for each frame."""
    layers = zip(*[frame.spreads[kind] for frame in frames], strict=True)
    return [_histogram(list(spreads)) for spreads in layers]


def _histogram(spreads: list[Array]) -> dict[str, Any]:
    ends = np.array([(s[0], s[-1]) for s in spreads if s.size]) if spreads else None
    if ends is None or not ends.size:
        return {"low": 0.0, "high": 0.0, "rows": [""] * len(spreads)}
    # A single outburst must not squeeze all other moments into one row of pixels
    low, high = np.quantile(ends[:, 0], 0.05), np.quantile(ends[:, 1], 0.95)
    pad = 0.05 * (high - low) or 0.1 * abs(high) or 1e-3
    low, high = low - pad, high + pad
    rows = [_row(spread, low, high) if spread.size else "" for spread in spreads]
    return {"low": four(low), "high": four(high), "rows": rows}


def _row(spread: Array, low: float, high: float) -> str:
    counts, _ = np.histogram(np.clip(spread, low, high), _BINS, (low, high))
    shades = np.ceil(63 * np.sqrt(counts / len(spread))).astype(int)
    return "".join([ALPHABET[k] for k in shades])
