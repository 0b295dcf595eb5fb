"""What a classifier takes for what: confusion matrix, and samples it gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.errors import DataError, ShapeError
from autograd.table.reals import short
from nn.losses.metrics import to_array
from viz.plots.data import axes, classes, plain


def confusion_matrix(
    outputs: Any,
    targets: Any,
    *,
    labels: Sequence[str] = (),
    ax: Any = None,
    **kwargs: Any,
) -> Any:
    """How often each class is taken for each: a row for what it is, counts inside.

    Parameters
    ----------
    outputs : for each sample a row of scores (the largest wins), or its class.
    targets : the classes, by number or by text; with rows of scores, numbers from 0.
    labels : names of the classes in their order.
    ax : the axes to draw on; a new figure's by default.
    **kwargs : passed on to ``ax.imshow``.

    Returns the axes; the title has the share that is right. Raises ShapeError for
    different lengths or too few labels, DataError for no sample or a class that has no
    column of scores.

    >>> from viz import confusion_matrix
    >>> ax = confusion_matrix([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]], [0, 1, 1])
    >>> ax.get_title()
    '2 of 3 right'
    """
    names, found, wanted = _judged(outputs, targets, labels)
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, (wanted, found), 1)
    ax = axes(ax)
    ax.imshow(counts, **{"cmap": "Blues", **kwargs})
    for row, column in np.ndindex(*counts.shape):
        count = counts[row, column]
        ink = "white" if count > 0.6 * counts.max() else "black"
        ax.text(column, row, str(count), ha="center", va="center", color=ink)
    texts = [plain(name) for name in names]
    ax.set_xticks(range(len(texts)), texts)
    ax.set_yticks(range(len(texts)), texts)
    right = f"{int(np.trace(counts)):,} of {len(found):,} right"
    ax.set(xlabel="taken for", ylabel="is", title=right)
    return ax


def misclassified(
    X: Any,
    outputs: Any,
    targets: Any,
    *,
    shape: tuple[int, int],
    labels: Sequence[str] = (),
    most: int = 20,
    ax: Any = None,
    **kwargs: Any,
) -> Any:
    """The samples that are taken for another class, as pictures, the first ``most``.

    Parameters
    ----------
    X : the samples, an array of shape (samples, rows * columns).
    outputs, targets, labels : as for ``confusion_matrix``.
    shape : (rows, columns) of a picture.
    most : how many are shown.
    ax : the axes to draw on; a new figure's by default. Pictures are put into one.
    **kwargs : passed on to ``ax.imshow``.

    Returns the axes; under each picture stands what it is and what it was taken for.
    Raises ShapeError for lengths or widths that do not fit, DataError for no sample.

    >>> from viz import misclassified
    >>> X, scores = [[0.0, 1.0, 1.0, 0.0]] * 2, [[2.0, 1.0], [0.0, 3.0]]
    >>> misclassified(X, scores, [0, 0], shape=(2, 2)).get_title()
    '1 of 2 wrong'
    """
    names, found, wanted = _judged(outputs, targets, labels)
    pictures = np.asarray(X, dtype=float)
    rows, columns = shape
    if pictures.shape != (len(found), rows * columns):
        raise ShapeError(
            f"{len(found)} outputs and pictures of {rows} x {columns} want X of shape "
            f"({len(found)}, {rows * columns}), got {pictures.shape}: give the "
            "pictures as rows of pixels"
        )
    wrong = np.flatnonzero(found != wanted)
    ax = axes(ax)
    ax.set_axis_off()
    ax.set_title(f"{len(wrong):,} of {len(found):,} wrong")
    shown = wrong[:most]
    across = max(1, min(5, len(shown)))
    for place, i in enumerate(shown):
        down, right = divmod(place, across)
        left, top = 1.25 * right, 1.6 * down
        picture = pictures[i].reshape(shape)
        where = (left, left + 1.0, top + 1.0, top)
        ax.imshow(picture, **{"cmap": "gray_r", "extent": where, **kwargs})
        said = f"{names[wanted[i]]} as {names[found[i]]}"
        ax.text(left + 0.5, top + 1.08, plain(said), ha="center", va="top", fontsize=8)
    height = 1.6 * -(-max(len(shown), 1) // across)
    ax.set(xlim=(-0.1, 1.25 * across), ylim=(height, -0.1))
    ax.set_aspect("equal")
    return ax


def _judged(outputs: Any, targets: Any, labels: Any) -> tuple[list[str], Any, Any]:
    """(names of the classes, the class of each output, the class of each target)."""
    outputs, targets = list(outputs), list(targets)
    if len(outputs) != len(targets):
        raise ShapeError(
            f"{len(outputs)} outputs with {len(targets)} targets: give one target for "
            "each output"
        )
    if not outputs:
        raise DataError("there is no sample to judge: give at least one")
    if np.ndim(outputs[0]) == 0:
        kinds, places = classes([*targets, *outputs])
        wanted, found = places[: len(targets)], places[len(targets) :]
        names = [kind if isinstance(kind, str) else f"{kind:g}" for kind in kinds]
    else:
        scores = to_array(outputs)
        found, width = scores.argmax(axis=1), scores.shape[1]
        for i, target in enumerate(targets):
            if isinstance(target, str) or target not in range(width):
                raise DataError(
                    f"target {i} is {short(target)}: with {width} scores for each "
                    f"sample a class must be a whole number from 0 to {width - 1}"
                )
        wanted = np.array(targets, dtype=int)
        names = [str(k) for k in range(width)]
    if labels:
        if isinstance(labels, str) or len(labels) != len(names):
            raise ShapeError(
                f"{len(labels)} labels for {len(names)} classes: give one for each "
                "class"
            )
        names = [str(label) for label in labels]
    return names, found, wanted
