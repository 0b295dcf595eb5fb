"""Metrics: how good predictions are, as one float.

All take outputs (floats or Values, as a model returns them) and targets of the same
length; ShapeError names both lengths if not, DataError an empty list or a NaN target.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import DataError, ShapeError
from autograd.table.reals import short
from nn import validation
from nn.names import lookup
from nn.validation import elements, flat, is_sequence

Metric = Callable[[Any, Any], float]


def to_array(outputs: Any) -> NDArray[np.float64]:
    """Outputs as an array of floats; ShapeError for lists of different widths."""
    found = validation.plain("outputs", elements("outputs", outputs))
    for i, x in enumerate(found):
        if np.size(x) != np.size(found[0]) or np.ndim(x) != np.ndim(found[0]):
            raise ShapeError(
                f"outputs[0] is {short(found[0])} and outputs[{i}] is {short(x)}: a "
                "model must return as many numbers for every sample"
            )
    return np.array(found, dtype=float)


def accuracy(outputs: Any, targets: Any, threshold: float | None = None) -> float:
    """The share of right classes.

    Rows of scores are right where the largest is the target's: a class number, or a
    one-hot row. Predicted classes (texts, or whole numbers where the targets are no
    pair of classes) are right where they equal the target. Single scores are right
    where score > threshold agrees with target > 0. Unless it is given, the threshold is
    1/2 for probabilities (all scores within [0, 1] and targets 0 and 1), and 0 for all
    other scores; ``fit`` knows it from the loss.

    >>> accuracy([[0.1, 2.0], [3.0, 1.0]], [1, 1]), accuracy([0.5, -2.0], [1, -1])
    (0.5, 1.0)
    >>> accuracy([0.9, 0.2], [1, 0]), accuracy([0.9, 0.2], [1, 0], threshold=0.0)
    (1.0, 0.5)
    >>> accuracy(["cat", "dog"], ["cat", "cat"]), accuracy([2, 1, 0], [2, 1, 1])
    (0.5, 0.6666666666666666)
    """
    scores, labels = validation.matched("outputs", outputs, targets)
    if _are_names(scores, labels):
        return float(np.mean([a == b for a, b in zip(scores, labels, strict=True)]))
    values = to_array(scores)
    if values.ndim == 2:
        width = values.shape[1]
        found = [_class_of(t, width) for t in labels]
        wanted = [validation.class_index(t, width, i) for i, t in enumerate(found)]
        return float(np.mean(values.argmax(axis=1) == wanted))
    signs = flat(labels)
    if len(signs) != len(values):
        raise ShapeError(
            f"{len(values)} predictions with {len(signs)} targets: give one target for "
            "each prediction"
        )
    pair = {*signs} <= {-1.0, 0.0, 1.0}
    if not pair and threshold is None and bool((values == np.round(values)).all()):
        return float(np.mean(values == signs))
    if not pair:
        raise DataError(
            "one score for each sample tells two classes apart: targets must be -1 and "
            "1, or 0 and 1; give a row of logits for more classes"
        )
    if threshold is None:
        shares = -1.0 not in signs and bool(((values >= 0.0) & (values <= 1.0)).all())
        threshold = 0.5 if shares else 0.0
    return float(np.mean((values > threshold) == (np.array(signs) > 0.0)))


def _are_names(outputs: list[Any], targets: list[Any]) -> bool:
    """Whether classes are named; TypeError where only some of them are."""
    named = [isinstance(x, str) for x in (*outputs, *targets)]
    if any(named) and not all(named):
        name, other = named.index(True), named.index(False)
        both = [*outputs, *targets]
        raise TypeError(
            f"{short(both[name])} is the name of a class and {short(both[other])} is "
            f"none: give names on both sides, such as those of nn.classify(model, X)"
        )
    return all(named)


def _class_of(target: Any, width: int) -> Any:
    """The class of a one-hot row; any other target as it is."""
    if not is_sequence(target):
        return target
    row = flat([target])
    one_hot = len(row) == width and sorted(row) == [0.0] * (width - 1) + [1.0]
    return row.index(1.0) if one_hot else target


def mean_absolute_error(outputs: Any, targets: Any) -> float:
    """The mean of |output - target|.

    >>> mean_absolute_error([1.0, 4.0], [1.0, 2.0])
    1.0
    """
    ps, ts = to_array(validation.pairs(outputs, targets)).T
    with np.errstate(all="ignore"):  # inf and nan are results, as everywhere
        return float(np.mean(np.abs(ps - ts)))


def r2_score(outputs: Any, targets: Any) -> float:
    """1 - (squared errors) / (squared deviations from the mean): 1 is perfect.

    Constant targets give 1 for a perfect prediction, else 0.

    >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    1.0
    """
    ps, ts = to_array(validation.pairs(outputs, targets)).T
    with np.errstate(all="ignore"):  # inf and nan are results, as everywhere
        errors = float(np.sum((ps - ts) ** 2))
        spread = float(np.sum((ts - ts.mean()) ** 2))
    if spread == 0.0:
        return 1.0 if errors == 0.0 else 0.0
    return 1.0 - errors / spread


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "mean_absolute_error": mean_absolute_error,
    "r2_score": r2_score,
}


_ALSO = {
    "accuracy": "acc accuracy_score binary_accuracy categorical_accuracy "
    "sparse_categorical_accuracy",
    "mean_absolute_error": "mae l1 absolute_error",
    "r2_score": "r2 r_squared coefficient_of_determination",
}
_NEAR = {
    "mse mean_squared_error rmse root_mean_squared_error": (
        "metrics=nn.mse_loss",
        "A loss is a metric too, given as the function",
    ),
    "error error_rate": ("'accuracy'", "It is the share that is right"),
    "loss": ("history.losses", "They are recorded without being asked for"),
}


def find_metric(metric: str | Metric) -> tuple[str, Metric]:
    """The name and function of a metric; ValueError lists the known names.

    The name is as it was given: what is asked for as "r2" is found as that.
    """
    if callable(metric):
        return getattr(metric, "__name__", repr(metric)), metric
    otherwise = "any function (outputs, targets) -> float"
    return metric, lookup("metric", metric, METRICS, otherwise, _ALSO, _NEAR)
