"""Labels: what columns and classes are called, kept with the model.

The names of columns are those of a table (a DataFrame). Targets that are text are the
names of classes; the losses of classes take their numbers, in the order of the names.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from autograd import DataError, ShapeError
from autograd.table.reals import short
from nn.layers.module import Module
from nn.losses.classes import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
)
from nn.losses.named import Loss
from nn.training.mismatches import takes_sequences
from nn.training.samples import Samples, checked_samples
from nn.validation import elements

_OF_TWO: dict[Loss, Any] = {
    binary_cross_entropy_with_logits: (0.0, 1.0),
    hinge_loss: (-1.0, 1.0),
}


def columns_of(X: Any) -> list[str] | None:
    """The names of a table's columns, if they are text."""
    names = [*getattr(X, "columns", ())]
    return names if names and all(isinstance(name, str) for name in names) else None


def check_columns(model: Module, X: Any) -> None:
    """Raise ShapeError for a table of other columns than the model was trained on."""
    names = columns_of(X)
    if names and model.inputs and names != model.inputs:
        raise ShapeError(
            f"the model was trained on the columns {short(model.inputs)}, and X has "
            f"{short(names)}: give it the same, in the same order"
        )


def numbered(
    y: Any, loss: Loss, known: list[Any] | None
) -> tuple[list[Any], list[Any] | None]:
    """Targets as a loss takes them, and the names of their classes, if they have some.

    ``known`` are the classes of a model that was trained before. Raises TypeError for
    names among numbers, DataError for unknown ones, ValueError for a loss of amounts.
    """
    labels = elements("y", y)
    texts = [isinstance(label, str) for label in labels]
    if not any(texts):
        return labels, None
    if not all(texts):
        i, j = texts.index(True), texts.index(False)
        raise TypeError(
            f"y[{i}] is {short(labels[i])} and y[{j}] is {short(labels[j])}: expected "
            f"real numbers, or the name of a class for each sample"
        )
    classes = sorted({*labels}) if known is None else known
    if len(classes) < 2:
        raise DataError(
            f"y has the name of one class only, {short(classes[0])}: give samples of "
            "two classes or more"
        )
    places = {label: i for i, label in enumerate(classes)}
    for i, label in enumerate(labels):
        if label not in places:
            close = get_close_matches(label, map(str, classes), 1)
            meant = f"; did you mean {close[0]!r}?" if close else "; give one of these"
            raise DataError(
                f"y[{i}] is {short(label)}, which is none of the model's classes, "
                f"{short(classes)}{meant}"
            )
    numbers = range(len(classes)) if loss is cross_entropy else _OF_TWO.get(loss)
    if numbers is None or len(numbers) < len(classes):
        raise ValueError(
            f"y has the names of {len(classes)} classes, which this loss does not "
            f"take: use loss='cross_entropy', and a last layer of {len(classes)}"
        )
    return [float(numbers[places[label]]) for label in labels], classes


def samples_of(
    model: Module, X: Any, y: Any, loss: Loss, known: list[Any] | None = None
) -> Samples:
    """X and y, checked, as a model and its loss take them; see ``fit``.

    ``known`` are the names of classes where those of the model are not yet set.
    """
    check_columns(model, X)
    targets, classes = numbered(y, loss, known or model.classes)
    return checked_samples(X, targets, classes, takes_sequences(model))
