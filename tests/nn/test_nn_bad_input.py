"""Bad input, wherever data enter: a clear error before anything changes, or sense.

The table says for each kind of data what each entrance makes of it: an error of the
package's own kind (or of scikit-learn's, for its estimators), or nothing.
"""

import random
import warnings

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError
from nn import datasets

sklearn = pytest.importorskip("sklearn")

X = [[0.0, 1.0], [1.0, 0.0], [2.0, 3.0], [3.0, 1.5]]
Y = [0.0, 1.0, 0.0, 1.0]
FINE = None


def with_cell(cell):
    return [X[0], [cell, 0.0], *X[2:]]


def masked(data, i):
    mask = np.zeros(np.shape(data), dtype=bool)
    mask[i] = True
    return np.ma.array(data, mask=mask)


# What each kind of X gives: in fit and predict, for a scaler, for split, in estimators.
KINDS = ["fit", "scale", "split", "estimator"]
BAD_X = {
    "nan": (with_cell(np.nan), DataError, DataError, FINE, ValueError),
    "nan in an array": (
        np.array(with_cell(np.nan)),
        *(DataError, DataError, FINE, ValueError),
    ),
    "inf": (with_cell(np.inf), DataError, DataError, FINE, ValueError),
    "masked": (masked(X, (1, 0)), *[DataError] * 4),
    "masked rows": ([*masked(X, (1, 0))], *[DataError] * 4),
    "nothing masked": (np.ma.array(X), *[FINE] * 4),
    "empty": ([], DataError, DataError, ShapeError, ValueError),
    "no rows": (np.empty((0, 2)), DataError, DataError, ShapeError, ValueError),
    "no columns": (np.empty((4, 0)), ShapeError, DataError, FINE, ValueError),
    "ragged": ([[0.0, 1.0], [1.0], *X[2:]], *[ShapeError] * 3, ValueError),
    "text": ([["a", "b"]] * 4, TypeError, TypeError, FINE, ValueError),
    "one text": ("abcd", TypeError, TypeError, TypeError, ValueError),
    "numbers as text": ([["1", "2"]] * 4, TypeError, TypeError, FINE, FINE),
    "nothing": (None, TypeError, TypeError, TypeError, ValueError),
    "nothing in a cell": (with_cell(None), TypeError, TypeError, FINE, ValueError),
    "huge": (with_cell(1e308), *[FINE] * 4),
    "beyond floats": (with_cell(10**400), DataError, DataError, FINE, DataError),
    "complex": (np.array(X) * 1j, TypeError, TypeError, FINE, ValueError),
    "a constant column": ([[1.0, row[1]] for row in X], *[FINE] * 4),
    "constant": ([[1.0, 1.0]] * 4, *[FINE] * 4),
    "a dict": (dict(enumerate(X)), *[TypeError] * 4),
    "a set": ({1, 2, 3, 4}, *[TypeError] * 4),
    "three axes": ([[row] for row in X], ShapeError, ShapeError, FINE, ValueError),
}
TABLE_X = [
    (kind, data, dict(zip(KINDS, errors))) for kind, (data, *errors) in BAD_X.items()
]
each_x = pytest.mark.parametrize(
    ("data", "errors"),
    [(data, errors) for _, data, errors in TABLE_X],
    ids=[kind for kind, *_ in TABLE_X],
)


def network(outputs=1):
    return nn.MLP(2, [3, outputs], "tanh", seed=0)


def state(model):
    """All that a failing call must not change."""
    numbers = [(p.data, p.grad) for p in model.parameters()]
    return numbers, model.training, model.inputs, model.classes, random.getstate()


def meets(error, call):
    """The call raises this error and says something; or, for None, just works."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of units, of scikit-learn
        if error is None:
            return call()
        with pytest.raises(error) as raised:
            call()
    assert len(str(raised.value)) > 15
    assert "unsized" not in str(raised.value)
    assert "broadcast" not in str(raised.value)
    return None


@each_x
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_fit(data, errors, loss):
    model = network(1 + (loss == "cross_entropy"))
    before = state(model)
    meets(errors["fit"], lambda: nn.fit(model, data, Y, loss, epochs=1, progress=False))
    assert errors["fit"] is FINE or state(model) == before


@each_x
@pytest.mark.parametrize("use", [nn.predict, nn.classify])
def test_predict(data, errors, use):
    model = network()
    before = state(model)
    found = meets(errors["fit"], lambda: use(model, data))
    assert found is None or np.isfinite(found).all()
    assert state(model) == before


@each_x
def test_find_learning_rate_and_statistics(data, errors):
    model = network()
    before = state(model)
    meets(errors["fit"], lambda: nn.find_learning_rate(model, data, Y, steps=10))
    meets(errors["fit"], lambda: nn.statistics(model, data, Y))
    assert state(model) == before


@each_x
def test_scaling(data, errors):
    found = meets(errors["scale"], lambda: nn.Scaler(data)(np.array(X)))
    assert found is None or np.isfinite(found).all()
    meets(errors["scale"], lambda: datasets.standardise(data))


GO_THROUGH = {"nan", "nan in an array", "inf"}  # a scaler, as they do through numpy
USED_ON = {"no rows": FINE, "empty": ShapeError, "no columns": ShapeError}


@pytest.mark.parametrize(("kind", "data", "errors"), TABLE_X, ids=[*BAD_X])
def test_data_that_a_scaler_is_used_on(kind, data, errors):
    scaler = nn.Scaler(X)
    error = FINE if kind in GO_THROUGH else USED_ON.get(kind, errors["scale"])
    for use in (scaler, scaler.inverse):
        meets(error, lambda: use(data))


@each_x
@pytest.mark.parametrize("stratify", [False, True])
def test_split(data, errors, stratify):
    meets(errors["split"], lambda: datasets.split(data, Y, test=0.5, stratify=stratify))


ESTIMATORS = [nn.Classifier, nn.Regressor]


@each_x
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_estimators(data, errors, kind):
    error = errors["estimator"]
    made = kind((3,), epochs=1, random_state=0)
    meets(error, lambda: made.fit(data, Y))
    assert error is FINE or not hasattr(made, "model_")
    made.fit(X, Y)
    before = state(made.model_)
    found = meets(error, lambda: made.predict(data))
    assert found is None or np.isfinite(found).all()
    if error is not FINE:
        meets(error, lambda: made.partial_fit(data, Y))
    assert error is FINE or state(made.model_) == before


@pytest.mark.parametrize("width", [1, 3])
def test_changed_widths(width):
    data, model, scaler = [[1.0] * width] * 4, network(), nn.Scaler(X)
    before = state(model)
    meets(ShapeError, lambda: nn.predict(model, data))
    meets(ShapeError, lambda: nn.fit(model, data, Y, progress=False))
    meets(ShapeError, lambda: nn.statistics(model, data, Y))
    meets(ShapeError, lambda: scaler(data))
    meets(ShapeError, lambda: nn.predict(nn.Sequential(scaler, model), data))
    assert state(model) == before
    for kind in ESTIMATORS:
        made = kind((3,), epochs=1, random_state=0).fit(X, Y)
        before = state(made.model_)
        meets(ValueError, lambda: made.predict(data))
        meets(ValueError, lambda: made.partial_fit(data, Y))
        assert state(made.model_) == before


def test_one_sample():
    model = network()
    history = nn.fit(model, X[:1], Y[:1], epochs=2, progress=False)
    assert np.isfinite(history.losses).all()
    assert np.isfinite(nn.predict(model, X[:1])).all()
    assert nn.Scaler(X[:1])(X[:1]).tolist() == [[0.0, 0.0]]
    meets(DataError, lambda: datasets.split(X[:1], Y[:1]))
    meets(DataError, lambda: nn.fit(model, X[:1], Y[:1], validation=0.5))
    meets(DataError, lambda: nn.Classifier(epochs=1).fit(X[:1], Y[:1]))
    one = nn.Regressor((3,), epochs=2, random_state=0).fit(X[:1], Y[:1])
    assert one.predict(X[:1]) == pytest.approx(Y[:1])
    for metric in (nn.mean_absolute_error, nn.r2_score, nn.accuracy):
        assert metric(Y[:1], Y[:1]) in (0.0, 1.0)


# -- Targets -------------------------------------------------------------------------

SHORT, LONG = Y[:2], [*Y, 1.0]
# What y gives: with mse_loss, with cross_entropy, for a classifier, for a regressor.
BAD_Y = {
    "nan": ([0.0, np.nan, 0.0, 1.0], DataError, DataError, ValueError, ValueError),
    "inf": ([0.0, np.inf, 0.0, 1.0], DataError, DataError, ValueError, ValueError),
    "masked": (masked(Y, 1), *[DataError] * 4),
    "empty": ([], ShapeError, ShapeError, ValueError, ValueError),
    "too short": (SHORT, ShapeError, ShapeError, ValueError, ValueError),
    "too long": (LONG, ShapeError, ShapeError, ValueError, ValueError),
    "names": (["a", "b", "a", "b"], ValueError, FINE, FINE, TypeError),
    "one name": (["a"] * 4, DataError, DataError, DataError, TypeError),
    "one class": ([1.0] * 4, FINE, FINE, DataError, FINE),
    "names and numbers": (["a", 1, "b", 0], TypeError, TypeError, FINE, TypeError),
    "huge": ([0.0, 1e308, -1e308, 1.0], FINE, DataError, ValueError, FINE),
    "beyond floats": ([0, 10**400, 0, 1], DataError, DataError, ValueError, DataError),
    "ragged": ([[0.0], [1.0, 2.0], [0.0], [1.0]], *[ShapeError] * 2, *[ValueError] * 2),
    "nothing": (None, TypeError, TypeError, ValueError, ValueError),
    "nothing in it": ([0, None, 0, 1], TypeError, TypeError, ValueError, DataError),
    "one text": ("abab", TypeError, TypeError, ValueError, TypeError),
    "a set": ({0.0, 1.0}, TypeError, TypeError, ValueError, TypeError),
}
each_y = pytest.mark.parametrize(
    ("targets", "errors"), [(y, errors) for y, *errors in BAD_Y.values()], ids=BAD_Y
)


@each_y
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_targets_of_fit(targets, errors, loss):
    classes = loss == "cross_entropy"
    model, error = network(1 + classes), errors[classes]
    before = state(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # 1e308 squared: it stops
        meets(error, lambda: nn.fit(model, X, targets, loss, epochs=1, progress=False))
        for call in (nn.find_learning_rate, nn.statistics):
            fresh = network(1 + classes)
            meets(error, lambda: call(fresh, X, targets, loss))
            assert state(fresh) == before
    assert error is FINE or state(model) == before


@each_y
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_targets_of_estimators(targets, errors, kind):
    error = errors[2 + ESTIMATORS.index(kind)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scikit-learn's, of casts
        made = kind((3,), epochs=1, random_state=0)
        meets(error, lambda: made.fit(X, targets))
    assert error is FINE or not hasattr(made, "model_")


def test_huge_targets_leave_the_model_as_it_was():
    model = network()
    before = model.state_dict()
    with (
        pytest.warns(RuntimeWarning, match="loss became inf"),
        pytest.warns(UserWarning, match=r"y has numbers of about 5e\+307"),
    ):
        history = nn.fit(model, X, [0.0, 1e308, 0.0, 0.0], progress=False)
    assert "inf" in history.stopped
    assert model.state_dict() == before


def test_labels_never_seen():
    model = nn.MLP(2, [3, 2], seed=0)
    nn.fit(model, X, ["a", "b", "a", "b"], "cross_entropy", epochs=1, progress=False)
    before = state(model)
    unseen = ["a", "c", "a", "b"]
    settings = {"epochs": 1, "progress": False}
    meets(DataError, lambda: nn.fit(model, X, unseen, "cross_entropy", **settings))
    meets(DataError, lambda: nn.statistics(model, X, unseen, "cross_entropy"))
    meets(
        DataError,
        lambda: nn.fit(
            *(model, X, ["a", "b", "a", "b"], "cross_entropy"),
            **settings,
            validation=(X, unseen),
        ),
    )
    assert state(model) == before
    meets(DataError, lambda: nn.cross_entropy(model.batch(X), [0, 2, 0, 1]))
    meets(DataError, lambda: nn.accuracy(nn.predict(model, X), [0, 2, 0, 1]))
    made = nn.Classifier((3,), epochs=1, random_state=0).fit(X, ["a", "b", "a", "b"])
    before = state(made.model_)
    meets(DataError, lambda: made.partial_fit(X, unseen))
    assert state(made.model_) == before
    assert made.score(X, unseen) <= 0.75  # a sample of another class is wrong


# -- Metrics and losses --------------------------------------------------------------

# Of outputs and of targets; with scores 0, 1, 0, 1 on the other side.
NUMBERS = {
    "masked": (masked(Y, 1), DataError, DataError),
    "empty": ([], ShapeError, ShapeError),
    "too short": (SHORT, ShapeError, ShapeError),
    "ragged": ([[0.0], [1.0, 2.0], [0.0], [1.0]], ShapeError, ShapeError),
    "nan": ([0.0, np.nan, 0.0, 1.0], FINE, DataError),
    "inf": ([0.0, np.inf, 0.0, 1.0], FINE, FINE),
    "huge": ([0.0, 1e308, -1e308, 1.0], FINE, FINE),
    "beyond floats": ([0, 10**400, 0, 1], DataError, DataError),
    "names": (["a", "b", "a", "b"], TypeError, TypeError),
    "nothing": (None, TypeError, TypeError),
    "nothing in it": ([0.0, None, 0.0, 1.0], TypeError, TypeError),
    "one text": ("abab", TypeError, TypeError),
    "one class": ([1.0] * 4, FINE, FINE),
}


@pytest.mark.parametrize(
    ("data", "as_outputs", "as_targets"), NUMBERS.values(), ids=NUMBERS
)
@pytest.mark.parametrize(
    "measure",
    [nn.accuracy, nn.mean_absolute_error, nn.r2_score, nn.mse_loss, nn.l1_loss],
)
def test_metrics_and_losses(measure, data, as_outputs, as_targets):
    """nan and inf among outputs are results of a run that diverged: they go through."""
    meets(as_outputs, lambda: measure(data, Y))
    meets(as_targets, lambda: measure(Y, data))


def test_both_empty():
    for measure in (nn.accuracy, nn.mean_absolute_error, nn.r2_score, nn.mse_loss):
        meets(DataError, lambda: measure([], []))


def test_labels_to_stratify_by():
    for y in ([0.0, np.nan, 0.0, 1.0], [0, None, 0, 1]):
        meets(DataError, lambda: datasets.split(X, y, test=0.5, stratify=True))
    rows = np.array([[0], [1], [0], [1]])
    parts = datasets.split(X, rows, test=0.5, stratify=True)
    assert sorted(parts[2].ravel().tolist()) == [0, 1]
    meets(ShapeError, lambda: datasets.split(X, X, test=0.5, stratify=True))


def test_parts_of_a_frame_keep_their_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b"])
    train, test, y_train, _ = datasets.split(frame, pandas.Series(Y), test=0.5)
    assert [*train.columns] == [*test.columns] == ["a", "b"]
    assert train.index.tolist() == y_train.index.tolist()
    again, *_ = datasets.split(np.array(X), np.array(Y), test=0.5)
    assert (train.to_numpy() == again).all()
