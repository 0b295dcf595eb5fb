"""Classifier and Regressor keep scikit-learn's rules, and learn what it learns."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import nn

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_classification
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from autograd import DataError, ShapeError

QUICK = {"epochs": 60, "lr": 0.02, "random_state": 0}

unconverged = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.mark.filterwarnings("ignore:column .* standardise=True:UserWarning")
@parametrize_with_checks(
    [
        nn.Classifier((8,), epochs=60, lr=0.02),
        nn.Classifier((8,), epochs=60, lr=0.02, batch_size=None, standardise=False),
        nn.Regressor((8,), epochs=60, lr=0.02),
    ]
)
def test_of_scikit_learn(estimator, check):
    check(estimator)


def iris():
    return nn.datasets.iris()


def blobs(n=60, classes=2, seed=0):
    return make_classification(
        n,
        n_features=4,
        n_informative=3,
        n_redundant=0,
        n_classes=classes,
        n_clusters_per_class=1,
        class_sep=2.0,
        random_state=seed,
    )


def line(n=40):
    X = np.random.RandomState(0).normal(size=(n, 2))
    return X, 100.0 + 30.0 * X[:, 0] - 20.0 * X[:, 1]


# -- Quality ---------------------------------------------------------------------------


def parts(X, y, **kwargs):
    return train_test_split(X, y, random_state=0, **kwargs)


@unconverged
def test_irises_as_well_as_scikit_learn():
    X, Z, y, t = parts(*iris(), stratify=iris()[1])
    theirs = make_pipeline(
        StandardScaler(), MLPClassifier((16,), max_iter=1000, random_state=0)
    )
    ours = nn.Classifier(lr=0.01, random_state=0).fit(X, y).score(Z, t)
    assert ours >= theirs.fit(X, y).score(Z, t) - 0.03


def test_digits():
    X, Z, y, t = parts(*nn.datasets.digits())
    ours = nn.Classifier(epochs=15, lr=0.01, random_state=0).fit(X, y)
    assert ours.score(Z, t) > 0.93
    assert ours.history_.engine == "compiled"


@unconverged
def test_diabetes_as_well_as_scikit_learn():
    X, Z, y, t = parts(*load_diabetes(return_X_y=True))
    theirs = make_pipeline(
        StandardScaler(),
        MLPRegressor(hidden_layer_sizes=(16,), max_iter=2000, random_state=0),
    )
    ours = nn.Regressor(epochs=60, random_state=0).fit(X, y).score(Z, t)
    assert ours >= theirs.fit(X, y).score(Z, t) - 0.05


def test_units_of_inputs_and_targets_do_not_matter():
    X, y = line()
    near = nn.Regressor(**QUICK).fit(X, y)
    far = nn.Regressor(**QUICK).fit(X * 1e6 + 1e6, y * 1e-9)
    assert near.score(X, y) > 0.98
    np.testing.assert_allclose(
        far.predict(X * 1e6 + 1e6), near.predict(X) * 1e-9, rtol=1e-5
    )


def test_columns_of_any_size():
    X, y = line()
    model, far = nn.Regressor(**QUICK).fit(X, y), nn.Regressor(**QUICK)
    sizes = np.array([1e200, 1e-200])
    far.fit(X * sizes, y * 1e200)
    np.testing.assert_allclose(far.predict(X * sizes), model.predict(X) * 1e200)


def test_several_outputs():
    X, y = line()
    both = nn.Regressor(**QUICK).fit(X, np.column_stack([y, -y]))
    assert both.predict(X).shape == (40, 2)
    assert both.score(X, np.column_stack([y, -y])) > 0.98
    assert both.partial_fit(X, np.column_stack([y, -y])).n_iter_ == 61
    with pytest.raises(ShapeError, match="y has the shape"):
        both.partial_fit(X, y)


def test_a_column_of_targets_is_one_target():
    X, y = line()
    with pytest.warns(DataConversionWarning):
        column = nn.Regressor(**QUICK).fit(X, y[:, None])
    assert column.predict(X).shape == (40,)


def test_constant_columns():
    X, y = line()
    X = np.column_stack([X, np.full(40, 0.1), np.zeros(40)])
    assert nn.Regressor(**QUICK).fit(X, y).score(X, y) > 0.98
    same = nn.Regressor(**QUICK).fit(X, np.full(40, 7.3))
    np.testing.assert_allclose(same.predict(X), 7.3, atol=0.5)


# -- Labels, classes, probabilities ----------------------------------------------------


def test_labels_are_text():
    X, y = iris()
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = nn.Classifier(**QUICK).fit(X, names)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert set(model.predict(X)) <= set(names)
    assert model.score(X, names) > 0.95
    numbers = nn.Classifier(**QUICK).fit(X, y)
    assert np.array_equal(numbers.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_the_logits(classes):
    X, y = blobs(classes=classes)
    model = nn.Classifier(**QUICK).fit(X, y)
    p, scores = model.predict_proba(X), model.decision_function(X)
    assert p.shape == (60, classes)
    assert scores.shape == ((60,) if classes == 2 else (60, 3))
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    assert np.array_equal(model.classes_[p.argmax(axis=1)], model.predict(X))
    if classes == 2:
        np.testing.assert_allclose(p[:, 1], 1.0 / (1.0 + np.exp(-scores)))


def test_logits_of_any_size_have_probabilities():
    X, y = blobs()
    model = nn.Classifier(standardise=False, **QUICK).fit(X, y)
    assert np.isfinite(model.predict_proba(X * 1e5)).all()


def test_classes_have_weights():
    rng = np.random.RandomState(0)
    X = np.concatenate([rng.normal(0, 1, (90, 1)), rng.normal(1, 1, (10, 1))])
    y = np.repeat(["many", "few"], [90, 10])
    plain = nn.Classifier((4,), **QUICK).fit(X, y)
    balanced = nn.Classifier((4,), class_weight="balanced", **QUICK).fit(X, y)
    named = nn.Classifier((4,), class_weight={"few": 9.0, "many": 1.0}, **QUICK)
    few = [(m.predict(X) == "few").sum() for m in (plain, balanced, named.fit(X, y))]
    assert few[0] < 10 < few[1] == few[2]


# -- Weights of samples ----------------------------------------------------------------


@pytest.mark.parametrize("make", [nn.Classifier, nn.Regressor])
@pytest.mark.parametrize("compile", [False, True])
def test_a_weight_is_a_repetition(make, compile):
    X, y = blobs(classes=3)
    counts = np.random.RandomState(0).randint(0, 4, len(X))
    settings = dict(QUICK, batch_size=None, compile=compile)
    weighed = make(**settings).fit(X, y, sample_weight=counts * 2.5)
    repeated = make(**settings).fit(np.repeat(X, counts, 0), np.repeat(y, counts))
    score = "predict_proba" if make is nn.Classifier else "predict"
    np.testing.assert_allclose(
        getattr(weighed, score)(X), getattr(repeated, score)(X), rtol=1e-5, atol=1e-9
    )
    assert weighed.history_.engine.startswith("compiled" if compile else "eager")


def test_weighted_samples_compile_by_themselves():
    X, y = blobs(200)
    weights = np.linspace(0.5, 1.5, 200)
    weighed = nn.Classifier(epochs=100, random_state=0).fit(X, y, weights)
    assert weighed.history_.engine == "compiled"


def test_weights_of_one_change_nothing():
    X, y = blobs()
    plain, weighed = nn.Classifier(**QUICK), nn.Classifier(**QUICK)
    plain.fit(X, y)
    weighed.fit(X, y, sample_weight=np.full(60, 3.0))
    assert plain.history_ == weighed.history_


def test_weights_go_with_several_outputs_and_held_out_samples():
    X, y = line()
    model = nn.Regressor(validation=0.25, patience=5, **QUICK)
    model.fit(X, np.column_stack([y, y]), sample_weight=np.linspace(1, 2, 40))
    assert model.score(X, np.column_stack([y, y])) > 0.9


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(60), "zero|0 for every"),
        (np.full(60, -1.0), "weights must be >= 0"),
        (np.ones(59), "60"),
        (np.full(60, np.nan), "NaN"),
    ],
)
def test_weights_that_make_no_sense(weights, message):
    X, y = blobs()
    with pytest.raises(ValueError, match=message):
        nn.Classifier(**QUICK).fit(X, y, sample_weight=weights)


# -- Bit by bit ------------------------------------------------------------------------


def test_partial_fit_is_fit_in_epochs():
    X, y = iris()
    steady = nn.Classifier(lr=0.01, random_state=0)
    for _ in range(60):
        steady.partial_fit(X, y, classes=[0, 1, 2])
    assert steady.n_iter_ == 60
    assert steady.score(X, y) > 0.96
    X, y = line()
    steady = nn.Regressor(lr=0.02, random_state=0)
    for _ in range(60):
        steady.partial_fit(X, y)
    assert steady.score(X, y) > 0.98


def test_partial_fit_by_pieces_and_with_weights():
    X, y = iris()
    order = np.random.RandomState(0).permutation(150)
    model = nn.Classifier(lr=0.01, random_state=0, class_weight={0: 2.0})
    for _ in range(40):
        for piece in np.split(order, 5):
            weights = np.full(30, 0.5)
            model.partial_fit(X[piece], y[piece], [0, 1, 2], sample_weight=weights)
    assert model.score(X, y) > 0.94


def test_partial_fit_asks_for_the_classes_once():
    X, y = blobs()
    model = nn.Classifier(**QUICK)
    with pytest.raises(ValueError, match="classes must be passed"):
        model.partial_fit(X, y)
    with pytest.raises(DataError, match="1 class"):
        model.partial_fit(X[y == 0], y[y == 0], classes=[0])
    with pytest.raises(DataError, match="not among the classes: 1"):
        model.partial_fit(X, y, classes=[0, 7])
    model.partial_fit(X[y == 0], y[y == 0], classes=[0, 1])
    model.partial_fit(X, y)
    with pytest.raises(ValueError, match="not the same as before"):
        model.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(DataError, match="not among the classes: 5"):
        model.partial_fit(X, np.where(y == 0, 5, y))
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :2], y)
    with pytest.raises(ValueError, match="needs all samples at once"):
        nn.Classifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1])


def test_warm_start_goes_on():
    X, y = blobs()
    model = nn.Classifier(warm_start=True, **QUICK).fit(X, y)
    network, loss = model.model_, model.loss_
    model.fit(X, y)
    assert model.model_ is network
    assert model.n_iter_ == 120
    assert model.loss_ < loss
    with pytest.raises(DataError, match="warm_start goes on with the classes 0, 1"):
        model.fit(X, y + 1)
    with pytest.raises(ValueError, match="features"):
        model.fit(X[:, :2], y)
    cold = nn.Classifier(**QUICK).fit(X, y)
    assert cold.fit(X[:, :2], y + 1).n_features_in_ == 2


def test_stopping_early_goes_back_to_the_best():
    X, y = line()
    noisy = y + np.random.RandomState(1).normal(0, 30, 40)
    model = nn.Regressor((32,), validation=0.3, patience=3, **{**QUICK, "epochs": 500})
    model.fit(X, noisy)
    assert model.n_iter_ < 500
    assert model.history_.stopped.startswith("no lower validation loss")
    assert model.loss_ == model.history_.losses[model.history_.best_epoch]
    with pytest.raises(ValueError, match="patience watches the validation loss"):
        nn.Regressor(patience=3).fit(X, y)


def test_of_every_class_some_samples_are_held_out():
    X, y = blobs(100)
    y[:] = 0
    y[:5] = 1
    X[:5] += 5.0
    seen = []

    def loss(outputs, targets):
        seen.append(list(targets))
        return nn.binary_cross_entropy_with_logits(outputs, targets)

    model = nn.Classifier((), loss=loss, validation=0.2, epochs=2, batch_size=None)
    model.fit(X, y)
    assert (len(seen[-1]), sum(seen[-1])) == (20, 1)
    with pytest.raises(DataError, match="too few"):
        nn.Classifier(validation=0.01).fit(X[:6], y[:6])


# -- Settings --------------------------------------------------------------------------


def test_a_seed_decides_everything():
    X, y = blobs()
    one, two = (nn.Classifier(validation=0.2, **QUICK).fit(X, y) for _ in range(2))
    assert one.history_ == two.history_
    other = nn.Classifier(**{**QUICK, "random_state": 1}).fit(X, y)
    assert other.model_.state_dict() != one.model_.state_dict()


def test_failed_settings_leave_what_was_learned():
    X, y = blobs(classes=3)
    model = nn.Classifier(**QUICK).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="lr"):
        model.set_params(lr=-1.0).fit(X, y > 0)
    assert np.array_equal(model.predict(X), before)
    unfitted = nn.Classifier(lr=-1.0)
    with pytest.raises(ValueError, match="lr"):
        unfitted.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(NotFittedError):
        unfitted.predict(X)


def test_losses_and_optimisers_of_any_kind():
    from functools import partial

    X, y = line()
    momentum = partial(nn.SGD, momentum=0.9)
    model = nn.Regressor(optimiser=momentum, loss="huber", weight_decay=1e-4, **QUICK)
    assert model.fit(X, y).score(X, y) > 0.98
    schedule = nn.schedules.cosine(60)
    model = nn.Regressor((), loss=nn.l1_loss, schedule=schedule, **QUICK).fit(X, y)
    assert len(model.model_.layers) == 1
    assert model.history_.learning_rates[-1] < 0.01


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"hidden": 16}, TypeError, "hidden is a sequence of widths"),
        ({"hidden": (0,)}, ValueError, "at least one"),
        ({"activation": "tan"}, ValueError, "unknown activation"),
        ({"loss": "mean"}, ValueError, "unknown loss"),
        ({"optimiser": "newton"}, ValueError, "unknown optimiser"),
        ({"optimiser": 3}, TypeError, "optimiser is 3"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"lr": -1.0}, ValueError, "lr"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay"),
        ({"validation": 1.5}, ValueError, "validation"),
        ({"validation": ([[1.0]], [1.0])}, TypeError, "validation"),
        ({"random_state": "x"}, ValueError, "seed"),
        ({"class_weight": "fair"}, ValueError, "class_weight"),
    ],
)
def test_settings_that_make_no_sense(settings, error, message):
    X, y = blobs()
    with pytest.raises(error, match=message):
        nn.Classifier(**settings).fit(X, y)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("max_iter", "epochs="),
        ("hidden_layer_sizes", "hidden="),
        ("epoch", "mean epochs="),
    ],
)
def test_settings_that_are_called_otherwise(name, answer):
    for make in (nn.Classifier, nn.Regressor):
        with pytest.raises(TypeError, match=f"{make.__name__}.*{name}.*{answer}"):
            make(**{name: 3})


def test_a_loss_of_two_classes_sees_logits_and_zeros_and_ones():
    seen = set()

    def loss(outputs, targets):
        seen.update(targets)
        return nn.binary_cross_entropy_with_logits(outputs, targets)

    X, y = blobs()
    own = nn.Classifier(loss=loss, **QUICK).fit(X, np.array(["no", "yes"])[y])
    known = nn.Classifier(**QUICK).fit(X, y)
    assert seen == {0, 1}
    np.testing.assert_allclose(own.decision_function(X), known.decision_function(X))


# -- Bad data --------------------------------------------------------------------------


@pytest.mark.parametrize("make", [nn.Classifier, nn.Regressor])
def test_data_that_cannot_be_used(make):
    X, y = blobs()
    hole = X.copy()
    hole[3, 1] = np.nan
    for bad, targets in ((hole, y), (X[:0], y[:0]), (X, y[:-1]), (X[:, :0], y)):
        with pytest.raises(ValueError):  # noqa: PT011 - the words are scikit-learn's
            make(**QUICK).fit(bad, targets)
    model = make(**QUICK)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        model.predict(hole)
    with pytest.raises(ValueError, match="3 features"):
        model.predict(X[:, :3])


def test_classes_that_cannot_be_told_apart():
    X, _ = blobs()
    with pytest.raises(DataError, match="1 class, 0"):
        nn.Classifier().fit(X, np.zeros(60, int))
    with pytest.raises(ValueError, match="Unknown label type"):
        nn.Classifier().fit(X, X[:, 0])


def test_sparse_tables_are_refused():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    X, y = blobs()
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        nn.Classifier().fit(scipy_sparse.csr_array(X), y)


# -- Among scikit-learn's tools --------------------------------------------------------


def test_data_frames_have_names():
    pandas = pytest.importorskip("pandas")
    X, y = iris()
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    model = nn.Classifier(**QUICK).fit(frame, pandas.Series(y).map(str))
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert model.predict(frame).shape == (150,)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a", "c", "d"]])


def test_pipelines_and_cross_validation():
    X, y = iris()
    pipeline = make_pipeline(PolynomialFeatures(2), nn.Classifier(**QUICK))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.93


def test_ensembles():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import AdaBoostClassifier, BaggingRegressor

    X, y = iris()
    boosted = AdaBoostClassifier(nn.Classifier(**QUICK), n_estimators=2)
    assert boosted.fit(X, y).score(X, y) > 0.93
    calibrated = CalibratedClassifierCV(nn.Classifier(**QUICK), cv=2)
    assert calibrated.fit(X, y).score(X, y) > 0.9
    bagged = BaggingRegressor(nn.Regressor(**QUICK), n_estimators=2)
    assert bagged.fit(X, y).score(X, y) > 0.85


def test_a_search_over_processes(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))
    X, y = iris()
    grid = {"hidden": [(4,), (8,)], "lr": [1e-6, 0.02]}
    search = GridSearchCV(
        nn.Classifier(epochs=30, random_state=0), grid, cv=2, n_jobs=2
    ).fit(X, y)
    assert search.best_params_["lr"] == 0.02
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("make", [nn.Classifier, nn.Regressor])
def test_copies(make):
    X, y = blobs()
    model = make(**QUICK).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.partial_fit(X, y).loss_ == model.partial_fit(X, y).loss_
    assert not hasattr(clone(model), "model_")
    assert "hidden" in model.get_params()
    schedule = nn.schedules.cosine(5)
    slowing = pickle.loads(pickle.dumps(make(schedule=schedule, epochs=5)))
    assert slowing.fit(X, y).history_.learning_rates[-1] < 1e-3
    assert repr(make((3,))) == f"{make.__name__}(hidden=(3,))"


def test_permutation_importance_finds_what_matters():
    X, y = line()
    X = np.column_stack([X, np.random.RandomState(3).normal(size=40)])
    model = nn.Regressor(**QUICK).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=3, random_state=0)
    assert found.importances_mean.argsort().tolist() == [2, 1, 0]


def test_permutation_importance_of_a_classifier():
    X, y = line()
    X = np.column_stack([X, np.random.RandomState(3).normal(size=40)])
    labels = np.where(y > y.mean(), "much", "little")
    model = nn.Classifier(**QUICK).fit(X, labels)
    found = permutation_importance(model, X, labels, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 0


def test_shap_explains_them():
    """Shares of the features add up to each prediction, and the mean."""
    shap = pytest.importorskip("shap")
    X, y = line()
    model = nn.Regressor(**QUICK).fit(X, y)
    found = shap.Explainer(model.predict, X)(X[:2])
    assert found.values.shape == (2, 2)
    total = found.values.sum(axis=1) + found.base_values
    assert total == pytest.approx(model.predict(X[:2]), abs=1e-9)
    model = nn.Classifier(**QUICK).fit(X, np.where(y > y.mean(), "much", "little"))
    found = shap.Explainer(model.predict_proba, X)(X[:2])
    assert found.values.shape == (2, 2, 2)
    total = found.values.sum(axis=1) + found.base_values
    assert total == pytest.approx(model.predict_proba(X[:2]), abs=1e-9)


# -- Without scikit-learn --------------------------------------------------------------


def test_without_scikit_learn_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from nn import *\n"
        "from autograd import MissingDependencyError\n"
        "for make in (Classifier, Regressor):\n"
        "    try: make((4,), lr=0.1)\n"
        "    except MissingDependencyError as error: print(error)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.count('pip install "scikit-learn>=1.6"') == 2


def test_the_names_are_listed():
    assert {"Classifier", "Regressor", "fit"} <= set(dir(nn))


def test_other_names_are_no_attributes():
    with pytest.raises(AttributeError, match="no attribute 'Clusterer'"):
        nn.Clusterer  # noqa: B018
