"""Confusion matrices, and what a classifier gets wrong."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from autograd import DataError, ShapeError, Value  # noqa: E402
from viz import confusion_matrix, misclassified  # noqa: E402

SCORES = [[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 0.5], [0.0, 0.0, 4.0]]


def counts(ax):
    return np.array([int(t.get_text()) for t in ax.texts]).reshape(
        len(ax.get_xticks()), -1
    )


@pytest.mark.parametrize(
    "wrap", [list, np.array, lambda xs: [[Value(x) for x in r] for r in xs]]
)
def test_rows_are_what_it_is(wrap):
    ax = confusion_matrix(wrap(SCORES), [0, 1, 1, 2])
    assert counts(ax).tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert ax.get_title() == "3 of 4 right"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("taken for", "is")


def test_classes_by_text_and_number():
    ax = confusion_matrix(["a", "b", "c"], ["a", "b", "b"])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]
    assert counts(ax).tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    ax = confusion_matrix([1, -1], [-1, -1], labels=("no $", "yes $"))
    assert counts(ax).tolist() == [[1, 1], [0, 0]]
    ax.figure.canvas.draw()


def test_wrong_ones_are_shown_with_both_names():
    X = np.random.RandomState(0).rand(4, 6)
    ax = misclassified(
        X, SCORES, [0, 1, 1, 0], shape=(2, 3), labels=("cat", "dog", "$5")
    )
    assert ax.get_title() == "2 of 4 wrong"
    assert [t.get_text() for t in ax.texts] == ["dog as cat", r"cat as \$5"]
    assert len(ax.images) == 2
    assert (ax.images[0].get_array() == X[2].reshape(2, 3)).all()
    assert (
        misclassified(X, SCORES, [0, 1, 0, 2], shape=(2, 3)).get_title()
        == "0 of 4 wrong"
    )


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: confusion_matrix(SCORES, [0, 1]),
            ShapeError,
            "4 outputs with 2 targets",
        ),
        (lambda: confusion_matrix([], []), DataError, "no sample"),
        (lambda: confusion_matrix(SCORES, [0, 1, 2, 3]), DataError, "from 0 to 2"),
        (lambda: confusion_matrix(SCORES, [0, 1, 2, "a"]), DataError, "from 0 to 2"),
        (
            lambda: confusion_matrix(SCORES, [0] * 4, labels=("a",)),
            ShapeError,
            "1 labels for 3",
        ),
        (
            lambda: misclassified([[1.0]], [[1.0, 2.0]], [0], shape=(2, 2)),
            ShapeError,
            "2 x 2",
        ),
    ],
)
def test_bad_input(call, error, said):
    with pytest.raises(error, match=said):
        call()
