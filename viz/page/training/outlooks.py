"""What a model in training says about its data: one picture, frame by frame.

Its kind follows from the samples: where a classifier decides (two inputs), its
confusion matrix (other inputs), a fitted line (one input), or outputs against targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ShapeError
from viz.plots.wiring import Array, Wiring

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
GRID = 36  # points on each side of a plane
_CURVE = 65  # points of a fitted line
_MARGIN = 0.15  # of the data's extent, on each side
_MOST_CLASSES = 20

Indices = NDArray[np.int64]


def four(x: float) -> float:
    """A number in four digits, which is what a page keeps of it."""
    return float(f"{x:.4g}")


def digits(numbers: Any) -> list[float]:
    return [four(x) for x in np.asarray(numbers, float).ravel().tolist()]


def largest_of(scores: Array) -> Indices:
    """The column of the largest score of each row; NaN is below all."""
    found: Indices = np.argmax(np.nan_to_num(scores, nan=-np.inf), axis=1)
    return found


@dataclass
class Classes:
    """How outputs become classes: names, each sample's class, and the rule."""

    names: list[str]
    of: Indices  # the index of each sample's class
    threshold: float | None  # None: the largest of several scores wins
    reach: float = 1.0  # how far from the threshold a score is sure

    def decide(self, Y: Array) -> Indices:
        if self.threshold is None:
            return largest_of(Y)
        return (Y[:, 0] > self.threshold).astype(np.int64)


def classes_of(
    targets: Array, outputs: int, threshold: float | None, labels: Sequence[str]
) -> Classes | None:
    """The classes that targets name, or None: then they are quantities.

    >>> classes_of(np.array([1.0, -1.0]), 1, None, ()).names
    ['-1', '1']
    >>> classes_of(np.array([0.5, 2.0]), 1, None, ()) is None
    True
    """
    if targets.ndim == 2:
        hot = targets.shape[1] == outputs > 1 and (targets.sum(axis=1) == 1.0).all()
        if not (hot and np.isin(targets, (0.0, 1.0)).all()):
            return None
        found = Classes(_numbered(outputs), targets.argmax(axis=1), None)
    elif outputs > 1:
        if not np.isin(targets, range(min(outputs, _MOST_CLASSES))).all():
            return None
        found = Classes(_numbered(outputs), targets.astype(int), None)
    else:
        kinds = np.unique(targets)
        if len(kinds) != 2 or (kinds != kinds.round()).any():
            return None
        low, high = kinds.tolist()
        middle = (low + high) / 2 if threshold is None else float(threshold)
        reach = max(high - middle, middle - low)
        names = [f"{low:g}", f"{high:g}"]
        found = Classes(names, np.searchsorted(kinds, targets), middle, reach)
    if labels:
        if isinstance(labels, str) or len(labels) != len(found.names):
            raise ShapeError(
                f"{len(labels)} labels for {len(found.names)} classes: give one for "
                "each class"
            )
        found.names = [str(label) for label in labels]
    return found


def _numbered(count: int) -> list[str]:
    return [str(k) for k in range(count)]


class Outlook:
    """The picture: what stays (``still``), and what each frame shows (``at``)."""

    def __init__(
        self, wires: Wiring, X: Array, targets: Array, classes: Classes | None
    ) -> None:
        self.wires, self.X, self.targets, self.classes = wires, X, targets, classes
        self.kind = self._kind()
        self.probe = self._probe()

    def _kind(self) -> str:
        inputs, outputs = self.X.shape[1], self.wires.widths[-1]
        if self.classes is not None:
            return "plane" if inputs == 2 else "confusion"
        if inputs == 1 and outputs == 1 and self.targets.ndim == 1:
            return "line"
        return "scatter" if self.targets.size == len(self.X) * outputs else ""

    def _probe(self) -> Array:
        """The inputs between the samples that the picture needs."""
        low, high = self.X.min(axis=0), self.X.max(axis=0)
        margin = np.where(high > low, (high - low) * _MARGIN, 0.5)
        low, high = low - margin, high + margin
        if self.kind == "plane":
            across, up = (np.linspace(low[i], high[i], GRID) for i in range(2))
            grid = np.meshgrid(across, up)
            return np.column_stack([g.ravel() for g in grid])
        if self.kind == "line":
            return np.linspace(low[0], high[0], _CURVE)[:, None]
        return self.X[:0]

    @property
    def two(self) -> bool:
        """Whether one score tells two classes apart."""
        return self.classes is not None and self.classes.threshold is not None

    def still(self) -> dict[str, Any]:
        """What all frames share."""
        data: dict[str, Any] = {"kind": self.kind}
        if self.classes is not None:
            data["names"], data["of"] = self.classes.names, self.classes.of.tolist()
        if self.kind == "plane":
            data["box"] = digits([*self.probe[0], *self.probe[-1]])
            data["two"] = self.two
            data["points"] = digits(self.X)
        elif self.kind == "line":
            data["x"], data["points"] = digits(self.probe), digits(self.X)
            data["targets"] = digits(self.targets)
        elif self.kind == "scatter":
            data["targets"] = digits(self.targets)
        return data

    def at(self, Y: Array) -> dict[str, Any]:
        """What is shown now, of the outputs for all samples."""
        data: dict[str, Any] = {}
        if self.classes is not None:
            decided = self.classes.decide(Y)
            data["right"] = int((decided == self.classes.of).sum())
            if self.kind == "confusion":
                size = len(self.classes.names)
                counts = np.zeros((size, size), int)
                np.add.at(counts, (self.classes.of, decided), 1)
                data["counts"] = counts.tolist()
            elif self.kind == "plane":
                data["cells"] = self._cells(self.wires.columns(self.probe)[-1])
        elif self.kind == "line":
            data["y"] = digits(self.wires.columns(self.probe)[-1])
        elif self.kind == "scatter":
            data["y"] = digits(Y)
        return data

    def _cells(self, scores: Array) -> str:
        """A letter for each point: how sure of which of two classes, or the class."""
        classes = self.classes
        if classes is None or classes.threshold is None:
            winners = largest_of(scores)
            return "".join([ALPHABET[k] for k in winners])
        sure = (scores[:, 0] - classes.threshold) / (classes.reach or 1.0)
        levels = np.nan_to_num((np.clip(sure, -1, 1) + 1) * 31, nan=63).round()
        return "".join([ALPHABET[k] for k in levels.astype(int)])
