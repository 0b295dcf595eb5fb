"""Scalers as parts, names of inputs and classes: they travel with the model."""

import re
import warnings

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError, Value
from nn import MLP, Scaler, Sequential

pandas = pytest.importorskip("pandas")

X, Y = nn.datasets.moons(40, seed=0)
NAMES = np.where(Y > 0, "lower", "upper").tolist()
QUIET = {"epochs": 2, "progress": False}


# -- Scalers -------------------------------------------------------------------------


def units():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3)) * [1e4, 1e-3, 1.0] + [5e4, 0.0, -2.0]
    return X, 3e5 + 1e5 * (X[:, 0] - 5e4) / 1e4


def test_a_network_in_units_learns_and_comes_back(tmp_path):
    X, y = units()
    model = Sequential(Scaler(X), MLP(3, [4, 1], seed=0), Scaler(y).inverse)
    history = nn.fit(model, X, y, metrics="r2", lr=0.05, epochs=900, progress=False)
    assert history.engine == "compiled"
    assert history["r2"][-1] > 0.99
    for suffix in ("json", "npz"):
        model.save(tmp_path / f"m.{suffix}")
        again = nn.load(tmp_path / f"m.{suffix}")
        assert again(X[0]).data == model(X[0]).data
        assert nn.predict(again, X).tolist() == nn.predict(model, X).tolist()
        assert repr(again) == repr(model) != ""


@pytest.mark.parametrize("target", ["single", "rows"])
def test_every_way_gives_the_same(target):
    X, y = units()
    y = y if target == "single" else np.column_stack([y, -y])
    last = MLP(3, [4, 1 if y.ndim == 1 else 2], seed=0)
    model = Sequential(Scaler(X), last, Scaler(y).inverse)
    sure = nn.predict(model, X, compile=False)
    assert sure.shape == y.shape
    for many in (X, np.concatenate([X] * 20)):
        found = nn.predict(model, many)[: len(X)]
        assert np.allclose(found, sure, rtol=1e-12)
    assert np.allclose(nn.predict(model, X, compile=True), sure, rtol=1e-12)
    plain = model._bound([p.data for p in model.parameters()])
    assert np.allclose(plain(X[0].tolist()), sure[0], rtol=1e-12)


def test_samples_of_scalers():
    scaler = Scaler([[1.0, 5.0], [3.0, 9.0]])
    assert scaler([3.0, 7.0]) == [1.0, 0.0]
    assert scaler(np.array([3.0, 7.0])) == [1.0, 0.0]
    (x, _) = scaler([Value(5.0), 7.0])
    assert x.data == 3.0
    assert scaler.inverse(scaler([4.0, 4.0])) == [4.0, 4.0]
    for wrong in ([1.0], [1.0, 2.0, 3.0], np.ones(3)):
        with pytest.raises(ShapeError, match="made of data with 2 columns"):
            scaler(wrong)
    assert Scaler([1.0, 3.0])([5.0, 2.0]) == [3.0, 0.0]
    assert repr(scaler) == "Scaler of 2 columns"


@pytest.mark.parametrize(
    ("mean", "scale", "error"),
    [
        ([1.0], [1.0, 2.0], ShapeError),
        ([[1.0]], [[1.0]], ShapeError),
        ([1.0], [0.0], DataError),
        ([np.nan], [1.0], DataError),
        ([1.0], [np.inf], DataError),
    ],
)
def test_senseless_scalers(mean, scale, error):
    with pytest.raises(error):
        Scaler.of(mean, scale)


@pytest.mark.parametrize("where", ["X", "y"])
def test_large_numbers_are_noticed(where):
    X, y = units()
    Z, t = (X, Scaler(y)(y)) if where == "X" else (Scaler(X)(X), y)
    message = "column 0 of X" if where == "X" else "y has numbers of about 3"
    with pytest.warns(UserWarning, match=rf"{message}.*nn\.Scaler\({where}\)"):
        nn.fit(MLP(3, [4, 1], seed=0), Z, t, **QUIET)
    ready = Sequential(Scaler(Z), MLP(3, [4, 1], seed=0), Scaler(t).inverse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.fit(ready, Z, t, **QUIET)


# -- Classes by name -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "outputs"),
    [("cross_entropy", 2), ("binary_cross_entropy_with_logits", 1), ("hinge", 1)],
)
def test_classes_by_name(loss, outputs, tmp_path):
    model = MLP(2, [8, outputs], activation="tanh", seed=0)
    history = nn.fit(
        model, X, NAMES, loss, epochs=200, lr=0.05, metrics="accuracy", progress=False
    )
    assert model.classes == ["lower", "upper"]
    assert history["accuracy"][-1] > 0.9
    found = nn.classify(model, X)
    assert nn.accuracy(found, NAMES) > 0.9
    assert nn.classify(model, X[0]).shape == ()
    model.save(tmp_path / "m.json")
    again = nn.load(tmp_path / "m.json")
    assert again.classes == model.classes
    assert nn.classify(again, X).tolist() == found.tolist()


def test_classes_by_number():
    model = MLP(2, [8, 1], activation="tanh", output="sigmoid", seed=0)
    nn.fit(model, X, Y > 0, "mse", epochs=100, lr=0.05, progress=False)
    assert nn.accuracy(nn.classify(model, X), (Y > 0).astype(int)) > 0.9
    assert {*nn.classify(MLP(2, [3], seed=0), X).tolist()} <= {0, 1, 2}


def test_names_are_kept_between_runs_and_for_validation():
    model = MLP(2, [2], seed=0)
    nn.fit(model, X, NAMES, "cross_entropy", validation=(X[:9], NAMES[:9]), **QUIET)
    nn.fit(model, X[:5], ["upper"] * 5, "cross_entropy", **QUIET)
    assert model.classes == ["lower", "upper"]
    meant = r"y\[1\] is 'uper', which is none of the model's classes.*mean 'upper'"
    for given in ({"y": ["upper", "uper"]}, {"validation": (X[:2], ["upper", "uper"])}):
        before = model.state_dict()
        with pytest.raises(DataError, match=meant):
            nn.fit(model, X[:2], **{"y": ["upper"] * 2, "loss": "ce", **given}, **QUIET)
        assert model.state_dict() == before


@pytest.mark.parametrize(
    ("names", "loss", "outputs", "error", "message"),
    [
        (["a", "b"] * 20, "mse", 1, ValueError, "loss='cross_entropy', and a last"),
        (["a", "b", "c", "d"] * 10, "hinge", 1, ValueError, "names of 4 classes"),
        (["a", "b"] * 20, "ce", 3, ShapeError, r"2 classes.*the model 3 outputs"),
        (["a", 1.0] * 20, "ce", 2, TypeError, r"y\[0\] is 'a' and y\[1\] is 1.0"),
    ],
)
def test_names_that_do_not_fit(names, loss, outputs, error, message):
    model = MLP(2, [outputs], seed=0)
    before = model.state_dict()
    with pytest.raises(error, match=message):
        nn.fit(model, X, names, loss, **QUIET)
    assert model.state_dict() == before
    assert model.classes is None
    assert model.training


# -- Columns -------------------------------------------------------------------------


def test_columns_are_known(tmp_path):
    frame = pandas.DataFrame(X, columns=["east", "north"])
    model = MLP(2, [4, 1], seed=0)
    nn.fit(model, frame, Y, "hinge", **QUIET)
    assert model.inputs == ["east", "north"]
    model.save(tmp_path / "m.npz")
    again = nn.load(tmp_path / "m.npz")
    assert again.inputs == ["east", "north"]
    assert nn.predict(again, frame).tolist() == nn.predict(model, X).tolist()
    turned = frame[["north", "east"]]
    for use in (nn.predict, nn.classify, lambda m, t: nn.fit(m, t, Y, **QUIET)):
        with pytest.raises(ShapeError, match=r"trained on the columns .*'east'"):
            use(again, turned)


def test_labels_set_by_hand_travel(tmp_path):
    model = MLP(2, [3], seed=0)
    model.inputs, model.classes = ["a", "b"], np.arange(3) * 10
    model.save(tmp_path / "m.json")
    assert nn.load(tmp_path / "m.json").classes == [0, 10, 20]


# -- Estimators ----------------------------------------------------------------------


@pytest.mark.parametrize("standardise", [True, False])
def test_estimators_become_models(standardise, tmp_path):
    frame = pandas.DataFrame(X, columns=["east", "north"])
    settings = {"epochs": 20, "standardise": standardise, "random_state": 0}
    estimator = nn.Classifier(**settings).fit(frame, NAMES)
    estimator.as_model().save(tmp_path / "m.json")
    model = nn.load(tmp_path / "m.json")
    assert model.inputs == ["east", "north"]
    assert nn.classify(model, frame).tolist() == estimator.predict(frame).tolist()
    labels = [p.label for p in estimator.model_.parameters()]
    assert labels == [*estimator.model_.named_parameters()]
    regressor = nn.Regressor(**settings).fit(X, 7.0 + 3.0 * X)
    found = nn.predict(regressor.as_model(), X)
    assert np.allclose(found, regressor.predict(X), rtol=1e-12)


def test_texts_say_so():
    text = repr(Sequential(Scaler(X), MLP(2, [1], seed=0), Scaler(Y).inverse))
    assert text == "Sequential scaler -> 2 -> 1 -> inverse, 3 parameters"
    assert re.match("Sequential scaler", nn.summary(Sequential(Scaler(X), "tanh")))
